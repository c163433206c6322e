"""The page of a thread: a text about it, what the reader can do in it, and the history of its
records.
"""

from datetime import date
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.format import labels
from tui.format.phrases import Card, plain
from tui.i18n import _
from tui.kinds import (
    activities,
    activity_steps,
    addresses,
    decisions,
    exchange,
    exchange_steps,
    faces,
    moderation,
)
from tui.kinds.next_steps import NextStep
from tui.kinds.thread_data import ThreadData
from tui.kinds.thread_queries import fetch
from tui.node.connection import NodeConnection
from tui.screens.pane import Pane
from tui.screens.post_form import PostFormScreen
from tui.screens.service_page import ServiceScreen
from tui.widgets.feed import Feed
from tui.widgets.status_line import StatusLine


class ThreadScreen(Screen[None]):
    """The page of a thread. `record_id` is the id of any record in that thread."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("n", "app.new_post", _("New"), id="new"),
        Binding("f1,question_mark", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, node: NodeConnection, record_id: str) -> None:
        super().__init__()
        self.node = node
        self._record_id = record_id

    def compose(self) -> ComposeResult:
        """Lays out the pane with the thread below the status line."""
        yield StatusLine(self.node)
        yield ThreadPane(self.node, self._record_id)
        yield Footer(show_command_palette=False)

    def action_back(self) -> None:
        """Closes the page and goes back to the screen below it."""
        self.dismiss()


class ThreadPane(Pane):
    """A text about the thread, the list of what the reader can do, and the history."""

    def __init__(self, node: NodeConnection, record_id: str) -> None:
        super().__init__(node)
        self._record_id = record_id
        self._steps: list[NextStep] = []
        self._has_focused = False

    def compose(self) -> ComposeResult:
        """Lays out the text, the list of what the reader can do, and the history. Each part scrolls
        separately.
        """
        with VerticalScroll(id="story"):
            yield Static(plain(_("One moment…")), id="story-text", markup=False)
        yield Feed(_("What you can do"), _("Nothing for you to do here."), id="steps")
        with VerticalScroll(id="history"):
            yield Static(id="history-text", markup=False)

    def on_mount(self) -> None:
        """Puts the title in the border of the history."""
        super().on_mount()
        self.query_one("#history").border_title = plain(_("What happened"))

    async def load(self) -> None:
        """Fetches the whole thread and shows it. If the thread is about a service, opens the page
        of the service instead.
        """
        thread = await fetch(self.node, self._record_id)
        if thread.root.get("kind") == "service" and "state" in thread.root:
            self.app.switch_screen(ServiceScreen(self.node, thread.root["id"]))
            return
        self._show_thread(thread)
        today = self.node.now().date()
        steps = _list_steps(thread, today, self.node.me) + moderation.moderation_steps(
            thread, self.node.me
        )
        self._show_steps(steps)

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of the step that the reader chose."""
        event.stop()
        for step in self._steps:
            if step.key == event.card_id:
                self.app.push_screen(PostFormScreen(self.node, step))

    def _show_thread(self, thread: ThreadData) -> None:
        today = self.node.now().date()
        me = self.node.me
        self.query_one("#story").border_title = plain(labels.kind(thread.root["kind"] or ""))
        story = _compose_story(thread, today, me) + moderation.moderation_story(thread, me)
        self.query_one("#story-text", Static).update(story)
        if thread.root.get("kind") == "circle":
            # People read the latest messages of a circle first.
            self.call_after_refresh(self.query_one("#story").scroll_end, animate=False)
        self.query_one("#history-text", Static).update(exchange.thread_history(thread, today, me))
        self.call_after_refresh(self.query_one("#history").scroll_end, animate=False)

    def _show_steps(self, steps: list[NextStep]) -> None:
        self._steps = steps
        feed = self.query_one("#steps", Feed)
        feed.show_cards([Card(step.key, step.label, quiet=not step.waits) for step in steps])
        if not self._has_focused:
            self._has_focused = True
            (feed.cards if steps else self.query_one("#story")).focus()


def _compose_story(thread: ThreadData, today: date, me: str | None) -> Content:
    kind = thread.root.get("kind")
    if "state" in thread.root and kind in faces.ANSWERS:
        return faces.face_story(thread, today, me)
    if "state" in thread.root and kind in decisions.DECIDED:
        return decisions.decision_story(thread, today, me)
    if kind == "activity" and "upcoming" in thread.root:
        return activities.activity_story(thread, today, me)
    return exchange.exchange_story(thread, today, me)


def _list_steps(thread: ThreadData, today: date, me: str | None) -> list[NextStep]:
    kind = thread.root.get("kind")
    if "state" in thread.root and kind in faces.ANSWERS:
        return faces.face_steps(thread, me)
    if "state" in thread.root and kind in decisions.DECIDED:
        return decisions.decision_steps(thread, me)
    if kind == "activity" and "upcoming" in thread.root:
        return activity_steps.activity_steps_for(thread, me, today)
    return [
        *exchange_steps.steps_for_exchange(thread, me, today),
        *addresses.address_steps(thread, me),
    ]
