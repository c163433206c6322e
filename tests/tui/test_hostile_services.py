"""Services, measures and matters whose every word and name is hostile do no harm to the screen."""

import pytest

from tests.support.fake_node import MARIA, SAM, ident, on_screen, picture, shows, until
from tests.support.fake_services import BINS, CONTRACTOR, COUNCIL, LIGHTS, MEALS, SUB, served
from tests.support.hostile_text import NAMED, leftovers
from tui.screens.home import HomeScreen
from tui.widgets.card_list import CardList
from tui.widgets.feed import Feed

ALL = " ".join(
    NAMED[one] for one in ("a closing tag", "an action", "the clipboard", "right to left", "marks")
)
WORDS = {
    *("title", "text", "question", "reading", "what", "why", "area", "category", "contact"),
    *("hours", "result", "reason"),
}
PEOPLE = {one["id"] for one in (SAM, MARIA, COUNCIL, CONTRACTOR, SUB)}


def poison(value, key=None):
    """Returns a copy of the value in which every word and name is hostile text."""
    if isinstance(value, dict):
        found = {name: poison(one, name) for name, one in value.items()}
        if found.get("id") is None or found["id"] in PEOPLE:
            found |= {"name": ALL} if "name" in found else {}
        return found
    if isinstance(value, list):
        return [poison(one) for one in value]
    return ALL if key in WORDS and value is not None else value


def poisoned():
    node = served()
    node.lists = {name: poison(found) for name, found in node.lists.items()}
    for one in node.lists["services"]:
        one.update(text=ALL, area=ALL, category=ALL, contact=ALL, hours=ALL)
    node.refusal = ALL
    return node


LONG = [pytest.param(one, marks=pytest.mark.long) for one in (MEALS, LIGHTS)]


@pytest.mark.parametrize("number", [BINS, *LONG])
def test_every_page_of_a_service_bears_all_of_them(number):
    @on_screen(node=poisoned)
    async def walk(pilot, node):
        await shows(pilot, "Needs your answer (6)")
        await pilot.press("4")
        await shows(pilot, "Services (4)", "What needs me (4)")
        await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
        seen = [picture(pilot.app)]
        cards = pilot.app.focused
        cards.highlighted = cards.get_option_index(ident(number))
        await pilot.press("enter")
        await through(pilot, seen)
        measures = pilot.app.screen.query_one("#measures", Feed).cards
        measures.focus()
        await pilot.press("home", "enter")
        await until(pilot, lambda: not pilot.app.screen.query("#measures"))
        await through(pilot, seen)
        assert pilot.app.is_running
        assert [one for one in seen if leftovers(one.encode())] == []
        assert "[/]" in "".join(seen)

    walk()


async def through(pilot, seen):
    """Opens the form of every act on a page, and presses the key that posts the form. Adds pictures
    of the page and of each form to `seen`.
    """
    page = pilot.app.screen
    await until(pilot, lambda: page.query_one("#steps", Feed).cards.option_count)
    seen.append(picture(pilot.app))
    for act in range(page.query_one("#steps", Feed).cards.option_count):
        cards = page.query_one("#steps", Feed).cards
        cards.focus()
        cards.highlighted = act
        await pilot.press("enter")
        await until(pilot, lambda: pilot.app.screen is not page)
        await pilot.press("f2")
        await pilot.pause(0.02)
        seen.append(picture(pilot.app))
        while pilot.app.screen is not page:
            await pilot.press("escape")
            await pilot.pause(0.01)
    assert not isinstance(page, HomeScreen)
