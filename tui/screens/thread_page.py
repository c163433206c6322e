"""The page of a thread: a text about it, what the reader can do in it, and the history of its
records.
"""

import pkgutil
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui.format import labels
from tui.format.phrases import plain
from tui.i18n import _
from tui.kinds.face import face_of, thread_history, thread_steps, thread_story
from tui.kinds.next_steps import NextStep, step_card
from tui.kinds.thread_data import ThreadData
from tui.kinds.thread_queries import current_reader, fetch_thread
from tui.node.connection import NodeConnection
from tui.screens.pane import Pane
from tui.screens.post_form import PostFormScreen
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
        """Fetches the whole thread and shows it.

        If the face of the thread's kind names a special page, opens that page instead.
        """
        thread = await fetch_thread(self.node, self._record_id)
        page = face_of(thread.root.kind).page
        if page and thread.is_readable:
            page_type = pkgutil.resolve_name(page)
            self.app.switch_screen(page_type(self.node, thread.root.id))
            return
        self._show_thread(thread)
        self._show_steps(thread_steps(thread, current_reader(self.node)))

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of the step that the reader chose."""
        event.stop()
        for step in self._steps:
            if step.key == event.card_id:
                self.app.push_screen(PostFormScreen(self.node, step))

    def _show_thread(self, thread: ThreadData) -> None:
        reader = current_reader(self.node)
        root_kind = thread.root.kind
        self.query_one("#story").border_title = plain(labels.kind(root_kind))
        self.query_one("#story-text", Static).update(thread_story(thread, reader))
        if face_of(root_kind).reads_from_end:
            self.call_after_refresh(self.query_one("#story").scroll_end, animate=False)
        self.query_one("#history-text", Static).update(thread_history(thread, reader))
        self.call_after_refresh(self.query_one("#history").scroll_end, animate=False)

    def _show_steps(self, steps: list[NextStep]) -> None:
        self._steps = steps
        feed = self.query_one("#steps", Feed)
        feed.show_cards([step_card(step) for step in steps])
        if not self._has_focused:
            self._has_focused = True
            (feed.cards if steps else self.query_one("#story")).focus()
