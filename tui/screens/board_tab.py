"""The Board tab: lists of requests, offers, activities and all other posts on the board.

On a wide terminal, it also shows the details of one post.
"""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.widgets import Static

from protocol.fold.registry import KINDS
from protocol.wire import calls
from tui.format import phrases
from tui.i18n import _
from tui.kinds.face import face_of, first_state
from tui.kinds.thread_data import ThreadData
from tui.kinds.thread_queries import current_reader
from tui.node.connection import NodeConnection
from tui.node.shown import Page, Shown
from tui.screens.pane import Pane
from tui.widgets.feed import Feed

_LISTS = ("requests", "offers", "activities")
_BOARD = "board"
_MORE = "more"
_OPEN_STATES = {"open", "agreed", "full"}


class BoardTab(Pane):
    """The lists of open posts. The reader can press a key to see closed posts too."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("a", "toggle_all", _("All/open"), id="board-all"),
    ]

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(node)
        self._shows_closed = False
        self._views: dict[str, Shown] = {}

    def compose(self) -> ComposeResult:
        """Lays out the lists, with the details of one post beside them.

        Narrow terminals hide the details.
        """
        with Container(id="lists"):
            yield Feed(_("Requests"), _("Nobody asks for anything. Press n to ask."), id="requests")
            with Vertical(id="offers-and-activities"):
                yield Feed(_("Offers"), _("Nobody offers anything. Press n to offer."), id="offers")
                yield Feed(
                    _("Activities"), _("Nothing is planned. Press n to plan."), id="activities"
                )
                yield Feed(_("More"), "", id=_MORE)
            with VerticalScroll(id="details", can_focus=False):
                yield Static(id="details-text", markup=False)

    async def load(self) -> None:
        """Fetches the posts from the node, and shows them."""
        *pages, board = await asyncio.gather(
            *(self.node.fetch_page(calls.List(what=what)) for what in (*_LISTS, _BOARD)),
        )
        listed_kinds = {name for name, kind in KINDS.items() if kind.plural in _LISTS}
        more = [view for view in board.rows if view.kind not in listed_kinds]
        self._views = {view.id: view for page in pages for view in page.rows}
        self._views |= {view.id: view for view in more}
        for what, page in zip(_LISTS, pages, strict=True):
            self._show_cards(what, page, await self.count_muted(calls.List(what=what)))
        # The board also has the posts of the lists above.
        total = board.total - sum(page.total for page in pages)
        self._show_cards(_MORE, Page(more, total), 0)
        self.query_one(f"#{_MORE}", Feed).display = bool(more)

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
        story = face_of(view.kind).story(ThreadData(view), current_reader(self.node))
        self.query_one("#details-text", Static).update(story)

    def _show_cards(self, feed: str, page: Page, muted: int) -> None:
        reader = current_reader(self.node)
        wanted = [view for view in page.rows if self._shows_closed or _is_open(view)]
        cards = [face_of(view.kind).card(view, reader) for view in wanted]
        cut = phrases.older_note(page.left_out)
        self.query_one(f"#{feed}", Feed).show_cards(cards, muted=muted, cut=cut)


def _is_open(view: Shown) -> bool:
    return view.state in _OPEN_STATES or view.state == first_state(view.kind)
