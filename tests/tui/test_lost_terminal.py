"""The screen ends when its terminal goes away or reads no more, whatever it is doing then."""

import random
import signal

import pytest

from tests.support.forked_programs import PROGRAM
from tests.support.pseudo_terminal import Terminal
from tests.support.real_homes import folder

MOMENTS = ("start", "form", "idle", "flood")
WAYS = ("closed", "closed behind a shell", "told to end")
FEW = [
    ("start", "closed"),
    ("idle", "closed behind a shell"),
    ("flood", "told to end"),
]
# The system sends SIGHUP to this shell only. The shell waits for the screen and passes nothing on.
SHELL = ("/bin/sh", "-c", 'trap : HUP; "$@"; exit', "sh")
PATIENCE = 40  # seconds: a screen that does not notice lives for ever


@pytest.fixture(scope="module")
def ada():
    with folder() as street:
        yield street.founder("Ada")


@pytest.mark.parametrize(("moment", "way"), FEW)
def test_screen_ends_when_its_terminal_is_lost(ada, moment, way):
    assert has_ended(ada, moment, way, random.Random(1), PATIENCE)


@pytest.mark.long
@pytest.mark.parametrize("number", range(50))
def test_no_screen_is_left_5_seconds_after_its_terminal(ada, number):
    chance = random.Random(number)
    moment = MOMENTS[number % len(MOMENTS)]

    assert has_ended(ada, moment, chance.choice(WAYS), chance, seconds=5)


def has_ended(home, moment, way, chance, seconds):
    """Opens a screen, and takes its terminal away at a moment. Returns whether the screen ends
    within some seconds.
    """
    shell = SHELL if way == "closed behind a shell" else ()
    with Terminal([*shell, *PROGRAM, "--home", str(home.path)], env=home.env) as terminal:
        if moment == "start":
            terminal.until("Opening meshcoop")
            terminal.pause(1.5 * chance.random())
        else:
            terminal.until("· Ada")
        if moment == "form":
            terminal.type("n")
            terminal.until("Ask for something")
            terminal.type("\r")
            terminal.until("Title *")
        if moment == "flood":
            terminal.stop_reading("123456")
        if way == "told to end":
            terminal.send(signal.SIGTERM)
        else:
            terminal.hang_up()
        return terminal.has_ended(seconds)


def test_screen_that_is_told_to_end_while_it_opens_has_not_failed(ada):
    with Terminal([*PROGRAM, "--home", str(ada.path)], env=ada.env) as terminal:
        terminal.until("Opening meshcoop")
        terminal.pause(0.5)
        terminal.send(signal.SIGTERM)

        assert terminal.wait() in {0, -signal.SIGTERM}
