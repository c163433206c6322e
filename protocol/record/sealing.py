"""Seals: content and keys, encrypted for their readers (specs/01-records.md, section Sealing).

The cipher is XChaCha20-Poly1305, with keys from X25519 and HKDF-SHA256. Randomness is an argument:
`seed` is 32 fresh random bytes. Every key and nonce of one sealing is derived from it.

There are three ways to seal. Content is sealed with an epoch's group key (R-01.22). A key is sealed
to one device (R-01.23). Content is sealed to the devices of named people, with one lock for each
device (R-01.24 to R-01.26).
"""

import hashlib
from collections.abc import Iterable
from typing import NamedTuple

import nacl.bindings as sodium
import nacl.exceptions
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from protocol.errors import Refused

# Sizes are in bytes.
KEY_SIZE = 32
KEY_ID_SIZE = 16
NONCE_SIZE = 24
TAG_SIZE = 16
SLOT_SIZE = KEY_SIZE + KEY_SIZE + TAG_SIZE  # an ephemeral key, then the sealed key
MAX_SLOTS = 128  # devices: 32 people with four each, beside a text of any length a field allows

_LOCK = KEY_SIZE + TAG_SIZE  # a sealed key; all locks share one ephemeral key
_LOCKS_AT = 1 + KEY_SIZE  # after the count and that ephemeral key
_MIN_CROWD = 8  # the fewest box keys that a private record is sealed to, with decoys
_LENGTH = 2  # bytes that hold the plain length of padded content
_PADDED_SIZES = (256, 512)  # larger sizes are multiples of _PADDED_STEP
_PADDED_STEP = 1024
_MAX_PLAIN = 2**16 - 1


class BoxKey(NamedTuple):
    """The X25519 key pair of a device.

    Content and keys are sealed to `public` and opened with `secret`.
    """

    public: bytes
    secret: bytes


class EpochKey(NamedTuple):
    """The group key of an epoch, 32 bytes.

    `id` names the key and commits to it without revealing it.
    """

    number: int
    id: bytes
    key: bytes

    @classmethod
    def from_key(cls, number: int, key: bytes) -> "EpochKey":
        """Makes an EpochKey from its number and its bytes. The id follows from the bytes."""
        return cls(number, epoch_key_id(key), key)


def derive_key(secret: bytes, purpose: str, length: int = KEY_SIZE) -> bytes:
    """Derives `length` bytes for one `purpose` by HKDF-SHA256 of `secret` (R-01.20)."""
    info = b"meshcoop 1 " + purpose.encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def device_box_key(device_seed: bytes) -> BoxKey:
    """Returns the box key of the device with this signing seed (R-01.20)."""
    return box_key_from_secret(derive_key(device_seed, "box"))


def box_key_from_secret(secret: bytes) -> BoxKey:
    """Returns the key pair of a box secret. The secret opens seals; it does not sign."""
    return BoxKey(sodium.crypto_scalarmult_base(secret), secret)


def check_box_key(public: bytes) -> None:
    """Raises Refused (R-01.23) if nothing can be sealed to the key.

    Such a key is a low-order point.
    """
    _shared_key(bytes(range(KEY_SIZE)), public, b"", b"")


def content_context(neighbourhood: bytes, device: bytes, seq: int) -> bytes:
    """Returns the context of sealed content: neighbourhood, device and the record's number."""
    return neighbourhood + device + seq.to_bytes(8, "big")


def private_field_context(neighbourhood: bytes, device: bytes, seq: int, field: str) -> bytes:
    """Returns the context of a private field.

    It is the context of its record's content, and the field's name.
    """
    return content_context(neighbourhood, device, seq) + field.encode()


def epoch_key_id(key: bytes) -> bytes:
    """Returns 16 bytes that name an epoch key and commit to it (R-01.21)."""
    return hashlib.sha256(b"meshcoop epoch 1\0" + key).digest()[:KEY_ID_SIZE]


def seal_epoch_content(epoch: EpochKey, plain: bytes, context: bytes, seed: bytes) -> bytes:
    """Seals content with an epoch's key. Returns key id, nonce and ciphertext (R-01.22).

    `context` binds the content to its place in the author's log.
    """
    nonce = derive_key(seed, "epoch nonce", NONCE_SIZE)
    sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, context, nonce, epoch.key)
    return epoch.id + nonce + sealed


