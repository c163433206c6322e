"""The home folder of a node: what lies where, the settings, and the lock that keeps a second out."""

import contextlib
import fcntl
import hashlib
import os
import socket
import stat
import tempfile
import time
import tomllib
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, BinaryIO

import ifaddr
import platformdirs
import tomli_w

from meshcoop.errors import Mistake
from meshcoop.home.relay_limits import MEGABYTE, Limits

VARIABLE = "MESHCOOP_HOME"

_MAX_SOCKET_PATH = 100  # bytes; Unix sockets end at 104 on some systems, at 108 on others
_LOCK_TRIES = 10
_LOCK_PAUSE = 0.01  # seconds
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Settings:
    """What home.toml holds. Absent means: not chosen, or not there yet."""

    listen: tuple[str, ...] = ()  # multiaddrs given with --listen; none: Home.default_listen
    port: int | None = None  # the TCP port of default_listen, chosen once
    neighbourhood: str | None = None  # its id in hex
    invitation: str | None = None  # the one this home still waits to be admitted with
    relay: str | None = None  # what a relay is called; such a home has no devices
    megabytes: int | None = None  # that a relay has for each neighbourhood
    days: int | None = None  # that a relay keeps sealed content
    metrics: int | None = None  # the port of loopback at which a relay serves its figures

    @property
    def limits(self) -> Limits:
        """What a neighbourhood may use of this relay."""
        usual = Limits()
        room = usual.room if self.megabytes is None else self.megabytes * MEGABYTE
        return Limits(room, usual.days if self.days is None else self.days)


@dataclass(frozen=True)
class Home:
    """A node's home folder, absolute. The properties name what lies in it; `create` makes it."""

    path: Path

    @classmethod
    def find(cls, option: Path | None = None) -> "Home":
        """The home of `--home`, else of MESHCOOP_HOME, else the user's own."""
        named = option or os.environ.get(VARIABLE) or platformdirs.user_data_dir("meshcoop")
        return cls(Path(named).expanduser().resolve())

    @property
    def keys(self) -> Path:
        return self.path / "keys"

    @property
    def store(self) -> Path:
        return self.path / "store.db"

    @property
    def signed(self) -> Path:
        return self.path / "signed"

    @property
    def neighbours(self) -> Path:
        return self.path / "neighbours"

    @property
    def log(self) -> Path:
        return self.path / "node.log"

    @property
    def network_log(self) -> Path:
        return self.path / "network.log"

    @property
    def settings(self) -> Path:
        return self.path / "home.toml"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    @property
    def socket(self) -> Path:
        """Where the local API is, in a folder that only this user can enter.

        Raises Mistake when others can enter the folder, or no path is short enough.
        """
        path = self._socket_folder / "api.sock"
        if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
            raise Mistake(f"{path} is too long for a socket; set TMPDIR to a shorter folder.")
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            _check_private(path.parent, _OTHERS)
        return path

    @property
    def _socket_folder(self) -> Path:
        folder = self.path / "run"
        if len(os.fsencode(folder / "api.sock")) <= _MAX_SOCKET_PATH:
            return folder
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"meshcoop-{os.getuid()}-{digest}"

    def create(self) -> None:
        """Makes the folder and the one of the socket, mode 0700; what is there already stays.

        Raises Mistake where a folder cannot be made, or others could change what it holds.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not any(self.path.iterdir()):
                self.path.chmod(0o700)
            self._socket_folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            reason = f"{error.filename or self.path} cannot be used: {error.strerror}"
            raise Mistake(f"{reason}; name another folder with --home.") from None
        _check_private(self.path, _OTHERS_WRITE)
        _check_private(self.socket.parent, _OTHERS)

    def read_settings(self) -> Settings:
        """What home.toml says; the defaults while there is none. Raises Mistake."""
        try:
            return _settings(tomllib.loads(self.settings.read_text(encoding="utf-8")))
        except FileNotFoundError:
            return Settings()
        except (OSError, ValueError) as error:
            raise Mistake(f"{self.settings} cannot be read ({error}); correct it.") from None

    def write_settings(self, settings: Settings) -> None:
        """Replaces home.toml as a whole, or not at all. Raises Mistake."""
        table = {name: value for name, value in asdict(settings).items() if value}
        write_private(self.settings, tomli_w.dumps(table).encode())

    def default_listen(self) -> list[str]:
        """Multiaddrs of one TCP port on 127.0.0.1 and on every IPv4 address of this machine.

        The port is a free one, chosen the first time and kept; the addresses are today's.
        """
        settings = self.read_settings()
        if settings.port is None:
            settings = replace(settings, port=_free_port())
            self.write_settings(settings)
        return [f"/ip4/{ip}/tcp/{settings.port}" for ip in own_addresses()]

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Holds the home for one node, until the block or the process ends. Raises Mistake."""
        file = self._open_lock()
        try:
            # `running` holds a shared lock for a moment: a node that starts waits it out.
            for _ in range(_LOCK_TRIES):
                if _flocked(file, fcntl.LOCK_EX):
                    break
                time.sleep(_LOCK_PAUSE)
            else:
                where = f"A node already runs in {self.path}"
                raise Mistake(f"{where}; stop it with `meshcoop down`.")
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())
            yield
        finally:
            os.close(file)

    def running(self) -> bool:
        """Whether a node holds the lock. Raises Mistake when the lock cannot be looked at."""
        if not self.lock_file.exists():
            return False
        file = self._open_lock()
        try:
            return not _flocked(file, fcntl.LOCK_SH)
        finally:
            os.close(file)

    def holder(self) -> int | None:
        """The process that holds the lock; None while nobody does."""
        text = self.lock_file.read_text() if self.running() else ""
        return int(text) if text.isdigit() else None

    def _open_lock(self) -> int:
        try:
            return os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            reason = f"{self.lock_file} cannot be opened: {error.strerror}"
            raise Mistake(f"{reason}; check who owns the folder.") from None


