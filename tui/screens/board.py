"""The board: requests, offers and activities, and beside them the words of the one pointed at."""

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import Static

from tui.format import phrases as telling
from tui.i18n import _
from tui.kinds import activities
from tui.kinds.exchange import story
from tui.kinds.thread_data import Case
from tui.screens.pane import Pane
from tui.widgets.feed import Feed

Shown = dict[str, Any]

_FEEDS = {"#requests": "requests", "#offers": "offers", "#planned": "activities"}
_OPEN = {"open", "agreed", "full"}


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
            with Vertical(id="ours"):
                yield Feed(_("Offers"), _("Nobody offers anything. Press n to offer."), id="offers")
                yield Feed(_("Activities"), _("Nothing is planned. Press n to plan."), id="planned")
            with VerticalScroll(id="closer", can_focus=False):
                yield Static(id="closer-words", markup=False)

    async def load(self) -> None:
        """The lists."""
        found = await asyncio.gather(
            *(self.node_link.call("list", what=what) for what in _FEEDS.values())
        )
        self._views = {one["id"]: one for views in found for one in views}
        for (feed, what), views in zip(_FEEDS.items(), found, strict=True):
            self._hidden[feed] = await self.hidden("list", what=what)
            self._offer(feed, views)

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
            tell = activities.story if view["kind"] == "activity" else story
            words = tell(Case(view, [], []), self.node_link.now().date(), self.node_link.me)
            self.query_one("#closer-words", Static).update(words)

    def _offer(self, feed: str, views: list[Shown]) -> None:
        link = self.node_link
        today = link.now().date()
        shown = [one for one in views if self._everything or one["state"] in _OPEN]
        told = activities.card if feed == "#planned" else telling.intent
        cards = [told(one, today, link.me) for one in shown]
        self.query_one(feed, Feed).offer(cards, hidden=self._hidden[feed])
