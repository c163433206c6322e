"""The page of a person: their standing, who may sign for them, their hours, and what the reader can
do. If the person is the reader, it also shows their devices.
"""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from protocol.wire import calls
from tui.format import phrases
from tui.i18n import _
from tui.kinds.exchange import balance_story
from tui.kinds.next_steps import NextStep, step_card
from tui.kinds.people import Folder, person_steps, person_story
from tui.kinds.thread_queries import current_reader
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.screens.pane import Pane
from tui.screens.post_form import PostFormScreen
from tui.widgets.feed import Feed
from tui.widgets.status_line import StatusLine


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
        """Lays out the pane with the person below the status line."""
        yield StatusLine(self.node)
        yield PersonPane(self.node, self._person)
        yield Footer(show_command_palette=False)

    def on_screen_resume(self) -> None:
        """Loads the page again, because the reader may have posted something in a form."""
        self.query_one(PersonPane).reload()

    def action_back(self) -> None:
        """Closes the page and goes back to the screen below it."""
        self.dismiss()


class PersonPane(Pane):
    """The text about a person, and below it the list of what the reader can do."""

    def __init__(self, node: NodeConnection, person: Shown) -> None:
        super().__init__(node)
        self._person = person
        self._steps: list[NextStep] = []
        self._has_focused = False

    def compose(self) -> ComposeResult:
        """Lays out the text above the list of what the reader can do. Each scrolls separately."""
        with VerticalScroll(id="story"):
            yield Static(phrases.plain(_("One moment…")), id="story-text", markup=False)
        yield Feed(_("What you can do"), _("Nothing for you to do here."), id="steps")

    def on_mount(self) -> None:
        """Puts the person's name in the border of the text."""
        super().on_mount()
        name = phrases.name(self._person.as_person())
        self.query_one("#story").border_title = phrases.plain_line(name)

    async def load(self) -> None:
        """Fetches the person, the proxies and the person's hours. If the person is the reader, also
        fetches their devices.
        """
        person_id = self._person.id
        reader = current_reader(self.node)
        people, proxies, balance = await asyncio.gather(
            self.node.fetch_list("people"),
            self.node.fetch_list("proxies"),
            self.node.fetch_whole(calls.Balance(person=person_id)),
        )
        devices: list[Shown] = []
        if person_id == reader.me:
            devices = await self.node.fetch_rows(calls.Devices(person=person_id))
        latest = {person.id: person for person in people}.get(person_id, self._person)
        neighbours = frozenset(person.id for person in people if person.id != reader.me)
        folder = Folder(latest, neighbours, proxies, devices)
        hours = balance_story(balance, reader.clock)
        text = person_story(folder, reader) + "\n\n" + hours
        self.query_one("#story-text", Static).update(text)
        self._show_steps(person_steps(folder, reader))

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of the step that the reader chose."""
        event.stop()
        for step in self._steps:
            if step.key == event.card_id:
                self.app.push_screen(PostFormScreen(self.node, step))

    def _show_steps(self, steps: list[NextStep]) -> None:
        self._steps = steps
        feed = self.query_one("#steps", Feed)
        feed.show_cards([step_card(step) for step in steps])
        if not self._has_focused:
            self._has_focused = True
            (feed.cards if steps else self.query_one("#story")).focus()
