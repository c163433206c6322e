"""Bundles and have files: files that people carry from home to home (specs/09-bundles.md).

A bundle carries records. A have file carries a have-map, which tells how much a home holds of each
log (R-05.5). Both files begin with a mark, the bytes that show the type of the file. Frames of
R-05.1 follow: a head, lists, and an end with the number of items in all lists.

The lists and the end are sealed. Everybody who knows the neighbourhood's id has the key. Without
the seal, anybody who finds a stick could learn the id from open records. Homes open a stream only
for somebody who knows the id (protocol.wire.door), so strangers must not learn it. The head has a
check. With this check, a member recognises files of the neighbourhood.
"""

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import nacl.bindings as sodium
import nacl.exceptions

from protocol.errors import Refused
from protocol.record import codec
from protocol.record.sealing import NONCE_SIZE, derive_key
from protocol.wire import frames

VERSION = 2
LIST_BYTES = 4096  # bytes of records in a list that we write; a cut file loses one list
MAX_REFUSED = 1000  # after so many refused records, the rest of a bundle is not read


class FileFormat(NamedTuple):
    """A type of file, with its name for people.

    `mark` has the first bytes of such a file. `max_bytes` is its largest size in bytes.
    """

    name: str
    mark: bytes
    max_bytes: int


BUNDLE = FileFormat("bundle", b"meshcoop bundle\n", 1 << 30)
HAVE_FILE = FileFormat("have file", b"meshcoop have\n", 4 << 20)

SALT_SIZE = 32  # bytes
_CHECK_SIZE = 16  # bytes

# Types of frames.
_HEAD = 0  # with version, salt, check
_SEALED = 1  # with one of the frames below, sealed

# Types of sealed frames.
_LIST = 1  # a list of records, or of parts of a have-map
_END = 2  # with the number of items in all lists


def file_opening(file_format: FileFormat, neighbourhood: bytes, salt: bytes) -> bytes:
    """Returns the bytes with which a file of this format, neighbourhood and salt begins (R-09.1)."""
    return file_format.mark + frames.encode(_head(neighbourhood, salt))


def is_opening(file_format: FileFormat, neighbourhood: bytes, data: bytes) -> bool:
    """Returns True if `data`, the beginning of a file, is of this format and neighbourhood."""
    whole = file_opening(file_format, neighbourhood, bytes(SALT_SIZE))
    salt_at = whole.index(bytes(SALT_SIZE))
    salt = data[salt_at : salt_at + SALT_SIZE]
    return data[: len(whole)] == file_opening(file_format, neighbourhood, salt)


class Seal:
    """Seals the frames of one file in their order, or opens them (R-09.11)."""

    def __init__(self, neighbourhood: bytes, salt: bytes) -> None:
        self._key = derive_key(neighbourhood + salt, "bundle")
        self._count = 0

    def close(self, body: bytes) -> bytes:
        """Seals an encoded frame, and returns the result as the next frame of the file."""
        sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
            body, None, self._next_nonce(), self._key
        )
        return frames.encode([_SEALED, sealed])

    def open(self, sealed: bytes) -> Any:
        """Returns what is sealed in the next frame. Raises Refused (R-09.11, R-02)."""
        try:
            body = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
                sealed, None, self._next_nonce(), self._key
            )
        except (nacl.exceptions.CryptoError, ValueError):
            raise Refused("R-09.11", "the file is damaged: what is sealed does not open") from None
        return codec.unpack_framed(
            body, max_bytes=frames.MAX_FRAME, max_items=frames.MAX_FRAME_ITEMS
        )

    def _next_nonce(self) -> bytes:
        self._count += 1
        return self._count.to_bytes(NONCE_SIZE, "big")


def encode_file(
    file_format: FileFormat, neighbourhood: bytes, salt: bytes, lists: Iterable[list[Any]]
) -> Iterator[bytes]:
    """Yields the bytes of a file, in pieces. `salt` is 32 fresh random bytes.

    For a bundle, each list in `lists` holds records as bytes. For a have file, `lists` is the
    result of `have_map_lists`. Raises Refused (R-09.4) if the file grows too large.
    """
    seal = Seal(neighbourhood, salt)
    piece = file_opening(file_format, neighbourhood, salt)
    size = len(piece)
    count = 0
    yield piece
    for values in lists:
        piece = seal.close(codec.pack([_LIST, values]))
        count += len(values)
        size += len(piece)
        if size > file_format.max_bytes - frames.MAX_FRAME:  # leaves space for the end
            raise Refused(
                "R-09.4",
                "this {name} would have more than {max_bytes:,} bytes; write less",
                name=file_format.name,
                max_bytes=file_format.max_bytes,
            )
        yield piece
    yield seal.close(codec.pack([_END, count]))


