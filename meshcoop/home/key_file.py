"""The key file: a node's secrets, locked with a passphrase (`meshcoop.home.passphrase_box`).

No passphrase locks the key file of a relay. The people of a home may also do without a passphrase.
Without a passphrase, somebody who takes the disk has the keys (R-01.29).
"""

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
from meshcoop.home.private_files import write_private_file

_MAX_FILE = 64 * 1024  # bytes
_NETWORK_SEED = 32  # bytes
_STORE_KEY = 48  # bytes
_OPEN = "open"  # the field of an open key file that holds the keys


class OlderHome(Mistake):
    """Raised if an older version of the program made the home. This version cannot read the records
    of such a home (R-01.31).
    """

    def __init__(self, folder: Path) -> None:
        super().__init__(
            "{folder} was made by an older meshcoop; begin anew in another folder, which --home"
            " names.",
            folder=folder,
        )


@dataclass(frozen=True)
class HeldDevice:
    """A device with which this node signs.

    The device signs only on the machine on which it was made. Without this limit, a copy of the
    disk could sign a second record with the same number. That would fork the device's log.
    """

    person: bytes  # the person's root public key, 32 bytes
    seed: bytes = field(repr=False)  # 32 bytes
    statement: bytes = field(repr=False)  # signed by the person's root key
    machine: str = ""  # machine_id() of the machine on which the device was made


@dataclass(frozen=True)
class Guest:
    """A guest's device. A guest is a person without a machine of their own. `locked` is the
    device's seed, locked with the guest's PIN. The locked seed is a map as
    `meshcoop.home.passphrase_box` makes it.
    """

    person: bytes
    device: bytes
    name: str
    statement: bytes = field(repr=False)
    locked: dict[str, Any] = field(repr=False)


@dataclass(frozen=True)
class Keys:
    """All secrets of one node. If an error report or a log prints this object, it shows no
    secret.
    """

    network_seed: bytes = field(repr=False)  # 32 bytes; the node's libp2p identity
    store_key: bytes = field(repr=False)  # the key of the home's stores, and the salt behind it
    devices: tuple[HeldDevice, ...] = ()  # the first one signs if it may
    # A root seed, kept until its recovery words are checked.
    recovery_seed: bytes | None = field(default=None, repr=False)
    guests: tuple[Guest, ...] = ()
    # Pairs (device, box secret) of devices that the person had on other machines. The secrets
    # open what was sealed to these devices. This node signs nothing with them.
    boxes: tuple[tuple[bytes, bytes], ...] = field(default=(), repr=False)
    neighbourhood: bytes | None = None  # its id
    invitation: str | None = field(default=None, repr=False)  # with which the home waits


@dataclass(frozen=True)
class UnlockedKeys:
    """The keys of an opened key file. When they are saved, the same passphrase locks them. Nobody
    has to type the passphrase again.
    """

    path: Path
    keys: Keys
    _lock: Lock | None = field(repr=False)  # None if the file has no passphrase

    @property
    def has_passphrase(self) -> bool:
        """Whether a passphrase locks the file."""
        return self._lock is not None

    def save(self, keys: Keys) -> "UnlockedKeys":
        """Replaces the key file. Writes either the whole file or nothing. Raises Mistake if the
        file cannot be written.
        """
        packed = _pack_keys(keys)
        if self._lock is None:
            fields: dict[str, Any] = {"version": lock.VERSION, _OPEN: packed}
        else:
            fields = self._lock.seal(packed)
        write_private_file(self.path, msgpack.packb(fields))
        return UnlockedKeys(self.path, keys, self._lock)

    def reread(self) -> "UnlockedKeys":
        """Reads the key file again, because a command may have changed the file while the node
        runs. Raises Mistake if another passphrase locks the file now.
        """
        fields = _read_map(self.path)
        is_same = _OPEN in fields if self._lock is None else self._lock.fits(fields)
        if not is_same:
            raise Mistake("{path} is another file than before; restart the node.", path=self.path)
        return UnlockedKeys(self.path, _open_keys(self.path, fields, self._lock), self._lock)


def new_keys(devices: tuple[HeldDevice, ...] = (), recovery_seed: bytes | None = None) -> Keys:
    """Makes the keys of a new home, with a new network seed and a new store key."""
    return Keys(os.urandom(_NETWORK_SEED), os.urandom(_STORE_KEY), devices, recovery_seed)


def create_key_file(path: Path, passphrase: str | None, keys: Keys) -> UnlockedKeys:
    """Writes a new key file (mode 0600). Without a passphrase, the file is not locked. Raises
    Mistake if there is a file at the path already.
    """
    if os.path.lexists(path):
        raise Mistake(
            "{path} already exists; unlock it, or move it to a safe place first.", path=path
        )
    new_lock = None if passphrase is None else Lock.new(passphrase)
    return UnlockedKeys(path, keys, new_lock).save(keys)


def is_locked(path: Path) -> bool:
    """Returns whether a passphrase locks the key file. Raises Mistake if the file cannot be read,
    or if another version of the program made the file.
    """
    return _OPEN not in _read_map(path)


