"""A person's page: their standing, their proxies and the steps. On one's own page, one's devices
too.
"""

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.format import phrases
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds.exchange import balance_story
from tui.kinds.next_steps import NextStep
from tui.kinds.person import Folder, person_steps, person_story
from tui.node.connection import NodeConnection
from tui.screens.pane import Pane
from tui.screens.post_form import PostFormScreen
from tui.widgets.feed import Feed
from tui.widgets.status_line import StatusLine

Shown = dict[str, Any]


class PersonScreen(Screen[None]):
    """The page of one person."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("f1,question_mark", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, node: NodeConnection, person: Shown) -> None:
        super().__init__()
        self.node = node
        self._person = person

    def compose(self) -> ComposeResult:
        """Lays out the person under the status line."""
        yield StatusLine(self.node)
        yield PersonPane(self.node, self._person)
        yield Footer(show_command_palette=False)

    def on_screen_resume(self) -> None:
        """Shows what has changed while a form was open."""
        self.query_one(PersonPane).reload()

    def action_back(self) -> None:
        """Goes back to where the reader came from."""
        self.dismiss()


class PersonPane(Pane):
    """Shows the text about the person above the steps."""

    def __init__(self, node: NodeConnection, person: Shown) -> None:
        super().__init__(node)
        self._person = person
        self._steps: list[NextStep] = []
        self._has_focused = False

    def compose(self) -> ComposeResult:
        """Lays out the two parts. Each scrolls on its own."""
        with VerticalScroll(id="story"):
            yield Static(phrases.plain(_("One moment…")), id="story-text", markup=False)
        yield Feed(_("What you can do"), _("Nothing for you to do here."), id="steps")

    def on_mount(self) -> None:
        """Puts the person's name above the text."""
        super().on_mount()
        self.query_one("#story").border_title = phrases.plain_line(self._person["name"], 40)

    async def load(self) -> None:
        """Fetches the person, their proxies and hours. On one's own page, fetches one's devices
        too.
        """
        person_id = self._person["id"]
        people, proxies, balance = await asyncio.gather(
            self.node.call("list", what="people"),
            self.node.call("list", what="proxies"),
            self.node.call("balance", person=person_id),
        )
        devices: list[Shown] = []
        if person_id == self.node.me:
            devices = await self.node.call("devices", person=person_id)
        latest = {person["id"]: person for person in people}.get(person_id, self._person)
        folder = Folder(latest, self.node.term, proxies, devices)
        today = self.node.now().date()
        text = person_story(folder, today, self.node.me) + "\n\n" + balance_story(balance, today)
        self.query_one("#story-text", Static).update(text)
        self._show_steps(person_steps(folder, self.node.me, today))

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of a step."""
        event.stop()
        for step in self._steps:
            if step.key == event.card_id:
                self.app.push_screen(PostFormScreen(self.node, step))

    def _show_steps(self, steps: list[NextStep]) -> None:
        self._steps = steps
        feed = self.query_one("#steps", Feed)
        feed.show_cards([Card(step.key, step.label, quiet=True) for step in steps])
        if not self._has_focused:
            self._has_focused = True
            (feed.cards if steps else self.query_one("#story")).focus()
