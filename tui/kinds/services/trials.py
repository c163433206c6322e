"""Shows trials: what people try, what a trial can show, what it shows, and what people can decide
about it.
"""

from collections.abc import Iterable, Iterator, Mapping
from functools import partial

from textual.content import Content

from protocol.display_text import safe_text
from protocol.wire import calls
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _
from tui.kinds import decisions
from tui.kinds.next_steps import NextStep, StepWords
from tui.kinds.services import measures
from tui.kinds.services.matters import TRIAL, page_card_id
from tui.kinds.thread_data import Reader
from tui.node.connection import NodeConnection
from tui.node.shown import Shown

FORM_FIELDS = ("measures", "what", "expect", "starts", "ends", "where")

_ROOM = 90  # characters of a trial in the title of a proposal
_OVER = {"stopped", "adopted", "adapted", "dropped"}
_MEANING = _(
    "Nothing of it changes once you propose it. It starts if enough say yes before its first day, "
    "and runs to its last day; only harm ends it early. Answers before and during it are then "
    "compared, and everybody decides what follows."
)
# What can be proposed about a trial that has ended → the words of the button, and of the proposal.
_ENDINGS = {
    "adopt": (_("Ask everybody to keep it"), _("Keep: {what}")),
    "adapt": (_("Ask everybody to change it and try again"), _("Change and try again: {what}")),
    "drop": (_("Ask everybody to give it up"), _("Give up: {what}")),
}


def trial_card(view: Shown, reader: Reader) -> Card:
    """Makes the card of a trial: what people try, its first and its last day, and how it stands."""
    detail = phrases.dotted([labels.state(view.state, view.kind), _span(view, reader)])
    title = phrases.line_or_hidden(view.text("what"))
    return Card(view.id, title, detail, quiet=view.state in _OVER)


def waiting_card(row: Shown, reader: Reader) -> Card:
    """Makes the card of a trial whose author has to propose what happens after the trial."""
    del reader
    what = phrases.line_or_hidden(row.text("what"))
    title = _("Your trial waits for a decision: {what}").format(what=what)
    detail = _("Open it to propose what follows.")
    return Card(page_card_id(TRIAL, row.id), title, detail)


def trial_story(view: Shown, questions: Iterable[Shown], reader: Reader) -> Content:
    """Describes a trial. `questions` are the measures of its service."""
    by_id = {question.id: question for question in questions}
    return Content.assemble(*_story_parts(view, by_id, reader))


def steps_of_trial(view: Shown) -> list[NextStep]:
    """Lists the decisions that the reader can propose about a trial now."""
    what = phrases.line_or_hidden(view.text("what"), _ROOM)
    if view.flag("being_decided"):
        return []
    if view.state == "proposed":
        heading = _("Try: {what}").format(what=what)
        return [_proposal(view, "start", _("Ask everybody to start it"), heading)]
    if view.state == "ended" and view.has("result"):
        return [
            _proposal(view, ending, label, heading.format(what=what))
            for ending, (label, heading) in _ENDINGS.items()
        ]
    if view.state == "running" and view.texts("harm"):
        heading = _("Stop: {what}").format(what=what)
        return [
            _proposal(view, "stop", _("Ask everybody to stop it, because it does harm"), heading)
        ]
    return []


def step_words(row: Shown, questions: Iterable[Shown]) -> StepWords:
    """Returns the words of the step that begins to try something in a service."""
    among = set(row.texts("among"))
    choices = _choices(question for question in questions if question.id in among)
    return StepWords(
        _("Try something new for a time"), _MEANING, choices=choices, fields=FORM_FIELDS
    )


def step_of_idea(idea: Shown, questions: Iterable[Shown]) -> NextStep | None:
    """Returns the step that makes a trial of an idea, or None if there is no measure to choose.

    The reader chooses the question of a measure. The answers to this measure show whether the idea
    helps. The measure's service is also the trial's service.
    """
    asked = [question for question in questions if idea.text("about") in {None, question.about}]
    if not asked:
        return None
    services = {question.id: question.about or "" for question in asked}
    words = StepWords(
        _("Make a trial of this idea"),
        _MEANING,
        choices=_choices(asked),
        send=partial(_send_trial_of_idea, idea.id, services),
    )
    what = idea.text("title") or ""
    return NextStep(TRIAL, None, words, fields=FORM_FIELDS, given={"what": what})


