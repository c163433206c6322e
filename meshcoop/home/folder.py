"""The home folder of a node: the paths of its files, and a lock. Because of this lock, only one
node can run in the folder.
"""

import contextlib
import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import platformdirs

from meshcoop.errors import Mistake
from meshcoop.home.log_files import erase_log
from meshcoop.home.machine_id import free_port, own_addresses
from meshcoop.home.private_files import OTHERS, OTHERS_WRITE, check_private_folder
from meshcoop.home.served_names import find_served_stores
from meshcoop.home.settings import Settings, read_settings, write_settings

HOME_VARIABLE = "MESHCOOP_HOME"

_MAX_SOCKET_PATH = 100  # bytes; Unix sockets end at 104 on some systems, at 108 on others
_LOCK_TRIES = 10
_LOCK_PAUSE = 0.01  # seconds


@dataclass(frozen=True)
class Home:
    """A node's home folder. Its path is absolute. Most properties are paths of files in the
    folder.
    """

    path: Path

    @classmethod
    def find(cls, option: Path | None = None) -> "Home":
        """Returns the home in the folder that the option `--home` names.

        Without this option, uses the folder that the environment variable MESHCOOP_HOME names.
        Without this variable, uses the user's default folder.
        """
        named = option or os.environ.get(HOME_VARIABLE) or platformdirs.user_data_dir("meshcoop")
        return cls(Path(named).expanduser().resolve())

    @property
    def key_file(self) -> Path:
        """The path of the key file. This file holds the node's secrets, which a passphrase
        locks.
        """
        return self.path / "keys"

    @property
    def store_file(self) -> Path:
        """The path of the home's own database of records."""
        return self.path / "store.db"

    @property
    def served_folder(self) -> Path:
        """The path of a folder of databases: one for each neighbourhood that a relay serves. The
        names of these databases are sealed (R-01.28c).
        """
        return self.path / "served"

    def served_stores(self) -> list[Path]:
        """Returns the paths of the databases in the folder `served_folder`."""
        return find_served_stores(self.served_folder)

    def stores(self) -> list[Path]:
        """Returns the paths of all databases of records. The first is the home's own database."""
        return [self.store_file, *self.served_stores()]

    @property
    def last_signed_file(self) -> Path:
        """The path of the file `last_signed`. For each device of this home, this file has the
        number of the last record that the device has signed.
        """
        return self.path / "signed"

    @property
    def neighbours_file(self) -> Path:
        """The path of the file with the addresses of other homes."""
        return self.path / "neighbours"

    @property
    def log_file(self) -> Path:
        """The path of the node's log file."""
        return self.path / "node.log"

    @property
    def network_log_file(self) -> Path:
        """The path of the log file of libp2p, the network library."""
        return self.path / "network.log"

    @property
    def screen_log_file(self) -> Path:
        """The path of the log file of the screen."""
        return self._socket_folder / "screen.log"

    @property
    def start_log_file(self) -> Path:
        """The path of a file for what a node writes while it starts in the background. The file is
        used if the home keeps no log. The file is deleted when the start is over.
        """
        return self.path / "start.log"

    def erase_logs(self) -> None:
        """Deletes all logs of the home."""
        for path in (
            self.log_file,
            self.network_log_file,
            self.screen_log_file,
            self.start_log_file,
        ):
            erase_log(path)

    @property
    def settings_file(self) -> Path:
        """The path of the file with the settings."""
        return self.path / "home.toml"

    @property
    def lock_file(self) -> Path:
        """The path of the file that a running node locks."""
        return self.path / "lock"

    @property
    def api_socket(self) -> Path:
        """The path of the socket of the local API. Only this user can enter the socket's folder.

        Raises Mistake if other users can enter this folder, or if the path is too long for a
        socket.
        """
        path = self._socket_folder / "api.sock"
        if len(os.fsencode(path)) > _MAX_SOCKET_PATH:
            raise Mistake(
                "{path} is too long for a socket; set TMPDIR to a shorter folder.", path=path
            )
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            check_private_folder(path.parent, OTHERS)
        return path

    @property
    def _socket_folder(self) -> Path:
        folder = self.path / "run"
        if len(os.fsencode(folder / "api.sock")) <= _MAX_SOCKET_PATH:
            return folder
        digest = hashlib.sha256(os.fsencode(self.path)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"meshcoop-{os.getuid()}-{digest}"

    def create(self) -> None:
        """Makes the home folder and the folder of the socket, both with mode 0700. Existing files
        stay as they are.

        Raises Mistake if a folder cannot be made, or if other users can change its contents.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            if not any(self.path.iterdir()):
                self.path.chmod(0o700)
            self._socket_folder.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Mistake(
                "{path} cannot be used: {error}; name another folder with --home.",
                path=error.filename or self.path,
                error=error.strerror,
            ) from None
        check_private_folder(self.path, OTHERS_WRITE)
        check_private_folder(self.api_socket.parent, OTHERS)

    def read_settings(self) -> Settings:
        """Reads the settings from home.toml. If there is no such file, returns the defaults. Raises
        Mistake if the file cannot be read.
        """
        return read_settings(self.settings_file)

    def write_settings(self, settings: Settings) -> None:
        """Replaces the file home.toml. Writes either the whole file or nothing. Raises Mistake if
        the file cannot be written.
        """
        write_settings(self.settings_file, settings)

    def default_listen_addresses(self) -> list[str]:
        """Returns the addresses at which the node listens by default, as multiaddrs. They are
        127.0.0.1 and all present IPv4 addresses of this machine, all with the same TCP port.

        The first call chooses a free port. The settings keep this port for later calls.
        """
        settings = self.read_settings()
        if settings.port is None:
            settings = replace(settings, port=free_port())
            self.write_settings(settings)
        return [f"/ip4/{ip}/tcp/{settings.port}" for ip in own_addresses()]

    @contextlib.contextmanager
    def lock(self) -> Iterator[None]:
        """Locks the home for one node. The lock ends when the block or the process ends.

        Raises Mistake if another node holds the lock.
        """
        file = self._open_lock()
        try:
            # `is_running` holds a shared lock for a moment. A starting node waits until it is free.
            for _ in range(_LOCK_TRIES):
                if _try_lock(file, fcntl.LOCK_EX):
                    break
                time.sleep(_LOCK_PAUSE)
            else:
                raise Mistake(
                    "A node already runs in {path}; stop it with `meshcoop down`.", path=self.path
                )
            os.ftruncate(file, 0)
            os.write(file, str(os.getpid()).encode())
            yield
        finally:
            os.close(file)

    def is_running(self) -> bool:
        """Returns whether a running node holds the home's lock. Raises Mistake if the lock file
        cannot be opened.
        """
        if not self.lock_file.exists():
            return False
        file = self._open_lock()
        try:
            return not _try_lock(file, fcntl.LOCK_SH)
        finally:
            os.close(file)

    def holder_pid(self) -> int | None:
        """Returns the id of the process that holds the lock, or None if no process holds it."""
        text = self.lock_file.read_text() if self.is_running() else ""
        return int(text) if text.isdigit() else None

    def _open_lock(self) -> int:
        try:
            return os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
        except OSError as error:
            raise Mistake(
                "{path} cannot be opened: {error}; check who owns the folder.",
                path=self.lock_file,
                error=error.strerror,
            ) from None


def _try_lock(file: int, how: int) -> bool:
    try:
        fcntl.flock(file, how | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
