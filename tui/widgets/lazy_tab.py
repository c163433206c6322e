"""A tab that makes its content when somebody first opens it."""

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import TabPane


class LazyTab(TabPane):
    """A tab of the home screen. With `at_once`, it has its content from the beginning.

    Textual's own tab comes forward when a widget in it gets the focus. This tab does not: while a
    tab is being hidden, the focus moves on inside it, and that brought back a tab that the reader
    had left.
    """

    def __init__(
        self,
        title: str,
        make: Callable[[], Widget],
        *,
        id: str,  # noqa: A002  # Textual's word
        at_once: bool = False,
    ) -> None:
        super().__init__(title, id=id)
        self._make: Callable[[], Widget] | None = make
        self._at_once = at_once

    def compose(self) -> ComposeResult:
        """Makes the content now if `at_once` asks for it."""
        if self._at_once:
            yield from self._make_content()

    async def come_forward(self) -> None:
        """Makes the content if the tab has none yet. Returns when the content is mounted."""
        await self.mount_all(self._make_content())

    def _make_content(self) -> list[Widget]:
        make = self._make
        self._make = None
        return [make()] if make else []

    def _on_descendant_focus(self, event: events.DescendantFocus) -> None:
        event.prevent_default()
