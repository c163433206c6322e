"""Limits how many records beyond the cuts a home takes in from a removed person. The limit holds
until a settled term has written down the cuts (specs/03, R-03.35d).

Until then, the removal can still change. So a home stores records beyond the cuts, but does not
fold them. From each removed person, a home takes in at most one day's quota on each day. The other
records wait in a pool outside the store.
"""

from meshcoop.fold.state import State
from protocol.record.envelope import DAY_MS, Header

_NOTE = "late"  # the store's note of a person begins with this word


class LateIntake:
    """Counts what this home has taken in today from each removed person. The counts are in the
    store.
    """

    def __init__(self, state: State) -> None:
        self._state = state

    def is_late(self, header: Header) -> bool:
        """Returns whether a record lies beyond the cut of a removal that is not settled yet."""
        authority = self._state.authority
        if authority is None:
            return False
        cuts = authority.cuts.get(authority.owners.get(header.device, b""))
        return cuts is not None and header.seq > cuts.get(header.device, 0)

    def has_room(self, header: Header) -> bool:
        """Returns whether today another record beyond a cut may be taken in."""
        authority = self._state.authority
        assert authority is not None, "the record is late by it"
        records, size = self._taken_today(authority.owners[header.device])
        by_count: int = authority.charter["quota_records"]
        by_size: int = authority.charter["quota_bytes"]
        return records < by_count and size + header.size <= by_size

    def note(self, header: Header) -> None:
        """Counts a record that this home has taken in although the record is beyond a cut."""
        authority = self._state.authority
        assert authority is not None, "the record is late by it"
        person = authority.owners[header.device]
        records, size = self._taken_today(person)
        figures = f"{self._today()} {records + 1} {size + header.size}"
        self._state.store.set_note(f"{_NOTE} {person.hex()}", figures)

    def _taken_today(self, person: bytes) -> tuple[int, int]:
        noted = str(self._state.store.read_note(f"{_NOTE} {person.hex()}") or "-1 0 0")
        day, records, size = map(int, noted.split())
        return (records, size) if day == self._today() else (0, 0)

    def _today(self) -> int:
        return self._state.now() // DAY_MS