class Decoder:
    """Reads the lists in a bundle or have file. The file's bytes may come in pieces of any size."""

    def __init__(self, file_format: FileFormat, neighbourhood: bytes) -> None:
        self._format = file_format
        self._neighbourhood = neighbourhood
        self._frames = frames.Decoder()

        self._size = 0
        self._mark_size = 0  # bytes of the mark that have come
        self._count = 0
        self._seal: Seal | None = None  # set when the head has come
        self._has_end = False

    def feed(self, data: bytes) -> Iterator[list[Any]]:
        """Takes the next bytes of the file, and yields the lists that these bytes complete.

        Use each list before you ask for the next. Raises Refused if the file breaks a rule of
        specs/09 or specs/02, or R-05.1. After a refusal, do not call `feed` again.
        """
        self._size += len(data)
        if self._size > self._format.max_bytes:
            raise Refused(
                "R-09.4",
                "this {name} has more than {max_bytes:,} bytes",
                name=self._format.name,
                max_bytes=self._format.max_bytes,
            )
        for frame in self._frames.feed(self._after_mark(data)):
            yield from self._read_frame(frame)

    def close(self) -> None:
        """Tells the decoder that the file has ended.

        Raises Refused (R-09.1, R-09.5) if the file is not complete.
        """
        if self._mark_size < len(self._format.mark):
            raise self._other_file()
        if not self._has_end:
            raise Refused(
                "R-09.5", "the {name} is cut off, so write it again", name=self._format.name
            )
        if self._frames.is_partial:
            raise self._damaged("the {name} is damaged: something follows the end")

    def _after_mark(self, data: bytes) -> bytes:
        """Returns the part of `data` after the file's mark. The mark may come in several pieces.

        Raises Refused (R-09.1) if the file begins with another mark.
        """
        expected = self._format.mark[self._mark_size :][: len(data)]
        if not data.startswith(expected):
            raise self._other_file()
        self._mark_size += len(expected)
        return data[len(expected) :]

    def _read_frame(self, frame: list[Any]) -> Iterator[list[Any]]:
        if self._has_end:
            raise self._damaged("the {name} is damaged: something follows the end")
        if self._seal is None:
            self._seal = Seal(self._neighbourhood, self._read_salt(frame))
            return
        if frame[0] != _SEALED or [type(part) for part in frame[1:]] != [bytes]:
            raise self._other_form()
        inner = self._seal.open(frame[1])
        if type(inner) is not list or not inner:
            raise self._other_form()
        kind, *rest = inner
        if kind == _LIST and len(rest) == 1 and type(rest[0]) is list:
            self._check_list(rest[0])
            self._count += len(rest[0])
            yield rest[0]
        elif kind == _END and len(rest) == 1 and type(rest[0]) is int:
            if rest[0] != self._count:
                raise self._damaged(
                    "the {name} is damaged: of {all} items {there} are there",
                    all=rest[0],
                    there=self._count,
                )
            self._has_end = True
        else:
            raise self._other_form()

    def _read_salt(self, frame: list[Any]) -> bytes:
        """Checks the head, the first frame of the file. Returns the salt that the head contains."""
        if frame[0] != _HEAD or len(frame) < 2 or type(frame[1]) is not int:  # noqa: PLR2004
            raise Refused(
                "R-09.1", "the {name} is damaged: it begins with no head", name=self._format.name
            )
        if frame[1] != VERSION:
            raise Refused(
                "R-09.2",
                (
                    "the {name} is of version {frame}, and this program reads version {version}; "
                    "install the other's version"
                ),
                name=self._format.name,
                frame=frame[1],
                version=VERSION,
            )
        salt = frame[2] if len(frame) > 2 else None  # noqa: PLR2004
        if (
            type(salt) is not bytes
            or len(salt) != SALT_SIZE
            or frame != _head(self._neighbourhood, salt)
        ):
            raise Refused(
                "R-09.3",
                (
                    "the {name} is of another neighbourhood; use one that a home of this "
                    "neighbourhood has written"
                ),
                name=self._format.name,
            )
        return salt

    def _check_list(self, values: list[Any]) -> None:
        if self._format is not BUNDLE:
            return
        if not values or not all(type(wire) is bytes for wire in values):
            raise Refused("R-09.1", "the bundle is damaged: records come as bytes, one or more")

    def _other_form(self) -> Refused:
        return Refused(
            "R-09.1", "the {name} is damaged: a frame of another form", name=self._format.name
        )

    def _other_file(self) -> Refused:
        return Refused("R-09.1", "this is no {name}; name another file", name=self._format.name)

    def _damaged(self, text: str, **arguments: Any) -> Refused:
        return Refused("R-09.5", text, name=self._format.name, **arguments)


def _head(neighbourhood: bytes, salt: bytes) -> list[Any]:
    """Returns the head of a file. The check in the head shows whether the file belongs to the
    neighbourhood. Only somebody who knows the neighbourhood's id can use this check (R-09.3).
    """
    return [_HEAD, VERSION, salt, derive_key(neighbourhood + salt, "bundle check", _CHECK_SIZE)]
