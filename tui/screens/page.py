"""A page over the home screen: what is told, what can be done about it, and nothing else."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.format.phrases import Card, plain
from tui.i18n import _
from tui.kinds.next_steps import Act
from tui.node.connection import Link
from tui.screens.pane import Pane
from tui.screens.post_form import PostScreen
from tui.widgets.feed import Feed
from tui.widgets.status_line import Standing


class PageScreen(Screen[None]):
    """Holds one pane; subclasses say which."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("n", "app.begin", _("New"), id="new"),
        Binding("f1,question_mark", "app.explain", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.node_link = link

    def compose(self) -> ComposeResult:
        """The page under the line that says where we are."""
        yield Standing(self.node_link)
        yield self.pane()
        yield Footer(show_command_palette=False)

    def pane(self) -> Pane:
        """What the page shows."""
        raise NotImplementedError

    def on_screen_resume(self) -> None:
        """Shows what a form has changed."""
        self.query_one(Pane).look()

    def action_back(self) -> None:
        """Back to where the reader came from."""
        self.dismiss()


class PagePane(Pane):
    """What is told above what can be done. Subclasses `load`, and may `compose` more between."""

    def __init__(self, link: Link) -> None:
        super().__init__(link)
        self._acts: list[Act] = []
        self._begun = False

    def compose(self) -> ComposeResult:
        """Each part scrolls by itself."""
        with VerticalScroll(id="told"):
            yield Static(plain(_("One moment…")), id="told-words", markup=False)
        yield from self.between()
        yield Feed(_("What you can do"), _("Nothing for you to do here."), id="acts")

    def between(self) -> ComposeResult:
        """Lists of the page's own."""
        yield from ()

    def tell(self, title: Content, told: Content) -> None:
        """What the page says."""
        self.query_one("#told").border_title = title
        self.query_one("#told-words", Static).update(told)

    def offer(self, acts: list[Act], *more: Card) -> None:
        """What can be done, and cards that lead on to more."""
        self._acts = acts
        feed = self.query_one("#acts", Feed)
        feed.offer([*(Card(act.key, act.label, quiet=not act.waits) for act in acts), *more])
        if not self._begun:
            self._begun = True
            (feed.cards if acts or more else self.query_one("#told")).focus()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of an act, or what else the card leads to."""
        event.stop()
        for act in self._acts:
            if act.key == event.card_id:
                self.app.push_screen(PostScreen(self.node_link, act))
                return
        self.lead(event.feed.id or "", event.card_id)

    def lead(self, feed: str, card_id: str) -> None:
        """Opens what a card that is no act leads to."""
        raise NotImplementedError
