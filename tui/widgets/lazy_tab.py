"""A tab of the home screen that makes its content when somebody first opens the tab."""

from collections.abc import Callable

from textual import events
from textual.app import ComposeResult
from textual.widget import Widget
from textual.widgets import TabPane


class LazyTab(TabPane):
    """A tab that makes its content when somebody first opens it. If `at_once` is true, makes the
    content from the beginning.

    If a widget in one of Textual's tabs gets the focus, Textual brings that tab to the front. This
    class turns that off. Otherwise the focus could move to a widget in a tab that the reader has
    just left, and the tab would come back.
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
        """Makes the content now if `at_once` is true."""
        if self._at_once:
            yield from self._make_content()

    async def come_forward(self) -> None:
        """Makes the content of the tab, if it has none yet. Returns after Textual has mounted the
        content.
        """
        await self.mount_all(self._make_content())

    def _make_content(self) -> list[Widget]:
        make = self._make
        self._make = None
        return [make()] if make else []

    def _on_descendant_focus(self, event: events.DescendantFocus) -> None:
        event.prevent_default()
