"""The list of the kinds of records that a person can post to begin a thread."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import OptionList

from protocol.fold.registry import KINDS
from tui.format import labels
from tui.format.phrases import Card, plain
from tui.i18n import _
from tui.kinds.face import face_of
from tui.widgets.card_list import CardList


class NewPostScreen(ModalScreen[str | None]):
    """A short list that asks what to post. Its result is the name of the chosen kind, or None."""

    DEFAULT_CSS = """
    NewPostScreen {
        align: center middle;
        CardList {
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
        """Lays out an empty list, which `on_mount` fills."""
        yield CardList()

    def on_mount(self) -> None:
        """Fills the list with kinds. The kinds that people post most come first."""
        roots = [
            name
            for name, kind in KINDS.items()
            if kind.is_root and kind.posted and kind.view_type.wording.begin
        ]
        roots.sort(key=_place)
        cards = self.query_one(CardList)
        cards.border_title = plain(_("New"))
        cards.show_cards([Card(name, labels.begin(name)) for name in roots])
        cards.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Closes the list. The result is the kind that the reader chose."""
        event.stop()
        self.dismiss(event.option_id)

    def action_back(self) -> None:
        """Closes the list. The result is None."""
        self.dismiss(None)


def _place(kind: str) -> tuple[int, bool]:
    """Returns the place of a kind in the list. If two kinds have the same place, a kind that is
    listed with people, such as the profile, comes first.
    """
    return face_of(kind).place_in_new(kind), not KINDS[kind].view_type.is_listed_with_people
