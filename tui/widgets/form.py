"""A form made from a kind's declaration: each field's rule becomes a row with its widget.

Nothing here knows a kind by name; a kind that is declared tomorrow has its form tomorrow.
"""

from collections.abc import Iterable, Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widget import Widget
from textual.widgets import Select, Static

from protocol.authority.register_change import Change
from protocol.errors import Refused
from protocol.fold.kind import Kind
from protocol.schema.fields import (
    Bytes,
    Choice,
    Field,
    Integer,
    Many,
    Map,
    Moment,
    Person,
    Record,
    Text,
)
from tui.format import vocabulary as words
from tui.format.phrases import Shown, plain, plain_line
from tui.i18n import _
from tui.widgets.inputs import LineInput, Picks, TextBox

Choices = tuple[tuple[str, str], ...]  # what each is called, and its value

_LONG = 200  # characters; above, a text gets several lines


class Row(Vertical):
    """A field: its label, its widget, and words about it underneath."""

    DEFAULT_CSS = """
    Row {
        height: auto;
        margin-bottom: 0;
        Horizontal { height: auto; }
        .label { width: 15; padding-right: 1; }
        .note { height: auto; padding-left: 15; color: $foreground 65%; display: none; }
        &:even LineInput, &:even TextBox { background: $surface-lighten-2; }
        &:even LineInput:focus, &:even TextBox:focus { background: $primary-background; }
        &.here .label { text-style: bold; }
        &.here .note.told { display: block; }
        .note.wrong { display: block; color: $text-error; text-style: bold; }
        Select { width: 1fr; }
    }
    """

    def __init__(
        self,
        field_name: str,
        rule: Field,
        given: str,
        people: Iterable[Shown],
        choices: Choices = (),
    ) -> None:
        super().__init__(id=f"field-{field_name.replace('_', '-')}")
        self.field_name = field_name
        self.rule = rule
        self._input = _select(choices, given) if choices else _widget(rule, given, people)
        self._note = "" if choices else _note(rule)  # which would speak of values nobody types

    def compose(self) -> ComposeResult:
        """The label beside the widget; what is wrong stands in words below."""
        needed = " *" if self.rule.required else ""
        with Horizontal():
            yield Static(plain(words.field(self.field_name) + needed), classes="label")
            yield self._input
        yield Static(plain(self._note), classes="note told" if self._note else "note")

    @property
    def typed(self) -> str:
        """What stands in the widget."""
        if isinstance(self._input, Select):
            return "" if self._input.is_blank() else str(self._input.value)
        return self._input.text if isinstance(self._input, TextBox) else self._input.value

    @property
    def value(self) -> str | list[str] | None:
        """The typed text as the node reads it; None for nothing."""
        text = self.typed.strip()
        if not text:
            return None
        if isinstance(self.rule, Moment):
            return text.replace(" ", "T")
        if isinstance(self.rule, Many):
            return [part.strip() for part in text.split(",") if part.strip()]
        return text

    def check(self) -> bool:
        """Whether the value will do; says in words what is wrong."""
        wrong = self._wrong()
        note = self.query_one(".note", Static)
        note.set_class(wrong is not None, "wrong")
        note.update(plain(wrong or self._note))
        return wrong is None

    def focus_input(self) -> None:
        """Brings the cursor here."""
        self._input.focus()

    def on_descendant_focus(self) -> None:
        """Here is the cursor: what the field is for shows below it."""
        self.add_class("here")

    def on_descendant_blur(self) -> None:
        """Leaving the field is when it is checked."""
        self.remove_class("here")
        self.check()

    def _wrong(self) -> str | None:
        value = self.value
        if value is None:
            return _("Please fill this in.") if self.rule.required else None
        try:
            read = self.rule.read(self.field_name, value, _resolve)
            self.rule.check(self.field_name, read)
        except Refused as refusal:
            return _sentence(self.field_name, refusal.reason)
        return None


