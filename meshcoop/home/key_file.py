"""The key file: a node's secrets, locked with a passphrase (`meshcoop.lock`)."""

import errno
import hashlib
import os
import socket
import stat
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import msgpack

from meshcoop.errors import Mistake
from meshcoop.home import passphrase_box as lock
from meshcoop.home.passphrase_box import Lock
from meshcoop.home.private_files import write_private

_MAX_FILE = 64 * 1024  # bytes


@dataclass(frozen=True)
class HeldDevice:
    """A device that this node signs with: whose it is, its seed, what certifies it, and on which
    machine it was made: it signs on no other, so that a copied disk does not fork its log.
    """

    person: bytes  # the person's root public key, 32 bytes
    seed: bytes = field(repr=False)  # 32 bytes
    statement: bytes = field(repr=False)  # signed by the person's root key
    machine: str = ""  # of machine_id()


@dataclass(frozen=True)
class Guest:
    """A device of somebody without a machine of their own; `locked` is its seed, under their PIN
    (a map of `meshcoop.lock`).
    """

    person: bytes
    device: bytes
    name: str
    statement: bytes = field(repr=False)
    locked: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Keys:
    """All secrets of one node. What an error report or a log prints of it holds none of them."""

    network_seed: bytes = field(repr=False)  # 32 bytes; the node's libp2p identity
    devices: tuple[HeldDevice, ...] = ()  # the one to sign with first
    recovery: bytes | None = field(
        default=None, repr=False
    )  # a root seed, until its words are checked
    guests: tuple[Guest, ...] = ()
    # Box secrets of devices that were elsewhere: they open what was sealed to these, and sign nothing.
    boxes: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)


@dataclass(frozen=True)
class Unlocked:
    """An open key file: saves changed keys under the same passphrase, without deriving again."""

    path: Path
    keys: Keys
    _lock: Lock = field(repr=False)

    def save(self, keys: Keys) -> "Unlocked":
        """Replaces the file, whole or not at all. Raises Mistake when the disk refuses."""
        write_private(self.path, msgpack.packb(self._lock.seal(_pack_keys(keys))))
        return Unlocked(self.path, keys, self._lock)

    def again(self) -> "Unlocked":
        """The file as it is now: a command may have changed it while the node runs."""
        fields = _fields(self.path, _read(self.path))
        if not self._lock.fits(fields):
            raise Mistake(f"{self.path} is another file than before; restart the node.")
        return Unlocked(self.path, _open(self.path, fields, self._lock), self._lock)


def create(path: Path, passphrase: str, keys: Keys) -> Unlocked:
    """Writes a new key file (0600). Raises Mistake when something is there already."""
    if os.path.lexists(path):
        raise Mistake(f"{path} already exists; unlock it, or move it to a safe place first.")
    return Unlocked(path, keys, Lock.new(passphrase)).save(keys)


def unlock(path: Path, passphrase: str) -> Unlocked:
    """Opens the key file. Raises Mistake: each thing that can be wrong with it in one sentence."""
    fields = _fields(path, _read(path))
    key = Lock.of(fields, passphrase)
    return Unlocked(path, _open(path, fields, key), key)


def machine_id() -> str:
    """A hash that differs between machines and says nothing else about this one; 64 hex digits."""
    try:
        name = Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        name = b""
    return hashlib.sha256(
        b"meshcoop machine " + (name or socket.gethostname().encode())
    ).hexdigest()


def _open(path: Path, fields: dict[str, Any], key: Lock) -> Keys:
    try:
        packed = key.open(fields)
    except lock.Unlike:
        remedy = "try again, or restore a backup if you are sure of it"
        raise Mistake(f"The passphrase does not open {path}; {remedy}.") from None
    return _unpack_keys(path, packed)


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
        return lock.check(msgpack.unpackb(data))
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        _damaged(path)
    except lock.Strange as strange:
        if strange.why == "newer":
            sentence = f"{path} was written by a newer meshcoop; install that version."
        elif strange.why == "costly":
            sentence = f"{path} asks for a cost that meshcoop never sets; restore a backup."
        else:
            _damaged(path)
        raise Mistake(sentence) from None


def _pack_keys(keys: Keys) -> bytes:
    table = {
        "network_seed": keys.network_seed,
        "devices": [[one.person, one.seed, one.statement, one.machine] for one in keys.devices],
        "recovery": keys.recovery,
        "guests": [
            [one.person, one.device, one.name, one.statement, one.locked] for one in keys.guests
        ],
        "boxes": [list(one) for one in keys.boxes],
    }
    packed: bytes = msgpack.packb(table)
    return packed


def _unpack_keys(path: Path, packed: bytes) -> Keys:
    """What only the holder of the passphrase can have written: checked for sense, not for guile."""
    try:
        table = msgpack.unpackb(packed)
        return Keys(
            table["network_seed"],
            tuple(HeldDevice(*device) for device in table["devices"]),
            table["recovery"],
            tuple(Guest(*guest) for guest in table["guests"]),
            tuple((device, secret) for device, secret in table["boxes"]),
        )
    except (ValueError, TypeError, KeyError, msgpack.UnpackException):
        _damaged(path)


def _damaged(path: Path) -> NoReturn:
    raise Mistake(f"{path} is damaged or no key file; restore a backup.")
