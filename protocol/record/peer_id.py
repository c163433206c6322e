"""Peer ids: the names that libp2p makes from a node's public key (specs/05-sync.md, Transport)."""

from functools import lru_cache

import base58

# The first bytes of a libp2p peer id that contains the key itself. They say: a multihash of the
# type identity, of 36 bytes, with an Ed25519 key.
_ED25519_PREFIX = bytes.fromhex("002408011220")


@lru_cache(maxsize=1024)  # a node asks every few seconds for the peer ids of its relays
def peer_id(key: bytes) -> str:
    """Returns the peer id of a node, in base58, made from its Ed25519 public key (32 bytes)."""
    return base58.b58encode(_ED25519_PREFIX + key).decode()


def key_of_peer(peer_id: str) -> bytes:
    """Returns the public key (32 bytes) that a peer id of this network contains.

    This function does not check that the peer id is valid.
    """
    return base58.b58decode(peer_id)[len(_ED25519_PREFIX) :]