def read_epoch_key_id(content: bytes) -> bytes:
    """Returns the id of the epoch key that opens this content.

    Raises Refused if it is too short.
    """
    if len(content) < KEY_ID_SIZE + NONCE_SIZE + TAG_SIZE:
        raise Refused("R-01.22", "too short to be sealed content")
    return content[:KEY_ID_SIZE]


def open_epoch_content(epoch: EpochKey, content: bytes, context: bytes) -> bytes:
    """Returns the plain content.

    Raises Refused if the key, the context or the bytes do not match.
    """
    read_epoch_key_id(content)
    return _decrypt(epoch.key, content[KEY_ID_SIZE:], context, "R-01.22")


def seal_key(key: bytes, to: bytes, seed: bytes) -> bytes:
    """Seals `key` (32 bytes) to one device's box key `to`. Returns a slot of 80 bytes (R-01.23).

    Raises Refused if `to` is a low-order point, because no secret can be sealed to it.
    """
    public, secret = _ephemeral_pair(seed, to)
    return public + _encrypt_once(_shared_key(secret, to, public, to), key, None)


def open_key(slot: bytes, box: BoxKey) -> bytes:
    """Returns the key in a slot that is sealed to `box`. Raises Refused (R-01.23)."""
    if len(slot) != SLOT_SIZE:
        raise Refused("R-01.23", f"a sealed key is {SLOT_SIZE} bytes")
    ephemeral = slot[:KEY_SIZE]
    shared = _shared_key(box.secret, ephemeral, ephemeral, box.public)
    return _decrypt_once(shared, slot[KEY_SIZE:], None, "R-01.23")


def seal_private_content(
    boxes: Iterable[bytes], plain: bytes, context: bytes, seed: bytes
) -> bytes:
    """Seals `plain` to the devices with these box keys (R-01.24).

    Returns the number of locks, an ephemeral key, one lock for each device, the id of the content's
    key and the ciphertext. The bytes do not tell who the devices are: a reader tries each lock.
    """
    recipients = sorted(set(boxes))
    if not 1 <= len(recipients) <= MAX_SLOTS:
        raise Refused("R-01.24", f"private words go to 1 to {MAX_SLOTS} devices")
    key = derive_key(seed, "private key")
    public, secret = _ephemeral_pair(derive_key(seed, "private lock"), b"")
    locks = [_encrypt_once(_shared_key(secret, to, public, to), key, None) for to in recipients]
    head = bytes([len(locks)]) + public + b"".join(locks) + content_key_id(key)
    return head + _encrypt_once(key, plain, context)


def content_key_id(key: bytes) -> bytes:
    """Returns 16 bytes that commit to the key of private content.

    So nobody can show two different texts to two readers.
    """
    return hashlib.sha256(b"meshcoop private 1\0" + key).digest()[:KEY_ID_SIZE]


def find_content_key(sealed: bytes, boxes: Iterable[BoxKey]) -> bytes | None:
    """Returns the symmetric key of private content.

    Returns None if no key in `boxes` opens a lock of it. Raises Refused (R-01.24) if the content is
    malformed.
    """
    end = _locks_end(sealed)
    ephemeral = sealed[1:_LOCKS_AT]
    for box in boxes:
        shared = _shared_key(box.secret, ephemeral, ephemeral, box.public)
        for at in range(_LOCKS_AT, end, _LOCK):
            try:
                return _decrypt_once(shared, sealed[at : at + _LOCK], None, "R-01.24")
            except Refused:
                continue  # a lock for another device
    return None


