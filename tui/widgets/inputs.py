"""The widgets that people type into. They remove dangerous characters from pasted text."""

from typing import ClassVar

from textual import events
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, TextArea
from textual.widgets.option_list import Option

from protocol.display_text import MARK, safe_line, safe_text


class LineInput(Input):
    """A field for one line of text."""

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
        super().__init__(
            clean_text(value), placeholder=placeholder, compact=True, select_on_focus=False
        )

    def _on_paste(self, event: events.Paste) -> None:
        # A terminal hands over the clipboard unchanged, escape sequences included.
        event.text = clean_text(safe_line(event.text))
        super()._on_paste(event)
        event.prevent_default()


class TextBox(TextArea):
    """A field for several lines of text. The Tab key moves on to the next field."""

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
            clean_text(value),
            placeholder=placeholder,
            compact=True,
            tab_behavior="focus",
            highlight_cursor_line=False,
        )

    async def _on_paste(self, event: events.Paste) -> None:
        event.text = clean_text(event.text)
        await super()._on_paste(event)
        event.prevent_default()


class PickList(OptionList):
    """A list in which the reader can pick several rows, with Enter or the space bar.

    `options` holds two texts for each row: a name, which is safe to show, and a value. `given`
    holds the values that are picked at first, with commas between the values.
    """

    DEFAULT_CSS = """
    PickList {
        width: 1fr;
        height: auto;
        max-height: 6;
        background: $surface-lighten-1;
        &.-textual-compact { padding: 0 1; }
        &:focus { background: $primary-background; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "select", show=False, id="pick"),
    ]

    def __init__(self, options: list[tuple[Content, str]], given: str = "") -> None:
        self._names = {value: name for name, value in options}
        self._picked = set(given.replace(" ", "").split(",")) & self._names.keys()
        rows = (Option(self._row_of(value), id=value) for value in self._names)
        super().__init__(*rows, markup=False, compact=True)

    @property
    def value(self) -> str:
        """The values of the picked rows, with commas between them."""
        return ", ".join(value for value in self._names if value in self._picked)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Picks the row under the cursor. If the row is picked already, unpicks it."""
        event.stop()
        value = event.option_id or ""
        self._picked ^= {value}
        self.replace_option_prompt(value, self._row_of(value))

    def _row_of(self, value: str) -> Content:
        # The mark is a letter, so that people see it without colours too.
        return Content("[x] " if value in self._picked else "[ ] ") + self._names[value]


def clean_text(text: str) -> str:
    """Removes the characters that `safe_text` would replace by a visible sign. So other people
    later read exactly the text that the author saw.
    """
    without_marks = safe_text(text).replace(MARK, "")
    # This runs again, because removing a mark joins the texts on both sides of it, and together
    # these may need a mark.
    return safe_text(without_marks)
