"""The last number that each device of a home has signed, beside the store (R-03.32).

A damaged store may come back without its end. A device that then went on from an earlier number
would fork its log; this file shows that the end is missing. It is written after each record is
safe, without waiting for the disk: a process that is killed loses nothing of it, and in a power cut
the store itself is safe to the last record.
"""

import os
from pathlib import Path

from protocol.record.envelope import Record

_KEY = 32  # bytes
_NUMBER = 8
_SLOT = _KEY + _NUMBER
_MOST_DEVICES = 1024


class LastSigned:
    """The file: a slot a device, with its key and its number."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        data = os.read(self._file, _MOST_DEVICES * _SLOT)
        starts = range(
            0, len(data) - _SLOT + 1, _SLOT
        )  # a slot that was cut short counts for nothing
        slots = [data[start : start + _SLOT] for start in starts]
        self.numbers = {slot[:_KEY]: int.from_bytes(slot[_KEY:], "big") for slot in slots}
        self._slot_of = {device: index for index, device in enumerate(self.numbers)}

    def note(self, record: Record) -> None:
        """Notes the number of a record of this home that is safely stored."""
        device = record.header.device
        seq = record.header.seq
        self.numbers[device] = seq
        slot = self._slot_of.setdefault(device, len(self._slot_of))
        os.pwrite(self._file, device + seq.to_bytes(_NUMBER, "big"), slot * _SLOT)

    def close(self) -> None:
        """Ends the use of the file."""
        os.close(self._file)
