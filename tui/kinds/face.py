"""A face shows one group of kinds. It makes their cards, the text of their threads, and the labels
of their steps.

    @face("circle")
    class CircleFace(Face):
        def card(self, view, reader): ...

An entry point of the group `meshcoop.faces` names the module of each face. A kind without a face of
its own gets the default face, which uses the words, fields and states that the kind declares.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib.metadata import entry_points
from typing import ClassVar, TypeVar

from textual.content import Content

from protocol.display_text import safe_line, safe_text
from protocol.fold.registry import KINDS
from protocol.schema.fields import Field, Minutes, Moment
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _
from tui.kinds.next_steps import NextStep, StepWords, plain_label, read_step
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.connection import NodeConnection
from tui.node.shown import Person, Shown, read_person

_GROUP = "meshcoop.faces"
# These values stand in the first lines, or are of no use to a reader.
_WITH_A_SENTENCE = frozenset({
    *("id", "kind", "author", "by", "created", "state", "about", "history", "views", "hidden"),
    *("title", "name", "text"),
})  # fmt: skip
_STEP_ROOM = 60  # characters of a title in a button

F = TypeVar("F", bound="type[Face]")


class Face:
    """How the screen shows a group of kinds. A subclass overrides some methods. All other methods
    use the words, fields and states that a kind declares.
    """

    # A page of its own for a thread, as "module:class". Its class takes a connection and a record's
    # id. Empty: the page of all threads.
    page: ClassVar[str] = ""
    # True if people read the end of the story first, as in a conversation.
    reads_from_end: ClassVar[bool] = False
    # True if the views of these kinds stand in the remarks below every story, not in the story.
    is_beside_stories: ClassVar[bool] = False

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of a view in a list of views of its kind."""
        state = "" if view.state == first_state(view.kind) else view.state
        parts = [
            phrases.signer_names(view, reader.me),
            phrases.moment(view.created, reader.clock),
            labels.state(state, view.kind) if state else "",
        ]
        return Card(view.id, phrases.title(view), phrases.dotted(parts))

    def mixed_card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of a view in a list of several kinds, such as the results of a search."""
        card = self.card(view, reader)
        detail = phrases.dotted([labels.kind(view.kind), card.detail])
        return replace(card, detail=detail)

    def place_in_new(self, kind: str) -> int:
        """Returns the place of a kind among the kinds that begin a thread. Small numbers come
        first.
        """
        del kind
        return 9

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Describes a thread, for one pane."""
        parts: list[Part] = list(self._root_parts(thread.root, reader))
        for view in thread.views:
            if view.id != thread.root.id and not face_of(view.kind).is_beside_stories:
                parts += ["\n\n", *self._view_parts(view, reader)]
        return Content.assemble(*parts)

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of a step in a thread. Returns None if the step
        gets no button here.

        A step is a record that the reader could post now.
        """
        del reader
        target = thread.find(row.about)
        if target is None or target.id == thread.root.id:
            return StepWords(plain_label(row, thread.root.kind))
        label = plain_label(row, target.kind)
        title = safe_line(phrases.title(target), _STEP_ROOM)
        # A record without a title bears the name of its kind, which the label says already.
        is_titled = title != labels.kind(target.kind)
        return StepWords(f"{label} ({title})" if is_titled else label)

    def waiting_card(self, row: Shown, reader: Reader) -> Card:
        """Makes the card of a row of `list waiting`: a view that waits for the reader.

        Cards with the same id become one card.
        """
        label = plain_label(row.row("step") or Shown({}), row.kind)
        detail = phrases.dotted([phrases.title(row), phrases.signer_names(row, reader.me)])
        return Card(thread_of(row), label, detail)

    def todo_card(self, row: Shown, reader: Reader) -> Card:
        """Makes the card of a row of `list waiting`. If the view waits for people who have left,
        the card says so, and tells how the reader can end the record.
        """
        card = self.waiting_card(row, reader)
        if row.text("because") != "left":
            return card
        who = phrases.person_names(row.people("left"))
        label = plain_label(row.row("step") or Shown({}), row.kind)
        title = _("This waits for {who}").format(who=who)
        return replace(card, title=title, detail=phrases.dotted([label, phrases.title(row)]))

    def remarks(self, thread: ThreadData, reader: Reader) -> Iterator[Part]:
        """Yields the text that this face adds to the story of any thread. For example, it says who
        flagged words there.
        """
        del thread, reader
        return iter(())

    async def fetch_beside(self, link: NodeConnection, thread: ThreadData) -> Mapping[str, Shown]:
        """Fetches the data that only this home holds for a thread. Returns a map from record ids to
        these data.
        """
        del link, thread
        return {}

    def beginnings(self, thread: ThreadData, reader: Reader) -> Iterator[NextStep]:
        """Yields steps that begin something new because of this thread, for example a proposal.
        These steps answer no record of the thread.
        """
        del thread, reader
        return iter(())

    def _root_parts(self, root: Shown, reader: Reader) -> Iterator[Part]:
        yield (phrases.title(root), "bold")
        yield "\n" + phrases.dotted(
            [
                labels.kind(root.kind or _("unreadable")),
                phrases.signer_names(root, reader.me),
                labels.state(root.state, root.kind),
            ]
        )
        if root.text("text"):
            yield "\n\n" + safe_text(root.text("text") or "").strip()
        yield from field_parts(root, reader)

    def _view_parts(self, view: Shown, reader: Reader) -> Iterator[Part]:
        who = phrases.capitalized(phrases.signer_names(view, reader.me))
        yield f"{who}: {labels.kind(view.kind)}"
        yield (f" · {labels.state(view.state, view.kind)}", "dim")
        if view.text("text"):
            yield f"\n“{safe_text(view.text('text') or '').strip()}”"
        yield from field_parts(view, reader)


def field_parts(
    view: Shown, reader: Reader, with_a_sentence: frozenset[str] = _WITH_A_SENTENCE
) -> Iterator[Part]:
    """Yields each field of a view that is filled in, with the label of the field.

    Leaves out the fields in `with_a_sentence`, because the story has a sentence for each of them.
    """
    declared = KINDS.get(view.kind)
    names = declared.fields if declared is not None else view.names
    for name in names:
        rule = declared.fields[name] if declared is not None else None
        text = _field_text(rule, view, name, reader)
        if name not in with_a_sentence and text:
            yield "\n"
            yield (labels.field(name) + ": ", "dim")
            yield text


def _field_text(rule: Field | None, view: Shown, name: str, reader: Reader) -> str:
    if isinstance(rule, Moment):
        return phrases.moment(view.text(name), reader.clock)
    if isinstance(rule, Minutes):
        return phrases.minutes(view.number(name))
    return value_text(view.value(name), reader)


def value_text(value: object, reader: Reader) -> str:
    """Writes a value of any type for people. For None, returns an empty text."""
    person: Person | None = read_person(value)
    if person is not None:
        return phrases.name(person, reader.me)
    if isinstance(value, list):
        return ", ".join(value_text(part, reader) for part in value)
    if isinstance(value, dict):
        parts = ((safe_line(str(name)), value_text(part, reader)) for name, part in value.items())
        return ", ".join(f"{name}: {text}" for name, text in parts)
    return "" if value is None else safe_text(str(value))


FACES: dict[str, Face] = {}  # kind → its face
_DEFAULT = Face()


def thread_of(row: Shown) -> str:
    """Returns the id of the thread to which a row of `list waiting` belongs."""
    return row.text("thread") or row.id


def first_state(kind: str) -> str:
    """Returns the state in which the views of a kind begin. For an unknown kind, returns an empty
    text.
    """
    declared = KINDS.get(kind)
    return next(iter(declared.states), "") if declared else ""


def face(*kinds: str) -> Callable[[F], F]:
    """Registers the decorated class as the face of these kinds."""

    def register(face_type: F) -> F:
        FACES.update(dict.fromkeys(kinds, face_type()))
        return face_type

    return register


def face_of(kind: str) -> Face:
    """Returns the face of a kind."""
    return FACES.get(kind, _DEFAULT)


def load_faces() -> list[str]:
    """Imports the modules of all faces. Returns a sentence for each module that cannot be imported.

    The kinds of a module that cannot be imported get the default face.
    """
    faults = []
    for entry_point in entry_points(group=_GROUP):
        try:
            entry_point.load()
        except Exception as error:  # noqa: BLE001  # whatever a plug-in does wrong
            faults.append(f"{entry_point.name}: {error}")
    return faults


def thread_story(thread: ThreadData, reader: Reader) -> Content:
    """Describes a thread. The remarks of all faces stand below the description."""
    remarks = [part for other_face in _all_faces() for part in other_face.remarks(thread, reader)]
    root_face = face_of(thread.root.kind) if thread.is_readable else _DEFAULT
    return root_face.story(thread, reader) + Content.assemble(*remarks)


def thread_history(thread: ThreadData, reader: Reader) -> Content:
    """Lists what people did in a thread, one line for each record.

    Leaves out records that software signed without a person.
    """
    entries = [entry for entry in thread.history if not entry.flag("automatic")]
    lines = (phrases.history_line(entry, reader.clock, reader.me) for entry in entries)
    return Content("\n").join(Content(line) for line in lines)


def thread_steps(thread: ThreadData, reader: Reader) -> list[NextStep]:
    """Lists what the reader can do in a thread. Steps that wait for the reader come first."""
    worded = (
        (row, _step_face(row, thread).step_words(row, thread, reader)) for row in thread.steps
    )
    steps = [read_step(row, words) for row, words in worded if words is not None]
    if reader.me is not None:
        for other_face in _all_faces():
            steps += other_face.beginnings(thread, reader)
    return sorted(steps, key=lambda step: (not step.waits, _rank(step, thread), step.words.rank))


def _all_faces() -> list[Face]:
    return list(dict.fromkeys(FACES.values()))


def _step_face(row: Shown, thread: ThreadData) -> Face:
    """Returns the face that has the label of a step. Usually this is the face of the step's kind.

    The steps that accept or close a record have no face. For such a step, returns the face of the
    record that the step is about.
    """
    target = thread.find(row.about) or thread.root
    return FACES.get(row.kind) or FACES.get(target.kind) or face_of(thread.root.kind)


def _rank(step: NextStep, thread: ThreadData) -> int:
    """Returns the rank of a step. Steps with small ranks come first in the list. Steps that end a
    thread come late, so that nobody chooses such a step by accident.
    """
    if not step.is_cautious:
        return 0
    if "as_state" in step.fixed:
        return 2 if step.about == thread.root.id else 1
    return 3  # such as a flag, which can be about any record
