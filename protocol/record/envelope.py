"""The envelope: the form of one signed record (specs/01-records.md).

On the wire a record is `[header, signature, content]`. The header contains the length and the hash
of the content. So the content can be erased, and every log can still be verified.
"""

import hashlib
from typing import Any, NamedTuple

from protocol.errors import Refused
from protocol.record import codec
from protocol.record.signature import SIGNATURE_SIZE, is_signed_message, public_key, sign_message

VERSION = 2

# The audience says who can read a record. If others rely on the record, its header adds LASTING to
# the audience. A lasting record never expires and cannot be retracted. If software signed
# the record by itself, its header adds AUTOMATIC to the audience: the record uses no part of what
# the device's person may write in a day (R-03.15i).
OPEN = 0  # everybody, including relays
EPOCH = 1  # the members, who have the group key of the record's epoch
PRIVATE = 2  # only people to whose devices the record is sealed
AUDIENCES = ("open", "epoch", "private")  # the names of the audiences, by number
LASTING = 4
AUTOMATIC = 8

FOUNDING_ID = bytes(32)  # the charter is signed for this: no other id exists yet

MAX_PARENTS = 8
DAY_MS = 86_400_000
MAX_TIME = 2**48  # milliseconds: the year 10889; the sum of two times fits in 64 bits

_SIGN_DOMAIN = b"meshcoop record 2 sign\0"
_ID_DOMAIN = b"meshcoop record 2 id\0"
_HEADER_FIELDS = 10
_MAX_NUMBER = 2**48  # the highest number of a record in its log
_AUDIENCE_CODES = frozenset(
    audience + lasting + automatic
    for audience in range(len(AUDIENCES))
    for lasting in (0, LASTING)
    for automatic in (0, AUTOMATIC)
)
_KEY_SIZE = 32
_MAX_FRAMING = 1 + 2 + SIGNATURE_SIZE + 3  # bytes of a record without header and content
_SIGNATURE_PREFIX = b"\xc4\x40"  # msgpack: 64 bytes follow
_MAX_SHORT_BIN = 255  # up to this size, msgpack writes the length of bytes in one byte


class Header(NamedTuple):
    """The part of a record that its device signs.

    Times are in milliseconds since 1970. Ids and keys have 32 bytes. `seq` numbers the records of a
    device from 1. `prev` is the id of the record before in the same log, or None in record 1.
    `parents` are the ids of the records that this record answers. `size` and `digest` are the
    length and the SHA-256 of the content. `audience` is OPEN, EPOCH or PRIVATE. If the record must
    never be erased, LASTING is added to `audience`. If software signed the record by itself,
    AUTOMATIC is added too.
    """

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
    def base_audience(self) -> int:
        """The audience without LASTING and AUTOMATIC: OPEN, EPOCH or PRIVATE."""
        return self.audience & ~(LASTING | AUTOMATIC)

    @property
    def is_lasting(self) -> bool:
        """True if others rely on the record.

        A lasting record never expires and cannot be retracted.
        """
        return bool(self.audience & LASTING)

    @property
    def is_automatic(self) -> bool:
        """True if the device's software signed the record by itself, without asking a person."""
        return bool(self.audience & AUTOMATIC)


class Record(NamedTuple):
    """One signed record.

    `header_bytes` are the exact bytes of `header`, and `signature` (64 bytes) signs these bytes.
    `content` is sealed or open. If the content was erased, `content` is None.
    """

    id: bytes
    header: Header
    header_bytes: bytes
    signature: bytes
    content: bytes | None

    @property
    def wire(self) -> bytes:
        """The bytes of the whole record, as nodes send them and the store keeps them."""
        return assemble(self.header_bytes, self.signature, self.content)

    @property
    def about(self) -> bytes | None:
        """The id of the record that this record answers, or None if it begins a thread (R-01.7)."""
        return self.header.parents[0] if self.header.parents else None


