"""Locks bytes with a passphrase or a PIN. A `Lock` is a key that is derived from this secret. The
lock seals bytes into a map.

The map has the fields `version`, `salt`, `ops`, `mem`, `nonce` and `box`. `ops` and `mem` are the
cost of Argon2id. The field `box` is sealed with XChaCha20-Poly1305. The first four fields are the
associated data of the box.
"""

import secrets
import unicodedata
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import msgpack
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from meshcoop.errors import Mistake

VERSION = 2
KEY = 32  # bytes

_NONCE = 24  # bytes
# The costs that a map may have. Memory goes from 64 MiB, Argon2id's interactive cost, to 512 MiB.
_OPS = range(argon2id.OPSLIMIT_INTERACTIVE, 17)
_MEM = range(argon2id.MEMLIMIT_INTERACTIVE, 8 * argon2id.MEMLIMIT_INTERACTIVE + 1)


class Cost(NamedTuple):
    """What one guess at a secret costs: a number of operations of Argon2id, and a number of bytes
    of memory.
    """

    ops: int
    mem: int


INTERACTIVE = Cost(argon2id.OPSLIMIT_INTERACTIVE, argon2id.MEMLIMIT_INTERACTIVE)
# For files that leave the machine, which others may keep and try for years.
MODERATE = Cost(argon2id.OPSLIMIT_MODERATE, argon2id.MEMLIMIT_MODERATE)


class WrongSecret(Exception):
    """Raised if the secret does not open the locked map. Also raised if somebody has changed the
    map.
    """


class UnreadableLock(Exception):
    """Raised if no lock of this version wrote the map. The argument `why` is "older", "newer",
    "costly" or "damaged".
    """

    def __init__(self, why: str) -> None:
        super().__init__(why)
        self.reason = why


@dataclass(frozen=True)
class Lock:
    """A key, with the salt and the costs by which it was derived from the secret. The lock does not
    keep the secret itself.
    """

    key: bytes = field(repr=False)
    salt: bytes
    ops: int
    mem: int

    @classmethod
    def new(cls, secret: str, cost: Cost = INTERACTIVE) -> "Lock":
        """Makes a new lock with a new salt. Raises Mistake if there is too little memory."""
        salt = secrets.token_bytes(argon2id.SALTBYTES)
        return cls._derive(secret, salt, cost.ops, cost.mem)

    @classmethod
    def derive(cls, fields: dict[str, Any], secret: str) -> "Lock":
        """Derives a lock from a secret, with the salt and the costs of a map. Callers have already
        checked the map. If the secret is wrong, the result is a different lock, not an error.
        """
        return cls._derive(secret, fields["salt"], fields["ops"], fields["mem"])

    @classmethod
    def _derive(cls, secret: str, salt: bytes, ops: int, mem: int) -> "Lock":
        # NFKC: the same passphrase gives the same key on every keyboard and system.
        typed = unicodedata.normalize("NFKC", secret).encode()
        try:
            key = argon2id.kdf(KEY, typed, salt, ops, mem)
        except RuntimeError:  # libsodium raises this if it gets no memory
            raise Mistake(
                "The key file needs {megabytes} MiB of free memory; close other programs and try "
                "again.",
                megabytes=mem >> 20,
            ) from None
        return cls(key, salt, ops, mem)

    def fields(self) -> dict[str, Any]:
        """Returns the fields of the map that are needed to derive the key from the secret again."""
        return {"version": VERSION, "salt": self.salt, "ops": self.ops, "mem": self.mem}

    def fits(self, fields: dict[str, Any]) -> bool:
        """Returns whether the map `fields` was made with the version, the salt and the costs of
        this lock. Callers have already checked the map.
        """
        return all(fields.get(name) == value for name, value in self.fields().items())

    def seal(self, plain: bytes) -> dict[str, Any]:
        """Seals the bytes `plain` with this lock. Returns the map that holds them."""
        nonce = secrets.token_bytes(_NONCE)
        box = crypto_aead_xchacha20poly1305_ietf_encrypt(plain, self._header(), nonce, self.key)
        return {**self.fields(), "nonce": nonce, "box": box}

    def open(self, fields: dict[str, Any]) -> bytes:
        """Opens a map, and returns the bytes that are sealed in it. Callers have already checked
        the map. Raises WrongSecret if the map was sealed with another key.
        """
        try:
            plain: bytes = crypto_aead_xchacha20poly1305_ietf_decrypt(
                fields["box"], self._header(), fields["nonce"], self.key
            )
        except CryptoError:
            raise WrongSecret from None
        return plain

    def _header(self) -> bytes:
        packed: bytes = msgpack.packb(list(self.fields().values()))
        return packed


def check_map(fields: object) -> dict[str, Any]:
    """Checks the fields and the costs of a map, and returns the map. Raises UnreadableLock if a
    field or a cost is wrong.

    Callers check a map before they derive a key from it.
    """
    checked = check_costs(fields)
    if not (_is_bytes(checked.get("nonce"), _NONCE) and type(checked.get("box")) is bytes):
        raise UnreadableLock("damaged")
    return checked


def check_costs(fields: object) -> dict[str, Any]:
    """Checks a map like `check_map`, but ignores the fields `nonce` and `box`."""
    checked = check_version(fields)
    has_costs = all(type(checked.get(name)) is int for name in ("ops", "mem"))
    if not (has_costs and _is_bytes(checked.get("salt"), argon2id.SALTBYTES)):
        raise UnreadableLock("damaged")
    if checked["ops"] not in _OPS or checked["mem"] not in _MEM:
        raise UnreadableLock("costly")
    return checked


def check_version(fields: object) -> dict[str, Any]:
    """Checks the version of a map. Does not look at the map's other fields."""
    if type(fields) is not dict or type(fields.get("version")) is not int:
        raise UnreadableLock("damaged")
    if fields["version"] != VERSION:
        raise UnreadableLock("newer" if fields["version"] > VERSION else "older")
    return fields


def _is_bytes(value: object, size: int) -> bool:
    return isinstance(value, bytes) and len(value) == size
