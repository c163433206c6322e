"""A page over the home screen: a text, and below it what the reader can do."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.format.phrases import Card, plain
from tui.i18n import _
from tui.kinds.next_steps import NextStep
from tui.node.connection import NodeConnection
from tui.screens.pane import Pane
from tui.screens.post_form import PostFormScreen
from tui.widgets.feed import Feed
from tui.widgets.status_line import StatusLine


class PageScreen(Screen[None]):
    """A page with one pane. Subclasses make the pane."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("n", "app.new_post", _("New"), id="new"),
        Binding("f1,question_mark", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, node: NodeConnection) -> None:
        super().__init__()
        self.node = node

    def compose(self) -> ComposeResult:
        """Lays out the pane under the status line."""
        yield StatusLine(self.node)
        yield self.make_pane()
        yield Footer(show_command_palette=False)

    def make_pane(self) -> Pane:
        """Makes the pane that the page shows."""
        raise NotImplementedError

    def on_screen_resume(self) -> None:
        """Shows what has changed while a form was open."""
        self.query_one(Pane).reload()

    def action_back(self) -> None:
        """Goes back to where the reader came from."""
        self.dismiss()


class PagePane(Pane):
    """Shows a text above the steps. Subclasses implement `load`, and may add lists in
    `compose_lists`.
    """

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(node)
        self._steps: list[NextStep] = []
        self._has_focused = False

    def compose(self) -> ComposeResult:
        """Lays out the parts of the page. Each part scrolls on its own."""
        with VerticalScroll(id="story"):
            yield Static(plain(_("One moment…")), id="story-text", markup=False)
        yield from self.compose_lists()
        yield Feed(_("What you can do"), _("Nothing for you to do here."), id="steps")

    def compose_lists(self) -> ComposeResult:
        """Lays out the page's own lists, between the text and the steps."""
        yield from ()

    def show_text(self, title: Content, text: Content) -> None:
        """Shows the text of the page under its title."""
        self.query_one("#story").border_title = title
        self.query_one("#story-text", Static).update(text)

    def show_steps(self, steps: list[NextStep], *more: Card) -> None:
        """Shows what the reader can do, and the cards that lead to other pages."""
        self._steps = steps
        feed = self.query_one("#steps", Feed)
        feed.show_cards(
            [*(Card(step.key, step.label, quiet=not step.waits) for step in steps), *more]
        )
        if not self._has_focused:
            self._has_focused = True
            (feed.cards if steps or more else self.query_one("#story")).focus()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of a step, or the page that another card leads to."""
        event.stop()
        for step in self._steps:
            if step.key == event.card_id:
                self.app.push_screen(PostFormScreen(self.node, step))
                return
        self.open_card(event.feed.id or "", event.card_id)

    def open_card(self, feed: str, card_id: str) -> None:
        """Opens the page that a card leads to. `feed` is the id of the card's list."""
        raise NotImplementedError
