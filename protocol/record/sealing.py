"""Seals: content and keys, encrypted for their readers (specs/01-records.md, section Sealing).

The cipher is XChaCha20-Poly1305. Its keys come from X25519 and HKDF-SHA256. These functions make no
random numbers themselves: the argument `seed` is 32 fresh random bytes. All keys and nonces of one
sealing are derived from this seed.

There are three ways to seal. Content for the neighbourhood is sealed with the group key of an
epoch, the period in which this key is used (R-01.22). A group key is sealed to one device.
Everybody who holds the key can check this seal (R-01.23). Private content is sealed to the devices
of named people, and has one lock for each device (R-01.24 to R-01.26). A lock is the key of the
content, sealed to one device.
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
KEY_ID_SIZE = 32
NONCE_SIZE = 24
TAG_SIZE = 16
SLOT_SIZE = KEY_SIZE + KEY_SIZE + TAG_SIZE  # an ephemeral key, then the sealed key
MAX_SLOTS = 128  # devices, four each of 32 people; the longest text still fits beside their locks

_LOCK = KEY_SIZE + TAG_SIZE  # a sealed key; all locks of a content share one ephemeral key
_LOCKS_AT = 1 + KEY_SIZE  # the locks begin after their count and the ephemeral key
_MIN_CROWD = 8  # a private record is sealed to at least so many box keys, including decoys
_LENGTH = 2  # bytes that hold the plain length of padded content
_PADDED_SIZES = (256, 512)  # larger sizes are multiples of _PADDED_STEP
_PADDED_STEP = 1024
_MAX_PLAIN = 2**16 - 1


class BoxKey(NamedTuple):
    """The box key of a device: an X25519 key pair.

    Content and keys are sealed with `public` and opened with `secret`.
    """

    public: bytes
    secret: bytes


class EpochKey(NamedTuple):
    """The group key of an epoch (32 bytes), which all members have.

    `id` names the key. It is a hash, so it does not reveal the key, and no other key has this id.
    `origin` says who made the key, and which lists name who is gone (see `key_origin`).
    """

    id: bytes
    origin: bytes
    key: bytes

    @classmethod
    def from_key(cls, origin: bytes, key: bytes) -> "EpochKey":
        """Makes an EpochKey from its origin and the bytes of the group key."""
        return cls(epoch_key_id(origin, key), origin, key)


def derive_key(secret: bytes, purpose: str, length: int = KEY_SIZE) -> bytes:
    """Derives `length` bytes for one `purpose` by HKDF-SHA256 of `secret` (R-01.20)."""
    info = b"meshcoop 2 " + purpose.encode()
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def device_box_key(device_seed: bytes) -> BoxKey:
    """Returns the box key of the device that has this signing seed (R-01.20)."""
    return box_key_from_secret(derive_key(device_seed, "box"))


def box_key_from_secret(secret: bytes) -> BoxKey:
    """Returns the key pair that belongs to the secret of a box key.

    The secret can open sealed content, but it cannot sign.
    """
    return BoxKey(sodium.crypto_scalarmult_base(secret), secret)


def check_box_key(public: bytes) -> None:
    """Raises Refused (R-01.23) if nothing can be sealed to this box key.

    Nothing can be sealed to a key that is a low-order point.
    """
    _shared_key(bytes(range(KEY_SIZE)), public, b"", b"")


def content_context(neighbourhood: bytes, device: bytes, seq: int) -> bytes:
    """Returns the context to which a record's sealed content is bound.

    It consists of the neighbourhood, the device and the record's number. Content that is copied
    into another record cannot be opened there.
    """
    return neighbourhood + device + seq.to_bytes(8, "big")


def private_field_context(neighbourhood: bytes, device: bytes, seq: int, field: str) -> bytes:
    """Returns the context to which a sealed private field is bound.

    It consists of the context of the record's content and the field's name.
    """
    return content_context(neighbourhood, device, seq) + field.encode()


def key_origin(maker: bytes, digests: bytes) -> bytes:
    """Returns the origin of an epoch key: a hash of the key's maker and the lists of who is gone
    (R-01.21a).

    `digests` are the SHA-256 digests of the lists, joined.
    """
    return hashlib.sha256(b"meshcoop origin 2\0" + maker + digests).digest()


def epoch_key_id(origin: bytes, key: bytes) -> bytes:
    """Returns the id of an epoch key: a hash of the key and its origin (R-01.21).

    The origin depends on the key's maker and on the maker's lists of who is gone. With another
    maker or other lists, the same key has another id. So nobody else can write epoch records for
    the key, and the maker cannot change the lists later.
    """
    return hashlib.sha256(b"meshcoop epoch 2\0" + origin + key).digest()


def seal_epoch_content(epoch: EpochKey, plain: bytes, context: bytes, seed: bytes) -> bytes:
    """Seals content with an epoch's key. Returns key id, nonce and ciphertext (R-01.22).

    `context` is the result of `content_context`. `context` binds the content to one record of its
    author's log.
    """
    nonce = derive_key(seed, "epoch nonce", NONCE_SIZE)
    sealed = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(plain, context, nonce, epoch.key)
    return epoch.id + nonce + sealed


def read_epoch_key_id(content: bytes) -> bytes:
    """Returns the id of the epoch key that opens this sealed content.

    Raises Refused if the content is too short.
    """
    if len(content) < KEY_ID_SIZE + NONCE_SIZE + TAG_SIZE:
        raise Refused("R-01.22", "too short to be sealed content")
    return content[:KEY_ID_SIZE]


def open_epoch_content(epoch: EpochKey, content: bytes, context: bytes) -> bytes:
    """Opens content that was sealed with an epoch's key.

    Raises Refused if the key or the context is wrong, or if the bytes were changed.
    """
    read_epoch_key_id(content)
    return _decrypt(epoch.key, content[KEY_ID_SIZE:], context, "R-01.22")


def seal_key(key: bytes, to: bytes) -> bytes:
    """Seals `key` (32 bytes) to the box key `to` of one device. Returns 80 bytes, a slot (R-01.23).

    The slot follows from `key` and `to` alone. So everybody who holds the key can check the slot,
    by making it again. Raises Refused if `to` is a low-order point, because nothing can be sealed
    to such a key.
    """
    public, secret = _ephemeral_pair(key, to)
    return public + _encrypt_once(_shared_key(secret, to, public, to), key, None)


def is_right_slot(slot: bytes, key: bytes, to: bytes) -> bool:
    """Returns True if `slot`, a sealed copy of a key, hands `key` to the device with the box key
    `to` (R-01.23b).
    """
    try:
        return seal_key(key, to) == slot
    except Refused:
        return False


def open_key(slot: bytes, box: BoxKey) -> bytes:
    """Opens a slot, which is a key sealed to the device of `box`, and returns the key. Raises
    Refused (R-01.23) if `box` cannot open the slot.
    """
    if len(slot) != SLOT_SIZE:
        raise Refused("R-01.23", "a sealed key is {slot_size} bytes", slot_size=SLOT_SIZE)
    ephemeral = slot[:KEY_SIZE]
    shared = _shared_key(box.secret, ephemeral, ephemeral, box.public)
    return _decrypt_once(shared, slot[KEY_SIZE:], None, "R-01.23")


def lock_kept_key(key: EpochKey, box: BoxKey) -> bytes:
    """Locks a group key for the disk of the home that has `box`. No other home can read the
    result.
    """
    lock = derive_key(box.secret, "kept key")
    locked: bytes = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        key.key, key.id + key.origin, key.id[:NONCE_SIZE], lock
    )
    return locked


def open_kept_key(key_id: bytes, origin: bytes, locked: bytes, box: BoxKey) -> EpochKey:
    """Opens a group key that `lock_kept_key` locked. Raises Refused (R-01.22) if the key cannot be
    opened.
    """
    lock = derive_key(box.secret, "kept key")
    key = _decrypt(lock, key_id[:NONCE_SIZE] + locked, key_id + origin, "R-01.22")
    return EpochKey(key_id, origin, key)


def seal_private_content(
    boxes: Iterable[bytes], plain: bytes, context: bytes, seed: bytes
) -> bytes:
    """Seals `plain` to the devices with these box keys (R-01.24).

    Returns five parts in a row. They are the number of locks, an ephemeral key, one lock for each
    device, the id of the content's key, and the ciphertext. The bytes do not show which devices can
    read them: a reader tries each lock.
    """
    recipients = sorted(set(boxes))
    if not 1 <= len(recipients) <= MAX_SLOTS:
        raise Refused(
            "R-01.24", "private words go to 1 to {max_slots} devices", max_slots=MAX_SLOTS
        )
    key = derive_key(seed, "private key")
    public, secret = _ephemeral_pair(derive_key(seed, "private lock"), b"")
    locks = [_encrypt_once(_shared_key(secret, to, public, to), key, None) for to in recipients]
    head = bytes([len(locks)]) + public + b"".join(locks) + content_key_id(key)
    return head + _encrypt_once(key, plain, context)


def content_key_id(key: bytes) -> bytes:
    """Returns the id of the key of private content: a hash of this key.

    All readers check this id. So nobody can show two readers two different texts in the same bytes.
    """
    return hashlib.sha256(b"meshcoop private 2\0" + key).digest()


def find_content_key(sealed: bytes, boxes: Iterable[BoxKey]) -> bytes | None:
    """Opens a lock of private content, and returns the content's symmetric key.

    Returns None if no key in `boxes` opens any of the locks. Raises Refused (R-01.24) if the
    content is malformed.
    """
    end = _locks_end(sealed)
    ephemeral = sealed[1:_LOCKS_AT]
    for box in boxes:
        shared = _shared_key(box.secret, ephemeral, ephemeral, box.public)
        for at in range(_LOCKS_AT, end, _LOCK):
            try:
                return _decrypt_once(shared, sealed[at : at + _LOCK], None, "R-01.24")
            except Refused:
                continue  # this lock is for another device
    return None


def open_with_content_key(key: bytes, sealed: bytes, context: bytes) -> bytes:
    """Opens private content with its symmetric key. Raises Refused (R-01.24) if `key` does not open
    it.
    """
    end = _locks_end(sealed)
    if sealed[end : end + KEY_ID_SIZE] != content_key_id(key):
        raise Refused("R-01.24", "this is not the key that the private words commit to")
    return _decrypt_once(key, sealed[end + KEY_ID_SIZE :], context, "R-01.24")


def open_private_content(sealed: bytes, boxes: Iterable[BoxKey], context: bytes) -> bytes | None:
    """Opens private content and returns its plain bytes.

    Returns None if no key in `boxes` opens any of its locks. Raises Refused (R-01.24).
    """
    key = find_content_key(sealed, boxes)
    return None if key is None else open_with_content_key(key, sealed, context)


def add_decoys(boxes: Iterable[bytes], seed: bytes) -> list[bytes]:
    """Adds decoys to the box keys of the people who may read a private record (R-01.25).

    A decoy is a box key, but nobody has its secret. The number of keys rises to a power of two, at
    least 8. So the number of locks does not show the number of readers.
    """
    readers = sorted(set(boxes))
    crowd = _MIN_CROWD
    while crowd < len(readers):
        crowd *= 2
    decoy_seeds = [derive_key(seed, f"decoy {n}") for n in range(crowd - len(readers))]
    return readers + [device_box_key(decoy_seed).public for decoy_seed in decoy_seeds]


def pad(plain: bytes) -> bytes:
    """Pads `plain` to one of a few sizes, so that its true length hardly shows (R-01.26).

    The result is the length in 2 bytes, then `plain`, then zeros. Raises Refused if `plain` is too
    long for a record.
    """
    needed = _LENGTH + len(plain)
    if len(plain) > _MAX_PLAIN:
        raise Refused("R-01.26", "this is too long for one record; write it shorter")
    step_size = -(-needed // _PADDED_STEP) * _PADDED_STEP
    size = next((small for small in _PADDED_SIZES if needed <= small), step_size)
    return len(plain).to_bytes(_LENGTH, "big") + plain + bytes(size - needed)


def unpad(covered: bytes) -> bytes:
    """Removes the padding that `pad` added, and returns the plain bytes.

    Raises Refused (R-01.26) if the padding is wrong.
    """
    length = int.from_bytes(covered[:_LENGTH], "big")
    plain = covered[_LENGTH : _LENGTH + length]
    if pad(plain) != covered:
        raise Refused("R-01.26", "the sealed bytes are not padded by the rule")
    return plain


def _locks_end(sealed: bytes) -> int:
    """Returns the position in `sealed` at which the locks end.

    Raises Refused if a part of the private content is missing.
    """
    count = sealed[0] if sealed else 0
    end = _LOCKS_AT + count * _LOCK
    if not 1 <= count <= MAX_SLOTS or len(sealed) < end + KEY_ID_SIZE + TAG_SIZE:
        raise Refused("R-01.24", "not a list of sealed keys and a sealed text")
    return end


def _ephemeral_pair(seed: bytes, to: bytes) -> tuple[bytes, bytes]:
    """Makes a key pair for one sealing only. Returns its public key and its secret."""
    secret = derive_key(seed + to, "ephemeral")
    return sodium.crypto_scalarmult_base(secret), secret


def _shared_key(secret: bytes, public: bytes, sender: bytes, receiver: bytes) -> bytes:
    """Returns the key that two sides share. This side has `secret`, and the other side has the
    secret of `public`.

    The public keys of both, `sender` and `receiver`, are part of the derivation.
    """
    try:
        if len(public) != KEY_SIZE:  # libsodium would read past the end, and PyNaCl does not check
            raise ValueError("length")
        product = sodium.crypto_scalarmult(secret, public)
    # PyNaCl reports a low-order point as RuntimeError.
    except (RuntimeError, TypeError, ValueError, nacl.exceptions.CryptoError):
        raise Refused("R-01.23", "nothing can be sealed to this key") from None
    return derive_key(product + sender + receiver, "slot")


def _encrypt_once(key: bytes, plain: bytes, context: bytes | None) -> bytes:
    """Encrypts with a key that is used only once. So the nonce may be zero."""
    sealed: bytes = sodium.crypto_aead_xchacha20poly1305_ietf_encrypt(
        plain, context, bytes(NONCE_SIZE), key
    )
    return sealed


def _decrypt_once(key: bytes, sealed: bytes, context: bytes | None, rule: str) -> bytes:
    """Decrypts the result of `_encrypt_once`. Raises Refused with the rule number `rule`."""
    return _decrypt(key, bytes(NONCE_SIZE) + sealed, context, rule)


def _decrypt(key: bytes, sealed: bytes, context: bytes | None, rule: str) -> bytes:
    """Decrypts bytes that begin with their nonce. Raises Refused with the rule number `rule`."""
    try:
        plain: bytes = sodium.crypto_aead_xchacha20poly1305_ietf_decrypt(
            sealed[NONCE_SIZE:], context, sealed[:NONCE_SIZE], key
        )
    except (nacl.exceptions.CryptoError, ValueError, TypeError):
        raise Refused(rule, "it was not sealed with this key for this place") from None
    return plain
