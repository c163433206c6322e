"""The Circles tab. It shows circles and pacts, which only the people in them can see, and pages,
which all members write together.
"""

from textual.app import ComposeResult
from textual.containers import Container

from protocol.wire import calls
from tui.i18n import _
from tui.kinds.face import face_of
from tui.kinds.thread_queries import current_reader
from tui.screens.pane import Pane
from tui.widgets.feed import Feed

_LISTS = {"#circles-list": ("circles", "pacts"), "#pages-list": ("pages",)}


class CirclesTab(Pane):
    """A tab with two lists: circles and pacts in the first, pages in the second. When the reader
    opens a card, the home screen opens the page for that card.
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
        reader = current_reader(self.node)
        for feed, lists in _LISTS.items():
            views = [view for what in lists for view in await self.node.fetch_list(what)]
            muted = sum([await self.count_muted(calls.List(what=what)) for what in lists])
            cards = [face_of(view.kind).card(view, reader) for view in views]
            self.query_one(feed, Feed).show_cards(cards, muted=muted)
