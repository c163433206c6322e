"""The demo: real nodes on this machine act out the story of the acceptance tests.

The story uses only the command line that residents use. When the demo ends, a janitor process stops
the nodes and removes the folder. The janitor does this even if somebody kills the demo.
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
_OFFER_SECONDS = 8  # the time between two offers after the end of the story


def tell_story(households: int, *, stay: bool) -> int:
    """Tells the story with `households` homes. With `stay`, the nodes keep running after the story.

    Returns the exit code: 0 if every claim of the story was true and all homes ended with equal
    state, otherwise 1. Raises Mistake if the number of homes is too small or too large.
    """
    if not _MIN_HOUSEHOLDS <= households <= len(_NAMES):
        raise Mistake(
            "The story needs {min_households} to {count} households.",
            2,
            min_households=_MIN_HOUSEHOLDS,
            count=len(_NAMES),
        )
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
    """Makes a folder for the homes, with a new passphrase and a new PIN.

    A janitor process removes the folder later.
    """
    with watched_folder("meshcoop-demo-") as folder:
        for name in ("passphrase", "pin"):
            secret = folder / name
            secret.write_bytes(os.urandom(16).hex().encode())
            os.environ[f"MESHCOOP_{name.upper()}_FILE"] = str(secret)
        os.environ["MESHCOOP_MDNS"] = "0"  # the street must not find real neighbours
        yield folder


@contextmanager
def _ending_at_once() -> Iterator[None]:
    """Makes a signal end this process and its threads at once, within the block of a `with`
    statement.

    The signal must not raise an exception. An exception could interrupt code that holds a lock, and
    the other threads would go on. The janitor process cleans up.
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
    """Keeps the nodes running until the person at the terminal ends the demo.

    If the terminal can show Ada's screen, the demo ends when the person closes this screen.
    Otherwise Ctrl-C ends the demo.
    """
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
        screen.show_screen(Home(ada.home))
    finally:
        night.set()
        life.join()


def _post_offers(street: list[Household], night: threading.Event, *, is_told: bool) -> None:
    """Posts an offer every few seconds, until the event `night` is set. Stops earlier if an offer
    cannot be posted.

    If `is_told`, prints a line about each offer.
    """
    for number in itertools.count():
        if night.wait(_OFFER_SECONDS):
            return
        household = street[(2 * number + 2) % len(street)]
        title = _OFFERS[number % len(_OFFERS)]
        try:
            household.run("post", "offer", "--title", title, "--minutes", "60")
        except Mistake:  # the day's quota is used up, or the node is stopping: no more offers then
            return
        if is_told:
            say(f"{household.name} offers: {title}.")
