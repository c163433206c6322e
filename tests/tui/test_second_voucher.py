"""Nobody who belongs drops out silently when more people vote: the real screen asks and tells."""

import asyncio

import pytest

from tests.meshcoop.api.test_roll_growth import Lane
from tests.support.fake_node import opened, picture, shows, until
from tests.support.screen_of_home import ScreenedHome
from tests.support.street_in_memory import settle, street
from tui.widgets.card_list import CardList

STAY = "May Dan stay when more people vote?"


@pytest.fixture
def lane():
    with street(homes=4, vouchers=2) as homes:
        yield Lane(homes)


async def press_yes(pilot, card_id):
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    while pilot.app.focused.highlighted_id != card_id:
        await pilot.press("down")
    await shows(pilot, "y Yes")
    await pilot.press("y")


def see(home, *words):
    """Opens the screen of a home, and waits until it shows the words."""

    async def look():
        async with opened(ScreenedHome(home)) as pilot:
            await shows(pilot, *words)

    asyncio.run(look())


def answer_yes(home, question, person):
    """Opens the screen of a home, and presses one key on the question about a person."""
    node = ScreenedHome(home)

    async def answer():
        async with opened(node) as pilot:
            await shows(pilot, f"[y] {question}", "Dan: Ada vouched", "Vouch only if you know Dan")
            await press_yes(pilot, f"knock:{person.hex()}")
            await until(pilot, lambda: not node.waiting())
            await until(pilot, lambda: question not in picture(pilot.app))

    asyncio.run(answer())


def test_one_key_keeps_a_newcomer_before_more_people_vote(lane):
    see(lane.dan, "Vouchers missing: 1; only Ada vouched for you")
    see(lane.ada, "Dan must wait until one of you vouches for them too")

    answer_yes(lane.ben, STAY, lane.dan.me.person)
    settle(*lane.homes)
    lane.let_vote()

    assert lane.belongs()


def test_who_dropped_out_sees_why_and_one_key_of_a_voter_brings_them_back(lane):
    lane.let_vote()
    see(lane.dan, "Ada vouched for you; you wait for further vouchers: 1")

    answer_yes(lane.cho, "May Dan join?", lane.dan.me.person)
    settle(*lane.homes)

    assert lane.belongs()
