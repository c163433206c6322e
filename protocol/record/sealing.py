"""Seals: what is encrypted for whom (specs/01-records.md, section Sealing).

XChaCha20-Poly1305 with keys from X25519 and HKDF-SHA256. Randomness is an argument: `seed` is 32
fresh random bytes, of which every key and nonce of one sealing derives.
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import nacl.bindings as sodium
import nacl.exceptions
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol.errors import Refused

KEY = 32
KEY_ID = 16
NONCE = 24
TAG = 16
SLOT = KEY + KEY + TAG  # an ephemeral key, then the sealed key
MAX_SLOTS = 128  # devices: 32 people with four each, beside a text of any length a field allows

_LOCK = KEY + TAG  # a sealed key whose ephemeral key stands elsewhere
_FEWEST_SLOTS = 8  # of a private record
_COVERS = (256, 512)  # bytes; above them multiples of the next
_COVER = 1024
_LONGEST = 2**16 - 1


def derive(secret: bytes, purpose: str, length: int = KEY) -> bytes:
    """HKDF-SHA256 of `secret` for one `purpose`, `length` bytes (R-01.20)."""
    info = b"meshcoop 1 " + purpose.encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


class BoxKey(NamedTuple):
    """The X25519 key pair of a device, derived from its seed."""

    public: bytes
    secret: bytes


def box_key(device_seed: bytes) -> BoxKey:
    """The key to which things are sealed for the device with this signing seed."""
    return box_of(derive(device_seed, "box"))


def box_of(secret: bytes) -> BoxKey:
    """The key pair of a box secret, which opens and does not sign."""
    return BoxKey(sodium.crypto_scalarmult_base(secret), secret)


class EpochKey(NamedTuple):
    """The group key of one epoch; `id` names it without telling it."""

    number: int
    id: bytes
    key: bytes

    @classmethod
    def of(cls, number: int, key: bytes) -> "EpochKey":
        return cls(number, epoch_id(key), key)


def epoch_id(key: bytes) -> bytes:
    """R-01.21: 16 bytes that name an epoch key and commit to it."""
    return hashlib.sha256(b"meshcoop epoch 1\0" + key).digest()[:KEY_ID]


def seal_epoch(epoch: EpochKey, plain: bytes, context: bytes, seed: bytes) -> bytes:
    """R-01.22: key id, nonce, ciphertext. `context` binds it to the author's place in their log."""
    nonce = derive(seed, "epoch nonce", NONCE)
    sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, context, nonce, epoch.key)
    return epoch.id + nonce + sealed


def sealed_epoch_id(content: bytes) -> bytes:
    """Which epoch's key opens this content. Raises Refused if it is too short to be sealed."""
    if len(content) < KEY_ID + NONCE + TAG:
        raise Refused("R-01.22", "too short to be sealed content")
    return content[:KEY_ID]


def open_epoch(epoch: EpochKey, content: bytes, context: bytes) -> bytes:
    """The plain content. Raises Refused when key, context or bytes are not those sealed."""
    sealed_epoch_id(content)
    return _decrypt(epoch.key, content[KEY_ID:], context, "R-01.22")


def context(neighbourhood: bytes, device: bytes, seq: int) -> bytes:
    """What epoch content is bound to: the neighbourhood and the author's place in their log."""
    return neighbourhood + device + seq.to_bytes(8, "big")


def private_context(neighbourhood: bytes, device: bytes, seq: int, field: str) -> bytes:
    """What a private field is bound to: the author's place in their log and the field's name."""
    return context(neighbourhood, device, seq) + field.encode()


def check_box(public: bytes) -> None:
    """Raises Refused (R-01.23) for a key to which nothing can be sealed: a low-order point."""
    _shared(bytes(range(KEY)), public, b"", b"")


def seal_key(key: bytes, to: bytes, seed: bytes) -> bytes:
    """R-01.23: `key` (32 bytes) sealed to one device's box key: a slot of 80 bytes.

    Raises Refused when `to` is a low-order point, to which no secret can be sealed.
    """
    public, secret = _ephemeral(seed, to)
    return public + _encrypt(_shared(secret, to, public, to), key, None)


def open_key(slot: bytes, mine: BoxKey) -> bytes:
    """The key in a slot sealed to `mine`. Raises Refused."""
    if len(slot) != SLOT:
        raise Refused("R-01.23", f"a sealed key is {SLOT} bytes")
    shared = _shared(mine.secret, slot[:KEY], slot[:KEY], mine.public)
    return _decrypt(shared, bytes(NONCE) + slot[KEY:], None, "R-01.23")


