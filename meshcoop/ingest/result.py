"""The result of an ingest: the stored records, and the reasons why others were refused."""

from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.errors import Refused
from protocol.record.envelope import Record


class Refusal(NamedTuple):
    """Why a record is not stored: the number of the rule, and a reason in words."""

    rule: str
    reason: str

    @classmethod
    def of(cls, error: Refused) -> "Refusal":
        """Makes a refusal from an error."""
        return cls(error.rule, error.reason)

    def __str__(self) -> str:
        return f"{self.reason} ({self.rule})"


@dataclass
class IngestResult:
    """The records that were stored, and a refusal for each record that a rule forbids.

    A device has a gap if records of its log are missing here. It has diverged if its log has
    another history than the one held here (R-01.12). For both, a round of sync is due.
    """

    stored: list[Record] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    devices_with_gaps: set[bytes] = field(default_factory=set)
    diverged_devices: set[bytes] = field(default_factory=set)  # all of these have gaps, too
