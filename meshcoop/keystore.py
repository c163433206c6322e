"""The key file: a node's secrets, wrapped with a passphrase.

The file is one msgpack map: `version`, `salt`, `ops` and `mem` (the cost of Argon2id), `nonce` and
`box`, the secrets under XChaCha20-Poly1305 with everything but nonce and box as associated data.
"""

import errno
import hashlib
import os
import secrets
import socket
import stat
import unicodedata
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import msgpack
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
)
from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id

from meshcoop.config import write_private
from meshcoop.errors import Mistake

_VERSION = 1
_NONCE = 24  # bytes
_SEED = 32  # bytes
_MAX_FILE = 64 * 1024  # bytes
# What a file may ask of this machine: from the interactive cost, 64 MiB, to eight times it.
_OPS = range(argon2id.OPSLIMIT_INTERACTIVE, 17)
_MEM = range(argon2id.MEMLIMIT_INTERACTIVE, 8 * argon2id.MEMLIMIT_INTERACTIVE + 1)


@dataclass(frozen=True)
class HeldDevice:
    """A device that this node signs with: whose it is, its seed, and what certifies it."""

    person: bytes  # the person's root public key, 32 bytes
    seed: bytes = field(repr=False)  # 32 bytes
    statement: bytes = field(repr=False)  # signed by the person's root key


@dataclass(frozen=True)
class Keys:
    """All secrets of one node. What an error report or a log prints of it holds none of them."""

    network_seed: bytes = field(repr=False)  # 32 bytes; the node's libp2p identity
    devices: tuple[HeldDevice, ...] = ()
    recovery: bytes | None = field(
        default=None, repr=False
    )  # a root seed, until its words are seen
    machine: str = ""  # of machine_id(), so that a copied disk is noticed


@dataclass(frozen=True)
class Unlocked:
    """An open key file: saves changed keys under the same passphrase, without deriving again."""

    path: Path
    keys: Keys
    _lock: "_Lock" = field(repr=False)

    def save(self, keys: Keys) -> "Unlocked":
        """Replaces the file, whole or not at all. Raises Mistake when the disk refuses."""
        nonce = secrets.token_bytes(_NONCE)
        box = crypto_aead_xchacha20poly1305_ietf_encrypt(
            _pack_keys(keys), self._lock.header(), nonce, self._lock.key
        )
        write_private(self.path, msgpack.packb({**self._lock.fields(), "nonce": nonce, "box": box}))
        return Unlocked(self.path, keys, self._lock)


@dataclass(frozen=True)
class _Lock:
    """A key with what it was derived from, except for the passphrase."""

    key: bytes = field(repr=False)
    salt: bytes
    ops: int
    mem: int

    @classmethod
    def derive(cls, passphrase: str, salt: bytes, ops: int, mem: int) -> "_Lock":
        # NFKC: the same passphrase, whatever keyboard or system it was typed on.
        secret = unicodedata.normalize("NFKC", passphrase).encode()
        try:
            key = argon2id.kdf(_SEED, secret, salt, ops, mem)
        except RuntimeError:  # libsodium says no more when it gets no memory
            needed = f"The key file needs {mem >> 20} MiB of free memory"
            raise Mistake(f"{needed}; close other programs and try again.") from None
        return cls(key, salt, ops, mem)

    def fields(self) -> dict[str, Any]:
        return {"version": _VERSION, "salt": self.salt, "ops": self.ops, "mem": self.mem}

    def header(self) -> bytes:
        packed: bytes = msgpack.packb(list(self.fields().values()))
        return packed


def create(path: Path, passphrase: str, keys: Keys) -> Unlocked:
    """Writes a new key file (0600). Raises Mistake when something is there already."""
    if os.path.lexists(path):
        raise Mistake(f"{path} already exists; unlock it, or move it to a safe place first.")
    salt = secrets.token_bytes(argon2id.SALTBYTES)
    lock = _Lock.derive(passphrase, salt, _OPS.start, _MEM.start)
    return Unlocked(path, keys, lock).save(keys)


