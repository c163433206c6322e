"""A next step is a record that a person could post now. The screen draws it as a button that opens
a form.

The node says which records would count (`next_steps` of the local API). The screen adds the words.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from protocol.fold.registry import KINDS
from protocol.schema.fields import Field
from tui.format import labels
from tui.format.phrases import Card
from tui.format.value_lists import join_values
from tui.kinds.accept_and_close import ACCEPT
from tui.kinds.thread_data import ThreadData
from tui.node.connection import NodeConnection
from tui.node.shown import Person, Shown
from tui.widgets.form import Choices

Send = Callable[[NodeConnection, Mapping[str, object]], Awaitable[str]]  # fields → a sentence


@dataclass(frozen=True)
class StepWords:
    """The words of a step, such as its label, and further data that the form of the step needs."""

    label: str  # the text of the button
    meaning: str = ""  # what it means to post the record; shown above the form
    choices: Mapping[str, Choices] = field(default_factory=dict)  # the choices of each field
    first: Mapping[str, str] = field(default_factory=dict)  # better first values of the form
    fixed: Mapping[str, object] = field(default_factory=dict)  # what the reader has seen
    fields: tuple[str, ...] | None = None  # the fields to ask for; None: all that the node names
    button: str = ""  # the text of the button in the form; empty: that of the kind
    rank: int = 0  # among steps of its sort, smaller ones stand higher
    send: Send | None = None  # how to send it, if it is not posted; returns a sentence
    extra: Mapping[str, Field] = field(default_factory=dict)  # fields before those of the kind
    page: str = ""  # a page to open instead of a form, as "module:class"; it takes what it is about


@dataclass(frozen=True)
class NextStep:
    """A record that a person could post now, with its words and the fields of its form."""

    kind: str
    about: str | None
    words: StepWords
    waits: bool = False  # true if somebody waits for this record

    # The form.
    fields: tuple[str, ...] | None = None  # the fields that the form asks for; None: all
    given: Mapping[str, str] = field(default_factory=dict)  # the first values of the form
    fixed: Mapping[str, object] = field(default_factory=dict)  # posted without a question
    extra: Mapping[str, Field] = field(default_factory=dict)  # fields before those of the kind
    among: frozenset[str] | None = None  # ids of the people to choose from; None: everybody

    @property
    def is_cautious(self) -> bool:
        """True if nobody should take the step by accident.

        Such a step takes something back, or can be about any record, as a flag can.
        """
        declared = KINDS.get(self.kind)
        return "as_state" in self.fixed or (declared is not None and "*" in declared.about)

    @property
    def key(self) -> str:
        """The key under which the draft of this step's form is kept. No other step has the same
        key.
        """
        # Lists in `fixed` are no part of the key: the texts that a revision replaces can change
        # while somebody types.
        fixed = [f"{name}={value}" for name, value in self.fixed.items() if isinstance(value, str)]
        asked = [*self.extra, *(self.fields or ())]
        return ":".join([self.kind, self.about or "", *asked, *fixed])


def step_card(step: NextStep) -> Card:
    """Makes the card of a step in the list of what the reader can do."""
    return Card(step.key, step.words.label, quiet=not step.waits, cautious=step.is_cautious)


def read_step(row: Shown, words: StepWords) -> NextStep:
    """Makes the step of a row of `next_steps`.

    In a row, `ask` names the fields that the person may fill in. `given` holds the values that are
    fixed, and `suggested` holds first values for the form. `among` holds the ids of the people to
    choose from, or None. The row also has `kind`, `about` and `awaited`.
    """
    given = row.row("given")
    suggested = row.row("suggested")
    fixed = {name: given.value(name) for name in given.names} if given else {}
    first = (
        {name: typed_text(suggested.value(name)) for name in suggested.names} if suggested else {}
    )
    return NextStep(
        kind=row.kind,
        about=row.about,
        words=words,
        waits=row.flag("awaited"),
        fields=tuple(row.texts("ask")) if words.fields is None else words.fields,
        given={**first, **words.first},
        fixed={**fixed, **words.fixed},
        among=frozenset(row.texts("among")) if row.has("among") else None,
        extra=words.extra,
    )


def way_of(row: Shown) -> str | None:
    """Returns the word with which a step ends a record, for example `withdrawn`. If the step does
    not end a record, returns None.
    """
    given = row.row("given")
    return given.text("as_state") if given else None


def given_person(row: Shown, name: str, thread: ThreadData) -> Person | None:
    """Returns the person in the field `name` of a step. If the thread shows this person too, takes
    the name that the thread shows.
    """
    given = row.row("given") or Shown({})
    person_id = given.text(name)
    people = (person for view in thread.views for person in view.all_people())
    listed = next((person for person in people if person.id == person_id), None)
    return listed or given.person(name)


def form_fields_of(view: Shown, kind: str) -> dict[str, str]:
    """Returns the fields of a view as texts, so that a form can begin with these values."""
    declared = KINDS.get(kind)
    names = declared.fields if declared else ()
    return {name: typed_text(view.value(name)) for name in names if view.has(name)}


def plain_label(row: Shown, target_kind: str) -> str:
    """Returns the label of a step to which no face gives a label. The step is about a record of the
    kind `target_kind`.
    """
    way = way_of(row)
    button = labels.state(way, target_kind) if way else labels.verb(row.kind)
    # The label of a step that accepts or ends a record names the kind of that record.
    subject = target_kind if way or row.kind == ACCEPT else row.kind
    return f"{labels.kind(subject)}: {button}"


def typed_text(value: object) -> str:
    """Writes a value as a person would type it."""
    if isinstance(value, list):
        return join_values(typed_text(part) for part in value)
    if isinstance(value, dict) and isinstance(value.get("name"), str):  # a person
        return str(value.get("id") or value["name"])
    if isinstance(value, dict):
        return join_values(f"{name}={typed_text(part)}" for name, part in value.items())
    return "" if value is None else str(value)
