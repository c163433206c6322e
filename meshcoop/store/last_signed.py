"""A file beside the store. For each device of a home, it holds the number of the record that the
device signed last (R-03.32).

A damaged store may come back without its latest records. If a device then signed from an earlier
number, it would fork its log. This file shows that records are missing.

The home writes to the file after each record is safely stored, and does not wait for the disk. If
the process is killed, no number is lost. A power cut may lose some numbers, but then the store
itself has every record.
"""

import os
from pathlib import Path

from meshcoop.store.disk_errors import Obstacle
from protocol.record.envelope import Record

_KEY = 32  # bytes
_NUMBER = 8
_SLOT = _KEY + _NUMBER
_MOST_DEVICES = 1024


class LastSigned:
    """The open file. It has one slot for each device: the device's key, and the number of the
    device's last record.
    """

    def __init__(self, path: Path) -> None:
        """Raises Obstacle if the file cannot be opened."""
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Obstacle(
                "{path} cannot be opened ({reason}); check who owns it, then try again.",
                path=path,
                reason=error.strerror,
            ) from None
        data = os.read(self._file, _MOST_DEVICES * _SLOT)
        starts = range(0, len(data) - _SLOT + 1, _SLOT)  # a slot that was cut short is ignored
        slots = [data[start : start + _SLOT] for start in starts]
        self.numbers = {slot[:_KEY]: int.from_bytes(slot[_KEY:], "big") for slot in slots}
        self._slot_of = {device: index for index, device in enumerate(self.numbers)}

    def note(self, record: Record) -> None:
        """Notes the number of a record that this home has signed. The record is safely stored
        already.
        """
        device = record.header.device
        seq = record.header.seq
        self.numbers[device] = seq
        slot = self._slot_of.setdefault(device, len(self._slot_of))
        os.pwrite(self._file, device + seq.to_bytes(_NUMBER, "big"), slot * _SLOT)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)
