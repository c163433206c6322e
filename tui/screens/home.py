"""The home screen: tabs by what a person wants."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, TabbedContent, TabPane, Tabs

from tui.language import _
from tui.link import Link
from tui.screens.board import Board
from tui.screens.pane import Pane
from tui.screens.people import People
from tui.screens.post import PostScreen
from tui.screens.search import Search
from tui.screens.thread import ThreadScreen
from tui.screens.today import KNOCK, Today
from tui.widgets.cards import Cards
from tui.widgets.feed import Feed
from tui.widgets.fields import LineInput
from tui.widgets.standing import Standing


class HomeScreen(Screen[None]):
    """Today, Board, People, Search."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "app.begin", _("New"), id="new"),
        Binding("slash", "tab('search')", _("Search"), key_display="/", id="search"),
        Binding("f1,question_mark", "app.explain", _("Help"), key_display="F1", id="help"),
        Binding("q", "app.leave", _("Quit"), id="quit"),
        Binding("1", "tab('today')", show=False, id="tab-today"),
        Binding("2", "tab('board')", show=False, id="tab-board"),
        Binding("3", "tab('people')", show=False, id="tab-people"),
        Binding("4", "tab('search')", show=False, id="tab-search"),
        Binding("escape", "lists", show=False, id="lists"),
    ]

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.node_link = link

    def compose(self) -> ComposeResult:
        """The tabs under the line that says where we are."""
        link = self.node_link
        yield Standing(link)
        with TabbedContent(initial="today"):
            with TabPane(_("Today"), id="today"):
                yield Today(link)
            with TabPane(_("Board"), id="board"):
                yield Board(link)
            with TabPane(_("People"), id="people"):
                yield People(link)
            with TabPane(_("Search"), id="search"):
                yield Search(link)
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """The cursor goes into the first list that has something, unless it is somewhere already."""
        self.node_link.changed.subscribe(self, self._settle)

    def action_tab(self, tab: str) -> None:
        """Goes to a tab, with the cursor in it."""
        tabs = self.query_one(TabbedContent)
        tabs.active = tab
        self.call_after_refresh(self._enter, tab)

    def action_lists(self) -> None:
        """From anywhere back to what the tab shows."""
        self._enter(self.query_one(TabbedContent).active)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens a thread, or the form behind a knock."""
        event.stop()
        if event.card_id.startswith(KNOCK):
            act = self.query_one(Today).knock(event.card_id)
            self.app.push_screen(PostScreen(self.node_link, act))
        else:
            self.app.push_screen(ThreadScreen(self.node_link, event.card_id))

    def on_screen_resume(self) -> None:
        """Shows what has changed while something else was open."""
        for pane in self.query(Pane):
            if pane.is_on_screen:
                pane.look()

    def _settle(self, nothing: None) -> None:
        del nothing
        if self.focused is None or isinstance(self.focused, Tabs):
            self.call_after_refresh(self._enter, self.query_one(TabbedContent).active)

    def _enter(self, tab: str) -> None:
        pane = self.query_one(f"#{tab}", TabPane)
        if tab == "search" and self.focused is not pane.query_one(LineInput):
            pane.query_one(LineInput).focus()
            return
        shown = [cards for cards in pane.query(Cards) if cards.display]
        if shown:
            shown[0].focus()
