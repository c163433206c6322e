"""Ed25519 signatures, made and verified by libsodium (R-01.10).

Only libsodium verifies, because other verifiers accept forgeries with some keys and signatures.
Nodes that disagree about a signature would never converge.
"""

import nacl.bindings
import nacl.exceptions

SIGNATURE_SIZE = 64  # bytes


def public_key(seed: bytes) -> bytes:
    """Returns the public key (32 bytes) of a 32-byte seed."""
    public: bytes = nacl.bindings.crypto_sign_seed_keypair(seed)[0]
    return public


def sign_message(message: bytes, seed: bytes) -> bytes:
    """Returns the signature of `message` (64 bytes) with the key of a 32-byte seed."""
    _, secret = nacl.bindings.crypto_sign_seed_keypair(seed)
    signed: bytes = nacl.bindings.crypto_sign(message, secret)
    return signed[:SIGNATURE_SIZE]


def is_signed(message: bytes, signature: bytes, key: bytes) -> bool:
    """Returns True if `signature` signs `message` with the secret of the public `key`.

    Never raises.
    """
    return len(signature) == SIGNATURE_SIZE and is_signed_message(signature + message, key)


def is_signed_message(signed: bytes, key: bytes) -> bool:
    """Returns True if the message in `signed` was signed with the secret of the public `key`.

    `signed` is a signature followed by its message. Never raises: a key or signature of a wrong
    length is just not valid.
    """
    try:
        nacl.bindings.crypto_sign_open(signed, key)
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        return False
    return True
