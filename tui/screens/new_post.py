"""What to begin: every kind that people post and that begins a thread."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import OptionList

from protocol.fold.kind import KINDS
from tui.format import vocabulary as words
from tui.format.phrases import Card, plain
from tui.i18n import _
from tui.widgets.card_list import Cards

_FIRST = ("request", "offer", "profile")


class ChooseScreen(ModalScreen[str | None]):
    """A short list over the screen. Dismissed with a kind's name, or None."""

    DEFAULT_CSS = """
    ChooseScreen {
        align: center middle;
        Cards {
            width: 50;
            max-width: 100%;
            height: auto;
            border: round $primary;
            background: $surface;
            padding: 0 1;
            &:focus { border: round $primary; }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), id="back"),
    ]

    def compose(self) -> ComposeResult:
        """The registry says what there is."""
        yield Cards()

    def on_mount(self) -> None:
        """What people say most comes first."""
        roots = [one.name for one in KINDS.values() if one.root and one.posted]
        roots.remove("remove")  # which moderators begin on the page of the person
        roots.sort(key=lambda name: _FIRST.index(name) if name in _FIRST else len(_FIRST))
        cards = self.query_one(Cards)
        cards.border_title = plain(_("New"))
        cards.offer([Card(name, words.begin(name)) for name in roots])
        cards.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chosen."""
        event.stop()
        self.dismiss(event.option_id)

    def action_back(self) -> None:
        """Nothing, after all."""
        self.dismiss(None)
