"""The result of an ingest: which records were stored, and why others were not."""

from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.errors import Refused
from protocol.record.envelope import Record


class Refusal(NamedTuple):
    """Why a record is not stored: the number of a rule, and a sentence."""

    rule: str
    reason: str

    @classmethod
    def of(cls, error: Refused) -> "Refusal":
        """The refusal that an error stands for."""
        return cls(error.rule, error.reason)

    def __str__(self) -> str:
        return f"{self.reason} ({self.rule})"


@dataclass
class IngestResult:
    """The records that were stored now, and a refusal for each that a rule forbids.

    For devices with gaps, or with another history than the one held here (R-01.12), a round of sync
    is due.
    """

    stored: list[Record] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    devices_with_gaps: set[bytes] = field(default_factory=set)
    diverged_devices: set[bytes] = field(default_factory=set)  # all of these have gaps, too
