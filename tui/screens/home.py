"""The home screen, which has a tab for each part of the neighbourhood."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import Screen
from textual.widgets import TabbedContent, Tabs

from tui.i18n import _
from tui.kinds.suggestions import Suggested
from tui.node.connection import NodeConnection
from tui.screens.board_tab import BoardTab
from tui.screens.circles_tab import CirclesTab
from tui.screens.invite_screen import InviteScreen
from tui.screens.neighbourhood_tab import NeighbourhoodTab
from tui.screens.pane import Pane
from tui.screens.people_tab import PeopleTab
from tui.screens.post_form import PostFormScreen
from tui.screens.search_tab import SearchTab
from tui.screens.service_page import page_for_card
from tui.screens.services_tab import ServicesTab
from tui.screens.thread_page import ThreadScreen
from tui.screens.today_tab import PERSON_PREFIX, WORDS_CARD, TodayTab
from tui.screens.waiting_screen import WaitingScreen
from tui.widgets.card_list import CardList
from tui.widgets.feed import Feed
from tui.widgets.inputs import LineInput
from tui.widgets.key_bar import KeyBar
from tui.widgets.lazy_tab import LazyTab
from tui.widgets.notice_line import NoticeLine
from tui.widgets.status_line import StatusLine


class HomeScreen(Screen[None]):
    """The screen with seven tabs: Today, Board, People, Services, Circles, Neighbourhood, Search.

    The keys 1 to 7 open these tabs.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n", "app.new_post", _("New"), id="new"),
        Binding("i", "invite", _("Invite"), id="invite"),
        Binding("slash", "tab('search')", show=False, id="search"),
        Binding("f1,question_mark", "app.show_help", _("Help"), key_display="F1", id="help"),
        Binding("q", "app.close", _("Quit"), id="quit"),
        Binding("1", "tab('today')", show=False, id="tab-today"),
        Binding("2", "tab('board')", show=False, id="tab-board"),
        Binding("3", "tab('people')", show=False, id="tab-people"),
        Binding("4", "tab('services')", show=False, id="tab-services"),
        Binding("5", "tab('circles')", show=False, id="tab-circles"),
        Binding("6", "tab('neighbourhood')", show=False, id="tab-neighbourhood"),
        Binding("7", "tab('search')", show=False, id="tab-search"),
        Binding("escape", "lists", show=False, id="lists"),
    ]

    def __init__(self, node: NodeConnection) -> None:
        super().__init__()
        self.node = node
        # The cursor goes into this tab as soon as the tab has something to select.
        self._tab_to_enter: str | None = "today"
        self._has_offered_to_join = False

    def compose(self) -> ComposeResult:
        """Lays out the tabs below the status line and the notice line."""
        node = self.node
        yield StatusLine(node)
        yield NoticeLine(node)
        with TabbedContent(initial="today"):
            yield LazyTab(_("Today"), lambda: TodayTab(node), id="today", at_once=True)
            yield LazyTab(_("Board"), lambda: BoardTab(node), id="board")
            yield LazyTab(_("People"), lambda: PeopleTab(node), id="people")
            yield LazyTab(_("Services"), lambda: ServicesTab(node), id="services")
            yield LazyTab(_("Circles"), lambda: CirclesTab(node), id="circles")
            yield LazyTab(_("Neighbourhood"), lambda: NeighbourhoodTab(node), id="neighbourhood")
            yield LazyTab(_("Search"), lambda: SearchTab(node), id="search")
        yield KeyBar()

    def on_mount(self) -> None:
        """Asks the connection to tell this screen about each new status."""
        self.node.status_changed.subscribe(self, self._look_whether_in)

    async def _look_whether_in(self, _signal: None) -> None:
        """Shows a page of its own as long as the reader waits to be let in. If nobody has been asked
        yet, shows once the page on which the reader joins.
        """
        if not self.is_current or self.node.is_in_neighbourhood or self.node.status is None:
            return
        if self.node.waiting.flag("admission"):
            self.app.push_screen(WaitingScreen(self.node), self._welcome)
        elif not self._has_offered_to_join and not self.node.status.has("relay"):
            self._has_offered_to_join = True
            await self.run_action("app.join")

    def _welcome(self, _result: None) -> None:
        self.notify(_("You are in. Your neighbours see you now."), markup=False)

    def action_invite(self) -> None:
        """Opens the page that makes an invitation."""
        if self.node.is_in_neighbourhood:
            self.app.push_screen(InviteScreen(self.node))

    async def action_tab(self, tab: str) -> None:
        """Opens the tab with the id `tab`, and moves the cursor into it."""
        # The tab comes forward first, so that the next keys that the reader presses go to it.
        await self.query_one(f"#{tab}", LazyTab).come_forward()
        self.query_one(TabbedContent).active = tab
        self._tab_to_enter = tab
        self.call_after_refresh(self._enter_tab)

    async def on_tabbed_content_tab_activated(self, event: TabbedContent.TabActivated) -> None:
        """Makes the content of a tab that the reader opened with a click. If the reader opened the
        tab with a key, the content exists already.
        """
        assert isinstance(event.pane, LazyTab), "every tab of this screen is lazy"
        await event.pane.come_forward()

    async def on_suggested_named(self, event: Suggested.Named) -> None:
        """Opens the People tab, with the cursor on the person in a suggestion."""
        await self._show_person(event.person)

    async def action_lists(self) -> None:
        """Moves the cursor into the lists of the open tab. If the cursor is in a text line, moves
        it to the row of tabs instead.
        """
        if isinstance(self.focused, LineInput):
            self.query_one(Tabs).focus()
        else:
            await self.action_tab(self.query_one(TabbedContent).active)

    async def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the page or the form that a card leads to."""
        event.stop()
        step = self.query_one(TodayTab).step_of_card(event.card_id)
        if step is not None:
            self.app.push_screen(PostFormScreen(self.node, step))
        elif event.card_id == WORDS_CARD:
            await self.run_action("app.write_words")
        elif event.card_id.startswith(PERSON_PREFIX):
            await self._show_person(event.card_id.removeprefix(PERSON_PREFIX))
        else:
            page = page_for_card(self.node, event.card_id)
            self.app.push_screen(page or ThreadScreen(self.node, event.card_id))

    def on_screen_resume(self) -> None:
        """Loads the visible panes again after another screen was open."""
        for pane in self.query(Pane):
            if pane.is_on_screen:
                pane.reload()

    def on_pane_loaded(self) -> None:
        """Moves the cursor into a tab as soon as the tab's lists have arrived.

        Does not wait for the next refresh, because a reader who sees a card may press Enter at
        once.
        """
        self._enter_tab()

    async def _show_person(self, person_id: str) -> None:
        await self.action_tab("people")
        self.query_one("#people-list", Feed).cards.highlight_card(person_id)

    def _enter_tab(self) -> None:
        """Moves the cursor into the tab that the reader opened, if the tab has something to select.
        Does this only once each time the reader opens a tab.
        """
        tab = self.query_one(TabbedContent).active
        if self._tab_to_enter != tab:
            return
        pane = self.query_one(f"#{tab}", LazyTab)
        if tab == "search":
            pane.query_one(LineInput).focus()
            self._tab_to_enter = None
            return
        visible = [cards for cards in pane.query(CardList) if cards.display]
        if visible:
            visible[0].focus()
            self._tab_to_enter = None