def open_with_content_key(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Opens private content with its symmetric key. Raises Refused (R-01.24)."""
    end = _locks_end(sealed)
    if sealed[end : end + KEY_ID_SIZE] != content_key_id(key):
        raise Refused("R-01.24", "this is not the key that the private words commit to")
    return _decrypt_once(key, sealed[end + KEY_ID_SIZE :], context, "R-01.24")


def open_private_content(sealed: bytes, boxes: Iterable[BoxKey], context: bytes) -> bytes | None:
    """Returns the plain bytes of private content, or None if no key in `boxes` opens a lock of it.

    Raises Refused (R-01.24).
    """
    key = find_content_key(sealed, boxes)
    return None if key is None else open_with_content_key(key, sealed, context)


def add_decoys(boxes: Iterable[bytes], seed: bytes) -> list[bytes]:
    """Adds decoys to the box keys of a private record's readers (R-01.25).

    The number of keys becomes the next power of two, and at least 8. Nobody has the secret of a
    decoy. So the number of locks does not tell the number of readers.
    """
    readers = sorted(set(boxes))
    crowd = _MIN_CROWD
    while crowd < len(readers):
        crowd *= 2
    decoy_seeds = [derive_key(seed, f"decoy {n}") for n in range(crowd - len(readers))]
    return readers + [device_box_key(decoy_seed).public for decoy_seed in decoy_seeds]


def pad(plain: bytes) -> bytes:
    """Pads `plain`: its length in 2 bytes, `plain`, and zeros up to one of few sizes (R-01.26).

    Raises Refused if `plain` is too long for a record.
    """
    needed = _LENGTH + len(plain)
    if len(plain) > _MAX_PLAIN:
        raise Refused("R-01.26", "this is too long for one record; write it shorter")
    step_size = -(-needed // _PADDED_STEP) * _PADDED_STEP
    size = next((small for small in _PADDED_SIZES if needed <= small), step_size)
    return len(plain).to_bytes(_LENGTH, "big") + plain + bytes(size - needed)


def unpad(covered: bytes) -> bytes:
    """Returns the plain bytes of padded content.

    Raises Refused (R-01.26) if the padding is wrong.
    """
    length = int.from_bytes(covered[:_LENGTH], "big")
    plain = covered[_LENGTH : _LENGTH + length]
    if pad(plain) != covered:
        raise Refused("R-01.26", "the sealed bytes are not padded by the rule")
    return plain


def _locks_end(sealed: bytes) -> int:
    """Returns the position at which the locks of private content end.

    Raises Refused if a part of the content is missing.
    """
    count = sealed[0] if sealed else 0
    end = _LOCKS_AT + count * _LOCK
    if not 1 <= count <= MAX_SLOTS or len(sealed) < end + KEY_ID_SIZE + TAG_SIZE:
        raise Refused("R-01.24", "not a list of sealed keys and a sealed text")
    return end


def _ephemeral_pair(seed: bytes, to: bytes) -> tuple[bytes, bytes]:
    """Returns the public key and the secret of a key pair that is used for one sealing only."""
    secret = derive_key(seed + to, "ephemeral")
    return sodium.crypto_scalarmult_base(secret), secret


def _shared_key(secret: bytes, public: bytes, sender: bytes, receiver: bytes) -> bytes:
    """Returns the key that the owners of `secret` and `public` share.

    `sender` and `receiver`, their public keys, are bound into it.
    """
    try:
        if len(public) != KEY_SIZE:  # PyNaCl does not check: libsodium would read past the end
            raise ValueError("length")
        product = sodium.crypto_scalarmult(secret, public)
    # PyNaCl reports a low-order point as RuntimeError.
    except (RuntimeError, TypeError, ValueError, nacl.exceptions.CryptoError):
        raise Refused("R-01.23", "nothing can be sealed to this key") from None
    return derive_key(product + sender + receiver, "slot")


def _encrypt_once(key: bytes, plain: bytes, context: bytes | None) -> bytes:
    """Encrypts with a key that is used only once. The nonce may therefore be zero."""
    sealed: bytes = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plain, context, bytes(NONCE_SIZE), key
    )
    return sealed


def _decrypt_once(key: bytes, sealed: bytes, context: bytes | None, rule: str) -> bytes:
    """Decrypts the result of `_encrypt_once`. Raises Refused (`rule`)."""
    return _decrypt(key, bytes(NONCE_SIZE) + sealed, context, rule)


def _decrypt(key: bytes, sealed: bytes, context: bytes | None, rule: str) -> bytes:
    """Decrypts bytes that begin with their nonce. Raises Refused (`rule`)."""
    try:
        plain: bytes = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[NONCE_SIZE:], context, sealed[:NONCE_SIZE], key
        )
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        raise Refused(rule, "it was not sealed with this key for this place") from None
    return plain