def assemble(header_bytes: bytes, signature: bytes, content: bytes | None) -> bytes:
    """Returns a whole record as bytes for the wire, made from its three parts."""
    return b"".join((b"\x93", header_bytes, _SIGNATURE_PREFIX, signature, codec.pack(content)))


def content_digest(content: bytes) -> bytes:
    """Returns the SHA-256 of a record's content. The record's header contains this hash."""
    return hashlib.sha256(content).digest()


def record_id(header_bytes: bytes, signature: bytes) -> bytes:
    """Returns the id of a record, a hash of its header's bytes and its signature (R-01.11)."""
    return hashlib.sha256(_ID_DOMAIN + header_bytes + signature).digest()


def device_key(seed: bytes) -> bytes:
    """Returns the public key of the device with this seed (32 bytes). The key names the device."""
    return public_key(seed)


def sign(header: Header, content: bytes, neighbourhood: bytes, device_seed: bytes) -> Record:
    """Signs `header` for a neighbourhood, and returns the whole record.

    `neighbourhood` is the neighbourhood's id (32 bytes). To sign a charter, pass FOUNDING_ID.
    Raises ValueError if the seed does not belong to the header's device. Raises Refused if the
    record breaks a rule.
    """
    if device_key(device_seed) != header.device:
        raise ValueError("the seed is not that of the header's device")
    header_bytes = codec.pack(list(header))
    message = _SIGN_DOMAIN + neighbourhood + header_bytes
    signature = sign_message(message, device_seed)
    record = Record(record_id(header_bytes, signature), header, header_bytes, signature, content)
    # Every reader must accept the record. So this code reads it first, and raises if it is wrong.
    parse(record.wire)
    return record


def parse(wire: bytes) -> Record:
    """Reads a record and checks its form, but not its signature. Raises Refused (R-01, R-02)."""
    value = codec.unpack_framed(wire, max_bytes=codec.MAX_BYTES, max_items=_HEADER_FIELDS)
    if type(value) is not list or len(value) != 3:  # noqa: PLR2004
        raise Refused("R-01.1", "a record is a list of header, signature and content")
    header_fields, signature, content = value
    if type(signature) is not bytes or len(signature) != SIGNATURE_SIZE:
        raise Refused("R-01.1", "a signature is 64 bytes")
    header = _read_header(header_fields)
    if content is not None:
        if type(content) is not bytes:
            raise Refused("R-01.1", "content is bytes, or nil once erased")
        check_content(header, content)
    # The bytes are canonical, so the bytes before the signature and the content are the header.
    # Cutting the header out keeps its exact signed bytes, and costs less than packing it again.
    after_header = len(_SIGNATURE_PREFIX) + SIGNATURE_SIZE + _packed_size(content)
    header_bytes = wire[1:-after_header]
    if len(header_bytes) + header.size + _MAX_FRAMING > codec.MAX_BYTES:
        raise Refused("R-01.9", "with its content the record is too long")
    return Record(record_id(header_bytes, signature), header, header_bytes, signature, content)


def read_header(header_bytes: bytes) -> Header:
    """Reads a header from the bytes that were signed. Raises Refused (R-01, R-02)."""
    value = codec.unpack_framed(header_bytes, max_bytes=codec.MAX_BYTES, max_items=_HEADER_FIELDS)
    return _read_header(value)


def check_content(header: Header, content: bytes) -> None:
    """Raises Refused (R-01.9) if the content does not match the length and hash in `header`."""
    if len(content) != header.size or content_digest(content) != header.digest:
        raise Refused("R-01.9", "the content is not what the header commits to")


def signed_for(record: Record, neighbourhood: bytes) -> bytes:
    """Returns the id for which a record of this neighbourhood is signed (R-01.10).

    This is the neighbourhood's id. Only the charter is signed for FOUNDING_ID, because the id of
    the neighbourhood does not exist before the charter.
    """
    return FOUNDING_ID if record.id == neighbourhood else neighbourhood


