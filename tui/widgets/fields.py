"""Widgets that people type into. What is pasted into them is made harmless first."""

from textual import events
from textual.widgets import Input, TextArea

from protocol.text import MARK, line, safe


class LineInput(Input):
    """One line of text."""

    DEFAULT_CSS = """
    LineInput {
        width: 1fr;
        height: 1;
        border: none;
        background: $surface-lighten-1;
        &.-textual-compact { padding: 0 1; }
        &:focus { border: none; background: $primary-background; }
    }
    """

    def __init__(self, value: str = "", *, placeholder: str = "") -> None:
        super().__init__(clean(value), placeholder=placeholder, compact=True, select_on_focus=False)

    def _on_paste(self, event: events.Paste) -> None:
        # A terminal hands over whatever lies on the clipboard, escape sequences included.
        event.text = clean(line(event.text))
        super()._on_paste(event)
        event.prevent_default()


class TextBox(TextArea):
    """Several lines of text; Tab goes on to the next field."""

    DEFAULT_CSS = """
    TextBox {
        width: 1fr;
        height: 4;
        border: none;
        background: $surface-lighten-1;
        &.-textual-compact { padding: 0 1; }
        &:focus { border: none; background: $primary-background; }
    }
    """

    def __init__(self, value: str = "", *, placeholder: str = "") -> None:
        super().__init__(
            clean(value),
            placeholder=placeholder,
            compact=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = clean(event.text)
        await super()._on_paste(event)
        event.prevent_default()


def clean(text: str) -> str:
    """The text without what `safe` would mark: what a person types is to be what others read."""
    return safe(text).replace(MARK, "")
