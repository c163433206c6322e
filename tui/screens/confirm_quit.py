"""Asks before the screen closes, for keys that are pressed by accident."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.format.phrases import plain
from tui.i18n import _


class LeaveScreen(ModalScreen[bool]):
    """Dismissed with True to leave. `drafts`: something was typed and not posted."""

    DEFAULT_CSS = """
    LeaveScreen {
        align: center middle;
        Vertical {
            width: 57;
            max-width: 100%;
            height: auto;
            border: round $primary;
            background: $surface;
            padding: 1 2;
        }
        Horizontal { height: auto; margin-top: 1; }
        Button { margin-right: 2; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,n", "stay", _("Stay"), id="stay"),
        Binding("y", "leave", _("Leave"), id="leave"),
        Binding("left", "app.focus_previous", show=False, id="button-before"),
        Binding("right", "app.focus_next", show=False, id="next-button"),
    ]

    def __init__(self, *, drafts: bool) -> None:
        super().__init__()
        self._drafts = drafts

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        words = _("Close the screen? Your node goes on without it.")
        if self._drafts:
            words += "\n" + _("Something you typed is not posted, and would be lost.")
        with Vertical():
            yield Static(plain(words))
            with Horizontal():
                yield Button(_("Close"), variant="primary", id="leave", compact=True)
                yield Button(_("Stay"), id="stay", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answered."""
        event.stop()
        self.dismiss(event.button.id == "leave")

    def action_stay(self) -> None:
        """By accident."""
        self.dismiss(False)

    def action_leave(self) -> None:
        """On purpose."""
        self.dismiss(True)
