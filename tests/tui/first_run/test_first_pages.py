"""What the first pages say while somebody types, and which commands they run in the end."""

import pytest

from protocol.wire import invitation
from tests.support.fake_node import FakeNode, shows, until
from tests.support.first_pages import WORDS, FakeProgram, answer, on_first_pages
from tui.first_run.answers_screen import AnswersScreen
from tui.first_run.welcome_screen import WelcomeScreen
from tui.first_run.words_screen import WordsScreen
from tui.node.api_client import Declined

SECRET = "brass kettle sings"
CODE = invitation.encode(
    invitation.Invitation(bytes(range(32)), bytes(16), ("/ip4/192.0.2.7/tcp/4001",))
)
PLACES = {"join": 0, "begin": 1, "return": 2, "restore": 3, "demo": 4, "relay": 5}


async def choose(pilot, way):
    await pilot.press(*["down"] * PLACES[way], "enter")


async def arrives(pilot):
    """Waits until the home screen is there."""
    await shows(pilot, "Needs your answer")


def test_a_neighbourhood_begins_with_four_answers_and_two_words_from_paper():
    async def scenario(pilot, program):
        await choose(pilot, "begin")
        await shows(pilot, "Street or block", "Once more")
        answer(pilot, place="Elm Street", person="Ada", passphrase=SECRET, again=SECRET)
        await shows(pilot, "Strong: a stranger", "The same.")
        await pilot.press("f2")
        await shows(pilot, " 1 abandon", "24 art", "They are on paper")
        await pilot.press("enter")
        await shows(pilot, "on your paper")
        page = pilot.app.screen
        assert "abandon" not in str(page.query_one("#check").children)
        first, second = page._numbers
        page.query_one(f"#word-{first}").value = "zebra"
        await pilot.press("f2")
        await shows(pilot, f"Word {first} is another one", "Please fill this in.")
        page.query_one(f"#word-{first}").value = "abandom"
        await pilot.press("f2")
        await shows(pilot, "did you mean abandon?")
        for number in (first, second):
            page.query_one(f"#word-{number}").value = WORDS[number - 1]
        await pilot.press("f2")
        await arrives(pilot)
        lines = "\n".join(f"{number} {WORDS[number - 1]}" for number in (first, second))
        assert program.ran == [
            (("found", "Elm Street", "--as", "Ada"), SECRET, None),
            (("up",), SECRET, None),
            (("recovery", "--typed"), SECRET, lines),
        ]

    on_first_pages(scenario)


def test_what_is_wrong_is_said_while_it_is_typed_and_goes_when_it_is_mended():
    async def scenario(pilot, program):
        await choose(pilot, "join")
        await shows(pilot, "Invitation")
        answer(pilot, invitation=CODE[:20] + "8" + CODE[21:], person="@ben")
        await shows(pilot, "is '8', which no code has", "must be")
        answer(pilot, passphrase="short", again="sho")
        await shows(pilot, "At least 10 letters", "Not the same yet.")
        await pilot.press("f2")
        assert isinstance(pilot.app.screen, AnswersScreen)
        answer(pilot, invitation=CODE.lower(), person="Ben")
        await pilot.press("f4")  # suggests a passphrase, and shows it
        rows = pilot.app.screen._rows
        suggested = rows["passphrase"].typed
        assert len(suggested.split()) == 6
        await shows(pilot, suggested, "Strong: a stranger", "The same.")
        await until(pilot, lambda: not pilot.app.screen.query(".wrong"))
        assert program.ran == []
        await pilot.press("f2")
        await shows(pilot, "24 art")
        await pilot.press("f3")  # later
        await arrives(pilot)
        assert [words for words, *_ in program.ran] == [
            ("join", CODE.lower(), "--as", "Ben"),
            ("up",),
        ]

    on_first_pages(scenario)


def test_a_refusal_loses_nothing_that_was_typed():
    program = FakeProgram()
    program.refusal = Declined("The home that invited you could not be reached; try again.")

    async def scenario(pilot, program):
        await choose(pilot, "join")
        await shows(pilot, "Invitation")
        answer(pilot, invitation=CODE, person="Ben", passphrase=SECRET, again=SECRET)
        await pilot.press("f2")
        await shows(pilot, "could not be reached", "Ben")
        await pilot.press("f2")
        await shows(pilot, "24 art")

    on_first_pages(scenario, program=program)


