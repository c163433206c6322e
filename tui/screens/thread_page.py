"""The page of a thread: a text about it, what the reader can do in it, and the history of its
records.
"""

import pkgutil

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.widgets import Static

from tui.format import labels
from tui.format.phrases import plain
from tui.i18n import _
from tui.kinds.face import face_of, thread_history, thread_steps, thread_story
from tui.kinds.thread_data import ThreadData
from tui.kinds.thread_queries import current_reader, fetch_thread
from tui.node.connection import NodeConnection
from tui.screens.page import PagePane, PageScreen


class ThreadScreen(PageScreen):
    """The page of a thread. `record_id` is the id of any record in that thread."""

    def __init__(self, node: NodeConnection, record_id: str) -> None:
        super().__init__(node)
        self._record_id = record_id

    def make_pane(self) -> "ThreadPane":
        """Makes the pane with the thread."""
        return ThreadPane(self.node, self._record_id)


class ThreadPane(PagePane):
    """A text about the thread, the list of what the reader can do, and the history."""

    def __init__(self, node: NodeConnection, record_id: str) -> None:
        super().__init__(node)
        self._record_id = record_id

    def compose(self) -> ComposeResult:
        """Lays out the history below the other parts. The history scrolls separately."""
        yield from super().compose()
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
        self.show_steps(thread_steps(thread, current_reader(self.node)))

    def _show_thread(self, thread: ThreadData) -> None:
        reader = current_reader(self.node)
        root_kind = thread.root.kind
        self.show_text(plain(labels.kind(root_kind)), thread_story(thread, reader))
        if face_of(root_kind).reads_from_end:
            self.call_after_refresh(self.query_one("#story").scroll_end, animate=False)
        self.query_one("#history-text", Static).update(thread_history(thread, reader))
        self.call_after_refresh(self.query_one("#history").scroll_end, animate=False)