def refuse_older_home(path: Path) -> None:
    """Raises OlderHome if an older version of the program made the key file. Otherwise does
    nothing.
    """
    try:
        _read_map(path)
    except OlderHome:
        raise
    except Mistake:
        pass  # who needs the keys says what is wrong with them


def unlock_key_file(path: Path, passphrase: str | None) -> UnlockedKeys:
    """Opens the key file. The passphrase is needed only if the file is locked. Raises Mistake with
    the reason if the file cannot be opened.
    """
    fields = _read_map(path)
    if _OPEN in fields:
        return UnlockedKeys(path, _open_keys(path, fields, None), None)
    assert passphrase is not None, "a passphrase locks the file"
    key = Lock.derive(fields, passphrase)
    return UnlockedKeys(path, _open_keys(path, fields, key), key)


def machine_id() -> str:
    """Returns an id of this machine: a hash of 64 hex digits. Two machines have different ids. The
    id tells nothing else about the machine.
    """
    try:
        name = Path("/etc/machine-id").read_bytes().strip()
    except OSError:
        name = b""
    if not name:
        name = socket.gethostname().encode()
    return hashlib.sha256(b"meshcoop machine " + name).hexdigest()


def _open_keys(path: Path, fields: dict[str, Any], key: Lock | None) -> Keys:
    try:
        packed = fields[_OPEN] if key is None else key.open(fields)
    except lock.WrongSecret:
        raise Mistake(
            "The passphrase does not open {path}; try again, or restore a backup if you are sure of "
            "it.",
            path=path,
        ) from None
    return _unpack_keys(path, packed)


def _read_file(path: Path) -> bytes:
    """Reads the bytes of the key file.

    First opens the file, and then checks the open file. If the check came first, somebody could
    swap the file between the check and the opening.
    """
    try:
        # O_NONBLOCK: if somebody has put a pipe there, opening it must not wait for a writer.
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except FileNotFoundError:
        raise Mistake(
            "There are no keys at {path}; make them with `meshcoop found` or `meshcoop join`, or "
            "restore a backup.",
            path=path,
        ) from None
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise Mistake("{path} is a link; put the key file itself there.", path=path) from None
        raise Mistake(
            "{path} cannot be read: {strerror}; check who owns it.",
            path=path,
            strerror=error.strerror,
        ) from None
    try:
        _check_file(path, os.fstat(handle).st_mode)
        return os.read(handle, _MAX_FILE + 1)
    finally:
        os.close(handle)


def _check_file(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise Mistake("{path} is not a file; move it away and restore a backup.", path=path)
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        raise Mistake("Others can get at {path}; keep them out with `chmod 600 {path}`.", path=path)


def _read_map(path: Path) -> dict[str, Any]:
    """Reads the map in the file. Checks the map's fields and the costs in these fields. Returns the
    map.
    """
    data = _read_file(path)
    if len(data) > _MAX_FILE:
        _refuse_damaged(path)
    try:
        fields = msgpack.unpackb(data)
        is_open = type(fields) is dict and type(fields.get(_OPEN)) is bytes
        return lock.check_version(fields) if is_open else lock.check_map(fields)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        _refuse_damaged(path)
    except lock.UnreadableLock as strange:
        if strange.reason == "older":
            raise OlderHome(path.parent) from None
        if strange.reason == "newer":
            raise Mistake(
                "{path} was written by a newer meshcoop; install that version.", path=path
            ) from None
        if strange.reason == "costly":
            raise Mistake(
                "{path} asks for a cost that meshcoop never sets; restore a backup.", path=path
            ) from None
        _refuse_damaged(path)


def _pack_keys(keys: Keys) -> bytes:
    table = {
        "network_seed": keys.network_seed,
        "devices": [
            [device.person, device.seed, device.statement, device.machine]
            for device in keys.devices
        ],
        "recovery": keys.recovery_seed,
        "guests": [
            [guest.person, guest.device, guest.name, guest.statement, guest.locked]
            for guest in keys.guests
        ],
        "boxes": [list(box) for box in keys.boxes],
        "store": keys.store_key,
        "neighbourhood": keys.neighbourhood,
        "invitation": keys.invitation,
    }
    packed: bytes = msgpack.packb(table)
    return packed


def _unpack_keys(path: Path, packed: bytes) -> Keys:
    """Unpacks the keys from the opened map. Raises Mistake if the map is damaged.

    Only somebody with the passphrase can have written this map. So the function looks for damage,
    not for attacks.
    """
    try:
        table = msgpack.unpackb(packed)
        return Keys(
            table["network_seed"],
            table["store"],
            tuple(HeldDevice(*device) for device in table["devices"]),
            table["recovery"],
            tuple(Guest(*guest) for guest in table["guests"]),
            tuple((device, secret) for device, secret in table["boxes"]),
            table["neighbourhood"],
            table["invitation"],
        )
    except (ValueError, TypeError, KeyError, msgpack.UnpackException):
        _refuse_damaged(path)


def _refuse_damaged(path: Path) -> NoReturn:
    raise Mistake("{path} is damaged or no key file; restore a backup.", path=path)
