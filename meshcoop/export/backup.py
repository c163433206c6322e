"""A backup: a person and what their node holds, in one file under the passphrase.

The file is a mark, then pieces, each `u32(length) ‖ bytes`: first the map of the lock in the clear,
then a secretstream of XChaCha20-Poly1305 (libsodium), so that a file of any size is read piece by
piece, and a cut, shuffled or changed one is refused. Its pieces are the contents, lists of records
as they travel, and last, marked as final, their number. No signing key is in it: whoever comes back
does so as a new device. No name of a file is in it either.
"""

import os
from collections.abc import Iterator
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
from meshcoop.home import passphrase_box as lock
from meshcoop.home.passphrase_box import Lock
from meshcoop.home.private_files import replacing

MARK = b"meshcoop backup 1\n"

_FILL = 32 * 1024  # bytes of records in a piece, and one record more
_PIECE = 64 * 1024  # bytes, at most
_LENGTH = 4
_KEY = 32
_MAX_BOXES = 64
_MAX_ADDRESSES = 256


@dataclass(frozen=True)
class Contents:
    """Whose backup it is. `root`: the root seed, if it was not on paper alone. `boxes`: what opens
    the words that were sealed to the person's devices so far.
    """

    neighbourhood: bytes
    person: bytes
    root: bytes | None = field(repr=False)
    boxes: list[list[bytes]] = field(repr=False)
    addresses: list[str] = field(default_factory=list)


def write(path: Path, passphrase: str, contents: Contents, records: Iterator[bytes]) -> int:
    """Writes a backup for its owner alone (0600), whole or not at all; how many records it holds."""
    if os.path.lexists(path):
        raise Mistake(f"{path} is there already; name another file, or move that one away.")
    try:
        with replacing(path) as file:
            return _write(file, passphrase, contents, records)
    except OSError as error:
        raise Mistake(f"{path} cannot be written: {error.strerror}; name another file.") from None


class Reader:
    """An open backup. `contents` is known at once; `records` come in lists, as they were stored.

    Raises Mistake for what is no backup, another passphrase's, cut off or changed.
    """

    def __init__(self, path: Path, passphrase: str) -> None:
        self._path = path
        self._stream = Stream()
        try:
            self._file: BinaryIO = path.open("rb")
        except OSError as error:
            raise Mistake(f"{path} cannot be read: {error.strerror}; name a backup.") from None
        try:
            self.contents = self._open(passphrase)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Ends the use of the file."""
        self._file.close()

    def records(self) -> Iterator[list[bytes]]:
        """The records, piece by piece; the last one has proved that none is missing."""
        count = 0
        while True:
            value, tag = self._next()
            if tag == FINAL:
                if value != count or self._file.read(1):
                    self._refuse()
                return
            if type(value) is not list or not all(type(wire) is bytes for wire in value):
                self._refuse()
            count += len(value)
            yield value

    def _open(self, passphrase: str) -> Contents:
        if self._file.read(len(MARK)) != MARK:
            raise Mistake(f"{self._path} is no backup; name a file that `meshcoop backup` wrote.")
        head = self._piece()
        try:
            fields = lock.check_cost(_unpack(head))
            opening = fields["stream"]
            if type(opening) is not bytes or len(opening) != HEADER:
                self._refuse()
        except lock.Strange as strange:
            if strange.why == "newer":
                sentence = f"{self._path} was written by a newer meshcoop; install that version."
                raise Mistake(sentence) from None
            self._refuse()
        except (ValueError, KeyError):
            self._refuse()
        init_pull(self._stream, opening, Lock.of(fields, passphrase).key)
        self._head: bytes | None = head
        value, _ = self._next(
            f"The passphrase does not open {self._path}, or the file is damaged; use the one of the "
            "home that was backed up."
        )
        return _contents(value) or self._refuse()

    def _next(self, sentence: str | None = None) -> tuple[Any, int]:
        try:
            plain, tag = pull(self._stream, self._piece(), self._head)
            self._head = None
            return _unpack(plain), tag
        except (RuntimeError, ValueError, TypeError):  # what PyNaCl raises for changed bytes
            self._refuse(sentence)

    def _piece(self) -> bytes:
        length = int.from_bytes(self._file.read(_LENGTH), "big")
        if not OVERHEAD <= length <= _PIECE + OVERHEAD:
            self._refuse()
        data = self._file.read(length)
        if len(data) != length:
            self._refuse()
        return data

    def _refuse(self, sentence: str | None = None) -> NoReturn:
        damaged = f"{self._path} is cut off or damaged; take another backup."
        raise Mistake(sentence or damaged) from None


def _write(file: BinaryIO, passphrase: str, contents: Contents, records: Iterator[bytes]) -> int:
    stream, key = Stream(), Lock.new(passphrase)
    head: bytes | None = msgpack.packb({**key.fields(), "stream": init_push(stream, key.key)})
    assert head is not None
    file.write(MARK)
    _put(file, head)
    # What stands in the clear is sealed with the first piece: nobody can change it.
    _put(file, push(stream, msgpack.packb(asdict(contents)), head, MORE))
    count, size, some = 0, 0, []
    for wire in records:
        some.append(wire)
        count, size = count + 1, size + len(wire)
        if size > _FILL:
            _put(file, push(stream, msgpack.packb(some), None, MORE))
            size, some = 0, []
    _put(file, push(stream, msgpack.packb(some), None, MORE))
    _put(file, push(stream, msgpack.packb(count), None, FINAL))
    return count


def _put(file: BinaryIO, data: bytes) -> None:
    file.write(len(data).to_bytes(_LENGTH, "big") + data)


def _unpack(data: bytes) -> Any:
    try:
        return msgpack.unpackb(data)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        raise ValueError("no msgpack") from None


def _contents(value: Any) -> Contents | None:
    """Contents of the right shapes; None for anything else."""
    try:
        found = Contents(**value)
    except TypeError:
        return None
    keys = [found.neighbourhood, found.person, *([] if found.root is None else [found.root])]
    boxes, addresses = found.boxes, found.addresses
    lists = type(boxes) is list and type(addresses) is list
    if not lists or len(boxes) > _MAX_BOXES or len(addresses) > _MAX_ADDRESSES:
        return None
    if not all(type(one) is list and len(one) == 2 for one in boxes):  # noqa: PLR2004
        return None
    keys += [part for box in boxes for part in box]
    fits = all(type(one) is bytes and len(one) == _KEY for one in keys)
    return found if fits and all(type(one) is str for one in addresses) else None
