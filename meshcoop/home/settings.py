"""Reads and writes the settings of a home, which are in the file home.toml."""

import tomllib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import tomli_w

from meshcoop.errors import Mistake
from meshcoop.home.private_files import write_private_file
from meshcoop.home.relay_limits import MEGABYTE, RelayLimits

_PORTS = range(1, 1 << 16)
_COUNTS = range(1, 1 << 32)


@dataclass(frozen=True)
class Settings:
    """The settings of a home. A setting that nobody has chosen is None or empty.

    Everybody who takes the disk can read the settings. So the settings name no person (R-01.28).
    """

    listen: tuple[str, ...] = ()  # multiaddrs of --listen; if empty, default_listen_addresses()
    port: int | None = None  # the TCP port of default_listen_addresses(), chosen once
    relay: str | None = None  # the name of a relay; a relay's home has no devices
    megabytes: int | None = None  # what a relay stores at most for each neighbourhood
    days: int | None = None  # the days for which a relay keeps sealed content
    no_log: bool = False  # the node keeps no log
    metrics: int | None = None  # the port on 127.0.0.1 at which a relay serves its metrics

    @property
    def limits(self) -> RelayLimits:
        """The limits that this relay sets for each neighbourhood."""
        usual = RelayLimits()
        room = usual.room if self.megabytes is None else self.megabytes * MEGABYTE
        days = usual.days if self.days is None else self.days
        return RelayLimits(room, days)


def read_settings(path: Path) -> Settings:
    """Reads the settings from a file. If there is no such file, returns the defaults. Raises
    Mistake if the file cannot be read.
    """
    try:
        return _parse(tomllib.loads(path.read_text(encoding="utf-8-sig")))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise Mistake(
            "{path} cannot be read ({error}); correct it.", path=path, error=error
        ) from None


def write_settings(path: Path, settings: Settings) -> None:
    """Replaces the settings file. Writes either the whole file or nothing. Raises Mistake if the
    file cannot be written.
    """
    table = {name: value for name, value in asdict(settings).items() if value}
    write_private_file(path, tomli_w.dumps(table).encode())


def _parse(table: dict[str, Any]) -> Settings:
    """Checks the table from the file, and makes settings from it. Raises ValueError if an entry is
    wrong. The text of this error names the entry.
    """
    listen = table.pop("listen", [])
    if type(listen) is not list or not all(type(address) is str for address in listen):
        raise ValueError("listen is a list of texts")
    port = table.pop("port", None)
    if port is not None and not _is_number(port, _PORTS):
        raise ValueError("port is a number from 1 to 65535")
    counts = {name: table.pop(name, None) for name in ("megabytes", "days", "metrics")}
    for name, count in counts.items():
        if count is not None and not _is_number(count, _COUNTS):
            raise ValueError(f"{name} is a number above 0")
    no_log = table.pop("no_log", False)
    if type(no_log) is not bool:
        raise ValueError("no_log is true or false")
    relay = table.pop("relay", None)
    if relay is not None and type(relay) is not str:
        raise ValueError("relay is a text")
    if table:
        raise ValueError(f"{next(iter(table))} is no setting")
    return Settings(tuple(listen), port, relay, no_log=no_log, **counts)


def _is_number(value: object, allowed: range) -> bool:
    # Not isinstance: in Python a bool is an int, but a person who wrote `true` gave no number.
    return type(value) is int and value in allowed
