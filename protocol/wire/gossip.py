"""Gossip: a home publishes each new record on the neighbourhood's topic (specs/04-gossip.md).

A gossip frame is a MAC of 16 bytes, then one record. The MAC is made with the gossip key of an
epoch, a period with one group key. Without the MAC, strangers could make a node verify many
signatures. The record's own signature, and not the MAC, shows who wrote the record.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable

from protocol.errors import Refused
from protocol.record import envelope
from protocol.record.envelope import Record
from protocol.record.sealing import EpochKey, derive_key

MAC_SIZE = 16  # bytes
MAX_AHEAD = 4096  # a record's number may be this far above the head of its log


def topic_name(neighbourhood: bytes) -> str:
    """Returns the topic's name, from which nobody can tell the neighbourhood's id (R-04.1)."""
    return "/meshcoop/1/" + hashlib.sha256(b"meshcoop topic 1\0" + neighbourhood).hexdigest()[:32]


def gossip_key(epoch: EpochKey) -> bytes:
    """Derives the gossip key of an epoch, with which MACs are made (R-04.2).

    Relays get the gossip key. With this key they can pass records on, but cannot read them.
    """
    return derive_key(epoch.key, "gossip")


def encode_frame(wire: bytes, key: bytes) -> bytes:
    """Returns the gossip frame of a record: a MAC under the gossip key `key`, then the record."""
    return _mac(wire, key) + wire


def accept_frame(
    data: bytes,
    keys: Iterable[bytes],
    neighbourhood: bytes,
    is_plausible: Callable[[Record], bool] | None = None,
) -> Record:
    """Checks a gossip frame and returns its record.

    `keys` are the gossip keys that are accepted. `is_plausible` returns True if gossip could add
    the record to the log of its device. The result depends only on the arguments. Raises Refused
    (R-04.3, R-04.4, R-01, R-02).
    """
    mac = data[:MAC_SIZE]
    wire = data[MAC_SIZE:]
    # The cheapest check comes first and the signature last, so a flood of bad frames costs little.
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
