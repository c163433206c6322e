"""A node's libp2p identity: its Ed25519 key, and the peer id made from that key."""

from libp2p.crypto.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from libp2p.crypto.keys import KeyPair
from libp2p.peer.id import ID
from nacl.bindings import crypto_core_ed25519_is_valid_point

from meshcoop.network.interface import NetworkError

KEY_SIZE = 32  # bytes of an Ed25519 seed and of an Ed25519 public key


def key_pair_from_seed(seed: bytes) -> KeyPair:
    """Makes the libp2p key pair from an Ed25519 seed. Raises NetworkError if the seed does not have
    32 bytes.
    """
    if len(seed) != KEY_SIZE:
        raise NetworkError(
            "A network key is {size} bytes long, this one is {found}.",
            size=KEY_SIZE,
            found=len(seed),
        )
    private = Ed25519PrivateKey.from_bytes(seed)
    return KeyPair(private, private.get_public_key())


def peer_id_from_seed(seed: bytes) -> str:
    """Returns the peer id, in base58, of the node whose network key has this seed."""
    return ID.from_pubkey(key_pair_from_seed(seed).public_key).to_base58()


def peer_id_from_key(key: bytes) -> str:
    """Returns the peer id, in base58, of a node's public key (32 raw bytes).

    Raises NetworkError if the bytes are not an Ed25519 public key.
    """
    if len(key) != KEY_SIZE:
        raise NetworkError(
            "A node's public key is {size} bytes long, not {found}.", size=KEY_SIZE, found=len(key)
        )
    # libp2p accepts any 32 bytes. But only a point of the curve can be the key of a node.
    if not crypto_core_ed25519_is_valid_point(key):
        raise NetworkError("These bytes are not the Ed25519 public key of a node.")
    return ID.from_pubkey(Ed25519PublicKey.from_bytes(key)).to_base58()


def parse_peer_id(peer_id: str) -> ID:
    """Parses a peer id in base58. Raises NetworkError if it does not contain an Ed25519 key."""
    try:
        peer = ID.from_base58(peer_id)
        key = peer.extract_public_key()
    except Exception as error:  # base58 and multihash raise several kinds of error
        raise NetworkError("{peer_id!r} is not a peer id.", peer_id=peer_id) from error
    # The peer id of an RSA key is only a hash, so the key cannot be read from it. Every node of
    # this network has an Ed25519 key.
    if not isinstance(key, Ed25519PublicKey) or ID.from_pubkey(key) != peer:
        raise NetworkError("{peer_id!r} is not the peer id of an Ed25519 key.", peer_id=peer_id)
    return peer


def public_key_of(peer_id: str) -> bytes:
    """Returns the Ed25519 public key (32 raw bytes) that `peer_id` contains.

    Raises NetworkError if `peer_id` contains no such key.
    """
    key = parse_peer_id(peer_id).extract_public_key()
    if key is None:
        raise NetworkError("{peer_id!r} holds no public key.", peer_id=peer_id)
    return key.to_bytes()
