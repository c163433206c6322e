"""The board: requests and offers side by side, and beside them the words of the one pointed at."""

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.widgets import Static

from tui import telling
from tui.acts import Case
from tui.language import _
from tui.screens.pane import Pane
from tui.story import story
from tui.widgets.feed import Feed

Shown = dict[str, Any]

_OPEN = {"open", "agreed"}


class Board(Pane):
    """What is open; everything on a key."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "toggle_all", _("All/open"), id="board-all"),
    ]

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._everything = False
        self._views: dict[str, Shown] = {}
        self._hidden: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        """The lists, and on wide terminals a closer look."""
        with Container(id="lists"):
            yield Feed(_("Requests"), _("Nobody asks for anything. Press n to ask."), id="requests")
            yield Feed(_("Offers"), _("Nobody offers anything. Press n to offer."), id="offers")
            with VerticalScroll(id="closer", can_focus=False):
                yield Static(id="closer-words", markup=False)

    async def load(self) -> None:
        """Both lists."""
        requests, offers = await asyncio.gather(
            self.node_link.call("list", what="requests"),
            self.node_link.call("list", what="offers"),
        )
        self._views = {one["id"]: one for one in [*requests, *offers]}
        self._hidden = {
            "#requests": await self.hidden("list", what="requests"),
            "#offers": await self.hidden("list", what="offers"),
        }
        self._offer("#requests", requests)
        self._offer("#offers", offers)

    def action_toggle_all(self) -> None:
        """Shows what is over, too, or only what is open."""
        self._everything = not self._everything
        for feed in self.query(Feed):
            feed.cards.highlighted = None
            feed.cards.scroll_home(animate=False)
        self.look()

    def on_feed_pointed(self, event: Feed.Pointed) -> None:
        """A closer look at the card pointed at."""
        view = self._views.get(event.card_id)
        if view is not None and event.feed.cards.has_focus:
            words = story(Case(view, [], []), self.node_link.now().date(), self.node_link.me)
            self.query_one("#closer-words", Static).update(words)

    def _offer(self, feed: str, views: list[Shown]) -> None:
        link = self.node_link
        today = link.now().date()
        shown = [one for one in views if self._everything or one["state"] in _OPEN]
        cards = [telling.intent(one, today, link.me) for one in shown]
        self.query_one(feed, Feed).offer(cards, hidden=self._hidden[feed])
