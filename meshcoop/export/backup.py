"""Writes and reads backups. A backup is one file with a person's secrets and the records of their
node. A passphrase locks the file.

The file begins with a mark. Then come pieces, each written as `u32(length) ‖ bytes`. The first
piece is the map of the lock, which is not encrypted. The other pieces are a secretstream of
XChaCha20-Poly1305 (libsodium). So a program can read a large file piece by piece. A file that was
cut, reordered or changed is refused.

The stream begins with the `BackupContents`. Then come lists of group keys, because some group keys
are in no record. Without these keys, a restored home could not read some content. Each group key is
locked with one of the box keys in the `BackupContents`. An empty list ends these lists. Then come
lists of records, in the form in which records travel between homes. The last piece is marked as
final and holds the number of records.

The file has no signing key, so a person who restores it gets a new device. The file has no file
names either.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, BinaryIO, NoReturn

import msgpack
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_ABYTES as OVERHEAD,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_HEADERBYTES as HEADER,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_pull as init_pull,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_init_push as init_push,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_pull as pull,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_push as push,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_state as Stream,  # noqa: N812
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_TAG_FINAL as FINAL,
)
from nacl.bindings import (
    crypto_secretstream_xchacha20poly1305_TAG_MESSAGE as MORE,
)

from meshcoop.errors import Mistake
from meshcoop.export.bundle import open_file
from meshcoop.home import passphrase_box as lock
from meshcoop.home.passphrase_box import Lock
from meshcoop.home.private_files import open_replacement
from meshcoop.store.held_keys import KeptKey

FILE_MARK = b"meshcoop backup 2\n"
_OLDER_MARK = b"meshcoop backup 1\n"

_PIECE_FILL = 32 * 1024  # bytes of records after which a piece is written
_MAX_PIECE = 64 * 1024  # bytes
_LENGTH_BYTES = 4
_KEY_BYTES = 32
_KEYS_OF_BOX = 2  # the public and the secret one
_KEYS_OF_PIECE = 150  # group keys; each takes some 160 bytes
_MAX_BOXES = 64
_MAX_ADDRESSES = 256


@dataclass(frozen=True)
class BackupContents:
    """The person of the backup, and what this person needs to return to the neighbourhood.

    `root` is the root seed. If the seed is only on paper, `root` is None. An entry of `boxes` has
    the key of a device of this person, and a secret key. The secret key opens what was sealed to
    this device.
    """

    neighbourhood: bytes
    person: bytes
    root: bytes | None = field(repr=False)
    boxes: list[list[bytes]] = field(repr=False)
    addresses: list[str] = field(default_factory=list)


def write_backup(
    path: Path,
    passphrase: str,
    contents: BackupContents,
    keys: Iterable[KeptKey],
    records: Iterator[bytes],
) -> int:
    """Writes a backup. Writes either the whole file or nothing. Only the file's owner can read it
    (mode 0600).

    Returns the number of records in the backup. Raises Mistake if there is a file at the path
    already, or if the file cannot be written.
    """
    if os.path.lexists(path):
        raise Mistake(
            "{path} is there already; name another file, or move that one away.", path=path
        )
    try:
        with open_replacement(path) as file:
            return _write(file, passphrase, contents, list(keys), records)
    except OSError as error:
        raise Mistake(
            "{path} cannot be written: {strerror}; name another file.",
            path=path,
            strerror=error.strerror,
        ) from None


class BackupReader:
    """Reads a backup. The constructor reads `contents`, and reads the group keys into `keys`. Then
    `read_records` yields the records.

    The constructor and `read_records` raise Mistake if the file cannot be used: the file is no
    backup, was cut or changed, or has another passphrase.
    """

    def __init__(self, path: Path, passphrase: str) -> None:
        self._path = path
        self._stream = Stream()
        self._file = open_file(path)
        try:
            self.contents = self._open(passphrase)
            self.keys = list(self._read_keys())
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Closes the file."""
        self._file.close()

    def read_records(self) -> Iterator[list[bytes]]:
        """Yields lists of records: one list for each piece of the file. Raises Mistake if records
        at the end are missing.
        """
        count = 0
        while True:
            value, tag = self._read_value()
            if tag == FINAL:
                if value != count or self._file.read(1):
                    self._refuse()
                return
            if type(value) is not list or not all(type(wire) is bytes for wire in value):
                self._refuse()
            count += len(value)
            yield value

    def _read_keys(self) -> Iterator[KeptKey]:
        while True:
            rows, tag = self._read_value()
            if tag == FINAL or type(rows) is not list or not all(map(_is_key_row, rows)):
                self._refuse()
            if not rows:
                return
            yield from (KeptKey(*row) for row in rows)

    def _open(self, passphrase: str) -> BackupContents:
        mark = self._file.read(len(FILE_MARK))
        if mark == _OLDER_MARK:
            raise Mistake("{path} was made by an older meshcoop; begin anew.", path=self._path)
        if mark != FILE_MARK:
            raise Mistake(
                "{path} is no backup; name a file that `meshcoop backup` wrote.", path=self._path
            )
        head = self._read_piece()
        try:
            fields = lock.check_costs(_unpack(head))
            stream_header = fields["stream"]
            if type(stream_header) is not bytes or len(stream_header) != HEADER:
                self._refuse()
        except lock.UnreadableLock as strange:
            if strange.reason == "newer":
                raise Mistake(
                    "{path} was written by a newer meshcoop; install that version.", path=self._path
                ) from None
            self._refuse()
        except (ValueError, KeyError):
            self._refuse()
        init_pull(self._stream, stream_header, Lock.derive(fields, passphrase).key)
        # The first sealed piece authenticates the map, which is not encrypted.
        self._head: bytes | None = head
        wrong_passphrase = Mistake(
            "The passphrase does not open {path}, or the file is damaged; use the one of the home "
            "that was backed up.",
            path=self._path,
        )
        value, _ = self._read_value(wrong_passphrase)
        return _parse_contents(value) or self._refuse()

    def _read_value(self, fault: Mistake | None = None) -> tuple[Any, int]:
        try:
            plain, tag = pull(self._stream, self._read_piece(), self._head)
            self._head = None
            return _unpack(plain), tag
        except (RuntimeError, ValueError, TypeError):  # PyNaCl raises these for changed bytes
            self._refuse(fault)

    def _read_piece(self) -> bytes:
        length = int.from_bytes(self._file.read(_LENGTH_BYTES), "big")
        if not OVERHEAD <= length <= _MAX_PIECE + OVERHEAD:
            self._refuse()
        data = self._file.read(length)
        if len(data) != length:
            self._refuse()
        return data

    def _refuse(self, fault: Mistake | None = None) -> NoReturn:
        damage = Mistake("{path} is cut off or damaged; take another backup.", path=self._path)
        raise fault or damage from None


