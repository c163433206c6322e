"""Two real homes, and the screen of one of them in a real pseudo-terminal at 80 × 24."""

import json
import os
import signal
import sys

import pytest

from tests.support import forked_programs as warm
from tests.support.pseudo_terminal import Terminal

MESHCOOP = [sys.executable, "-m", "meshcoop"]


class Homes:
    def __init__(self, folder):
        self.folder = folder
        (folder / "passphrase").write_text("a secret of the tests")
        (folder / "passphrase").chmod(0o600)
        passphrase = str(folder / "passphrase")
        self.env = {"MESHCOOP_PASSPHRASE_FILE": passphrase, "MESHCOOP_MDNS": "0"}

    def run(self, home, *words):
        command = [*warm.PROGRAM, "--home", str(self.folder / home), "--json", *words]
        done = warm.run(command, env={**os.environ, **self.env}, timeout=60)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def screen(self, home, **more):
        return Terminal([*MESHCOOP, "--home", str(self.folder / home)], env={**self.env, **more})

    def socket(self, home):
        return self.folder / home / "run" / "api.sock"


@pytest.fixture(scope="module")
def homes(tmp_path_factory):
    street = Homes(tmp_path_factory.mktemp("s"))
    street.run("ada", "found", "Rushey Lane", "--as", "Ada")
    street.run("ada", "up")
    invitation = street.run("ada", "invite", "--approve")["invitation"]
    street.run("ben", "join", invitation, "--as", "Ben")
    yield street
    for home in ("ada", "ben"):
        street.run(home, "down")


def test_a_request_comes_without_a_key_and_a_form_posts_one_back(homes):
    with homes.screen("ada") as terminal:
        terminal.until("Rushey Lane · Ada", "1 neighbour: Ben", "Nothing new from")
        homes.run("ben", "post", "request", "--title", "A ladder [/] for \x1b]0;x\x07 an hour")
        terminal.until("A ladder [/] for", "Request · Ben")
        terminal.type("n")
        terminal.until("Ask for something", "Offer something")
        terminal.type("\r")
        terminal.until("Title *")
        terminal.type("Somebody to hold it")
        terminal.until("Somebody to hold it")
        terminal.type("\x1bOQ")  # F2
        terminal.until("New on the board (1)")
        terminal.type("2")
        terminal.until("Requests (2)", "Somebody to hold it")
        terminal.type("q")
        assert terminal.wait() == 0
        assert is_clean(terminal)
        assert b"\x1b]0;" not in terminal.raw
    found = homes.run("ben", "list", "requests")
    homes.run("ben", "wait", "--records", str(homes.run("ada", "status")["records"]))
    found = homes.run("ben", "list", "requests")
    assert [one["author"]["name"] for one in found] == ["Ada", "Ben"]
    assert homes.run("ada", "status")["ready"]


def test_a_decision_is_voted_on_and_the_next_term_proposed(homes):
    renewal = homes.run("ada", "renew", "--will-vote", "2")["id"]
    homes.run("ben", "wait", "--id", renewal)
    change = ["--change", "charter", "answer-days=5"]
    act = homes.run("ben", "post", "proposal", "--title", "More time [/] to answer", *change)["id"]
    homes.run("ben", "post", "vote", "--about", act, "--choice", "yes")
    with homes.screen("ada") as terminal:
        terminal.until("Vote: More time [/] to answer", "Time to answer: 5 days")
        terminal.type("\r")
        terminal.until("1 yes, 0 no · 2 of 2 needed", "(now 3 days)", "Vote yes")
        terminal.type("\r")
        terminal.until("You cannot change a yes")
        terminal.type("\r")
        terminal.until("passed · 2 yes, 0 no", "You voted", "Yes: ")
        terminal.type("\x1b")
        terminal.until("New on the board")
        terminal.type("6")
        terminal.until("Decisions (2)", "passed · 2 yes, 0 no", "Time to answer: 5 days")
        terminal.type("\t\t\x1b[B\r")  # the second entry of the list of acts
        terminal.until("In a new term everybody", "[x] Ada", "[ ] Ben", "Then 2 people vote")
        terminal.type("2\x1bOQ")  # how many vote then, and F2
        terminal.until("Decisions (3)")
        terminal.type("q")
        assert terminal.wait() == 0
        assert is_clean(terminal)
    (decided,) = homes.run("ada", "list", "decisions")
    assert sorted(one["name"] for one in decided["voted"]["yes"]) == ["Ada", "Ben"]
    renewal = homes.run("ada", "list", "renewals")[0]
    assert "Ada" in [one["name"] for one in renewal["voted"]["yes"]]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_leaves_a_clean_terminal_and_the_node(homes, number):
    with homes.screen("ada") as terminal:
        terminal.until("Rushey Lane · Ada")
        terminal.send(number)
        assert terminal.wait() == 0
        assert is_clean(terminal)
    assert homes.run("ada", "status")["ready"]


