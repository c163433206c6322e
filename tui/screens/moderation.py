"""Flags that wait for the moderators, and the words that are hidden: by whom and why."""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.format.phrases import plain
from tui.i18n import _
from tui.kinds import moderation as moderating
from tui.node.connection import Link
from tui.screens.pane import Pane
from tui.screens.thread import ThreadScreen
from tui.widgets.feed import Feed
from tui.widgets.status_line import Standing


class HiddenScreen(Screen[None]):
    """One page, closed with Esc."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("f1,question_mark", "app.explain", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.node_link = link

    def compose(self) -> ComposeResult:
        """The page under the line that says where we are."""
        yield Standing(self.node_link)
        yield HiddenPane(self.node_link)
        yield Footer(show_command_palette=False)

    def on_screen_resume(self) -> None:
        """Shows what a thread that was open meanwhile has changed."""
        self.query_one(HiddenPane).look()

    def on_pane_loaded(self) -> None:
        """The cursor goes where there is something."""
        if self.focused is None:
            shown = [feed.cards for feed in self.query(Feed) if feed.cards.display]
            if shown:
                shown[0].focus()

    def action_back(self) -> None:
        """Back to the neighbourhood."""
        self.dismiss()


class HiddenPane(Pane):
    """Two lists; a card opens the thread in which the words are."""

    def compose(self) -> ComposeResult:
        """What waits comes first."""
        yield Static(
            plain(
                _(
                    "Moderators, three or more, hide words by their majority, never what speaks of "
                    "themselves. The roll can bring all of it back. Open one to do so."
                )
            ),
            id="moderation",
        )
        with Container(id="words"):
            yield Feed(
                _("Waits for the moderators"),
                _("Nothing is flagged. Open a thread to flag what is wrong in it."),
                id="flagged",
            )
            yield Feed(_("Hidden words"), _("No words are hidden."), id="hidden")

    async def load(self) -> None:
        """Both lists."""
        link = self.node_link
        flags, hides, decisions = await asyncio.gather(
            *(link.call("list", what=what) for what in ("flags", "hides", "decisions"))
        )
        today = link.now().date()
        away = sum([await self.hidden("list", what=one) for one in ("flags", "hides")])
        waiting = moderating.flagged(flags, hides, today, link.me)
        self.query_one("#flagged", Feed).offer(waiting, hidden=away)
        self.query_one("#hidden", Feed).offer(moderating.hidden(hides, decisions, link.me))

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the thread."""
        event.stop()
        self.app.push_screen(ThreadScreen(self.node_link, event.card_id))
