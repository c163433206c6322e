"""The Circles tab. It shows circles and pacts, which only the people in them can see, and pages,
which all members write together.
"""

import asyncio
from typing import Any

from textual.app import ComposeResult
from textual.containers import Container

from tui.i18n import _
from tui.kinds import faces
from tui.screens.pane import Pane
from tui.widgets.feed import Feed

Shown = dict[str, Any]


class CirclesTab(Pane):
    """Two lists: circles and pacts in the first, pages in the second. The home screen opens their
    cards.
    """

    def compose(self) -> ComposeResult:
        """Lays out the two lists: circles and pacts in one, pages in the other."""
        with Container(id="circle-lists"):
            yield Feed(
                _("Circles and pacts"),
                _("You are in no circle and no pact. Press n to begin one."),
                id="circles-list",
            )
            yield Feed(_("Pages"), _("Nothing is written yet. Press n to begin."), id="pages-list")

    async def load(self) -> None:
        """Fetches the circles, pacts and pages from the node, and shows them."""
        circles, pacts, pages = await asyncio.gather(
            *(self.node.call("list", what=what) for what in ("circles", "pacts", "pages"))
        )
        await self._show_cards("#circles-list", [*circles, *pacts], ("circles", "pacts"))
        await self._show_cards("#pages-list", pages, ("pages",))

    async def _show_cards(self, feed: str, views: list[Shown], lists: tuple[str, ...]) -> None:
        today = self.node.now().date()
        muted = sum([await self.count_muted("list", what=what) for what in lists])
        cards = [faces.face_card(view, today, self.node.me) for view in views]
        self.query_one(feed, Feed).show_cards(cards, muted=muted)
