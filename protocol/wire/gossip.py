"""Gossip: one topic a neighbourhood, one record a frame (specs/04-gossip.md).

A frame is a 16-byte MAC under the epoch's gossip key, then the record. The MAC keeps strangers
from making a node verify signatures; the signature says who wrote the record.
"""

import hashlib
import hmac
from collections.abc import Callable, Iterable

from protocol.errors import Refused
from protocol.record import envelope as record
from protocol.record.envelope import Record
from protocol.record.sealing import EpochKey, derive

MAC = 16
MOST_AHEAD = 4096  # numbers beyond the head of a log


def topic(neighbourhood: bytes) -> str:
    """R-04.1: the topic's name; it does not tell the neighbourhood's id."""
    return "/meshcoop/1/" + hashlib.sha256(b"meshcoop topic 1\0" + neighbourhood).hexdigest()[:32]


def gossip_key(epoch: EpochKey) -> bytes:
    """R-04.2: what a relay gets when it is enrolled: it carries, and cannot read."""
    return derive(epoch.key, "gossip")


def frame(wire: bytes, key: bytes) -> bytes:
    """A record on its way to the topic."""
    return _mac(wire, key) + wire


def accept(
    data: bytes,
    keys: Iterable[bytes],
    neighbourhood: bytes,
    plausible: Callable[[Record], bool] | None = None,
) -> Record:
    """R-04.3: the record in a frame, or Refused. Pure in the bytes, the keys and the logs known.

    MAC first, then form and content, then whether the author's log can use it (R-04.4), then the
    signature: the cheapest check comes first.
    """
    mac, wire = data[:MAC], data[MAC:]
    if not any(hmac.compare_digest(mac, _mac(wire, key)) for key in keys):
        raise Refused("R-04.3", "the frame is not from a holder of the gossip key")
    one = record.parse(wire)
    if one.content is None:
        raise Refused("R-04.3", "gossip carries records with their content")
    if plausible is not None and not plausible(one):
        raise Refused("R-04.4", "no log has a place for it that gossip could fill")
    record.verify(one, record.FOUNDING if one.id == neighbourhood else neighbourhood)
    return one


def _mac(wire: bytes, key: bytes) -> bytes:
    return hashlib.blake2b(wire, key=key, digest_size=MAC).digest()
