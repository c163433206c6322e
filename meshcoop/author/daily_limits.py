"""Limits how many records the software of a home signs by itself in a day (specs/03 R-03.15j).

The software signs in answer to other people, who join, confirm or propose. Without a limit, one
person could make this home write without end.
"""

from collections import Counter
from typing import NamedTuple

from meshcoop.fold.state import State
from meshcoop.store.logs import DeviceLog
from protocol.errors import Refused
from protocol.fold.registry import DeclaredKind
from protocol.fold.thread import Entry
from protocol.record.envelope import DAY_MS

# Each limit is for records of one kind that answer records of one kind.
_Sort = tuple[str | None, str | None]


class _Counted(NamedTuple):
    """How many records software signed by itself on a day: altogether, and of each sort."""

    day: int
    records: int
    by_sort: Counter[_Sort]


class DailyLimits:
    """For each device of this home, counts the records in its log that software signed by itself
    today.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._counted: dict[bytes, _Counted] = {}

    def check(self, kind: DeclaredKind, entry: Entry) -> None:
        """R-03.15j: raises Refused if software may not sign this new record by itself today."""
        if not kind.automatic_a_day:
            raise Refused("R-10.9d", "software signs no {name} by itself", name=kind.name)
        log = self._state.store.logs.find(entry.device)
        if log is None or log.day != entry.time // DAY_MS:
            return
        signed = self._count(log)[kind.name, self._kind_of(entry.about)]
        if signed >= kind.automatic_a_day:
            raise Refused(
                "R-03.15j",
                "software has signed {count} such records by itself today; the rest waits",
                count=signed,
            )

    def _count(self, log: DeviceLog) -> Counter[_Sort]:
        counted = self._counted.get(log.device)
        here = (log.day, log.by_software.records)
        if counted is None or counted[:2] != here:
            first = log.head.seq - log.by_person.records - log.by_software.records + 1
            today = self._state.store.records.of_log(log.device, first, log.head.seq)
            by_sort = Counter(
                (self._kind_of(record.id), self._kind_of(record.about))
                for record in today
                if record.header.is_automatic
            )
            counted = self._counted[log.device] = _Counted(*here, by_sort)
        return counted.by_sort

    def _kind_of(self, record_id: bytes | None) -> str | None:
        row = self._state.store.records.find(record_id) if record_id is not None else None
        entry = self._state.thread_fold.entry(row) if row is not None else None
        return entry.kind if entry is not None else None
