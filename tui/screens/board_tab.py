"""The Board tab: lists of requests, offers and activities. On a wide terminal, it also shows the
details of one post.
"""

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import Static

from tui.format import phrases
from tui.i18n import _
from tui.kinds import activities, exchange
from tui.kinds.thread_data import ThreadData
from tui.node.connection import NodeConnection
from tui.screens.pane import Pane
from tui.widgets.feed import Feed

Shown = dict[str, Any]

_LISTS = {"#requests": "requests", "#offers": "offers", "#activities": "activities"}
_OPEN_STATES = {"open", "agreed", "full"}


class BoardTab(Pane):
    """The lists of open requests, offers and activities. The reader can press a key to see closed
    posts too.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "toggle_all", _("All/open"), id="board-all"),
    ]

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(node)
        self._shows_closed = False
        self._views: dict[str, Shown] = {}
        self._muted_counts: dict[str, int] = {}

    def compose(self) -> ComposeResult:
        """Lays out the lists, with the details of one post beside them. Narrow terminals hide the
        details.
        """
        with Container(id="lists"):
            yield Feed(_("Requests"), _("Nobody asks for anything. Press n to ask."), id="requests")
            with Vertical(id="offers-and-activities"):
                yield Feed(_("Offers"), _("Nobody offers anything. Press n to offer."), id="offers")
                yield Feed(
                    _("Activities"), _("Nothing is planned. Press n to plan."), id="activities"
                )
            with VerticalScroll(id="details", can_focus=False):
                yield Static(id="details-text", markup=False)

    async def load(self) -> None:
        """Fetches the requests, offers and activities from the node, and shows them."""
        lists = await asyncio.gather(
            *(self.node.call("list", what=what) for what in _LISTS.values())
        )
        self._views = {view["id"]: view for views in lists for view in views}
        for (feed, what), views in zip(_LISTS.items(), lists, strict=True):
            self._muted_counts[feed] = await self.count_muted("list", what=what)
            self._show_cards(feed, views)

    def action_toggle_all(self) -> None:
        """Shows closed posts too. If they are shown already, hides them again."""
        self._shows_closed = not self._shows_closed
        for feed in self.query(Feed):
            # Nobody reads the old list any more, so the new list is shown at once.
            feed.cards.highlighted = None
            feed.cards.scroll_home(animate=False)
        self.reload()

    def on_feed_highlighted(self, event: Feed.Highlighted) -> None:
        """Shows the details of the post whose card is under the cursor."""
        view = self._views.get(event.card_id)
        if view is None or not event.feed.cards.has_focus:
            return
        describe = (
            activities.activity_story if view["kind"] == "activity" else exchange.exchange_story
        )
        story = describe(ThreadData(view, [], []), self.node.now().date(), self.node.me)
        self.query_one("#details-text", Static).update(story)

    def _show_cards(self, feed: str, views: list[Shown]) -> None:
        today = self.node.now().date()
        make_card = activities.activity_card if feed == "#activities" else phrases.intent
        wanted = [view for view in views if self._shows_closed or view["state"] in _OPEN_STATES]
        cards = [make_card(view, today, self.node.me) for view in wanted]
        self.query_one(feed, Feed).show_cards(cards, muted=self._muted_counts[feed])
