"""A list of cards in a border, with a title and the number of new cards."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import OptionList, Static

from tui.format.phrases import Card, plain
from tui.i18n import _, plural
from tui.widgets.card_list import CardList


class Feed(Vertical):
    """A list of cards in a border. When the reader opens a card or moves to a card, the list posts
    a message with the card's id.
    """

    DEFAULT_CSS = """
    Feed {
        border: round $foreground 40%;
        border-title-color: $foreground;
        border-title-style: bold;
        border-subtitle-color: $warning;
        border-subtitle-style: bold;
        height: 1fr;
        padding: 0 1;
        &:focus-within { border: round $primary; }
        .empty { color: $foreground 80%; padding: 1 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("r", "show_new", _("Show new"), show=False, id="show-new"),
    ]

    class Opened(Message):
        """The message that the reader has opened a card."""

        def __init__(self, feed: "Feed", card_id: str) -> None:
            super().__init__()
            self.feed = feed
            self.card_id = card_id

    class Highlighted(Opened):
        """The message that the cursor has moved to a card."""

    def __init__(self, title: str, empty: str, *, id: str) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id)
        self._title = title
        self._empty_text = empty
        # The node has not answered yet, so nobody knows whether the list is empty.
        self._empty_note = Static(plain(_("Not here yet.")), classes="empty")
        self._notes: list[str] = []
        self.cards = CardList(id=f"{id}-cards")

    def compose(self) -> ComposeResult:
        """Lays out the cards. If there are no cards, a text is shown in their place."""
        yield self._empty_note
        yield self.cards

    def on_mount(self) -> None:
        """Says that no cards have arrived yet."""
        self._show_counts(0, 0)

    def show_cards(
        self, cards: Sequence[Card], *, empty: str | None = None, muted: int = 0, cut: str = ""
    ) -> None:
        """Shows these cards. While somebody reads the list, holds new cards back (see
        `CardList.show_cards`).

        `empty` is a new text for an empty list. `muted` is the number of cards that are left out
        because the reader muted their authors. `cut` says how many further cards there are, and
        where.
        """
        self._notes = [cut] if cut else []
        if muted:
            self._notes.append(_("{n} by muted people · m in People").format(n=muted))
        if empty is not None:
            self._empty_text = empty
        only_muted = _("Only people whom you have muted wrote something here.")
        self._empty_note.update(plain(only_muted if muted else self._empty_text))
        self._show_counts(self.cards.show_cards(cards), len(cards))

    def action_show_new(self) -> None:
        """Shows the new cards that the list has held back."""
        self.cards.show_latest()
        self._show_counts(0, self.cards.option_count)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Posts the message that the reader opened a card."""
        event.stop()
        self.post_message(self.Opened(self, event.option_id or ""))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Posts the message that the cursor moved to a card."""
        event.stop()
        self.post_message(self.Highlighted(self, event.option_id or ""))

    def on_descendant_focus(self) -> None:
        """When the list gets the focus, posts the message that the cursor is on a card."""
        if self.cards.highlighted_id is not None:
            self.post_message(self.Highlighted(self, self.cards.highlighted_id))

    def _show_counts(self, new: int, count: int) -> None:
        self.border_title = plain(f"{self._title} ({count})" if count else self._title)
        self.border_subtitle = plain(self._subtitle(new))
        self._empty_note.display = not count
        self.cards.display = bool(count)

    def _subtitle(self, new: int) -> str:
        if new:
            return plural("{n} new · press r", "{n} new · press r", new).format(n=new)
        return " · ".join(self._notes)
