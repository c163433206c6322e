"""A file beside the store. For each device of a home, the file holds the number of the record that
the device signed last (R-03.32).

A store that was damaged and repaired may lack its latest records. If a device then went on from an
earlier number, the device would fork its log. This file shows that records are missing.

The home writes to the file after each record is safely stored, and does not wait for the disk. If
the process is killed, no number is lost. A power cut may lose some numbers, but then the store
itself has every record.

The file is not encrypted, because it lies outside the store. So the file has keyed hashes in place
of the devices' keys.
"""

import hashlib
import os
from pathlib import Path

from meshcoop.store.disk_errors import Obstacle
from protocol.record.envelope import Record

_LABEL = 32  # bytes
_NUMBER = 8
_SLOT = _LABEL + _NUMBER
_MOST_DEVICES = 1024


class LastSigned:
    """The open file with the last signed numbers. For each device, the file has a label, and the
    number of the record that the device signed last.
    """

    def __init__(self, path: Path, store_key: bytes) -> None:
        """Opens the file. In the file, a label stands for each device. The labels are made with the
        key of the home's stores. Raises Obstacle if the file cannot be opened.
        """
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
        self._store_key = store_key
        self._numbers = {slot[:_LABEL]: int.from_bytes(slot[_LABEL:], "big") for slot in slots}
        self._slot_of = {label: index for index, label in enumerate(self._numbers)}

    def number_of(self, device: bytes) -> int:
        """Returns the number of the record that a device signed last, or 0 if the file does not
        have the device.
        """
        return self._numbers.get(self._label_of(device), 0)

    def note(self, record: Record) -> None:
        """Notes the number of a record that this home has signed. The record must already be safely
        stored.
        """
        label = self._label_of(record.header.device)
        seq = record.header.seq
        self._numbers[label] = seq
        slot = self._slot_of.setdefault(label, len(self._slot_of))
        os.pwrite(self._file, label + seq.to_bytes(_NUMBER, "big"), slot * _SLOT)

    def close(self) -> None:
        """Closes the file."""
        os.close(self._file)

    def _label_of(self, device: bytes) -> bytes:
        return hashlib.blake2b(device, key=self._store_key, digest_size=_LABEL).digest()
