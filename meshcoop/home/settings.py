"""The settings of a home, in its file home.toml."""

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
    """The settings of a home. An absent one was not chosen, or is not there yet."""

    listen: tuple[str, ...] = ()  # multiaddrs given with --listen; none: Home.default_listen
    port: int | None = None  # the TCP port of default_listen, chosen once
    neighbourhood: str | None = None  # its id in hex
    invitation: str | None = None  # the one this home still waits to be admitted with
    relay: str | None = None  # what a relay is called; such a home has no devices
    megabytes: int | None = None  # that a relay has for each neighbourhood
    days: int | None = None  # that a relay keeps sealed content
    metrics: int | None = None  # the port of loopback at which a relay serves its figures

    @property
    def limits(self) -> RelayLimits:
        """What a neighbourhood may use of this relay."""
        usual = RelayLimits()
        room = usual.room if self.megabytes is None else self.megabytes * MEGABYTE
        days = usual.days if self.days is None else self.days
        return RelayLimits(room, days)


def read_settings(path: Path) -> Settings:
    """The settings in a file; the defaults while there is none. Raises Mistake."""
    try:
        return _parse(tomllib.loads(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        return Settings()
    except (OSError, ValueError) as error:
        raise Mistake(f"{path} cannot be read ({error}); correct it.") from None


def write_settings(path: Path, settings: Settings) -> None:
    """Replaces the file as a whole, or not at all. Raises Mistake."""
    table = {name: value for name, value in asdict(settings).items() if value}
    write_private_file(path, tomli_w.dumps(table).encode())


def _parse(table: dict[str, Any]) -> Settings:
    """Raises ValueError, whose text names the entry that is wrong."""
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
    texts = {name: table.pop(name, None) for name in ("neighbourhood", "invitation", "relay")}
    for name, text in texts.items():
        if text is not None and type(text) is not str:
            raise ValueError(f"{name} is a text")
    if table:
        raise ValueError(f"{next(iter(table))} is no setting")
    return Settings(tuple(listen), port, **texts, **counts)


def _is_number(value: object, allowed: range) -> bool:
    # Not isinstance: a bool is an int, and no number to the person who wrote `true`.
    return type(value) is int and value in allowed
