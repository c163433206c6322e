"""The last number that each device of a home has signed, beside the store (R-03.32).

A damaged store may come back without its end. A device that then went on from an earlier number
would fork its log; this file tells that the end is missing. It is written after each record is
safe, without waiting for the disk: a process that is killed loses nothing of it, and in a power cut
the store itself is safe to the last record.
"""

import os
from pathlib import Path

from protocol.record.envelope import Record

_KEY, _NUMBER = 32, 8
_SLOT = _KEY + _NUMBER


class Signed:
    """The numbers by device."""

    def __init__(self, path: Path) -> None:
        self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        said = os.read(self._file, 1024 * _SLOT)
        slots = [said[at : at + _SLOT] for at in range(0, len(said) - _SLOT + 1, _SLOT)]
        self.numbers = {one[:_KEY]: int.from_bytes(one[_KEY:], "big") for one in slots}
        self._places = {device: at for at, device in enumerate(self.numbers)}

    def note(self, one: Record) -> None:
        """A record of this home is safely stored."""
        device, seq = one.fields.device, one.fields.seq
        self.numbers[device] = seq
        place = self._places.setdefault(device, len(self._places))
        os.pwrite(self._file, device + seq.to_bytes(_NUMBER, "big"), place * _SLOT)

    def close(self) -> None:
        """Ends the use of the file."""
        os.close(self._file)
