"""The door: both ends of a stream prove that they know one secret, before either end tells anything
(specs/05-sync.md, section Door).

The answerer sends its nonce. The opener sends its own nonce and a MAC. If the MAC holds, the
answerer sends a MAC too. Somebody who does not know the secret sees only random bytes, and cannot
tell which neighbourhood is behind the door. If the opener's MAC is wrong, the answerer sends
nothing and closes the stream.
"""

import hashlib
import hmac
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

from protocol.record.sealing import derive_key

NONCE_SIZE = 32  # bytes
MAC_SIZE = 32  # bytes
PROOF_SIZE = NONCE_SIZE + MAC_SIZE  # what the opener sends
MAX_SECRETS = 1024  # the most secrets that an answerer tries for one stream (R-05.11f)

_OPENER_DOMAIN = b"meshcoop door 2 opener\0"
_ANSWERER_DOMAIN = b"meshcoop door 2 answerer\0"


@lru_cache(maxsize=2 * MAX_SECRETS)
def door_key(secret: bytes) -> bytes:
    """Returns the key of the door's MACs (R-05.11a).

    `secret` is the neighbourhood's id, the secret of an invitation or the secret of a ticket.
    """
    return derive_key(secret, "door")


class Ends(NamedTuple):
    """The peer ids of the node that opened a stream and of the node that answers."""

    opener: str
    answerer: str


def prove_opener(key: bytes, ends: Ends, challenge: bytes, nonce: bytes) -> bytes:
    """Returns what the opener sends: its nonce and its MAC (R-05.11c).

    `challenge` is the nonce of the answerer. `nonce` is the nonce of the opener: 32 fresh random
    bytes.
    """
    return nonce + _mac(_OPENER_DOMAIN, key, ends, challenge, nonce)


def find_key(keys: Iterable[bytes], ends: Ends, challenge: bytes, proof: bytes) -> bytes | None:
    """Returns the key that fits the opener's `proof`, or None (R-05.11d).

    Every key is tried, so the time does not tell which key fits.
    """
    nonce = proof[:NONCE_SIZE]
    mac = proof[NONCE_SIZE:]
    fitting = None
    for key in keys:
        if hmac.compare_digest(mac, _mac(_OPENER_DOMAIN, key, ends, challenge, nonce)):
            fitting = key
    return fitting


def prove_answerer(key: bytes, ends: Ends, challenge: bytes, proof: bytes) -> bytes:
    """Returns the MAC of the answerer (R-05.11d). `proof` is what the opener sent."""
    return _mac(_ANSWERER_DOMAIN, key, ends, challenge, proof[:NONCE_SIZE])


def is_answerer(key: bytes, ends: Ends, challenge: bytes, proof: bytes, mac: bytes) -> bool:
    """Returns True if `mac` shows that the answerer knows the secret too (R-05.11e)."""
    return hmac.compare_digest(mac, prove_answerer(key, ends, challenge, proof))


def _mac(domain: bytes, key: bytes, ends: Ends, challenge: bytes, nonce: bytes) -> bytes:
    peers = b"\0".join(peer.encode() for peer in ends)
    return hmac.digest(key, domain + peers + b"\0" + challenge + nonce, hashlib.sha256)
