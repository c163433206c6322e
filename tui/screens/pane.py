"""The base of all panes. A pane is a part of a screen that shows the node's records and keeps up
with changes.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from protocol.wire import calls
from tui.format.phrases import plain
from tui.node.api_client import Declined
from tui.node.connection import NodeConnection


class Pane(Vertical):
    """A part of a screen that shows records, and loads again when the node's records change.

    A subclass implements `load`. While the pane is hidden, it does not load. It loads as soon as it
    is shown again.
    """

    DEFAULT_CSS = """
    Pane {
        height: 1fr;
        .trouble { display: none; height: auto; color: $text-error; padding: 0 1; }
    }
    """

    class Loaded(Message):
        """The message that the pane has loaded and now shows the node's answer."""

    def __init__(self, node: NodeConnection, *, id: str | None = None) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id)
        self.node = node
        self._is_stale = True
        self._trouble = Static(classes="trouble")

    def on_mount(self) -> None:
        """Asks the connection to tell the pane when records change."""
        self.mount(self._trouble)
        self.node.changed.subscribe(self, self._on_node_changed)

    def on_show(self) -> None:
        """Loads again if records changed while the pane was hidden."""
        if self._is_stale:
            self.reload()

    def reload(self) -> None:
        """Loads again. If an earlier load is still running, cancels it."""
        self._is_stale = False
        if self.node.is_in_neighbourhood:
            # The worker gets the method, not `self._load()`, because a coroutine that is cancelled
            # before it begins causes a warning.
            load: Callable[[], Awaitable[None]] = self._load
            self.run_worker(load, exclusive=True, group="load")

    async def load(self) -> None:
        """Fetches data from the node and shows it. Subclasses implement this. Raises Declined if
        the node refuses a call.
        """
        raise NotImplementedError

    async def count_muted(self, call: calls.List | calls.Search) -> int:
        """Returns how many entries the node left out of a list because the reader muted their
        authors.
        """
        if self.node.status is None or not self.node.status.people("muted"):
            return 0
        return (await self.node.fetch_page(replace(call, muted=True, limit=0))).total

    def _on_node_changed(self, _signal: None) -> None:
        if self.is_on_screen:
            self.reload()
        else:
            self._is_stale = True

    async def _load(self) -> None:
        trouble = None
        try:
            await self.load()
        except Declined as declined:
            trouble = declined.sentence
            self._is_stale = True
        else:
            self.post_message(self.Loaded())
        self._trouble.display = trouble is not None
        self._trouble.update(plain(trouble or ""))
