"""The envelope: one signed record (specs/01-records.md).

On the wire a record is `[header, signature, content]`. The header commits to the content by
length and hash, so content can be erased while every log still verifies.
"""

import hashlib
from typing import Any, NamedTuple

import nacl.bindings
import nacl.exceptions

from protocol.errors import Refused
from protocol.record import codec

VERSION = 1
OPEN, EPOCH, PRIVATE = 0, 1, 2
AUDIENCES = ("open", "epoch", "private")
LASTING = 4  # added to the audience where others rely on the record: it is never erased
FOUNDING = bytes(32)  # stands for the neighbourhood in the charter that creates its id

MAX_PARENTS = 8
DAY_MS = 86_400_000
MAX_TIME = 2**48  # milliseconds: the year 10889, and no sum of two overflows 64 bits

_SIGN = b"meshcoop record 1 sign\0"
_NAME = b"meshcoop record 1 id\0"
_SHAPE = 10
_AUDIENCE_CODES = frozenset((*range(PRIVATE + 1), *range(LASTING, LASTING + PRIVATE + 1)))
_KEY = 32
_SIGNATURE = 64
_WRAPPING = 1 + 2 + _SIGNATURE + 3  # what a record has beside header and content, at most
_SIGNATURE_PREFIX = b"\xc4\x40"  # msgpack: 64 bytes follow
_SHORTEST_BIN = 255  # bytes that msgpack tells with one byte of length


class Header(NamedTuple):
    """What a device signs. Times are milliseconds since 1970, ids and keys 32 bytes."""

    version: int
    device: bytes
    seq: int
    prev: bytes | None
    time: int
    expiry: int | None
    parents: list[bytes]
    audience: int
    size: int
    digest: bytes

    @property
    def reach(self) -> int:
        """OPEN, EPOCH or PRIVATE."""
        return self.audience & ~LASTING

    @property
    def lasting(self) -> bool:
        """Whether others rely on the record, so that it neither expires nor can be retracted."""
        return bool(self.audience & LASTING)


class Record(NamedTuple):
    """One record. `header` is its exact signed bytes; `content` is None once erased."""

    id: bytes
    fields: Header
    header: bytes
    signature: bytes
    content: bytes | None

    @property
    def wire(self) -> bytes:
        """The bytes that travel and that the store keeps."""
        return assemble(self.header, self.signature, self.content)

    @property
    def about(self) -> bytes | None:
        """The record that this one answers; None for the root of a thread (R-01.7)."""
        return self.fields.parents[0] if self.fields.parents else None


def assemble(header: bytes, signature: bytes, content: bytes | None) -> bytes:
    """Puts the parts of a record back together on the wire."""
    return b"".join((b"\x93", header, _SIGNATURE_PREFIX, signature, codec.pack(content)))


def digest(content: bytes) -> bytes:
    """The hash by which a header commits to its content."""
    return hashlib.sha256(content).digest()


def record_id(header: bytes, signature: bytes) -> bytes:
    """R-01.11: SHA-256 over a domain tag, the header and the signature."""
    return hashlib.sha256(_NAME + header + signature).digest()


def device_key(seed: bytes) -> bytes:
    """The public key, which names the device, of a 32-byte seed."""
    public: bytes = nacl.bindings.crypto_sign_seed_keypair(seed)[0]
    return public


def sign(header: Header, content: bytes, neighbourhood: bytes, device_seed: bytes) -> Record:
    """Signs `header` for `neighbourhood` (32 bytes; FOUNDING for the first charter)."""
    packed = codec.pack(list(header))
    public, secret = nacl.bindings.crypto_sign_seed_keypair(device_seed)
    if public != header.device:
        raise ValueError("the seed is not that of the header's device")
    message = _SIGN + neighbourhood + packed
    signature = nacl.bindings.crypto_sign(message, secret)[:_SIGNATURE]
    record = Record(record_id(packed, signature), header, packed, signature, content)
    parse(record.wire)  # what we sign, every reader must accept
    return record


