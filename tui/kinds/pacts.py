"""Shows pacts, which are promises among a few people."""

from collections.abc import Iterator

from textual.content import Content

from protocol.display_text import safe_text
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _
from tui.kinds.face import Face, face, thread_of
from tui.kinds.next_steps import StepWords, way_of
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown

_OVER = {"ended", "declined", "withdrawn"}
_CLOSINGS = {
    "declined": _("Decline the pact"),
    "withdrawn": _("Withdraw the pact"),
    "ended": _("End the pact"),
}


@face("pact")
class PactFace(Face):
    """How the screen shows a pact."""

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of a pact, with its parties, its state, its hours and its end."""
        detail = _detail(view, reader)
        return Card(view.id, phrases.title(view), detail, quiet=view.state in _OVER)

    def waiting_card(self, row: Shown, reader: Reader) -> Card:
        """Makes the card of a pact that the reader has still to accept or decline."""
        del reader
        label = _("Accept the pact that {who} offers").format(who=phrases.name(row.author))
        return Card(thread_of(row), label, phrases.title(row))

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Describes a pact: its words, and who has not accepted it yet."""
        return Content.assemble(*_story_parts(thread.root, reader))

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of a step that a party of the pact can take."""
        del thread, reader
        way = way_of(row)
        if way is not None:
            return StepWords(_CLOSINGS.get(way) or labels.state(way), fields=("why",))
        meaning = _(
            "By accepting, you promise what the pact says. Only the people in it can see it."
        )
        return StepWords(_("Accept the pact"), meaning, fields=())


def _detail(view: Shown, reader: Reader) -> str:
    parts = [
        phrases.capitalized(phrases.person_names(view.people("parties"), reader.me)),
        labels.state(view.state, view.kind),
        phrases.minutes(view.number("minutes")),
        phrases.moment(view.text("due"), reader.clock),
    ]
    return phrases.dotted(parts)


def _story_parts(view: Shown, reader: Reader) -> Iterator[Part]:
    yield (safe_text(view.text("text") or "").strip(), "bold")
    yield "\n\n" + _detail(view, reader)
    waiting = view.people("waiting")
    if waiting and view.state == "offered":
        who = phrases.person_names(waiting, reader.me)
        yield "\n" + _("Waiting for {who}").format(who=who)
