"""Suggestions on the page Today and beside a person, on a fake node."""

from textual.widgets import TabbedContent

from tests.support.fake_node import ADA, MARIA, SAM, ident, on_screen, picture, shows, street, until
from tui.kinds.suggestions import Suggested, connection_lines
from tui.node.shown import Shown
from tui.screens.thread_page import ThreadScreen
from tui.widgets.card_list import CardList

HOSTILE = "\x1b]0;owned\x07[bold]Sam\u202e"


def remark(code, **arguments):
    return {"code": code, "arguments": arguments}


def suggestion(number, suggests, author, subject, about, title, *says):
    return {
        "id": ident(number),
        "kind": "suggestion",
        "author": author,
        "created": "2026-11-23T17:00:00.000Z",
        "state": "open",
        "suggests": suggests,
        "for": ADA,
        "about": about,
        "subject": subject,
        "title": title,
        "says": list(says),
        "why": [],
    }


def fitting():
    node = street()
    node.lists["suggestions"] = [
        suggestion(
            80, "help", MARIA, "request", ident(20), "Three shirts taken in",
            remark("asks", actor=MARIA, words="shirts taken in"),
            remark("you_listed", actor=ADA, words="hemming"),
        ),
        suggestion(
            81, "back", SAM, "person", SAM["id"], "Sam",
            remark("would_like", actor=SAM, words="shirts taken in"),
            remark("you_listed", actor=ADA, words="hemming"),
            remark("gave_you", actor=SAM, other=ADA, minutes=90, on="2026-05-03"),
        ),
    ]  # fmt: skip
    step = {"reason": "exchanged"}
    exchanged = remark("you_exchanged", actor=ADA, other=SAM, on="2026-05-03")
    node.ways[MARIA["id"]] = [
        {
            "first": SAM,
            "why": [step, step],
            "says": [exchanged, remark("vouched", actor=SAM, other=MARIA)],
        }
    ]
    node.ways[SAM["id"]] = [{"first": SAM, "why": [step], "says": [exchanged]}]
    maria = node.lists["people"][1]
    maria["vouches"] = [{"id": ident(70), "author": SAM, "created": None, "text": "always on time"}]
    return node


async def to_suggestions(pilot):
    await shows(pilot, "Suggestions (2)", "You could help: Three shirts taken in")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    pilot.app.screen.query_one(Suggested).cards.focus()


@on_screen(node=fitting, size=(100, 40))
async def test_a_suggested_request_opens(pilot, node):
    await to_suggestions(pilot)
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ThreadScreen))
    await shows(pilot, "Maria asks · 1 h")


@on_screen(node=fitting, size=(100, 40))
async def test_a_suggested_person_is_shown_among_the_people(pilot, node):
    await to_suggestions(pilot)
    await pilot.press("down", "enter")
    await until(pilot, lambda: pilot.app.screen.query_one(TabbedContent).active == "people")
    await shows(pilot, "You could …", "A way to give back: Sam", "You know each other: You and Sam")


@on_screen(node=fitting, size=(120, 40))
async def test_beside_a_person_stands_who_can_introduce_you(pilot, node):
    await to_suggestions(pilot)
    await pilot.press("3")
    await shows(pilot, "People (3)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down")
    await shows(pilot, "Recommended by Sam: “always on time”", "Who can introduce you:")
    await shows(pilot, "· Sam: You and Sam exchanged on 3 May; Sam")
    await pilot.press("down")
    await shows(pilot, "You know each other")
    assert "Who can introduce you:" not in picture(pilot.app)


@on_screen
async def test_without_suggestions_there_is_no_list_of_them(pilot, node):
    await shows(pilot, "New on the board (3)")
    assert not pilot.app.screen.query_one(Suggested).display
    node.lists["suggestions"] = fitting().lists["suggestions"]
    node.tell()
    await shows(pilot, "Suggestions (2)")


def test_whatever_they_wrote_is_harmless():
    one = suggestion(1, HOSTILE, SAM, "request", ident(2), HOSTILE, remark(HOSTILE))
    way = {
        "first": {"id": ident(5), "name": HOSTILE},
        "why": [{}, {}],
        "says": [remark("asks", actor=SAM, words=HOSTILE)],
    }
    person = {**MARIA, "vouches": [{"author": SAM, "text": HOSTILE}]}
    told = connection_lines(Shown(person), [Shown(one)], [Shown(way)], ADA["id"]).plain
    assert "\x1b" not in told
    assert "\u202e" not in told
    assert told.count("[bold]Sam") >= 4
