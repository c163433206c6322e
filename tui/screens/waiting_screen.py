"""The page of somebody who has asked to join and waits to be let in. It closes by itself."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import LoadingIndicator, Static

from tui.format.phrases import plain
from tui.i18n import _
from tui.node.connection import NodeConnection
from tui.widgets.key_bar import KeyBar
from tui.widgets.status_line import StatusLine


class WaitingScreen(Screen[None]):
    """A page that says what the reader waits for. It closes as soon as this home belongs to the
    neighbourhood.
    """

    DEFAULT_CSS = """
    WaitingScreen LoadingIndicator { height: 3; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "app.close", _("Close"), id="leave-waiting"),
        Binding("f1,question_mark", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, node: NodeConnection) -> None:
        super().__init__()
        self._node = node

    def compose(self) -> ComposeResult:
        """Lays out what happens now."""
        yield StatusLine(self._node)
        with Vertical(id="sheet"):
            yield Static(plain(_(
                "You have asked to join. A neighbour has to let you in: whoever invited you sees it"
                " on their Today page.\n\nKeep this machine on. This page changes by itself, and you"
                " may close it: your home goes on waiting."
            )))  # fmt: skip
            yield LoadingIndicator()
        yield KeyBar()

    def on_mount(self) -> None:
        """Asks the connection to tell this page about each new status."""
        self.query_one("#sheet").border_title = plain(_("Waiting to be let in"))
        self._node.status_changed.subscribe(self, self._look)

    def _look(self, _signal: None) -> None:
        if self._node.is_in_neighbourhood and self.is_current:
            self.dismiss(None)
