"""The home screen: tabs by what a person wants."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import Footer, TabbedContent, Tabs

from tui.i18n import _
from tui.kinds.suggestions import Suggested
from tui.node.connection import Link
from tui.screens.board_tab import Board
from tui.screens.circles_tab import Circles
from tui.screens.neighbourhood_tab import Neighbourhood
from tui.screens.pane import Pane
from tui.screens.people_tab import People
from tui.screens.post_form import PostScreen
from tui.screens.search_tab import Search
from tui.screens.service_page import page_of
from tui.screens.services_tab import Services
from tui.screens.thread_page import ThreadScreen
from tui.screens.today_tab import KNOCK, Today
from tui.widgets.card_list import Cards
from tui.widgets.feed import Feed
from tui.widgets.inputs import LineInput
from tui.widgets.lazy_tab import HomeTab
from tui.widgets.status_line import Standing


class HomeScreen(Screen[None]):
    """Today, Board, People, Services, Circles, Neighbourhood, Search."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "app.begin", _("New"), id="new"),
        Binding("slash", "tab('search')", _("Search"), key_display="/", id="search"),
        Binding("f1,question_mark", "app.explain", _("Help"), key_display="F1", id="help"),
        Binding("q", "app.leave", _("Quit"), id="quit"),
        Binding("1", "tab('today')", show=False, id="tab-today"),
        Binding("2", "tab('board')", show=False, id="tab-board"),
        Binding("3", "tab('people')", show=False, id="tab-people"),
        Binding("4", "tab('services')", show=False, id="tab-services"),
        Binding("5", "tab('circles')", show=False, id="tab-circles"),
        Binding("6", "tab('neighbourhood')", show=False, id="tab-neighbourhood"),
        Binding("7", "tab('search')", show=False, id="tab-search"),
        Binding("escape", "lists", show=False, id="lists"),
    ]

    def __init__(self, link: Link) -> None:
        super().__init__()
        self.node_link = link
        self._wanted: str | None = "today"  # where the cursor is to go once there is something

    def compose(self) -> ComposeResult:
        """The tabs under the line that says where we are."""
        link = self.node_link
        yield Standing(link)
        with TabbedContent(initial="today"):
            yield HomeTab(_("Today"), lambda: Today(link), id="today", open=True)
            yield HomeTab(_("Board"), lambda: Board(link), id="board")
            yield HomeTab(_("People"), lambda: People(link), id="people")
            yield HomeTab(_("Services"), lambda: Services(link), id="services")
            yield HomeTab(_("Circles"), lambda: Circles(link), id="circles")
            yield HomeTab(_("Neighbourhood"), lambda: Neighbourhood(link), id="neighbourhood")
            yield HomeTab(_("Search"), lambda: Search(link), id="search")
        yield Footer(show_command_palette=False)

    async def action_tab(self, tab: str) -> None:
        """Goes to a tab, with the cursor in it."""
        await self.query_one(f"#{tab}", HomeTab).come_forward()  # what is typed next is for it
        self.query_one(TabbedContent).active = tab
        self._wanted = tab
        self.call_after_refresh(self._enter)

    async def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """Makes what the tab shows; it may have been clicked."""
        assert isinstance(event.pane, HomeTab)
        await event.pane.come_forward()

    async def on_suggested_named(self, event: Suggested.Named) -> None:
        """Shows a suggested person among the people."""
        await self.action_tab("people")
        self.query_one("#people-list", Feed).cards.point(event.person)

    async def action_lists(self) -> None:
        """From anywhere back to what the tab shows; out of a line, up to the tabs."""
        if isinstance(self.focused, LineInput):
            self.query_one(Tabs).focus()
        else:
            await self.action_tab(self.query_one(TabbedContent).active)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens a thread, or the form behind a knock."""
        event.stop()
        if event.card_id.startswith(KNOCK):
            act = self.query_one(Today).knock(event.card_id)
            self.app.push_screen(PostScreen(self.node_link, act))
        else:
            page = page_of(self.node_link, event.card_id)
            self.app.push_screen(page or ThreadScreen(self.node_link, event.card_id))

    def on_screen_resume(self) -> None:
        """Shows what has changed while something else was open."""
        for pane in self.query(Pane):
            if pane.is_on_screen:
                pane.look()

    def on_pane_loaded(self) -> None:
        """The lists of a tab may be there only now. At once: whoever sees a card may press Enter."""
        self._enter()

    def _enter(self) -> None:
        """Brings the cursor into the tab that was asked for; never again without being asked."""
        tab = self.query_one(TabbedContent).active
        if self._wanted != tab:
            return
        pane = self.query_one(f"#{tab}", HomeTab)
        if tab == "search":
            pane.query_one(LineInput).focus()
            self._wanted = None
            return
        shown = [cards for cards in pane.query(Cards) if cards.display]
        if shown:
            shown[0].focus()
            self._wanted = None
