"""The base of pages that open over the home screen. Each page shows a text, and below the text a
list of what the reader can do.
"""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Static

from tui.format.phrases import Card, plain
from tui.i18n import _
from tui.kinds.next_steps import NextStep, step_card
from tui.node.connection import NodeConnection
from tui.screens.pane import Pane
from tui.screens.post_form import screen_of_step
from tui.widgets.feed import Feed
from tui.widgets.key_bar import KeyBar
from tui.widgets.status_line import StatusLine


class PageScreen(Screen[None]):
    """A page that shows one pane. A subclass makes the pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("n", "app.new_post", _("New"), id="new"),
        Binding("f1,question_mark", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, node: NodeConnection) -> None:
        super().__init__()
        self.node = node

    def compose(self) -> ComposeResult:
        """Lays out the pane below the status line."""
        yield StatusLine(self.node)
        yield self.make_pane()
        yield KeyBar()

    def make_pane(self) -> Pane:
        """Makes the pane that the page shows. Each subclass implements this."""
        raise NotImplementedError

    def on_screen_resume(self) -> None:
        """Loads the pane again, because the reader may have posted something in a form."""
        self.query_one(Pane).reload()

    def action_back(self) -> None:
        """Closes the page and goes back to the screen below it."""
        self.dismiss()


class PagePane(Pane):
    """The content of a page: a text, and below it the list of what the reader can do. A subclass
    implements `load`, and may add lists in `compose_lists`.
    """

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(node)
        self._steps: list[NextStep] = []
        self._has_focused = False

    def compose(self) -> ComposeResult:
        """Lays out the text, the page's own lists, and the list of what the reader can do. Each
        part scrolls separately.
        """
        with VerticalScroll(id="story"):
            yield Static(plain(_("One moment…")), id="story-text", markup=False)
        yield from self.compose_lists()
        yield Feed(_("What you can do"), _("Nothing for you to do here."), id="steps")

    def compose_lists(self) -> ComposeResult:
        """Lays out the lists that a subclass adds between the text and the list of what the reader
        can do.
        """
        yield from ()

    def show_text(self, title: Content, text: Content) -> None:
        """Shows the text of the page, with the title in its border."""
        self.query_one("#story").border_title = title
        self.query_one("#story-text", Static).update(text)

    def show_steps(self, steps: list[NextStep], *more: Card) -> None:
        """Shows the list of what the reader can do. It contains the steps, and after them the cards
        in `more`, which lead to other pages.
        """
        self._steps = steps
        feed = self.query_one("#steps", Feed)
        feed.show_cards([*(step_card(step) for step in steps), *more])
        if not self._has_focused:
            self._has_focused = True
            (feed.cards if steps or more else self.query_one("#story")).focus()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of a step. If the card is not a step, opens the page that the card leads
        to.
        """
        event.stop()
        for step in self._steps:
            if step.key == event.card_id:
                self.app.push_screen(screen_of_step(self.node, step))
                return
        self.open_card(event.feed.id or "", event.card_id)

    def open_card(self, feed: str, card_id: str) -> None:
        """Opens the page that a card leads to. `feed` is the id of the list that contains the card.
        Subclasses whose cards lead to pages implement this.
        """
