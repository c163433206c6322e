"""A street grows, and people answer on the real screen: how many keys they press (R-16.5)."""

import asyncio
from contextlib import suppress

import pytest

from meshcoop.author import renewal as deciding
from meshcoop.author.folding import fold_at_once
from protocol.errors import Refused
from protocol.record.envelope import DAY_MS
from tests.support.fake_node import opened, shows, until
from tests.support.screen_of_home import ScreenedHome
from tests.support.street_in_memory import Street, settle
from tui.format.phrases import remark_in_words
from tui.node.shown import Shown
from tui.widgets.card_list import CardList


class GrowingStreet:
    """A street that Ada founds. Two neighbours come on the first day, and then one a day. Ada
    vouches for everybody. Today asks the others for the second voucher. `keys` counts the keys that
    people pressed, `dropped` has the people who belonged and do not belong any more.
    """

    def __init__(self, street, people):
        self.street = street
        self.ada = street.found(vouchers=2)
        self.homes = [self.ada]
        self.people = people
        self.keys = self.asked = self.days = 0
        self.belonged = set()
        self.dropped = set()

    @property
    def roll(self):
        return self.ada.state.authority.term.roll

    def grow(self, most_days):
        while len(self.roll) < self.people and self.days < most_days:
            self._live_a_day()

    def _live_a_day(self):
        self.days += 1
        self.street.clock += DAY_MS
        for _ in range(2 if self.days == 1 else 1):
            if len(self.homes) < self.people:
                self.homes.append(self.street.neighbour(self.ada))
        settle(*self.homes)
        for number, home in enumerate(self.homes):
            with suppress(Refused):  # who waits for a second voucher cannot write yet
                home.post("profile", name=f"Neighbour {number}", wants=f"day {self.days}")
        for _ in range(2):  # the homes are on for some hours
            self.street.clock += DAY_MS // 24
            settle(*self.homes)
            for home in self.homes:
                fold_at_once(home.state, deciding.decide(home.author))
            settle(*self.homes)
        for home in reversed(self.homes):  # Ada is the last, because her answer begins the terms
            if home.me.person in self.ada.state.authority.members:
                self._look_at_today(home)
                members = set(self.ada.state.authority.members)
                self.belonged |= members
                self.dropped |= self.belonged - members

    def _look_at_today(self, home):
        node = ScreenedHome(home)
        if node.waiting():
            asyncio.run(self._answer_all(node))
            settle(*self.homes)
            fold_at_once(home.state, deciding.decide(home.author))
            settle(*self.homes)

    async def _answer_all(self, node):
        """Opens Today, and presses keys until nothing waits."""
        async with opened(node) as pilot:
            await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
            while node.waiting():
                self.asked += 1
                (row, *_) = node.waiting()
                await shows(pilot, remark_in_words(Shown(row["says"][0])))
                if row.get("is_typed"):
                    await self._type(pilot, row["will_vote"])
                else:
                    person = row.get("person")
                    await self._go_to_question(
                        pilot, f"knock:{person['id']}" if person else row["id"]
                    )
                    await self._press(pilot, "y")
                await until(pilot, lambda row=row: row not in node.waiting())

    async def _go_to_question(self, pilot, card_id):
        """Moves the cursor down to a question, if it is not there. Waits for the key in the footer."""
        cards = pilot.app.focused
        while cards.highlighted_id != card_id:
            await self._press(pilot, "down")
        await shows(pilot, "y Yes")

    async def _type(self, pilot, number):
        await self._press(pilot, "enter")
        await shows(pilot, "Voters then")
        await self._press(pilot, *str(number), "f2")

    async def _press(self, pilot, *keys):
        self.keys += len(keys)
        await pilot.press(*keys)


# people → how many keys all of them pressed, for how many questions, in how many days
MEASURED = {2: (0, 0, 4), 3: (3, 1, 2), 5: (6, 4, 5), 9: (20, 16, 9)}
LONG = {5, 9}


@pytest.mark.parametrize(
    "people",
    [pytest.param(n, marks=[pytest.mark.long] if n in LONG else []) for n in MEASURED],
)
def test_a_street_grows_with_few_keys(people):
    """A street of two stays one voter's: a roll of two could never decide again after one is gone."""
    most_days = 4 if people == 2 else 30
    with Street() as street:
        growing = GrowingStreet(street, people)
        growing.grow(most_days)
        assert len(growing.roll) == (1 if people == 2 else people)
        measured = (growing.keys, growing.asked, growing.days)
        assert not growing.dropped
    assert measured == MEASURED[people]
