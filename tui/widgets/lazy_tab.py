"""A tab of the home screen."""

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import TabPane


class HomeTab(TabPane):
    """A pane that is made when it first comes forward, unless it is `open` from the beginning.

    It does not come forward because something in it has the cursor. Textual's does, and so brings a
    tab back that the reader has just left: the cursor moves on inside it while it is being hidden.
    """

    def __init__(
        self,
        title: str,
        make: Callable[[], Widget],
        *,
        id: str,  # noqa: A002  # Textual's word
        open: bool = False,  # noqa: A002  # the word for it
    ) -> None:
        super().__init__(title, id=id)
        self._make: Callable[[], Widget] | None = make
        self._open = open

    def compose(self) -> ComposeResult:
        """What is seen first is there at once."""
        if self._open:
            yield from self._made()

    async def come_forward(self) -> None:
        """The tab is shown now, or soon: returns once what it shows is there."""
        await self.mount_all(self._made())

    def _made(self) -> list[Widget]:
        make, self._make = self._make, None
        return [make()] if make else []

    def _on_descendant_focus(self, event: events.DescendantFocus) -> None:
        event.prevent_default()
