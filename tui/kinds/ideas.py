"""Shows ideas, and how many neighbours support them."""

from collections.abc import Iterator, Mapping

from textual.content import Content

from protocol.display_text import safe_text
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _, plural
from tui.kinds.face import Face, face
from tui.kinds.next_steps import NextStep, StepWords, way_of
from tui.kinds.services import matters, measures, trials
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.connection import NodeConnection
from tui.node.shown import Shown

IDEA = "idea"

_OPEN = "open"
_OVER = {"adopted", "dropped"}


@face(IDEA, "support")
class IdeaFace(Face):
    """How the screen shows an idea and its supporters."""

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of an idea, with its author, its state and the number of supporters."""
        detail = phrases.dotted(
            [
                phrases.signer_names(view, reader.me),
                labels.state(view.state, view.kind),
                supporters_line(view),
            ]
        )
        return Card(view.id, phrases.title(view), detail, quiet=view.state in _OVER)

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Describes an idea: its words, how it stands, and who supports it."""
        return Content.assemble(*_story_parts(thread.root, reader))

    async def fetch_beside(self, link: NodeConnection, thread: ThreadData) -> Mapping[str, Shown]:
        """Fetches the measures in use, because the answers to one of them have to show whether the
        idea helps.
        """
        questions = await link.fetch_list("measures", about=thread.root.text("about"))
        in_use = (question for question in questions if question.state == measures.IN_USE)
        return {question.id: question for question in in_use}

    def beginnings(self, thread: ThreadData, reader: Reader) -> Iterator[NextStep]:
        """Yields the step that makes a trial of an idea."""
        del reader
        if thread.root.kind == IDEA and thread.root.state == _OPEN:
            step = trials.step_of_idea(thread.root, thread.beside.values())
            if step is not None:
                yield step

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of a step that supports an idea, or that takes a
        support back.
        """
        del thread, reader
        if way_of(row) is not None:
            return StepWords(_("Take back your support"), fields=())
        meaning = _("You would like this to be tried. Everybody sees that you support it.")
        return StepWords(_("Support this idea"), meaning, fields=(), rank=-1)


def supporters_line(idea: Shown) -> str:
    """Says how many people support an idea."""
    count = len(idea.people("supporters"))
    return plural("{n} supporter", "{n} supporters", count).format(n=count) if count else ""


def _story_parts(idea: Shown, reader: Reader) -> Iterator[Part]:
    yield (phrases.title(idea), "bold")
    yield "\n" + phrases.dotted(
        [
            labels.kind(idea.kind),
            phrases.signer_names(idea, reader.me),
            phrases.moment(idea.created, reader.clock),
            labels.state(idea.state, idea.kind),
        ]
    )
    if idea.text("text"):
        yield "\n\n" + safe_text(idea.text("text") or "").strip()
    for trial in idea.rows("trials"):
        yield ("\n" + _("Trial") + ": ", "dim")
        yield phrases.line_or_hidden(trial.text("what"))
        yield f" · {labels.state(trial.state, matters.TRIAL)}"
    supporters = idea.people("supporters")
    yield ("\n\n" + _("Supported by") + ": ", "dim")
    yield phrases.person_names(supporters, reader.me) if supporters else _("nobody yet")
