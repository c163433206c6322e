"""A list of two-line cards."""

from collections.abc import Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from tui.format.phrases import Card


class Cards(OptionList):
    """Cards by id. New ones never move the row under the reader: `offer` keeps them back then."""

    DEFAULT_CSS = """
    Cards {
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
        self._wanted: str | None = None

    @property
    def held(self) -> bool:
        """Whether somebody reads further down, so that rows must stay where they are."""
        return bool(self.highlighted) or self.scroll_offset.y > 0

    @property
    def chosen(self) -> str | None:
        """The id of the highlighted card."""
        option = self.highlighted_option
        return option.id if option else None

    def offer(self, cards: Sequence[Card]) -> int:
        """Shows these cards; where somebody reads, only changes those that are there, and returns
        how many wait for `let_come`.
        """
        self._latest = list(cards)
        if not self.held:
            self.let_come()
            return 0
        for card in cards:
            if card.id in self._cards and self._cards[card.id] != card:
                self._cards[card.id] = card
                self.replace_option_prompt(card.id, card.content())
        self._remove(self._cards.keys() - {card.id for card in cards})
        return sum(card.id not in self._cards for card in cards)

    def _remove(self, gone: set[str]) -> None:
        """Takes out what is over; the cursor stays on its card, or on the one that takes its place."""
        chosen, row = self.chosen, self.highlighted or 0
        for card_id in gone:
            del self._cards[card_id]
            self.remove_option(card_id)
        if gone and self._cards:
            kept = chosen is not None and chosen in self._cards
            last = len(self._cards) - 1
            self.highlighted = self.get_option_index(chosen or "") if kept else min(row, last)

    def let_come(self) -> None:
        """Shows the latest cards, from the top."""
        if list(self._cards.values()) == self._latest:
            return
        self._cards = {card.id: card for card in self._latest}
        self.set_options(Option(card.content(), id=card.id) for card in self._cards.values())
        self.highlighted = 0 if self._cards else None
        self.scroll_home(animate=False)
        self._go()

    def point(self, card_id: str) -> None:
        """Brings the cursor to a card, now or once it comes."""
        self._wanted = card_id
        self._go()

    def _go(self) -> None:
        if self._wanted in self._cards:
            self.highlighted = self.get_option_index(self._wanted)
            self._wanted = None