@pytest.mark.parametrize("way", [way for way in PLACES if way != "demo"])
def test_every_step_has_a_way_back_and_sends_nothing_before(way):
    async def scenario(pilot, program):
        await choose(pilot, way)
        await until(pilot, lambda: isinstance(pilot.app.screen, AnswersScreen))
        await pilot.press("f2")  # nothing is filled in
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, WelcomeScreen))
        assert program.ran == []
        await pilot.press("q")

    on_first_pages(scenario)


def test_who_was_here_before_comes_back_with_24_words():
    async def scenario(pilot, program):
        await choose(pilot, "return")
        await shows(pilot, "Your 24 words")
        answer(pilot, invitation=CODE, passphrase=SECRET, again=SECRET)
        paper = pilot.app.screen.query_one("#answer-paper-words")
        paper.fill("abandon abandom")
        await shows(pilot, "Word 2: not on the list; did you mean abandon?")
        paper.fill(" ".join(WORDS[:-1]))
        await shows(pilot, "23 of 24 words so far.")
        paper.fill("\n".join(WORDS))
        await pilot.press("f2")
        await arrives(pilot)
        (command, secret, file), _up = program.ran
        assert (command, secret) == (("join", CODE, "--words"), SECRET)
        assert file.split() == WORDS

    on_first_pages(scenario, program=FakeProgram(recovery=False))


def test_who_has_a_backup_restores_it(tmp_path):
    async def scenario(pilot, program):
        await choose(pilot, "restore")
        await shows(pilot, "Backup file")
        answer(pilot, file=str(tmp_path / "none"), passphrase=SECRET)
        await shows(pilot, "There is no such file.")
        (tmp_path / "ada.backup").touch()
        answer(pilot, file=str(tmp_path / "ada.backup"))
        await pilot.press("f2")
        await arrives(pilot)
        assert program.ran[0] == (("restore", str(tmp_path / "ada.backup")), SECRET, None)

    on_first_pages(scenario)


def test_a_relay_shows_its_ticket():
    async def scenario(pilot, program):
        await choose(pilot, "relay")
        await shows(pilot, "Where it stands")
        answer(pilot, **{"relay-name": "The surgery"})
        await pilot.press("f2")
        await shows(pilot, "The relay is up", "TICKET")
        assert [words for words, *_ in program.ran] == [
            ("relay", "found", "The surgery"),
            ("relay", "ticket"),
        ]

    on_first_pages(scenario)


def test_to_be_shown_around_opens_the_demo_once_the_screen_has_closed():
    async def scenario(pilot, program):
        await choose(pilot, "demo")
        await until(pilot, lambda: pilot.app.next_command is not None)

    assert on_first_pages(scenario).next_command == ("demo", "--stay")


def test_the_words_are_hidden_while_two_of_them_are_typed():
    async def scenario(pilot, program):
        await choose(pilot, "begin")
        await shows(pilot, "Street or block")
        answer(pilot, place="Elm Street", person="Ada", passphrase=SECRET, again=SECRET)
        await pilot.press("f2")
        await until(pilot, lambda: isinstance(pilot.app.screen, WordsScreen))
        await pilot.press("f2")
        await shows(pilot, "Type two of them")
        page = pilot.app.screen
        assert not page.query_one("#paper").display
        assert all(page.query_one(f"#word-{number}").password for number in page._numbers)
        await pilot.press("escape")
        await shows(pilot, "24 art")

    on_first_pages(scenario)


class Outside(FakeNode):
    """The node of a home that has keys and has asked nobody yet."""

    def status(self, params):
        return {**super().status(params), "neighbourhood": None, "waiting": {"admission": False}}


def test_a_home_whose_first_attempt_failed_is_asked_for_an_invitation_again():
    async def scenario(pilot, program):
        await shows(pilot, "Join your neighbours", "The letters that your neighbour sent")
        answer(pilot, invitation=CODE, person="Ben", passphrase=SECRET)
        await pilot.press("f2")
        await shows(pilot, "24 art")
        assert program.ran == [
            (("join", CODE, "--as", "Ben"), SECRET, None),
            (("up",), SECRET, None),
        ]

    on_first_pages(scenario, node=Outside(), is_first_run=False)
