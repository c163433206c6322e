"""Ed25519 signatures, made and verified by libsodium (R-01.10).

Only libsodium may verify: for some unusual keys and signatures, other libraries accept forgeries.
If two nodes disagreed about a signature, they would never hold the same records.
"""

import nacl.bindings
import nacl.exceptions

SIGNATURE_SIZE = 64  # bytes


def public_key(seed: bytes) -> bytes:
    """Returns the public key (32 bytes) that belongs to a 32-byte seed."""
    public: bytes = nacl.bindings.crypto_sign_seed_keypair(seed)[0]
    return public


def sign_message(message: bytes, seed: bytes) -> bytes:
    """Signs `message` with the key of a 32-byte seed. Returns the signature (64 bytes)."""
    _, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
    signed: bytes = nacl.bindings.crypto_sign(message, secret)
    return signed[:SIGNATURE_SIZE]


def is_signed(message: bytes, signature: bytes, key: bytes) -> bool:
    """Returns True if the owner of the public key `key` signed `message`. Never raises."""
    return len(signature) == SIGNATURE_SIZE and is_signed_message(signature + message, key)


def is_signed_message(signed: bytes, key: bytes) -> bool:
    """Returns True if the owner of the public key `key` signed the message in `signed`.

    `signed` is a signature, then the message that it signs. Never raises: if the key or the
    signature has a wrong length, it returns False.
    """
    try:
        nacl.bindings.crypto_sign_open(signed, key)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        return False
    return True
