"""Two halves of a street and the wire between them. Tests cut the wire and restore it."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from tests.support.real_homes import HERE, Folder, Place, folder, together

_NAMES = {side: f"mc-{side}-{os.getpid()}" for side in ("east", "west")}


class Halves:
    """The two halves, `east` and `west`. If this machine can lay a wire, each half has a network of
    its own.
    """

    def __init__(self, east: Folder, west: Folder, *, networks: bool) -> None:
        self.east, self.west = east, west
        self._networks = networks

    @contextmanager
    def cut(self) -> Iterator[None]:
        """Cuts the wire within the block, so that the halves do not hear each other. Restores the
        wire afterwards.
        """
        if self._networks:
            _ip("-n", _NAMES["east"], "link", "set", "wire", "down")
        yield
        if self._networks:
            _ip("-n", _NAMES["east"], "link", "set", "wire", "up")
        else:
            together(*(lambda home=home: home("up") for home in self.east.homes + self.west.homes))

    def alone(self, half: Folder) -> None:
        """Lets only this half run during a cut. If there is no wire, stops the nodes of the other
        half.
        """
        if not self._networks:
            other = self.west if half is self.east else self.east
            together(*(lambda home=home: home("down") for home in other.homes))
            together(*(lambda home=home: home("up") for home in half.homes))


@contextmanager
def halves() -> Iterator[Halves]:
    """Yields a folder for the homes of each half."""
    with _two_networks() as found:
        east, west = found or (HERE, HERE)
        with folder(east) as one, folder(west) as other:
            yield Halves(one, other, networks=found is not None)


@contextmanager
def _two_networks() -> Iterator[tuple[Place, Place] | None]:
    """Yields two networks with a wire between them. If this user may not lay a wire, yields
    None.
    """
    east, west = Place("10.77.0.1", _NAMES["east"]), Place("10.77.0.2", _NAMES["west"])
    try:
        yield (east, west) if _lay_wire(east, west) else None
    finally:
        for name in _NAMES.values():
            with suppress(OSError, subprocess.CalledProcessError):
                _ip("netns", "delete", name)


def _lay_wire(*places: Place) -> bool:
    try:
        for name in _NAMES.values():
            _ip("netns", "add", name)
        end, other = (("wire", "netns", name) for name in _NAMES.values())
        _ip("link", "add", *end, "type", "veth", "peer", "name", *other)
        for name, place in zip(_NAMES.values(), places, strict=True):
            _ip("-n", name, "address", "add", f"{place.address}/24", "dev", "wire")
            for link in ("lo", "wire"):
                _ip("netns", "exec", name, "ip", "link", "set", link, "up")
    except (OSError, subprocess.CalledProcessError):
        return False
    return True


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], capture_output=True, check=True)
