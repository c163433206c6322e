"""A thread: told with its history, and with what the reader can do in it."""

from datetime import date
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.format import vocabulary as words
from tui.format.phrases import Card, plain
from tui.i18n import _
from tui.kinds import activities, addresses
from tui.kinds import activity_steps as taking_part
from tui.kinds import decisions as deciding
from tui.kinds import faces as together
from tui.kinds import moderation as moderating
from tui.kinds.exchange import history, story
from tui.kinds.exchange_steps import acts
from tui.kinds.next_steps import Act
from tui.kinds.thread_data import Case
from tui.kinds.thread_queries import fetch
from tui.node.connection import Link
from tui.screens.pane import Pane
from tui.screens.post_form import PostScreen
from tui.screens.service import ServiceScreen
from tui.widgets.feed import Feed
from tui.widgets.status_line import Standing

Shown = dict[str, Any]


class ThreadScreen(Screen[None]):
    """The thread that holds record `record_id`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("n", "app.begin", _("New"), id="new"),
        Binding("f1,question_mark", "app.explain", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, link: Link, record_id: str) -> None:
        super().__init__()
        self.node_link = link
        self._record_id = record_id

    def compose(self) -> ComposeResult:
        """The thread under the line that says where we are."""
        yield Standing(self.node_link)
        yield ThreadPane(self.node_link, self._record_id)
        yield Footer(show_command_palette=False)

    def action_back(self) -> None:
        """Back to where the reader came from."""
        self.dismiss()


class ThreadPane(Pane):
    """Told, what can be done, what happened."""

    def __init__(self, link: Link, record_id: str) -> None:
        super().__init__(link)
        self._record_id = record_id
        self._acts: list[Act] = []
        self._begun = False

    def compose(self) -> ComposeResult:
        """Three parts; each scrolls by itself."""
        with VerticalScroll(id="told"):
            yield Static(plain(_("One moment…")), id="told-words", markup=False)
        yield Feed(_("What you can do"), _("Nothing for you to do here."), id="acts")
        with VerticalScroll(id="happened"):
            yield Static(id="happened-words", markup=False)

    def on_mount(self) -> None:
        """Titles of the parts."""
        super().on_mount()
        self.query_one("#happened").border_title = plain(_("What happened"))

    async def load(self) -> None:
        """The root, its agreements, receipts and corrections. A service has a page of its own."""
        link = self.node_link
        case = await fetch(link, self._record_id)
        if case.root.get("kind") == "service" and "state" in case.root:
            self.app.switch_screen(ServiceScreen(link, case.root["id"]))
            return
        today = link.now().date()
        self.query_one("#told").border_title = plain(words.kind(case.root["kind"] or ""))
        told = _story(case, today, link.me) + moderating.story(case, link.me)
        self.query_one("#told-words", Static).update(told)
        if case.root.get("kind") == "circle":  # the last words are what is read first
            self.call_after_refresh(self.query_one("#told").scroll_end, animate=False)
        self.query_one("#happened-words", Static).update(history(case, today, link.me))
        self.call_after_refresh(self.query_one("#happened").scroll_end, animate=False)
        self._acts = _acts(case, today, link.me) + moderating.acts(case, link.me)
        feed = self.query_one("#acts", Feed)
        feed.offer([Card(act.key, act.label, quiet=not act.waits) for act in self._acts])
        if not self._begun:
            self._begun = True
            (feed.cards if self._acts else self.query_one("#told")).focus()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of an act."""
        event.stop()
        for act in self._acts:
            if act.key == event.card_id:
                self.app.push_screen(PostScreen(self.node_link, act))


def _story(case: Case, today: date, me: str | None) -> Content:
    kind = case.root.get("kind")
    if "state" in case.root and kind in together.ANSWERS:
        return together.story(case, today, me)
    if "state" in case.root and kind in deciding.DECIDED:
        return deciding.story(case, today, me)
    if kind == "activity" and "upcoming" in case.root:
        return activities.story(case, today, me)
    return story(case, today, me)


def _acts(case: Case, today: date, me: str | None) -> list[Act]:
    kind = case.root.get("kind")
    if "state" in case.root and kind in together.ANSWERS:
        return together.acts(case, me)
    if "state" in case.root and kind in deciding.DECIDED:
        return deciding.acts(case, me)
    if kind == "activity" and "upcoming" in case.root:
        return taking_part.acts(case, me, today)
    return [*acts(case, me, today), *addresses.acts(case, me)]
