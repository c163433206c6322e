"""Peer ids: how libp2p names a node by its public key (specs/05-sync.md, Transport)."""

import base58

# A multihash that is the key itself, as libp2p writes it: identity, 36 bytes, an Ed25519 key.
_ED25519_PREFIX = bytes.fromhex("002408011220")


def peer_id(key: bytes) -> str:
    """Returns the peer id, in base58, of a node's Ed25519 public key (32 bytes)."""
    return base58.b58encode(_ED25519_PREFIX + key).decode()


def key_of_peer(peer_id: str) -> bytes:
    """Returns the public key (32 bytes) in a peer id of this network.

    It does not check the peer id.
    """
    return base58.b58decode(peer_id)[len(_ED25519_PREFIX) :]
