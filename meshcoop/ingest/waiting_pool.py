"""Records that cannot be placed yet: by unknown devices, or with a gap before them (invariant 3).

Bounded, and only in memory: what falls out comes again with the next round of sync.
"""

from collections import defaultdict
from collections.abc import Callable

from protocol.record.envelope import Record

MAX_RECORDS = 4096
MAX_BYTES = 8 * 1024 * 1024


class Pool:
    """Waiting records by device. When full, the device that fills it most loses its oldest."""

    def __init__(self, max_records: int = MAX_RECORDS, max_bytes: int = MAX_BYTES) -> None:
        self._by_device: dict[bytes, dict[bytes, Record]] = defaultdict(dict)
        self._ids: set[bytes] = set()
        self._bytes = 0
        self._max_records = max_records
        self._max_bytes = max_bytes

    def __contains__(self, record_id: bytes) -> bool:
        return record_id in self._ids

    def __len__(self) -> int:
        return len(self._ids)

    def devices(self) -> set[bytes]:
        """The devices that have records waiting."""
        return set(self._by_device)

    def named(self) -> set[bytes]:
        """What waiting records name as parents."""
        waiting = (one for logs in self._by_device.values() for one in logs.values())
        return {parent for one in waiting for parent in one.fields.parents}

    def add(self, one: Record) -> None:
        """Keeps `one` for later."""
        if one.id in self._ids:
            return
        self._by_device[one.fields.device][one.id] = one
        self._ids.add(one.id)
        self._bytes += _size(one)
        while len(self._ids) > self._max_records or self._bytes > self._max_bytes:
            by_bytes = self._bytes > self._max_bytes
            fullest = max(self._by_device.values(), key=_weight if by_bytes else len)
            self._remove(next(iter(fullest.values())))

    def ready(self, placeable: Callable[[Record], bool]) -> list[Record]:
        """Takes out, in log order, what can be placed now."""
        found: list[Record] = []
        for device in list(self._by_device):
            waiting = sorted(self._by_device[device].values(), key=lambda one: one.fields.seq)
            # The next of a log makes the one after it placeable, so a run leaves together.
            run = 0
            for one in waiting:
                if not (run and one.fields.seq <= run + 1) and not placeable(one):
                    break  # nor is any after it
                found.append(one)
                run = one.fields.seq
        for one in found:
            self._remove(one)
        return found

    def _remove(self, one: Record) -> None:
        device = one.fields.device
        del self._by_device[device][one.id]
        if not self._by_device[device]:
            del self._by_device[device]
        self._ids.discard(one.id)
        self._bytes -= _size(one)


def _weight(waiting: dict[bytes, Record]) -> int:
    return sum(map(_size, waiting.values()))


def _size(one: Record) -> int:
    return len(one.header) + len(one.signature) + len(one.content or b"")