def signature_claim(record: Record, neighbourhood: bytes) -> tuple[bytes, bytes]:
    """Returns the two arguments with which `is_signature_valid` checks a record's signature.

    The first argument is the signature, followed by the signed bytes. The second argument is the
    device's key. Both are `bytes`. So another process can check many signatures without getting the
    records.
    """
    signed = _SIGN_DOMAIN + neighbourhood + record.header_bytes
    return record.signature + signed, record.header.device


def is_signature_valid(message: bytes, key: bytes) -> bool:
    """Returns True if the signature in `message` was made with `key`. Never raises.

    `signature_claim` returns both arguments.
    """
    return is_signed_message(message, key)


def signature_refusal() -> Refused:
    """Returns the refusal of a record whose signature is not valid (R-01.10)."""
    return Refused("R-01.10", "the signature does not hold in this neighbourhood")


def verify(record: Record, neighbourhood: bytes) -> None:
    """Raises Refused (R-01.10) if the record's device did not sign it for this neighbourhood."""
    if not is_signature_valid(*signature_claim(record, neighbourhood)):
        raise signature_refusal()


def _packed_size(content: bytes | None) -> int:
    """Returns the length that content has in msgpack. Content has at most MAX_BYTES here."""
    if content is None:
        return 1
    prefix = 2 if len(content) <= _MAX_SHORT_BIN else 3
    return prefix + len(content)


def _read_header(value: Any) -> Header:
    if type(value) is not list or len(value) != _HEADER_FIELDS:
        raise Refused(
            "R-01.2", "a header is a list of {header_fields} fields", header_fields=_HEADER_FIELDS
        )
    header = Header(*value)
    if type(header.version) is not int or header.version != VERSION:
        raise Refused("R-01.3", "this is not version {version} of the record", version=VERSION)
    _check_bytes32("R-01.4", "the device", header.device)
    _check_position(header)
    _check_times(header)
    _check_parents(header.parents)
    if type(header.audience) is not int or header.audience not in _AUDIENCE_CODES:
        raise Refused(
            "R-01.8", "the audience is open, epoch or private, lasting or not, automatic or not"
        )
    if header.is_lasting and header.expiry is not None:
        raise Refused("R-01.8", "what others rely on does not expire")
    _check_integer("R-01.9", "the content's length", header.size, codec.MAX_BYTES)
    _check_bytes32("R-01.9", "the content's hash", header.digest)
    return header


def _check_position(header: Header) -> None:
    _check_integer("R-01.5", "the number", header.seq, _MAX_NUMBER)
    if header.seq < 1:
        raise Refused("R-01.5", "numbers in a log start at 1")
    if header.seq == 1:
        if header.prev is not None:
            raise Refused("R-01.5", "the first record of a log names none before it")
    else:
        _check_bytes32("R-01.5", "the record before", header.prev)


def _check_times(header: Header) -> None:
    _check_integer("R-01.6", "the time", header.time, MAX_TIME)
    if header.expiry is not None:
        _check_integer("R-01.6", "the expiry", header.expiry, MAX_TIME)
        if header.expiry <= header.time:
            raise Refused("R-01.6", "a record expires after its time")


def _check_parents(parents: Any) -> None:
    if type(parents) is not list or len(parents) > MAX_PARENTS:
        raise Refused("R-01.7", "at most {max_parents} parents, in a list", max_parents=MAX_PARENTS)
    for parent in parents:
        _check_bytes32("R-01.7", "a parent", parent)
    if len(parents) > 1 and len(set(parents)) != len(parents):
        raise Refused("R-01.7", "a parent is named once")


def _check_integer(rule: str, field: str, value: Any, maximum: int) -> None:
    if type(value) is not int or not 0 <= value <= maximum:
        raise Refused(
            rule,
            "{field_name} is an integer from 0 to {maximum}",
            field_name=field,
            maximum=maximum,
        )


def _check_bytes32(rule: str, field: str, value: Any) -> None:
    if type(value) is not bytes or len(value) != _KEY_SIZE:
        raise Refused(
            rule, "{field_name} is {key_size} bytes", field_name=field, key_size=_KEY_SIZE
        )