def unlock(path: Path, passphrase: str) -> Unlocked:
    """Opens the key file. Raises Mistake: each thing that can be wrong with it in one sentence."""
    fields = _fields(path, _read(path))
    lock = _Lock.derive(passphrase, fields["salt"], fields["ops"], fields["mem"])
    try:
        packed = crypto_aead_xchacha20poly1305_ietf_decrypt(
            fields["box"], lock.header(), fields["nonce"], lock.key
        )
    except CryptoError:
        remedy = "try again, or restore a backup if you are sure of it"
        raise Mistake(f"The passphrase does not open {path}; {remedy}.") from None
    return Unlocked(path, _unpack_keys(path, packed), lock)


def machine_id() -> str:
    """A hash that differs between machines and says nothing else about this one; 64 hex digits."""
    try:
        name = Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        name = b""
    return hashlib.sha256(
        b"meshcoop machine " + (name or socket.gethostname().encode())
    ).hexdigest()


def _read(path: Path) -> bytes:
    """The file's bytes. Looks at the opened file itself, so that nobody can swap it in between."""
    try:
        # O_NONBLOCK: opening a pipe somebody has put there must not wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        remedy = "make them with `meshcoop found` or `meshcoop join`, or restore a backup"
        raise Mistake(f"There are no keys at {path}; {remedy}.") from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Mistake(f"{path} is a link; put the key file itself there.") from None
        raise Mistake(f"{path} cannot be read: {error.strerror}; check who owns it.") from None
    try:
        _check_file(path, os.fstat(handle).st_mode)
        return os.read(handle, _MAX_FILE + 1)
    finally:
        os.close(handle)


def _check_file(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise Mistake(f"{path} is not a file; move it away and restore a backup.")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Mistake(f"Others can get at {path}; keep them out with `chmod 600 {path}`.")


def _fields(path: Path, data: bytes) -> dict[str, Any]:
    """The map that the file is, its shapes and costs checked."""
    if len(data) > _MAX_FILE:
        _damaged(path)
    try:
        fields = msgpack.unpackb(data)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        _damaged(path)
    if type(fields) is not dict or type(fields.get("version")) is not int:
        _damaged(path)
    if fields["version"] != _VERSION:
        raise Mistake(f"{path} was written by a newer meshcoop; install that version.")
    sizes = {"salt": argon2id.SALTBYTES, "nonce": _NONCE}
    fits = all(_is_bytes(fields.get(name), size) for name, size in sizes.items())
    costs = all(type(fields.get(name)) is int for name in ("ops", "mem"))
    if not (fits and costs and type(fields.get("box")) is bytes):
        _damaged(path)
    if fields["ops"] not in _OPS or fields["mem"] not in _MEM:
        raise Mistake(f"{path} asks for a cost that meshcoop never sets; restore a backup.")
    return fields


def _pack_keys(keys: Keys) -> bytes:
    devices = [[device.person, device.seed, device.statement] for device in keys.devices]
    table = {
        "network_seed": keys.network_seed,
        "devices": devices,
        "recovery": keys.recovery,
        "machine": keys.machine,
    }
    packed: bytes = msgpack.packb(table)
    return packed


def _unpack_keys(path: Path, packed: bytes) -> Keys:
    """What only the holder of the passphrase can have written: checked for sense, not for guile."""
    try:
        table = msgpack.unpackb(packed)
        devices = tuple(HeldDevice(*device) for device in table["devices"])
        return Keys(table["network_seed"], devices, table["recovery"], table["machine"])
    except (ValueError, TypeError, KeyError, msgpack.UnpackException):
        _damaged(path)


def _is_bytes(value: object, size: int) -> bool:
    return isinstance(value, bytes) and len(value) == size


def _damaged(path: Path) -> NoReturn:
    raise Mistake(f"{path} is damaged or no key file; restore a backup.")
