"""A person's page: their standing, who acts for whom, for oneself the devices, and what can be done."""

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.format import phrases as telling
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds.exchange import hours
from tui.kinds.next_steps import Act
from tui.kinds.person import Folder, acts, story
from tui.node.connection import Link
from tui.screens.pane import Pane
from tui.screens.post_form import PostScreen
from tui.widgets.feed import Feed
from tui.widgets.status_line import Standing

Shown = dict[str, Any]


class ResidentScreen(Screen[None]):
    """The page of one person."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("f1,question_mark", "app.explain", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, link: Link, person: Shown) -> None:
        super().__init__()
        self.node_link = link
        self._person = person

    def compose(self) -> ComposeResult:
        """The page under the line that says where we are."""
        yield Standing(self.node_link)
        yield ResidentPane(self.node_link, self._person)
        yield Footer(show_command_palette=False)

    def on_screen_resume(self) -> None:
        """Shows what a form has changed."""
        self.query_one(ResidentPane).look()

    def action_back(self) -> None:
        """Back to where the reader came from."""
        self.dismiss()


class ResidentPane(Pane):
    """Told, and what can be done."""

    def __init__(self, link: Link, person: Shown) -> None:
        super().__init__(link)
        self._person = person
        self._acts: list[Act] = []
        self._begun = False

    def compose(self) -> ComposeResult:
        """Two parts; each scrolls by itself."""
        with VerticalScroll(id="told"):
            yield Static(telling.plain(_("One moment…")), id="told-words", markup=False)
        yield Feed(_("What you can do"), _("Nothing for you to do here."), id="acts")

    def on_mount(self) -> None:
        """Whose page it is."""
        super().on_mount()
        self.query_one("#told").border_title = telling.plain_line(self._person["name"], 40)

    async def load(self) -> None:
        """The person as they are now, their proxies and hours, and one's own devices."""
        link, one = self.node_link, self._person
        people, proxies, row = await asyncio.gather(
            link.call("list", what="people"),
            link.call("list", what="proxies"),
            link.call("balance", person=one["id"]),
        )
        mine = one["id"] == link.me
        devices = await link.call("devices", person=one["id"]) if mine else []
        person = next((each for each in people if each["id"] == one["id"]), one)
        folder = Folder(person, link.term, proxies, devices)
        today = link.now().date()
        told = story(folder, today, link.me) + "\n\n" + hours(row, today)
        self.query_one("#told-words", Static).update(told)
        self._acts = acts(folder, link.me, today)
        feed = self.query_one("#acts", Feed)
        feed.offer([Card(act.key, act.label, quiet=True) for act in self._acts])
        if not self._begun:
            self._begun = True
            (feed.cards if self._acts else self.query_one("#told")).focus()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of an act."""
        event.stop()
        for act in self._acts:
            if act.key == event.card_id:
                self.app.push_screen(PostScreen(self.node_link, act))
