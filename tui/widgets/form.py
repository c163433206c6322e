"""Makes a form from the fields that a kind of record declares. Each field becomes a row, with a
widget that fits the rule of the field.

No code here names a kind. So a new kind gets a form without any change to this module.
"""

from collections.abc import Iterable, Mapping

from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Select, Static

from protocol.errors import Refused, fill_in
from protocol.schema.fields import (
    Bytes,
    Choice,
    Field,
    Integer,
    Many,
    Map,
    Moment,
    Person,
    RecordId,
    Text,
)
from tui.format import labels, phrases
from tui.format.phrases import plain, plain_line
from tui.format.value_lists import split_values
from tui.i18n import _
from tui.node.shown import Shown
from tui.widgets.inputs import LineInput, PickList, TextBox

Choices = tuple[tuple[str, str], ...]  # the label and the value of each choice

_ANY_ID = bytes(32)
_LONG_TEXT = 200  # characters; a field for longer texts gets several lines


class FieldRow(Vertical):
    """One field of a form: its label, its widget, and a note below them."""

    DEFAULT_CSS = """
    FieldRow {
        height: auto;
        margin-bottom: 0;
        Horizontal { height: auto; }
        .label { width: 15; padding-right: 1; }
        .note { height: auto; padding-left: 15; color: $foreground 65%; display: none; }
        &:even LineInput, &:even TextBox { background: $surface-lighten-2; }
        &:even LineInput:focus, &:even TextBox:focus { background: $primary-background; }
        &.here .label { text-style: bold; }
        &.here .note.help { display: block; }
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
        self._input = (
            _build_select(choices, given) if choices else _build_input(rule, given, people)
        )
        # The note of the rule explains how to type a value, but the reader picks a choice.
        self._note = "" if choices else _note_for(rule)

    def compose(self) -> ComposeResult:
        """Lays out the label and the widget, with a line below them. That line shows a note, or
        what is wrong with the value.
        """
        needed = " *" if self.rule.required else ""
        with Horizontal():
            yield Static(plain(labels.field(self.field_name) + needed), classes="label")
            yield self._input
        yield Static(plain(self._note), classes="note help" if self._note else "note")

    @property
    def typed(self) -> str:
        """The text that is now in the widget."""
        if isinstance(self._input, Select):
            return "" if self._input.is_blank() else str(self._input.value)
        return self._input.text if isinstance(self._input, TextBox) else self._input.value

    @property
    def value(self) -> str | list[str] | None:
        """The value of the field, as the node reads it. None if the field is empty."""
        text = self.typed.strip()
        if not text:
            return None
        if isinstance(self.rule, Moment):
            return text.replace(" ", "T")
        if isinstance(self.rule, Many):
            return split_values(text)
        return text

    def check_value(self) -> bool:
        """Returns True if the value is valid. Otherwise shows below the field what is wrong."""
        fault = self._find_fault()
        note = self.query_one(".note", Static)
        note.set_class(fault is not None, "wrong")
        note.update(plain(fault or self._note))
        return fault is None

    def focus_input(self) -> None:
        """Moves the cursor into this field."""
        self._input.focus()

    def on_descendant_focus(self) -> None:
        """Shows the note as long as the cursor is in this field."""
        self.add_class("here")

    def on_descendant_blur(self) -> None:
        """Checks the value when the cursor leaves the field."""
        self.remove_class("here")
        self.check_value()

    def _find_fault(self) -> str | None:
        value = self.value
        if value is None:
            return _("Please fill this in.") if self.rule.required else None
        try:
            field_value = self.rule.read(self.field_name, value, _resolve_id)
            self.rule.check(self.field_name, field_value)
        except Refused as refusal:
            return _refusal_sentence(refusal)
        return None


class Form(VerticalScroll, can_focus=False):
    """A form with a row for each field of a kind.

    The argument `given` holds the value that each field begins with. The argument `only` names the
    fields to ask for; None means all fields. The argument `first` holds extra fields, which stand
    above the fields of the kind.

    The argument `people` lists the people that the reader can choose from. The argument `choices`
    holds the possible values of some fields. In these fields, the reader chooses a value and types
    nothing.
    """

    DEFAULT_CSS = """
    Form { height: auto; max-height: 1fr; }
    """

    def __init__(
        self,
        fields: Mapping[str, Field],
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
            for name, rule in fields.items()
            if not rule.filled
            and (_is_askable(rule) or name in offered)
            and (only is None or name in only)
        }
        people_to_choose = list(people)
        self.rows = [
            FieldRow(name, rule, given.get(name, ""), people_to_choose, offered.get(name, ()))
            for name, rule in shown.items()
        ]

    def compose(self) -> ComposeResult:
        """Lays out the rows, one for each field."""
        yield from self.rows

    @property
    def typed(self) -> dict[str, str]:
        """Maps the name of each field to the text that is in the field now. A draft keeps these
        texts.
        """
        return {row.field_name: row.typed for row in self.rows}

    @property
    def values(self) -> dict[str, str | list[str]]:
        """The values to post, without the empty fields."""
        values = {row.field_name: row.value for row in self.rows}
        return {name: value for name, value in values.items() if value is not None}

    def check_fields(self) -> bool:
        """Returns True if all values are valid. Otherwise moves the cursor to the first field with
        a wrong value.
        """
        wrong = [row for row in self.rows if not row.check_value()]
        if wrong:
            wrong[0].focus_input()
        return not wrong

    def focus_first_field(self) -> None:
        """Moves the cursor into the first field of the form."""
        if self.rows:
            self.rows[0].focus_input()


def _is_askable(rule: Field) -> bool:
    """Returns True if a person can fill in a field by hand. Bytes, ids of records and changes of
    rules are too hard to type.
    """
    rule_of_each = _rule_of_each(rule)
    return not isinstance(rule_of_each, Bytes | RecordId) and rule_of_each.type_name != "change"


def names_people(rule: Field) -> bool:
    """Returns True if the reader fills in this field by choosing people."""
    return isinstance(_rule_of_each(rule), Person)


def _rule_of_each(rule: Field) -> Field:
    """Returns the rule for one value of a field. If the field holds a list, this is the rule of
    each element. If not, this is the field's own rule.
    """
    return rule.of if isinstance(rule, Many) else rule


def _build_input(
    rule: Field, given: str, people: Iterable[Shown]
) -> "LineInput | TextBox | PickList | Select[str]":
    if isinstance(rule, Choice):
        return _build_select([(str(plain(labels.state(word))), word) for word in rule.words], given)
    if isinstance(rule, Many) and names_people(rule):
        return PickList(
            [(plain_line(phrases.name(person.as_person())), person.id) for person in people], given
        )
    if isinstance(rule, Person):
        options = [(phrases.name(person.as_person()), person.id) for person in people]
        return _build_select(options, given)
    if isinstance(rule, Text) and rule.max > _LONG_TEXT:
        return TextBox(given)
    return LineInput(given, placeholder=_placeholder_for(rule))


def _build_select(options: Iterable[tuple[str, str]], given: str) -> "Select[str]":
    pairs = [(plain_line(label), value) for label, value in options]
    values = {value for _label, value in pairs}
    return Select(
        pairs,
        value=given if given in values else Select.NULL,
        compact=True,
        prompt=_("Choose"),
    )


def _placeholder_for(rule: Field) -> str:
    if isinstance(rule, Moment):
        return "2026-11-26" if rule.day_only else "2026-11-26 09:30"
    if isinstance(rule, Map):
        return _("cook=2, server=4")
    if isinstance(rule, Many):
        return _("separate with commas")
    if isinstance(rule, Integer) and rule.default is not None:
        return str(rule.default)
    return ""


def _note_for(rule: Field) -> str:
    if rule.private:
        return _("Only the two of you can read this.")
    if not rule.help:
        return ""
    sentence = _(rule.help)
    return sentence[:1].upper() + sentence[1:] + "."


def _refusal_sentence(refusal: Refused) -> str:
    """Writes the sentence that says why a value is wrong. The sentence is shown below the field. So
    it says `this` instead of the name of the field.
    """
    return fill_in(_(refusal.text), {**refusal.arguments, "field": _("This")}) + "."


def _resolve_id(_what: str, typed: str) -> bytes:
    """Reads a typed id. If the reader typed a name, returns any id, because only the node knows
    which person has this name.
    """
    try:
        return bytes.fromhex(typed)
    except ValueError:
        return _ANY_ID
