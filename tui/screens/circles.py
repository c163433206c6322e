"""Circles and pacts, which only their people see, and the pages that everybody writes."""

import asyncio

from textual.app import ComposeResult
from textual.containers import Container

from tui.i18n import _
from tui.kinds import faces as together
from tui.screens.pane import Pane
from tui.widgets.feed import Feed


class Circles(Pane):
    """Two lists. Opening a card is for the home screen."""

    def compose(self) -> ComposeResult:
        """What is for few stands beside what is for all."""
        with Container(id="together"):
            yield Feed(
                _("Circles and pacts"),
                _("You are in no circle and no pact. Press n to begin one."),
                id="circles-list",
            )
            yield Feed(_("Pages"), _("Nothing is written yet. Press n to begin."), id="pages-list")

    async def load(self) -> None:
        """All three lists."""
        link = self.node_link
        circles, pacts, pages = await asyncio.gather(
            *(link.call("list", what=what) for what in ("circles", "pacts", "pages"))
        )
        today = link.now().date()
        for feed, views, what in (
            ("#circles-list", [*circles, *pacts], ("circles", "pacts")),
            ("#pages-list", pages, ("pages",)),
        ):
            hidden = sum([await self.hidden("list", what=one) for one in what])
            cards = [together.card(one, today, link.me) for one in views]
            self.query_one(feed, Feed).offer(cards, hidden=hidden)
