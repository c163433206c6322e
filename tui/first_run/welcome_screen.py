"""The first page of an empty home: it asks what the reader would like to do."""

from enum import Enum
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.screen import Screen
from textual.widgets import OptionList, Static

from tui.format.phrases import Card, plain
from tui.i18n import _
from tui.widgets.card_list import CardList
from tui.widgets.key_bar import KeyBar


class Way(Enum):
    """What a person can do at a home that is still empty."""

    JOIN = "join"
    BEGIN = "begin"
    RETURN = "return"
    RESTORE = "restore"
    DEMO = "demo"
    RELAY = "be a relay"


class WelcomeScreen(Screen[Way | None]):
    """A page with the ways to begin. Its result is the chosen way, or None if the reader leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "leave", _("Close"), key_display="q", id="leave-welcome"),
        Binding("f1,question_mark", "app.show_help", _("Help"), key_display="F1", id="help"),
    ]

    def compose(self) -> ComposeResult:
        """Lays out a few sentences and the list of ways."""
        with Vertical(id="sheet"):
            yield Static(plain(_(
                "Neighbours help each other here, and count the hours. There is no company and no"
                " server: what you post goes from home to home."
            )), id="explanation")  # fmt: skip
            yield Static(plain(_("What would you like to do?")))
            yield CardList(id="ways")
            yield Static(
                plain(_("Nothing is sent before the last step, and Esc goes back a step.")),
                classes="remark",
            )
        yield KeyBar()

    def on_mount(self) -> None:
        """Fills the list. Joining comes first, because most people are invited."""
        self.query_one("#sheet").border_title = "meshcoop"
        cards = self.query_one(CardList)
        cards.show_cards(
            [
                Card(Way.JOIN.value, _("I have an invitation"), _("Join my neighbours")),
                Card(Way.BEGIN.value, _("Begin a neighbourhood"), _("For my street or block")),
                Card(
                    Way.RETURN.value,
                    _("I was here before, and have my 24 words"),
                    _("A new machine, or the old one was lost"),
                ),
                Card(Way.RESTORE.value, _("I was here before, and have a backup"), _("A file")),
                Card(Way.DEMO.value, _("Just show me around"), _("A pretend street, not kept")),
                Card(
                    Way.RELAY.value,
                    _("This machine is a relay"),
                    _("It carries what it cannot read; for the technician"),
                ),
            ]
        )
        cards.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Closes the page with the chosen way."""
        event.stop()
        self.dismiss(Way(event.option_id))

    def action_leave(self) -> None:
        """Closes the page without a choice."""
        self.dismiss(None)