def result_sentence(result: Shown, question: Shown | None) -> str:
    """Says what the answers before and during a trial show."""
    sentence = phrases.code_in_words(result.text("finding"))
    before, during = result.row("before"), result.row("during")
    if question is None or before is None or during is None:
        return sentence
    return _("Before: {before}. During it: {during}. {sentence}").format(
        before=measures.result_in_words(question, before),
        during=measures.result_in_words(question, during),
        sentence=sentence,
    )


def _proposal(view: Shown, change: str, label: str, heading: str) -> NextStep:
    return decisions.proposal_step(f"trial {view.id} {change}", label, heading)


def _choices(questions: Iterable[Shown]) -> dict[str, tuple[tuple[str, str], ...]]:
    """Returns the questions to choose from. The answers to the chosen question decide whether the
    trial helped.
    """
    offered = tuple(
        (phrases.line_or_hidden(question.text("question"), 60), question.id)
        for question in questions
    )
    return {"measures": offered} if offered else {}


async def _send_trial_of_idea(
    idea: str, services: Mapping[str, str], node: NodeConnection, fields: Mapping[str, object]
) -> str:
    chosen = fields.get("measures")
    measure = chosen[0] if isinstance(chosen, list) else str(chosen)
    call = calls.Post(kind=TRIAL, about=services[measure], fields={**fields, "idea": idea})
    return phrases.posted(await node.call(call))


def _span(view: Shown, reader: Reader) -> str:
    return _("{first} to {last}").format(
        first=phrases.moment(view.text("starts"), reader.clock),
        last=phrases.moment(view.text("ends"), reader.clock),
    )


def _story_parts(view: Shown, questions: Mapping[str, Shown], reader: Reader) -> Iterator[Part]:
    yield (phrases.line_or_hidden(view.text("what")), "bold")
    yield "\n" + phrases.dotted(
        [
            labels.kind(view.kind),
            phrases.signer_names(view, reader.me),
            labels.state(view.state, view.kind),
            _span(view, reader),
        ]
    )
    yield ("\n\n" + _("What we expect") + ": ", "dim")
    yield safe_text(view.text("expect") or "").strip()
    deciding, *further = [questions.get(measure) for measure in view.texts("measures")] or [None]
    for question in (deciding, *further):
        label = _("Decided by") if question is deciding else _("Also looked at")
        yield ("\n" + label + ": ", "dim")
        yield phrases.line_or_hidden(question.text("question") if question else None)
    if view.text("where"):
        yield ("\n" + _("Where") + ": ", "dim")
        yield safe_text(view.text("where") or "").strip()
    says = view.row("says")
    if says is not None and view.state in {"proposed", "running"}:
        yield "\n\n" + phrases.remark_in_words(says) + "."
    if view.texts("harm") and view.state in {"running", "stopped"}:
        yield "\n\n! " + _("It does harm: somebody raised an alarm, or a measure got worse.")
    if view.flag("being_decided"):
        yield "\n\n" + _("A decision about it is open; Today asks for your vote.")
    result = view.row("result")
    if result is not None:
        yield from _result_parts(result, deciding, questions)
    elif view.state == "ended":
        day = phrases.moment(view.text("settles"), reader.clock)
        yield "\n\n" + _("The last answers are in on {day}.").format(day=day)


def _result_parts(
    result: Shown, deciding: Shown | None, questions: Mapping[str, Shown]
) -> Iterator[Part]:
    yield ("\n\n" + _("What it shows") + ": ", "dim")
    yield result_sentence(result, deciding)
    elsewhere = result.row("elsewhere")
    if elsewhere is not None:
        yield ("\n" + _("Where nothing was tried") + ": ", "dim")
        yield result_sentence(elsewhere, deciding)
    for row in result.rows("measures"):
        yield ("\n" + phrases.line_or_hidden(row.text("question")) + ": ", "dim")
        yield result_sentence(row, questions.get(row.id))
