"""The demo: a street of real nodes on this machine tells the acceptance story as far as it is built.

Every line is done through the command line that residents use. A janitor process, which outlives
whatever may end the demo, stops the nodes and removes the folder.
"""

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType

from meshcoop.cli import screen
from meshcoop.dev.demo.household import Household
from meshcoop.dev.demo.story import Story, say
from meshcoop.dev.janitor import watched_folder
from meshcoop.errors import Mistake
from meshcoop.home.folder import Home

_NAMES = ("Maria", "Ada", "Sam", "Kofi", "Lin", "Rosa", "Ines", "Tom", "Noor", "Jo", "Pat", "Wim")
_STILL_SECONDS = 8


def tell(households: int, *, stay: bool) -> int:
    """Tells the story with so many homes; `stay`: then the street lives on.

    Returns the exit code: 0 if all homes ended with one state, else 1.
    """
    if not 3 <= households <= len(_NAMES):  # noqa: PLR2004
        raise Mistake(f"The story needs 3 to {len(_NAMES)} households.", 2)
    began = time.monotonic()
    with _street_folder() as folder:
        street = [Household(folder, name) for name in _NAMES[:households]]
        with _ended_at_once():
            same = Story(street).tell()
        say(f"({time.monotonic() - began:.0f} s)")
        if stay:
            signal.signal(signal.SIGTERM, _end_by_signal)
            _stay(street)
    return 0 if same else 1


def _stay(street: list[Household]) -> None:
    """The street lives on: on its screen until that is closed, else until Ctrl-C."""
    maria, ada, sam, *_ = street
    if not screen.terminal():
        say("The street lives on until you press Ctrl-C. In another terminal, try:")
        for one in street[:2]:
            say(f"  meshcoop --home {one.home} list requests")
        with suppress(KeyboardInterrupt):
            _live(street, threading.Event(), say)
        say("Good night.")
        return
    asked = ada.run("post", "request", "--title", "Shelves put up", "--minutes", "60")["id"]
    sam.run("wait", "--id", asked)
    sam.run("post", "response", "--about", asked, "--text", "Saturday? I bring the drill.")
    maria.run("post", "offer", "--title", "Blood pressure checks", "--minutes", "30")
    say("Opening Ada's screen. The street lives on around it; closing it ends the street.")
    night = threading.Event()
    life = threading.Thread(target=_live, args=(street, night, None), daemon=True)
    life.start()
    try:
        screen.show(Home(ada.home).socket)
    finally:
        night.set()
        life.join()
    say("Good night.")


def _live(
    street: list[Household], night: threading.Event, say: Callable[[str], None] | None
) -> None:
    """Somebody offers something every few seconds, until it is night."""
    offers = ("Bread rolls on Saturday", "An hour of weeding", "Reading aloud", "A spare ladder")
    for at in itertools.count():
        if night.wait(_STILL_SECONDS):
            return
        one = street[(2 * at + 2) % len(street)]
        title = offers[at % len(offers)]
        try:
            one.run("post", "offer", "--title", title, "--minutes", "60")
        except Mistake:  # the quota of a day, or a node on its way out: the street is quiet then
            return
        if say is not None:
            say(f"{one.name} offers: {title}.")


@contextmanager
def _ended_at_once() -> Iterator[None]:
    """Meanwhile a signal ends this process and all that its threads are about to do.

    An exception would not: raised in the middle of a lock it breaks that lock, and threads go on. The
    janitor cleans up.
    """

    def end(number: int, frame: FrameType | None) -> None:
        del frame
        os._exit(128 + number)

    before = {one: signal.signal(one, end) for one in (signal.SIGINT, signal.SIGTERM)}
    yield
    for one, handler in before.items():
        signal.signal(one, handler)


def _end_by_signal(number: int, frame: FrameType | None) -> None:
    del frame
    sys.exit(128 + number)


@contextmanager
def _street_folder() -> Iterator[Path]:
    """A folder for the homes, with a passphrase and a PIN of its own, that a janitor watches over."""
    with watched_folder("meshcoop-demo-") as folder:
        for name in ("passphrase", "pin"):
            secret = folder / name
            secret.write_bytes(os.urandom(16).hex().encode())
            os.environ[f"MESHCOOP_{name.upper()}_FILE"] = str(secret)
        os.environ["MESHCOOP_MDNS"] = "0"  # the street is not to find the real one
        yield folder
