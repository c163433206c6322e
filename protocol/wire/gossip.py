"""Gossip: one topic for a neighbourhood, one record in a frame (specs/04-gossip.md).

A frame is a 16-byte MAC under the epoch's gossip key, then the record. Without the MAC, strangers
could make a node verify signatures. The signature says who wrote the record.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable

from protocol.errors import Refused
from protocol.record import envelope
from protocol.record.envelope import Record
from protocol.record.sealing import EpochKey, derive_key

MAC_SIZE = 16  # bytes
MAX_AHEAD = 4096  # how far a record's number may be beyond the head of its log


def topic_name(neighbourhood: bytes) -> str:
    """Returns the topic's name, which does not reveal the neighbourhood's id (R-04.1)."""
    return "/meshcoop/1/" + hashlib.sha256(b"meshcoop topic 1\0" + neighbourhood).hexdigest()[:32]


def gossip_key(epoch: EpochKey) -> bytes:
    """Returns the key for an epoch's MACs (R-04.2).

    Relays get it. With it they can carry records, but not read them.
    """
    return derive_key(epoch.key, "gossip")


def encode_frame(wire: bytes, key: bytes) -> bytes:
    """Makes the frame that carries a record, with a MAC under a gossip key."""
    return _mac(wire, key) + wire


def accept_frame(
    data: bytes,
    keys: Iterable[bytes],
    neighbourhood: bytes,
    is_plausible: Callable[[Record], bool] | None = None,
) -> Record:
    """Returns the record in a frame. Raises Refused (R-04.3, R-04.4, R-01, R-02).

    `keys` are the gossip keys that are accepted. `is_plausible` says if the record's log has a
    place for it that gossip could fill. The result depends on nothing else.
    """
    mac = data[:MAC_SIZE]
    wire = data[MAC_SIZE:]
    # The cheapest check comes first and the signature last: a flood of bad frames costs little.
    if not any(hmac.compare_digest(mac, _mac(wire, key)) for key in keys):
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
