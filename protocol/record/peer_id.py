"""How a node is named: the peer id of its public key (specs/05-sync.md, Transport)."""

import base58

_ED25519 = bytes.fromhex("002408011220")  # a multihash that is the key itself, as libp2p writes it


def peer_id(key: bytes) -> str:
    """The peer id, in base58, of a node's Ed25519 public key (32 bytes)."""
    return base58.b58encode(_ED25519 + key).decode()


def key_of(peer_id: str) -> bytes:
    """The public key that a peer id of this network names."""
    return base58.b58decode(peer_id)[len(_ED25519) :]