def seal_for(boxes: Iterable[bytes], plain: bytes, context: bytes, seed: bytes) -> bytes:
    """R-01.24: `plain` sealed to several devices: a count, an ephemeral key, a lock for each
    device, the name of the key and the ciphertext.

    Nothing tells who the devices are; a reader tries each lock.
    """
    recipients = sorted(set(boxes))
    if not 1 <= len(recipients) <= MAX_SLOTS:
        raise Refused("R-01.24", f"private words go to 1 to {MAX_SLOTS} devices")
    key = derive(seed, "private key")
    public, secret = _ephemeral(derive(seed, "private lock"), b"")
    locks = [_encrypt(_shared(secret, to, public, to), key, None) for to in recipients]
    head = bytes([len(locks)]) + public + b"".join(locks) + private_id(key)
    return head + _encrypt(key, plain, context)


def private_id(key: bytes) -> bytes:
    """16 bytes that commit to the key of private words: nobody can show two readers two texts."""
    return hashlib.sha256(b"meshcoop private 1\0" + key).digest()[:KEY_ID]


def private_key(sealed: bytes, mine: Iterable[BoxKey]) -> bytes | None:
    """The key that opens private words, or None when no lock is for any of `mine`. Raises Refused
    if they are malformed.
    """
    end = _locks_end(sealed)
    public = sealed[1 : 1 + KEY]
    for box in mine:
        shared = _shared(box.secret, public, public, box.public)
        for at in range(1 + KEY, end, _LOCK):
            try:
                return _decrypt(shared, bytes(NONCE) + sealed[at : at + _LOCK], None, "R-01.24")
            except Refused:
                continue  # a lock for another device
    return None


def open_with(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """R-01.24: the plain bytes of private words whose key is known. Raises Refused."""
    end = _locks_end(sealed)
    if sealed[end : end + KEY_ID] != private_id(key):
        raise Refused("R-01.24", "this is not the key that the private words commit to")
    return _decrypt(key, bytes(NONCE) + sealed[end + KEY_ID :], context, "R-01.24")


def open_private(sealed: bytes, mine: Iterable[BoxKey], context: bytes) -> bytes | None:
    """The plain bytes, or None when no lock is for any of `mine`. Raises Refused."""
    key = private_key(sealed, mine)
    return None if key is None else open_with(key, sealed, context)


def with_decoys(boxes: Iterable[bytes], seed: bytes) -> list[bytes]:
    """R-01.25: the box keys of a private record's readers, and as many that nobody has the secret
    of as make their number a power of two: a crowd tells less than a count.
    """
    readers = sorted(set(boxes))
    crowd = _FEWEST_SLOTS
    while crowd < len(readers):
        crowd *= 2
    missing = range(crowd - len(readers))
    return readers + [box_key(derive(seed, f"decoy {n}")).public for n in missing]


def cover(plain: bytes) -> bytes:
    """R-01.26: the length in 2 bytes, the plain bytes, and zeros up to one of few lengths."""
    need = 2 + len(plain)
    if need > 2 + _LONGEST:
        raise Refused("R-01.26", "this is too long for one record; write it shorter")
    size = next((one for one in _COVERS if need <= one), -(-need // _COVER) * _COVER)
    return len(plain).to_bytes(2, "big") + plain + bytes(size - need)


def uncover(covered: bytes) -> bytes:
    """What `cover` covered. Raises Refused."""
    plain = covered[2 : 2 + int.from_bytes(covered[:2], "big")]
    if cover(plain) != covered:
        raise Refused("R-01.26", "these are no bytes made longer by the rule")
    return plain


def _locks_end(sealed: bytes) -> int:
    """Where the locks end. Raises Refused unless everything is there."""
    count = sealed[0] if sealed else 0
    end = 1 + KEY + count * _LOCK
    if not 1 <= count <= MAX_SLOTS or len(sealed) < end + KEY_ID + TAG:
        raise Refused("R-01.24", "not a list of sealed keys and a sealed text")
    return end


def _ephemeral(seed: bytes, to: bytes) -> tuple[bytes, bytes]:
    secret = derive(seed + to, "ephemeral")
    return sodium.crypto_scalarmult_base(secret), secret


def _shared(secret: bytes, public: bytes, sender: bytes, receiver: bytes) -> bytes:
    try:
        if len(public) != KEY:  # PyNaCl does not look, and libsodium would read past the end
            raise ValueError("length")
        product = sodium.crypto_scalarmult(secret, public)
    # PyNaCl reports a low-order point as RuntimeError.
    except (RuntimeError, TypeError, ValueError, nacl.exceptions.CryptoError):
        raise Refused("R-01.23", "not a key that anything can be sealed to") from None
    return derive(product + sender + receiver, "slot")


def _encrypt(key: bytes, plain: bytes, context: bytes | None) -> bytes:
    """With a key that is used once, so that the nonce may be zero."""
    sealed: bytes = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plain, context, bytes(NONCE), key
    )
    return sealed


def _decrypt(key: bytes, sealed: bytes, context: bytes | None, rule: str) -> bytes:
    try:
        plain: bytes = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[NONCE:], context, sealed[:NONCE], key
        )
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        raise Refused(rule, "it was not sealed with this key for this place") from None
    return plain