class Form(VerticalScroll, can_focus=False):
    """The rows of one kind. `given`: what they begin with, by field; `first`: fields before them;
    `choices`: what some of them are chosen from.
    """

    DEFAULT_CSS = """
    Form { height: auto; max-height: 1fr; }
    """

    def __init__(
        self,
        kind: Kind,
        given: Mapping[str, str],
        *,
        only: tuple[str, ...] | None = None,
        people: Iterable[Shown] = (),
        first: Mapping[str, Field] | None = None,
        choices: Mapping[str, Choices] | None = None,
    ) -> None:
        super().__init__()
        offered = choices or {}
        shown = dict(first or {}) | {
            name: rule
            for name, rule in kind.fields.items()
            if not rule.filled
            and (_askable(rule) or name in offered)
            and (only is None or name in only)
        }
        known = list(people)
        self.rows = [
            Row(name, rule, given.get(name, ""), known, offered.get(name, ()))
            for name, rule in shown.items()
        ]

    def compose(self) -> ComposeResult:
        """A row a field."""
        yield from self.rows

    @property
    def typed(self) -> dict[str, str]:
        """What stands in the fields, to keep."""
        return {row.field_name: row.typed for row in self.rows}

    @property
    def values(self) -> dict[str, str | list[str]]:
        """What is to be posted."""
        found = {row.field_name: row.value for row in self.rows}
        return {name: value for name, value in found.items() if value is not None}

    def check(self) -> bool:
        """Whether all fields will do; brings the cursor to the first that will not."""
        wrong = [row for row in self.rows if not row.check()]
        if wrong:
            wrong[0].focus_input()
        return not wrong

    def begin(self) -> None:
        """Brings the cursor to the first field."""
        if self.rows:
            self.rows[0].focus_input()


def _askable(rule: Field) -> bool:
    """Nobody types bytes or ids; a change is proposed from what it changes."""
    return not isinstance(rule.of if isinstance(rule, Many) else rule, Bytes | Record | Change)


def names_people(rule: Field) -> bool:
    """Whether the field is filled by choosing among people."""
    return isinstance(rule.of if isinstance(rule, Many) else rule, Person)


def _widget(
    rule: Field, given: str, people: Iterable[Shown]
) -> "LineInput | TextBox | Picks | Select[str]":
    if isinstance(rule, Choice):
        options = [(plain(words.state(word)), word) for word in rule.words]
        return _select([(str(label), word) for label, word in options], given)
    if isinstance(rule, Many) and names_people(rule):
        return Picks([(plain_line(one["name"]), one["id"]) for one in people], given)
    if isinstance(rule, Person):
        return _select([(str(plain(one["name"])), one["id"]) for one in people], given)
    if isinstance(rule, Text) and rule.max > _LONG:
        return TextBox(given)
    return LineInput(given, placeholder=_placeholder(rule))


def _select(options: Iterable[tuple[str, str]], given: str) -> "Select[str]":
    pairs = [(plain_line(label), value) for label, value in options]
    chosen: Widget = Select(
        pairs,
        value=given if given in {value for _label, value in pairs} else Select.NULL,
        compact=True,
        prompt=_("Choose"),
    )
    assert isinstance(chosen, Select)
    return chosen


def _placeholder(rule: Field) -> str:
    if isinstance(rule, Moment):
        return "2026-11-26" if rule.day_only else "2026-11-26 09:30"
    if isinstance(rule, Map):
        return _("cook=2, server=4")
    if isinstance(rule, Many):
        return _("separate with commas")
    if isinstance(rule, Integer) and rule.default is not None:
        return str(rule.default)
    return ""


def _note(rule: Field) -> str:
    private = _("Only the two of you can read this.") if rule.private else ""
    return private or (_(rule.help)[:1].upper() + _(rule.help)[1:] + "." if rule.help else "")


def _sentence(name: str, reason: str) -> str:
    """A refusal beside its field, which need not be named again."""
    rest = reason.removeprefix(f"{name} must be ")
    return _("This must be {what}.").format(what=rest) if rest != reason else f"{reason}."


def _resolve(what: str, typed: str) -> bytes:
    """The lists hold whole ids already; whether a name is a member's, the node knows."""
    if what == "named":
        raise Refused("R-10.3", f"{typed!r} may be anybody")
    return bytes.fromhex(typed)
