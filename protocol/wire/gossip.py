"""Gossip: a home publishes each new record on the neighbourhood's topic (specs/04-gossip.md).

A gossip frame has three parts: the name of a gossip key, a MAC of 16 bytes made with this key, and
one record. Each epoch (a period with one group key) has its own gossip key. Without the MAC,
strangers could make a node verify many signatures. The record's own signature, and not the MAC,
shows who wrote the record.
"""

import hashlib
import hmac
from collections.abc import Callable, Mapping

from protocol.errors import Refused
from protocol.record import codec, envelope
from protocol.record.envelope import Record
from protocol.record.sealing import EpochKey, derive_key

NAME_SIZE = 8  # bytes by which a frame names its key
MAC_SIZE = 16  # bytes
WIRE_AT = NAME_SIZE + MAC_SIZE  # where the record begins in a frame
MAX_FRAME = WIRE_AT + codec.MAX_BYTES  # bytes
MAX_AHEAD = 4096  # a record's number may be this far above the head of its log


def topic_name(neighbourhood: bytes) -> str:
    """Returns the name of the topic (R-04.1). Nobody can work out the neighbourhood's id from this
    name.
    """
    return "/meshcoop/1/" + hashlib.sha256(b"meshcoop topic 1\0" + neighbourhood).hexdigest()[:32]


def gossip_key(epoch: EpochKey) -> bytes:
    """Derives the gossip key of an epoch. MACs are made with this key (R-04.2).

    Relays get the gossip key. With this key they can pass records on, but cannot read them.
    """
    return derive_key(epoch.key, "gossip")


def name_gossip_key(key: bytes) -> bytes:
    """Returns the 8 bytes by which a frame names its gossip key. They do not reveal the key."""
    return hashlib.sha256(b"meshcoop gossip key 2\0" + key).digest()[:NAME_SIZE]


def encode_frame(wire: bytes, key: bytes) -> bytes:
    """Returns the gossip frame of a record. The frame has the name of the gossip key `key`, a MAC
    made with this key, and the record.
    """
    return name_gossip_key(key) + _mac(wire, key) + wire


def accept_frame(
    data: bytes,
    keys: Mapping[bytes, bytes],
    neighbourhood: bytes,
    is_plausible: Callable[[Record], bool] | None = None,
) -> Record:
    """Checks a gossip frame and returns its record.

    `keys` are the gossip keys that are accepted, by their names. `is_plausible` returns True if
    gossip could add the record to the log of its device. The result depends only on the arguments.
    Raises Refused (R-04.3, R-04.4, R-01, R-02).
    """
    # The cheapest check comes first and the signature last, so a flood of bad frames costs little.
    if len(data) > MAX_FRAME:
        raise Refused("R-04.3j", "a frame has at most {most} bytes", most=MAX_FRAME)
    key = keys.get(data[:NAME_SIZE])
    wire = data[WIRE_AT:]
    if key is None or not hmac.compare_digest(data[NAME_SIZE:WIRE_AT], _mac(wire, key)):
        raise Refused("R-04.3", "the frame is not from a holder of the gossip key")
    record = envelope.parse(wire)
    if record.content is None:
        raise Refused("R-04.3", "gossip carries records with their content")
    if is_plausible is not None and not is_plausible(record):
        raise Refused("R-04.4", "no log has a place for it that gossip could fill")
    envelope.verify(record, envelope.signed_for(record, neighbourhood))
    return record


def _mac(wire: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(wire, key=key, digest_size=MAC_SIZE).digest()