def _write(
    file: BinaryIO,
    passphrase: str,
    contents: BackupContents,
    keys: list[KeptKey],
    records: Iterator[bytes],
) -> int:
    stream = Stream()
    new_lock = Lock.new(passphrase, lock.MODERATE)
    stream_header = init_push(stream, new_lock.key)
    head: bytes = msgpack.packb({**new_lock.fields(), "stream": stream_header})
    file.write(FILE_MARK)
    _write_piece(file, head)
    # The first sealed piece authenticates the map, so that nobody can change it.
    _write_piece(file, push(stream, msgpack.packb(asdict(contents)), head, MORE))
    for at in range(0, len(keys), _KEYS_OF_PIECE):
        _write_piece(file, push(stream, msgpack.packb(keys[at : at + _KEYS_OF_PIECE]), None, MORE))
    _write_piece(file, push(stream, msgpack.packb([]), None, MORE))
    count = 0
    size = 0
    batch: list[bytes] = []
    for wire in records:
        batch.append(wire)
        count += 1
        size += len(wire)
        if size > _PIECE_FILL:
            _write_piece(file, push(stream, msgpack.packb(batch), None, MORE))
            size = 0
            batch = []
    _write_piece(file, push(stream, msgpack.packb(batch), None, MORE))
    _write_piece(file, push(stream, msgpack.packb(count), None, FINAL))
    return count


def _write_piece(file: BinaryIO, data: bytes) -> None:
    file.write(len(data).to_bytes(_LENGTH_BYTES, "big") + data)


def _is_key_row(row: Any) -> bool:
    return (
        type(row) is list
        and len(row) == len(KeptKey._fields)
        and all(type(part) is bytes for part in row)
    )


def _unpack(data: bytes) -> Any:
    try:
        return msgpack.unpackb(data)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        raise ValueError("no msgpack") from None


def _parse_contents(value: Any) -> BackupContents | None:
    """Returns the contents of a backup. Returns None if a field is missing, or has a wrong type or
    size.
    """
    try:
        contents = BackupContents(**value)
    except TypeError:
        return None
    boxes = contents.boxes
    addresses = contents.addresses
    if type(boxes) is not list or type(addresses) is not list:
        return None
    if len(boxes) > _MAX_BOXES or len(addresses) > _MAX_ADDRESSES:
        return None
    if not all(type(box) is list and len(box) == _KEYS_OF_BOX for box in boxes):
        return None
    keys = [contents.neighbourhood, contents.person, *(key for box in boxes for key in box)]
    if contents.root is not None:
        keys.append(contents.root)
    are_keys = all(type(key) is bytes and len(key) == _KEY_BYTES for key in keys)
    are_addresses = all(type(address) is str for address in addresses)
    return contents if are_keys and are_addresses else None
