"""A list of cards with a title, a text for when it is empty, and a count of new cards."""

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
    """A card list in a border. It posts `Feed.Opened` and `Feed.Highlighted` with a card's id."""

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
        """The reader has opened a card."""

        def __init__(self, feed: "Feed", card_id: str) -> None:
            super().__init__()
            self.feed = feed
            self.card_id = card_id

    class Highlighted(Opened):
        """The cursor has moved to a card."""

    def __init__(self, title: str, empty: str, *, id: str) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id)
        self._title = title
        self._empty_text = empty
        self._muted_count = 0
        self.cards = CardList(id=f"{id}-cards")

    def compose(self) -> ComposeResult:
        """Lays out the cards, and the text for an empty list in the same place."""
        yield Static(plain(self._empty_text), classes="empty")
        yield self.cards

    def on_mount(self) -> None:
        """Shows the text for an empty list."""
        self._show_counts(0, 0)

    def show_cards(
        self, cards: Sequence[Card], *, empty: str | None = None, muted: int = 0
    ) -> None:
        """Shows these cards (see `CardList.show_cards`).

        `empty` replaces the text for an empty list. `muted` is the number of cards left out because
        muted people posted them.
        """
        self._muted_count = muted
        if empty is not None:
            self.query_one(".empty", Static).update(plain(empty))
        self._show_counts(self.cards.show_cards(cards), len(cards))

    def action_show_new(self) -> None:
        """Shows the new cards."""
        self.cards.show_latest()
        self._show_counts(0, self.cards.option_count)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Announces that the reader opened a card."""
        event.stop()
        self.post_message(self.Opened(self, event.option_id or ""))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Announces that the cursor has moved to a card."""
        event.stop()
        self.post_message(self.Highlighted(self, event.option_id or ""))

    def on_descendant_focus(self) -> None:
        """When the list gets the focus, announces the card under the cursor."""
        if self.cards.highlighted_id is not None:
            self.post_message(self.Highlighted(self, self.cards.highlighted_id))

    def _show_counts(self, new: int, count: int) -> None:
        self.border_title = plain(f"{self._title} ({count})" if count else self._title)
        self.border_subtitle = plain(self._subtitle(new))
        self.query_one(".empty").display = not count
        self.cards.display = bool(count)

    def _subtitle(self, new: int) -> str:
        if new:
            return plural("{n} new · press r", "{n} new · press r", new).format(n=new)
        if self._muted_count:
            return _("{n} by muted people · m in People").format(n=self._muted_count)
        return ""
