"""The demo: a street of real nodes on this machine tells the acceptance story as far as it is built.

Every line is done through the command line that residents use. A janitor process, which outlives
whatever may end the demo, stops the nodes and removes the folder.
"""

import itertools
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import Any

from meshcoop.commands import screen
from meshcoop.config import Home
from meshcoop.errors import Mistake
from meshcoop.janitor import watched_folder

_NAMES = ("Maria", "Ada", "Sam", "Kofi", "Lin", "Rosa", "Ines", "Tom", "Noor", "Jo", "Pat", "Wim")
_ASSETS = {
    "Maria": ("blood pressure checks", "a Yoruba speaker"),
    "Ada": ("hemming, Yoruba, listening", "a lift now and then"),
    "Sam": ("driving", "shirts taken in"),
    "Kofi": ("gardening", "company for the dog"),
    "Lin": ("the shop's back room", "help with the shelves"),
}
_AGREE_SECONDS = 30
_STILL_SECONDS = 8


class Household:
    """A home of the demo, spoken to through the command line only."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.home = folder / name.lower()

    def run(self, *words: str) -> Any:
        """What a command answers, from its JSON. Raises Mistake with what it said instead."""
        command = [sys.executable, "-m", "meshcoop", "--home", str(self.home), "--json", *words]
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False,
            close_fds=False,  # the janitor waits for a command that outlives the demo
        )  # fmt: skip
        if done.returncode:
            raise Mistake(f"{self.name}: `{' '.join(words[:2])}` said: {done.stderr.strip()}")
        return json.loads(done.stdout)


def tell(households: int, *, stay: bool) -> int:
    """Tells the story with so many homes; `stay`: then the street lives on.

    Returns the exit code: 0 if all homes ended with one state, else 1.
    """
    if not 3 <= households <= len(_NAMES):  # noqa: PLR2004
        raise Mistake(f"The story needs 3 to {len(_NAMES)} households.", 2)
    signal.signal(signal.SIGTERM, _end_by_signal)
    began = time.monotonic()
    with _street_folder() as folder:
        street = [Household(folder, name) for name in _NAMES[:households]]
        same = _story(street)
        print(f"({time.monotonic() - began:.0f} s)", flush=True)
        if stay:
            _stay(street)
    return 0 if same else 1


def _story(street: list[Household]) -> bool:
    maria, ada, sam, *others = street
    _meet(street)
    _say(f"Ada at her home: `meshcoop list people` shows {_people(ada)}.")
    request = ada.run(
        "post", "request", "--title", "A lift to the eye clinic", "--minutes", "90",
        "--starts", "2026-11-26T09:30", "--tags", "transport", "--area", "south side",
    )["id"]  # fmt: skip
    _everywhere(street, request)
    _say("Ada asks for a lift on Thursday at 09:30; the request is at every home.")
    words = "I can fetch you. Ring twice, the bell is slow."
    response = sam.run("post", "response", "--about", request, "--text", words)["id"]
    _everywhere(street, response)
    read = _text_at(ada, request)
    hidden = all(_text_at(one, request) is None for one in [maria, *others])
    _say(f"Sam offers to drive, with words for Ada only. Ada reads: “{read}”")
    _say("At the other homes the words are " + ("closed." if hidden else "OPEN, which is wrong."))
    agreement = ada.run("post", "agreement", "--about", response)["id"]
    sam.run("wait", "--id", agreement)
    _say("Ada agrees: both have signed the same terms, 90 minutes.")
    receipt = sam.run("post", "receipt", "--about", agreement, "--on", "2026-11-26")["id"]
    ada.run("wait", "--id", receipt)
    confirm = ada.run("post", "confirm", "--about", receipt)["id"]
    _everywhere(street, confirm)
    _say("Sam writes the receipt, Ada confirms it.")
    rows = street[-1].run("balance")
    counted = ", ".join(f"{one['person']['name']} {one['balance']:+d}" for one in rows)
    total = sum(one["balance"] for one in rows)
    _say(f"Balances as {street[-1].name}'s home counts them: {counted}; together {total}.")
    return _one_state(street) and hidden and read == words and total == 0


def _meet(street: list[Household]) -> None:
    founder, *others = street
    founder.run("found", "Rushey Lane", "--as", founder.name)
    founder.run("up")
    _say(f"{founder.name}, the community nurse, founds Rushey Lane. Her node is up.")

    def join(one: Household) -> None:
        invitation = founder.run("invite", "--approve")["invitation"]
        one.run("join", invitation, "--as", one.name)
        _say(f"{one.name} joins with an invitation. Same rights, same screens.")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(join, others))
    for one in street[:3]:
        gives, wants = _ASSETS[one.name]
        brings = [word for asset in gives.split(", ") for word in ("--assets", asset)]
        one.run("post", "profile", "--name", one.name, *brings, "--wants", wants)
        _say(f"{one.name} brings {gives}; would like {wants}.")


def _people(one: Household) -> str:
    names = [str(each["name"]) for each in one.run("list", "people")]
    return ", ".join(names[:-1]) + " and " + names[-1]


def _text_at(one: Household, request: str) -> str | None:
    (response,) = one.run("list", "responses", "--about", request)
    text: str | None = response["text"]
    return text


def _everywhere(street: list[Household], record: str) -> None:
    for one in street:
        one.run("wait", "--id", record)


def _one_state(street: list[Household]) -> bool:
    """Waits until all homes agree for once, and says what they agree on."""
    deadline = time.monotonic() + _AGREE_SECONDS
    hashes = _hashes(street)
    while len(set(hashes)) > 1 and time.monotonic() < deadline:
        hashes = _hashes(street)
    if len(set(hashes)) == 1:
        _say(f"One state at all {len(street)} homes: {hashes[0]}")
        return True
    for one, state in zip(street, hashes, strict=True):
        _say(f"{one.name} differs: {state}")
    return False


def _hashes(street: list[Household]) -> list[str]:
    return [str(one.run("status")["state_hash"]) for one in street]


def _stay(street: list[Household]) -> None:
    """The street lives on: on its screen until that is closed, else until Ctrl-C."""
    maria, ada, sam, *_ = street
    if not screen.terminal():
        _say("The street lives on until you press Ctrl-C. In another terminal, try:")
        for one in street[:2]:
            _say(f"  meshcoop --home {one.home} list requests")
        with suppress(KeyboardInterrupt):
            _live(street, threading.Event(), _say)
        _say("Good night.")
        return
    asked = ada.run("post", "request", "--title", "Shelves put up", "--minutes", "60")["id"]
    sam.run("wait", "--id", asked)
    sam.run("post", "response", "--about", asked, "--text", "Saturday? I bring the drill.")
    maria.run("post", "offer", "--title", "Blood pressure checks", "--minutes", "30")
    _say("Opening Ada's screen. The street lives on around it; closing it ends the street.")
    night = threading.Event()
    life = threading.Thread(target=_live, args=(street, night, None), daemon=True)
    life.start()
    try:
        screen.show(Home(ada.home).socket)
    finally:
        night.set()
        life.join()
    _say("Good night.")


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


def _say(text: str) -> None:
    print(text, flush=True)


def _end_by_signal(number: int, frame: FrameType | None) -> None:
    del frame
    sys.exit(128 + number)


@contextmanager
def _street_folder() -> Iterator[Path]:
    """A folder for the homes, with a passphrase of its own, that a janitor watches over."""
    with watched_folder("meshcoop-demo-") as folder:
        secret = folder / "passphrase"
        secret.write_bytes(os.urandom(16).hex().encode())
        os.environ["MESHCOOP_PASSPHRASE_FILE"] = str(secret)
        os.environ["MESHCOOP_MDNS"] = "0"  # the street is not to find the real one
        yield folder
