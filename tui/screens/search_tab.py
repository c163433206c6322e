"""The Search tab. The reader types the beginnings of words. The tab finds all records with such
words that this home can read.
"""

from textual import events
from textual.app import ComposeResult
from textual.widgets import Input

from protocol.wire import calls
from tui.format import phrases
from tui.i18n import _
from tui.kinds.face import face_of
from tui.kinds.thread_queries import current_reader
from tui.node.connection import NodeConnection
from tui.node.shown import Page
from tui.screens.pane import Pane
from tui.widgets.feed import Feed
from tui.widgets.inputs import LineInput


class SearchTab(Pane):
    """A line for typing words, with the list of results below."""

    DEFAULT_CSS = """
    SearchTab LineInput { width: 1fr; }
    """

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(node)
        self._latest_query = ""

    def compose(self) -> ComposeResult:
        """Lays out the line for typing above the list of results."""
        yield LineInput(placeholder=_("Type words, or their beginnings"))
        yield Feed(_("Found"), _("Type what you look for: a lift, bread, a name."), id="results")

    async def load(self) -> None:
        """Searches for the words that the reader typed, and shows the results."""
        query = self.query_one(LineInput).value.strip()
        page = Page([], 0)
        muted = 0
        empty = _("Type what you look for: a lift, bread, a name.")
        if query:
            page = await self.node.fetch_page(calls.Search(words=query))
            muted = await self.count_muted(calls.Search(words=query))
            empty = _("Nothing found. Try fewer letters.")
        feed = self.query_one("#results", Feed)
        if query != self._latest_query:
            self._latest_query = query
            # Nobody reads the results of other words any more, so the new results are shown at
            # once.
            feed.cards.highlighted = None
            feed.cards.scroll_home(animate=False)
        reader = current_reader(self.node)
        cards = [face_of(view.kind).mixed_card(view, reader) for view in page.rows]
        cut = phrases.cut_note(page.left_out, _("add a word"))
        feed.show_cards(cards, empty=empty, muted=muted, cut=cut)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Searches again each time the reader types a character."""
        event.stop()
        self.reload()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Moves the cursor to the list of results when the reader presses Enter."""
        event.stop()
        self.query_one(Feed).cards.focus()

    def on_key(self, event: events.Key) -> None:
        """If the reader presses Down in the line for typing, moves the cursor to the results."""
        if event.key == "down" and self.query_one(LineInput).has_focus:
            event.stop()
            self.query_one(Feed).cards.focus()
