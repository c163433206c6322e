"""A list of cards. Each card has two lines."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.format.phrases import Card


class CardList(OptionList):
    """A list of cards that stays still while somebody reads it. New cards wait outside the list
    until the reader asks for them.
    """

    DEFAULT_CSS = """
    CardList {
        height: 1fr;
        border: none;
        padding: 0;
        background: transparent;
        text-wrap: nowrap;
        text-overflow: ellipsis;
        & > .option-list--option-highlighted { background: transparent; color: $foreground; }
        &:focus {
            border: none;
            background-tint: transparent 0%;
            & > .option-list--option-highlighted {
                background: $block-cursor-background;
                color: $block-cursor-foreground;
            }
        }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j", "cursor_down", show=False, id="down"),
        Binding("k", "cursor_up", show=False, id="up"),
        Binding("l", "select", show=False, id="open"),
    ]

    def __init__(self, *, id: str | None = None) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id, markup=False)
        self._cards: dict[str, Card] = {}
        self._latest: list[Card] = []
        self._wanted_id: str | None = None

    @property
    def is_being_read(self) -> bool:
        """True while new cards must not move the rows.

        This is so if the reader has moved below the first row. It is also so if one key answers the
        card under the cursor: otherwise the key could answer another card.
        """
        card = self._cards.get(self.highlighted_id or "")
        has_key = card is not None and card.has_key
        return bool(self.highlighted) or self.scroll_offset.y > 0 or has_key

    @property
    def highlighted_id(self) -> str | None:
        """The id of the card under the cursor, or None."""
        option = self.highlighted_option
        return option.id if option else None

    def show_cards(self, cards: Sequence[Card]) -> int:
        """Shows these cards. Returns the number of cards that are held back until somebody calls
        `show_latest`.

        While somebody reads the list, this method changes and removes only cards that are shown
        already. It holds all new cards back.
        """
        self._latest = list(cards)
        if not self.is_being_read:
            self.show_latest()
            return 0
        for card in cards:
            if card.id in self._cards and self._cards[card.id] != card:
                self._cards[card.id] = card
                self.replace_option_prompt(card.id, card.content())
        self._remove_cards(self._cards.keys() - {card.id for card in cards})
        return sum(card.id not in self._cards for card in cards)

    def _remove_cards(self, gone: set[str]) -> None:
        """Removes cards from the list.

        If the card under the cursor is removed, the cursor moves to the next card in its place, or
        to the first card. The cursor never moves to a card that one key answers, or to a card that
        nobody should open by accident.
        """
        chosen = self.highlighted_id
        row = self.highlighted or 0
        for card_id in gone:
            del self._cards[card_id]
            self.remove_option(card_id)
        if gone and self._cards:
            if chosen is not None and chosen in self._cards:
                self.highlighted = self.get_option_index(chosen)
            else:
                next_row = min(row, len(self._cards) - 1)
                rows = self._open_rows(is_in_use=True)
                self.highlighted = next_row if next_row in rows else next(iter(rows), None)

    def show_latest(self) -> None:
        """Shows all cards, even the cards that were held back, and moves to the top of the list.
        The cursor goes to the first of the rows that `_open_rows` returns.
        """
        if list(self._cards.values()) == self._latest:
            return
        self._cards = {card.id: card for card in self._latest}
        self.set_options(Option(card.content(), id=card.id) for card in self._cards.values())
        self.highlighted = next(iter(self._open_rows(is_in_use=self.has_focus)), None)
        self.scroll_home(animate=False)
        self._highlight_wanted()

    def highlight_card(self, card_id: str) -> None:
        """Moves the cursor to the card with this id. If the list does not have the card yet, moves
        the cursor when the card appears.
        """
        self._wanted_id = card_id
        self._highlight_wanted()

    def _open_rows(self, *, is_in_use: bool) -> list[int]:
        """Returns the rows to which the cursor may go by itself.

        While the list is in use, the cursor goes to no card that one key answers. Otherwise a key
        that the reader presses just then could answer a question that the reader has not read.
        """
        return [
            row
            for row, card in enumerate(self._cards.values())
            if not card.cautious and not (is_in_use and card.has_key)
        ]

    def _highlight_wanted(self) -> None:
        if self._wanted_id in self._cards:
            self.highlighted = self.get_option_index(self._wanted_id)
            self._wanted_id = None