def parse(wire: bytes) -> Record:
    """Reads a record and checks its form, not yet its signature. Raises Refused (R-01, R-02)."""
    value = codec.unpack_framed(wire, max_bytes=codec.MAX_BYTES, max_items=_SHAPE)
    if type(value) is not list or len(value) != 3:  # noqa: PLR2004
        raise Refused("R-01.1", "a record is a list of header, signature and content")
    header, signature, content = value
    if type(signature) is not bytes or len(signature) != _SIGNATURE:
        raise Refused("R-01.1", "a signature is 64 bytes")
    fields = _header(header)
    if content is not None:
        if type(content) is not bytes:
            raise Refused("R-01.1", "content is bytes, or nil once erased")
        check_content(fields, content)
    # The bytes are canonical, so the header is what signature and content leave of them.
    packed = wire[1 : -len(_SIGNATURE_PREFIX) - _SIGNATURE - _packed_size(content)]
    if len(packed) + fields.size + _WRAPPING > codec.MAX_BYTES:
        raise Refused("R-01.9", "with its content the record is too long")
    return Record(record_id(packed, signature), fields, packed, signature, content)


def _packed_size(content: bytes | None) -> int:
    """How long content is in msgpack; it is at most MAX_BYTES here."""
    if content is None:
        return 1
    return len(content) + (2 if len(content) <= _SHORTEST_BIN else 3)


def read_header(packed: bytes) -> Header:
    """The fields of a header in its signed bytes. Raises Refused."""
    return _header(codec.unpack_framed(packed, max_bytes=codec.MAX_BYTES, max_items=_SHAPE))


def check_content(header: Header, content: bytes) -> None:
    """R-01.9: content has the length and the hash that its header signs."""
    if len(content) != header.size or digest(content) != header.digest:
        raise Refused("R-01.9", "the content is not what the header commits to")


def claim(record: Record, neighbourhood: bytes) -> tuple[bytes, bytes]:
    """What verifying looks at: the signature in front of what it signs, and the key."""
    return record.signature + _SIGN + neighbourhood + record.header, record.fields.device


def holds(message: bytes, key: bytes) -> bool:
    """Whether a claim is true."""
    try:
        nacl.bindings.crypto_sign_open(message, key)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        return False
    return True


def forged() -> Refused:
    """What is said of a claim that is not true (R-01.10)."""
    return Refused("R-01.10", "the signature does not hold in this neighbourhood")


def verify(record: Record, neighbourhood: bytes) -> None:
    """R-01.10: the device's signature holds for this neighbourhood. Raises Refused."""
    if not holds(*claim(record, neighbourhood)):
        raise forged()


def _header(value: Any) -> Header:
    if type(value) is not list or len(value) != _SHAPE:
        raise Refused("R-01.2", f"a header is a list of {_SHAPE} fields")
    header = Header(*value)
    if type(header.version) is not int or header.version != VERSION:
        raise Refused("R-01.3", f"this is not version {VERSION} of the record")
    _bytes32("R-01.4", "the device", header.device)
    _position(header)
    _times(header)
    _parents(header.parents)
    if type(header.audience) is not int or header.audience not in _AUDIENCE_CODES:
        raise Refused("R-01.8", "the audience is open, epoch or private, lasting or not")
    if header.lasting and header.expiry is not None:
        raise Refused("R-01.8", "what others rely on does not expire")
    _integer("R-01.9", "the content's length", header.size, codec.MAX_BYTES)
    _bytes32("R-01.9", "the content's hash", header.digest)
    return header


def _position(header: Header) -> None:
    _integer("R-01.5", "the number", header.seq, 2**48)
    if header.seq < 1:
        raise Refused("R-01.5", "numbers in a log start at 1")
    if header.seq == 1:
        if header.prev is not None:
            raise Refused("R-01.5", "the first record of a log names none before it")
    else:
        _bytes32("R-01.5", "the record before", header.prev)


def _times(header: Header) -> None:
    _integer("R-01.6", "the time", header.time, MAX_TIME)
    if header.expiry is not None:
        _integer("R-01.6", "the expiry", header.expiry, MAX_TIME)
        if header.expiry <= header.time:
            raise Refused("R-01.6", "a record expires after its time")


def _parents(parents: Any) -> None:
    if type(parents) is not list or len(parents) > MAX_PARENTS:
        raise Refused("R-01.7", f"at most {MAX_PARENTS} parents, in a list")
    for parent in parents:
        _bytes32("R-01.7", "a parent", parent)
    if len(parents) > 1 and len(set(parents)) != len(parents):
        raise Refused("R-01.7", "a parent is named once")


def _integer(rule: str, what: str, value: Any, most: int) -> None:
    if type(value) is not int or not 0 <= value <= most:
        raise Refused(rule, f"{what} is an integer from 0 to {most}")


def _bytes32(rule: str, what: str, value: Any) -> None:
    if type(value) is not bytes or len(value) != _KEY:
        raise Refused(rule, f"{what} is {_KEY} bytes")
