"""Shows circles, which are small groups with messages of their own."""

from collections.abc import Iterator

from textual.content import Content

from protocol.display_text import safe_text
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _
from tui.kinds.face import Face, face
from tui.kinds.next_steps import StepWords, way_of
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown


@face("circle", "message", "members")
class CircleFace(Face):
    """How the screen shows a circle, its messages, and the changes of its members."""

    reads_from_end = True

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of a circle, which says who is in it."""
        if view.kind != "circle":
            return super().card(view, reader)
        members = phrases.person_names(view.people("members"), reader.me)
        state = labels.state(view.state, view.kind) if view.state != "open" else ""
        detail = phrases.dotted([phrases.capitalized(members), state])
        return Card(view.id, phrases.title(view), detail, quiet=view.state == "ended")

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Describes a circle: first its members, then its messages, in the order of time."""
        return Content.assemble(*_story_parts(thread, reader))

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of a step in the thread of a circle."""
        if row.kind == "message":
            meaning = _("Only people in the circle can read this.")
            return StepWords(_("Write to the circle"), meaning, rank=-1)
        if row.kind == "members":
            return _members_words(row)
        if way_of(row) is not None and row.about == thread.root.id:
            return StepWords(
                _("Leave the circle"),
                _("You cannot read what is written from now on."),
                fields=(),
            )
        return super().step_words(row, thread, reader)


def _members_words(row: Shown) -> StepWords:
    if "joins" in row.texts("ask"):
        return StepWords(
            label=_("Add somebody"),
            meaning=_(
                "They can read what is written from now on, and see who was in the circle before."
            ),
            fields=("joins",),
        )
    return StepWords(
        label=_("Remove somebody"),
        meaning=_("They cannot read what is written from now on."),
        fields=("leaves",),
    )


def _story_parts(thread: ThreadData, reader: Reader) -> Iterator[Part]:
    circle = thread.root
    members = circle.people("members")
    names = phrases.capitalized(phrases.person_names(members, reader.me))
    yield (phrases.title(circle), "bold")
    yield "\n" + (names or labels.state(circle.state, circle.kind))
    if reader.me is not None and all(member.id != reader.me for member in members):
        yield "\n" + _("You are no longer in this circle.")
    messages = thread.of_kind("message")
    if not messages:
        yield "\n\n" + _("Nobody has written anything yet.")
    for message in messages:
        author = phrases.capitalized(phrases.name(message.author, reader.me))
        at = phrases.moment(message.created, reader.clock)
        yield "\n\n"
        yield (phrases.dotted([author, at]), "dim")
        yield "\n" + safe_text(message.text("text") or "").strip()
