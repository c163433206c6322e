"""The demo: a street of real nodes on this machine that tells the acceptance story.

The story does everything through the command line that residents use. A janitor process, which
outlives the demo however it ends, stops the nodes and removes the folder.
"""

import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Iterator
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
_MIN_HOUSEHOLDS = 3  # the story needs Maria, Ada and Sam
_OFFERS = ("Bread rolls on Saturday", "An hour of weeding", "Reading aloud", "A spare ladder")
_OFFER_SECONDS = 8  # between two offers, once the story is told


def tell_story(households: int, *, stay: bool) -> int:
    """Tells the story with this number of homes; with `stay` the street then lives on.

    Returns the exit code: 0 if all homes ended with one state, else 1.
    """
    if not _MIN_HOUSEHOLDS <= households <= len(_NAMES):
        raise Mistake(f"The story needs {_MIN_HOUSEHOLDS} to {len(_NAMES)} households.", 2)
    began = time.monotonic()
    with _street_folder() as folder:
        street = [Household(folder, name) for name in _NAMES[:households]]
        with _ending_at_once():
            is_true = Story(street).tell()
        say(f"({time.monotonic() - began:.0f} s)")
        if stay:
            signal.signal(signal.SIGTERM, _exit_on_signal)
            _live_on(street)
    return 0 if is_true else 1


@contextmanager
def _street_folder() -> Iterator[Path]:
    """A folder for the homes, with a passphrase and a PIN of its own, which a janitor watches."""
    with watched_folder("meshcoop-demo-") as folder:
        for name in ("passphrase", "pin"):
            secret = folder / name
            secret.write_bytes(os.urandom(16).hex().encode())
            os.environ[f"MESHCOOP_{name.upper()}_FILE"] = str(secret)
        os.environ["MESHCOOP_MDNS"] = "0"  # the street is not to find real neighbours
        yield folder


@contextmanager
def _ending_at_once() -> Iterator[None]:
    """Lets a signal end this process and its threads at once, until the block ends.

    An exception would not do: raised while a lock is taken it breaks that lock, and threads go on. The
    janitor cleans up.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        os._exit(128 + number)

    handlers = {number: signal.signal(number, end) for number in (signal.SIGINT, signal.SIGTERM)}
    yield
    for number, handler in handlers.items():
        signal.signal(number, handler)


def _exit_on_signal(number: int, _frame: FrameType | None) -> None:
    sys.exit(128 + number)


def _live_on(street: list[Household]) -> None:
    """Lets the street live on: on a terminal until Ada's screen is closed, else until Ctrl-C."""
    if screen.can_show_screen():
        _show_screen(street)
    else:
        say("The street lives on until you press Ctrl-C. In another terminal, try:")
        for household in street[:2]:
            say(f"  meshcoop --home {household.home} list requests")
        with suppress(KeyboardInterrupt):
            _post_offers(street, threading.Event(), is_told=True)
    say("Good night.")


def _show_screen(street: list[Household]) -> None:
    maria, ada, sam, *_ = street
    request_id = ada.run("post", "request", "--title", "Shelves put up", "--minutes", "60")["id"]
    sam.run("wait", "--id", request_id)
    sam.run("post", "response", "--about", request_id, "--text", "Saturday? I bring the drill.")
    maria.run("post", "offer", "--title", "Blood pressure checks", "--minutes", "30")
    say("Opening Ada's screen. The street lives on around it; closing it ends the street.")
    night = threading.Event()
    life = threading.Thread(
        target=_post_offers, args=(street, night), kwargs={"is_told": False}, daemon=True
    )
    life.start()
    try:
        screen.show_screen(Home(ada.home).api_socket)
    finally:
        night.set()
        life.join()


def _post_offers(street: list[Household], night: threading.Event, *, is_told: bool) -> None:
    """Posts an offer every few seconds until it is night; if `is_told`, prints a line about each."""
    for number in itertools.count():
        if night.wait(_OFFER_SECONDS):
            return
        household = street[(2 * number + 2) % len(street)]
        title = _OFFERS[number % len(_OFFERS)]
        try:
            household.run("post", "offer", "--title", title, "--minutes", "60")
        except Mistake:  # the quota of a day, or a node on its way out: the street is quiet then
            return
        if is_told:
            say(f"{household.name} offers: {title}.")
