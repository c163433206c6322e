"""A page that says something and waits for a key."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import Static

from tui.format.phrases import plain
from tui.i18n import _
from tui.widgets.key_bar import KeyBar


class NoticeScreen(Screen[None]):
    """A page with a title and some paragraphs. It closes with Enter."""

    DEFAULT_CSS = """
    NoticeScreen .paragraph { height: auto; margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,escape", "go_on", _("Go on"), id="close-notice"),
        Binding("c", "copy", _("Copy"), id="copy-notice"),
    ]

    def __init__(self, title: str, *paragraphs: str) -> None:
        super().__init__()
        self._heading = title
        self._paragraphs = paragraphs

    def compose(self) -> ComposeResult:
        """Lays out the paragraphs."""
        with Vertical(id="sheet"):
            for paragraph in self._paragraphs:
                yield Static(plain(paragraph), classes="paragraph")
        yield KeyBar()

    def on_mount(self) -> None:
        """Writes the title into the border."""
        self.query_one("#sheet").border_title = plain(self._heading)

    def action_copy(self) -> None:
        """Copies the paragraphs to the clipboard, if the terminal allows it."""
        self.app.copy_to_clipboard("\n".join(self._paragraphs))

    def action_go_on(self) -> None:
        """Closes the page."""
        self.dismiss(None)
