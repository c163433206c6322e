"""The result of an ingest: which records were stored, and why other records were refused."""

from dataclasses import dataclass, field
from typing import NamedTuple

from protocol.errors import Refused
from protocol.record.envelope import Record


class Refusal(NamedTuple):
    """The reason why a record is not stored: the number of the rule, and a text."""

    rule: str
    reason: str

    @classmethod
    def of(cls, error: Refused) -> "Refusal":
        """Makes a refusal from the error that a check raised."""
        return cls(error.rule, error.reason)

    def __str__(self) -> str:
        return f"{self.reason} ({self.rule})"


@dataclass
class IngestResult:
    """The records that were stored, and a refusal for each record that a rule forbids.

    `devices_with_gaps` are devices with records that are missing here. `diverged_devices` are
    devices whose log has one history at this home and another at a peer (R-01.12). If a device is
    in one of these sets, a round of sync is due.
    """

    stored: list[Record] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    devices_with_gaps: set[bytes] = field(default_factory=set)
    diverged_devices: set[bytes] = field(default_factory=set)  # they have gaps, too

    def add(self, other: "IngestResult") -> None:
        """Adds the result of a later ingest to this result."""
        self.stored += other.stored
        self.refused += other.refused
        self.devices_with_gaps |= other.devices_with_gaps
        self.diverged_devices |= other.diverged_devices
