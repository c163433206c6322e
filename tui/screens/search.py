"""Search: everything that this home may read, by the beginnings of words."""

from typing import Any

from textual import events
from textual.app import ComposeResult
from textual.widgets import Input

from tui.format import phrases as telling
from tui.i18n import _
from tui.screens.pane import Pane
from tui.widgets.feed import Feed
from tui.widgets.inputs import LineInput


class Search(Pane):
    """A line to type into and what it finds."""

    DEFAULT_CSS = """
    Search LineInput { width: 1fr; }
    """

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._words = ""

    def compose(self) -> ComposeResult:
        """What is found comes while typing."""
        yield LineInput(placeholder=_("Type words, or their beginnings"))
        yield Feed(_("Found"), _("Type what you look for: a lift, bread, a name."), id="found")

    async def load(self) -> None:
        """Looks for what stands in the line."""
        link, wanted = self.node_link, self.query_one(LineInput).value.strip()
        found = await link.call("search", words=wanted) if wanted else []
        today = link.now().date()
        feed = self.query_one("#found", Feed)
        if wanted != self._words:
            self._words = wanted
            feed.cards.highlighted = None  # other words: nobody reads this list yet
            feed.cards.scroll_home(animate=False)
        nothing = _("Nothing holds these words. Fewer letters find more.")
        feed.offer(
            [telling.any_view(one, today, link.me) for one in found],
            empty=nothing if wanted else _("Type what you look for: a lift, bread, a name."),
            hidden=await self.hidden("search", words=wanted) if wanted else 0,
        )

    def on_input_changed(self, event: Input.Changed) -> None:
        """Looks while somebody types."""
        event.stop()
        self.look()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """On to what was found."""
        event.stop()
        self.query_one(Feed).cards.focus()

    def on_key(self, event: events.Key) -> None:
        """Down leads from the line into the list."""
        if event.key == "down" and self.query_one(LineInput).has_focus:
            event.stop()
            self.query_one(Feed).cards.focus()