def test_ctrl_c_asks_first(homes):
    with homes.screen("ada", NO_COLOR="1") as terminal:
        terminal.until("Rushey Lane · Ada")
        terminal.type("\x03")
        terminal.until("Close the screen?")
        terminal.type("\x1b")
        terminal.until_gone("Close the screen?")
        terminal.type("\x03")
        terminal.until("Close the screen?")
        terminal.type("\r")
        assert terminal.wait() == 0
        assert is_clean(terminal)


def test_the_screen_starts_the_node_and_outlives_its_end(homes):
    homes.run("ben", "down")
    with homes.screen("ben") as terminal:
        terminal.until("Rushey Lane · Ben")
        homes.run("ben", "down")
        terminal.until("Start it with `meshcoop up`")
        homes.run("ben", "up")
        terminal.until("Rushey Lane · Ben")
        terminal.type("q")
        assert terminal.wait() == 0


def test_a_dumb_terminal_is_told_the_plain_commands(homes):
    command = [sys.executable, "-m", "tui", "--socket", str(homes.socket("ada"))]
    with Terminal(command, env={"TERM": "dumb"}) as terminal:
        assert terminal.wait() == 2
        assert "meshcoop list requests" in terminal.text.replace("\n", " ")
        assert b"\x1b" not in terminal.raw


def test_where_there_is_no_home_a_page_asks_how_to_begin(homes):
    with homes.screen("nobody") as terminal:
        terminal.until("What would you like to do?", "I have an invitation")
        terminal.type("q")
        assert terminal.wait() == 0
        assert is_clean(terminal)
    assert not (homes.folder / "nobody").exists(), "who looks leaves nothing behind"


@pytest.mark.long
def test_the_demo_opens_a_screen_and_ends_with_it():
    with Terminal([*MESHCOOP, "demo", "--households", "3"]) as terminal:
        terminal.until("Rushey Lane · Ada", "Agree with Sam", "Bread rolls", seconds=180)
        terminal.type("q")
        assert terminal.wait(90) == 0
        assert is_clean(terminal)
        assert b"Good night." in terminal.raw


def is_clean(terminal):
    """Returns whether the program has restored the terminal.

    The alternate screen is left, the cursor is visible, the mouse and pasting are ordinary, and
    typed characters show.
    """
    raw = terminal.raw
    last = {
        mode: max((raw.rfind(b"\x1b[?%d%s" % (mode, letter)), letter) for letter in (b"h", b"l"))[1]
        for mode in (1049, 25, 1000, 1003, 1006, 2004)
    }
    return (
        last.pop(1049) == b"l"
        and last.pop(25) == b"h"
        and set(last.values()) == {b"l"}
        and (terminal.echoes())
    )


@pytest.mark.long
def test_a_home_without_a_passphrase_says_so_at_each_start_of_a_screen(tmp_path):
    street = Homes(tmp_path)
    street.env.pop("MESHCOOP_PASSPHRASE_FILE")
    street.run("ada", "found", "Rushey Lane", "--as", "Ada", "--without-passphrase")
    try:
        for _ in range(2):
            with street.screen("ada") as terminal:
                terminal.until("Rushey Lane · Ada", "This home has no passphrase")
    finally:
        street.run("ada", "down")
