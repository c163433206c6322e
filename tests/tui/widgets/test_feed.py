"""A list of cards: what it says while it is empty, and where its cursor goes by itself."""

import asyncio
import random

from textual.app import App

from tests.support.fake_node import picture
from tui.format.phrases import Card
from tui.widgets.feed import Feed

EMPTY = "You are in no circle."


class Paper(App):
    def compose(self):
        self.feed = Feed("Circles", EMPTY, id="circles")
        yield self.feed


def on_paper(check):
    async def run():
        async with Paper().run_test(size=(60, 20)) as pilot:
            await check(pilot, pilot.app.feed)

    asyncio.run(run())


def test_list_says_that_it_is_empty_only_after_the_node_has_answered():
    async def check(pilot, feed):
        assert EMPTY not in picture(pilot.app)
        feed.show_cards([])
        await pilot.pause()
        assert EMPTY in picture(pilot.app)

    on_paper(check)


def test_list_of_muted_people_alone_is_not_called_empty():
    async def check(pilot, feed):
        feed.show_cards([], muted=2)
        await pilot.pause()
        assert EMPTY not in picture(pilot.app)
        assert "Only people whom you have muted" in picture(pilot.app)

    on_paper(check)


def test_cursor_never_goes_to_a_cautious_card_by_itself():
    chance = random.Random(15)
    cards = [Card(f"{n}", f"Card {n}", cautious=n % 2 == 0) for n in range(6)]

    async def check(pilot, feed):
        feed.cards.focus()
        for _ in range(60):
            feed.show_cards(chance.sample(cards, chance.randrange(len(cards) + 1)))
            await pilot.pause()
            shown = feed.cards.highlighted_id
            open_ids = [card_id for card_id, card in feed.cards._cards.items() if not card.cautious]
            assert (shown in open_ids) if open_ids else shown is None
            rows = [n for n, card in enumerate(feed.cards._cards.values()) if not card.cautious]
            if rows:
                feed.cards.highlighted = chance.choice(rows)

    on_paper(check)
