"""A pane that shows something of the neighbourhood and keeps it up to date."""

from collections.abc import Awaitable, Callable

from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Static

from tui.format.phrases import plain
from tui.node.client import Declined
from tui.node.connection import Link


class Pane(Vertical):
    """Subclasses say how to `load`. One that nobody sees loads when it is shown."""

    DEFAULT_CSS = """
    Pane {
        height: 1fr;
        .trouble { display: none; height: auto; color: $text-error; padding: 0 1; }
    }
    """

    class Loaded(Message):
        """A pane shows what the node said."""

    def __init__(self, link: Link, *, id: str | None = None) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id)
        self.node_link = link
        self._stale = True

    def on_mount(self) -> None:
        """Follows what changes in the node."""
        self.mount(Static(classes="trouble"))
        self.node_link.changed.subscribe(self, self._changed)

    def on_show(self) -> None:
        """Catches up with what changed while nobody saw it."""
        if self._stale:
            self.look()

    def look(self) -> None:
        """Loads anew; a load under way is overtaken."""
        self._stale = False
        if self.node_link.belongs:
            # Not `_load()`: overtaken before it began, a coroutine would be lost with a warning.
            load: Callable[[], Awaitable[None]] = self._load
            self.run_worker(load, exclusive=True, group="load")

    async def load(self) -> None:
        """Asks the node and shows what it says. Raises Declined."""
        raise NotImplementedError

    async def hidden(self, method: str, **params: object) -> int:
        """How much of a list is left out because muted people posted it."""
        if not (self.node_link.status or {}).get("muted"):
            return 0
        return len(await self.node_link.call(method, muted=True, **params))

    def _changed(self, nothing: None) -> None:
        del nothing
        if self.is_on_screen:
            self.look()
        else:
            self._stale = True

    async def _load(self) -> None:
        trouble = None
        try:
            await self.load()
        except Declined as declined:
            trouble = declined.sentence
            self._stale = True
        else:
            self.post_message(self.Loaded())
        words = self.query_one(".trouble", Static)
        words.display = trouble is not None
        words.update(plain(trouble or ""))