def own_addresses() -> list[str]:
    """The IPv4 addresses of this machine now, loopback first."""
    found = [str(ip.ip) for one in ifaddr.get_adapters() for ip in one.ips if ip.is_IPv4]
    return list(dict.fromkeys(["127.0.0.1", *found]))


def write_private(path: Path, data: bytes) -> None:
    """Replaces `path` by `data` for its owner alone (0600): whole and on disk, or untouched.

    A link at `path` is replaced, not followed. Raises Mistake.
    """
    try:
        with replacing(path) as file:
            file.write(data)
    except OSError as error:
        raise Mistake(f"{path} cannot be written: {error.strerror}; make room for it.") from None


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A file for its owner alone (0600), to be written in the block: then `path` is this file, whole
    and on disk; where the block raises, `path` is untouched. Raises OSError.
    """
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}-")  # mode 0600
    temporary = Path(name)
    try:
        with open(handle, "wb") as file:  # noqa: PTH123  # a handle, not a path
            yield file
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)  # the new name, too, survives a power cut
    finally:
        os.close(folder)


def _check_private(folder: Path, forbidden: int) -> None:
    """Raises Mistake unless `folder` is a folder of this user without the `forbidden` mode bits."""
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise Mistake(f"{folder} is not a folder of yours; move it out of the way.")
    if found.st_mode & forbidden:
        raise Mistake(f"Others can get at {folder}; keep them out with `chmod 700 {folder}`.")


def _flocked(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _free_port() -> int:
    with socket.create_server(("", 0)) as server:
        port: int = server.getsockname()[1]
    return port


def _settings(table: dict[str, Any]) -> Settings:
    """Raises ValueError, whose text names the entry that is wrong."""
    listen = table.pop("listen", [])
    if type(listen) is not list or not all(type(address) is str for address in listen):
        raise ValueError("listen is a list of texts")
    port = table.pop("port", None)
    if port is not None and (type(port) is not int or not 0 < port < 1 << 16):
        raise ValueError("port is a number from 1 to 65535")
    counts = {name: table.pop(name, None) for name in ("megabytes", "days", "metrics")}
    for name, count in counts.items():
        if count is not None and (type(count) is not int or not 0 < count < 1 << 32):
            raise ValueError(f"{name} is a number above 0")
    texts = {name: table.pop(name, None) for name in ("neighbourhood", "invitation", "relay")}
    for name, text in texts.items():
        if text is not None and type(text) is not str:
            raise ValueError(f"{name} is a text")
    if table:
        raise ValueError(f"{next(iter(table))} is no setting")
    return Settings(tuple(listen), port, **texts, **counts)
