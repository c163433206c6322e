"""The page of moderation: the words that people flagged for the moderators, and the hidden words
with the reasons.
"""

import asyncio

from textual.app import ComposeResult
from textual.containers import Container
from textual.widgets import Static

from protocol.wire import calls
from tui.format.phrases import plain
from tui.i18n import _
from tui.kinds import moderation
from tui.screens.page import PageScreen
from tui.screens.pane import Pane
from tui.screens.thread_page import ThreadScreen
from tui.widgets.feed import Feed


class ModerationScreen(PageScreen):
    """The page of flagged words and hidden words."""

    def make_pane(self) -> "ModerationPane":
        """Makes the pane with the two lists."""
        return ModerationPane(self.node)

    def on_pane_loaded(self) -> None:
        """Moves the cursor into the first list that has cards."""
        if self.focused is None:
            visible = [feed.cards for feed in self.query(Feed) if feed.cards.display]
            if visible:
                visible[0].focus()


class ModerationPane(Pane):
    """Two lists: flagged words and hidden words. A card opens the thread with the words."""

    def compose(self) -> ComposeResult:
        """Lays out the two lists. The list of what the moderators have to decide comes first."""
        yield Static(
            plain(
                _(
                    "Three or more moderators hide words by a majority, never words about "
                    "themselves. A vote can show them again: open one to propose it."
                )
            ),
            id="moderation",
        )
        with Container(id="moderation-lists"):
            yield Feed(
                _("For the moderators"),
                _("Nothing is flagged. Open a thread to flag what is wrong in it."),
                id="flagged",
            )
            yield Feed(_("Hidden words"), _("No words are hidden."), id="hidden")

    async def load(self) -> None:
        """Fetches the flags and the hidden words from the node, and shows them."""
        flags, hides, proposals = await asyncio.gather(
            *(self.node.fetch_list(what) for what in ("flags", "hides", "decisions"))
        )
        muted = sum([await self.count_muted(calls.List(what=what)) for what in ("flags", "hides")])
        flagged = moderation.flag_cards(flags, hides, self.node.clock, self.node.me)
        self.query_one("#flagged", Feed).show_cards(flagged, muted=muted)
        hidden = moderation.hidden_cards(hides, proposals, self.node.me)
        self.query_one("#hidden", Feed).show_cards(hidden)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the thread that contains the flagged or hidden words."""
        event.stop()
        self.app.push_screen(ThreadScreen(self.node, event.card_id))
