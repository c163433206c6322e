"""A titled pane with cards, what to do where there are none, and word of new ones."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import OptionList, Static

from tui.format.phrases import Card, plain
from tui.i18n import _, plural
from tui.widgets.card_list import Cards


class Feed(Vertical):
    """Bordered cards. Posts `Feed.Opened` with a card's id."""

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
        Binding("r", "let_come", _("Show new"), show=False, id="show-new"),
    ]

    class Opened(Message):
        """Somebody wants to see more of a card."""

        def __init__(self, feed: "Feed", card_id: str) -> None:
            super().__init__()
            self.feed = feed
            self.card_id = card_id

    class Pointed(Opened):
        """A card is highlighted."""

    def __init__(self, title: str, empty: str, *, id: str) -> None:  # noqa: A002  # Textual's word
        super().__init__(id=id)
        self._title = title
        self._empty = empty
        self._hidden = 0
        self.cards = Cards(id=f"{id}-cards")

    def compose(self) -> ComposeResult:
        """The cards, or words in their place."""
        yield Static(plain(self._empty), classes="empty")
        yield self.cards

    def on_mount(self) -> None:
        """Begins empty."""
        self._tell(0, 0)

    def offer(self, cards: Sequence[Card], *, empty: str | None = None, hidden: int = 0) -> None:
        """The cards as they are now; see Cards.offer. `hidden`: how many more muted people posted."""
        self._hidden = hidden
        if empty is not None:
            self.query_one(".empty", Static).update(plain(empty))
        self._tell(self.cards.offer(cards), len(cards))

    def action_let_come(self) -> None:
        """Lets the new ones come."""
        self.cards.let_come()
        self._tell(0, self.cards.option_count)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """A card was opened."""
        event.stop()
        self.post_message(self.Opened(self, event.option_id or ""))

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """A card was pointed at."""
        event.stop()
        self.post_message(self.Pointed(self, event.option_id or ""))

    def on_descendant_focus(self) -> None:
        """The cursor came here: it points at a card."""
        if self.cards.chosen is not None:
            self.post_message(self.Pointed(self, self.cards.chosen))

    def _tell(self, new: int, count: int) -> None:
        self.border_title = plain(f"{self._title} ({count})" if count else self._title)
        words = plural("{n} new · press r", "{n} new · press r", new).format(n=new)
        muted = _("{n} by muted people · m in People").format(n=self._hidden)
        self.border_subtitle = plain(words if new else muted if self._hidden else "")
        self.query_one(".empty").display = not count
        self.cards.display = bool(count)
