"""Asks the reader whether to close the program, in case they pressed a key by accident."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from tui.format.phrases import plain
from tui.i18n import _


class ConfirmQuitScreen(ModalScreen[bool]):
    """Asks the reader whether to close the program. The result of this screen is True if the reader
    wants to close the program.

    `has_drafts` is true if the reader typed something and did not post it.
    """

    DEFAULT_CSS = """
    ConfirmQuitScreen {
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

    def __init__(self, *, has_drafts: bool) -> None:
        super().__init__()
        self._has_drafts = has_drafts

    def compose(self) -> ComposeResult:
        """Lays out the question and two buttons: close, or stay."""
        question = _("Close the screen? This home keeps running.")
        if self._has_drafts:
            question += "\n" + _("What you typed is not posted. It would be lost.")
        with Vertical():
            yield Static(plain(question))
            with Horizontal():
                yield Button(_("Close"), variant="primary", id="leave", compact=True)
                yield Button(_("Stay"), id="stay", compact=True)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Takes the pressed button as the reader's answer."""
        event.stop()
        self.dismiss(event.button.id == "leave")

    def action_stay(self) -> None:
        """Closes the question and keeps the program open."""
        self.dismiss(False)

    def action_leave(self) -> None:
        """Closes the question, and with it the program."""
        self.dismiss(True)
