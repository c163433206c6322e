"""Shows matters: which signal opened a matter, who holds it, what people did about it, and what
waits for the reader. All functions here are pure.

A signal of a measure opens a matter, and a person of the service's chain holds the matter. An
action is something that a person takes up to solve a matter. In a verdict, a person who raised the
matter says whether the action helped.
"""

from collections.abc import Iterable, Iterator

from protocol.display_text import safe_line, safe_text
from protocol.local_clock import LocalClock
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _, plural
from tui.kinds.services import measures
from tui.kinds.thread_data import Reader
from tui.node.shown import Shown

MEASURE = "measure"
SERVICE = "service"
TRIAL = "trial"

_VERDICTS = ("yes", "partly", "no")
_TO_FINISH = {
    "open": _("You do this by {day}: {what}"),
    "overdue": _("This was due by {day}: {what}"),
    "reopened": _("People say it is not fixed yet: {what}"),
}


def page_card_id(page: str, record_id: str, reason: str = "") -> str:
    """Makes the id of a card that leads to a page. If two cards lead to the same page, a different
    `reason` keeps their ids different.
    """
    return f"{page}:{record_id}:{reason}"


def read_page_card_id(card_id: str) -> tuple[str, str] | None:
    """Splits the id of a card that leads to a page. Returns the name of the page, and the id of the
    record that the page shows. For any other card, returns None.
    """
    page, _colon, rest = card_id.partition(":")
    return (page, rest.partition(":")[0]) if page in {MEASURE, SERVICE, TRIAL} and rest else None


def is_unfinished(action: Shown) -> bool:
    """Returns True if the person who took up the action still has to do something for it."""
    return action.state in _TO_FINISH


# -- cards ----------------------------------------------------------------------------------------


def matter_card(row: Shown, clock: LocalClock) -> Card:
    """Makes the card of a measure that has a matter. The matter waits for the person who holds it,
    or for a decision of everybody.

    `row` contains the step that the matter waits for, and the matter.
    """
    matter = _part(row, "matter")
    card_id = page_card_id(MEASURE, row.id, matter.id)
    what = _title(matter) if matter.id else phrases.title(row)
    if _part(row, "step").kind == MEASURE and row.kind == MEASURE:
        title = _("Ends soon: {what}").format(what=what)
        return Card(card_id, title, _("See what it brought, and say whether you go on asking."))
    if row.state == "proposed":
        title = _("Not decided yet: {what}").format(what=what)
        return Card(card_id, title, _("Open it to propose that everybody is asked."))
    if _part(row, "step").about is None:  # it waits for a decision, which begins a thread
        title = _("Nobody responsible fixed this: {what}").format(what=what)
        return Card(card_id, title, _("It is now up to all of us. Open it to propose a decision."))
    day = phrases.moment(matter.text("answer_by"), clock)
    title = _("Answer by {day}: {what}") if day else _("Answer this: {what}")
    detail = phrases.code_in_words(matter.text("reading"))
    if _is_overdue(matter, clock):
        title = _("Was due {day}: {what}")
        missed = phrases.moment(matter.text("missed_at"), clock)
        detail = _("Counts as missed from {day}.").format(day=missed) + f" {detail}"
    return Card(card_id, title.format(day=day, what=what), detail)


def action_card(action: Shown, clock: LocalClock, me: str | None) -> Card:
    """Makes the card of an action that the reader has to finish or to judge."""
    sentence = _TO_FINISH.get(action.state, "{what}")
    if not action.is_by(me):
        sentence = _("Did it help? {what}")
    title = sentence.format(
        day=phrases.moment(action.text("due"), clock),
        what=phrases.line_or_hidden(action.text("what")),
    )
    card_id = page_card_id(MEASURE, action.about or "", action.id)
    return Card(card_id, title, safe_line(action.text("title") or ""))


def outcome_cards(
    reports: Iterable[Shown],
    asked_measures: Iterable[Shown],
    matters: Iterable[Shown],
    answers: Iterable[Shown],
    clock: LocalClock,
) -> list[Card]:
    """Makes a card for each report that the reader wrote. The card says what happened because of
    the report.
    """
    measures_by_id = {measure.id: measure for measure in asked_measures}
    matters_by_id = {matter.id: matter for matter in matters}
    first_answers: dict[str, Shown] = {}
    for answer in answers:
        first_answers.setdefault(answer.about or "", answer)
    return [
        _report_card(
            report,
            measures_by_id.get(report.about or ""),
            matters_by_id.get(report.text("matter") or ""),
            first_answers.get(report.id),
            clock,
        )
        for report in reports
    ]


def _report_card(
    report: Shown,
    measure: Shown | None,
    matter: Shown | None,
    answer: Shown | None,
    clock: LocalClock,
) -> Card:
    value = measures.answer_in_words(measure, report.number("value"))
    title = phrases.dotted([value, safe_line(report.text("text") or "")])
    if measure:
        title = f"{phrases.line_or_hidden(measure.text('question'), 60)} {title}"
        card_id = page_card_id(MEASURE, measure.id, report.id)
    else:
        card_id = page_card_id(SERVICE, report.text("service") or "", report.id)
    if matter is None:
        outcome = _outcome_without_matter(measure, answer)
    else:
        outcome = _matter_outcome(matter, clock)
    detail = f"{phrases.moment(report.text('on'), clock)} · {outcome}"
    return Card(card_id, title, detail, quiet=matter is None or matter.state != "open")


def _outcome_without_matter(measure: Shown | None, answer: Shown | None) -> str:
    if answer:
        text = phrases.line_or_hidden(answer.text("text"))
        return _("{who} answered: {text}").format(who=phrases.name(answer.author), text=text)
    if measure is None:
        return _("nobody has answered yet")
    return _("counted; nothing stands out")


def _matter_outcome(matter: Shown, clock: LocalClock) -> str:
    parts = [_state(matter)]
    leading = matter.row("leading")  # the action that serves as the answer
    outcome = matter.row("outcome")
    if leading:
        parts.append(phrases.line_or_hidden(leading.text("what"), 60))
    if outcome:
        parts.append(phrases.code_in_words(outcome.text("result")))
    elif leading:
        parts.append(labels.state(leading.state))
    else:
        parts.append(_holder_sentence(matter, Reader(None, clock)))
    return " · ".join(parts)


# -- story ----------------------------------------------------------------------------------------


def matter_story(
    matter: Shown, measure: Shown, actions: list[Shown], sayings: list[Shown], reader: Reader
) -> Iterator[Part]:
    """Describes a matter, for the page of its measure. `sayings` holds the `done` records and the
    verdicts about the matter's actions.
    """
    at = phrases.moment(matter.created, reader.clock)
    yield (_("A matter, since {day}: {state}").format(day=at, state=_state(matter)), "bold")
    yield "\n" + _("{came}, starting {day}. {sentence}").format(
        came=measures.result_in_words(measure, matter),
        day=phrases.moment(matter.text("from"), reader.clock),
        sentence=phrases.code_in_words(matter.text("reading")),
    )
    yield "\n" + _raisers_line(matter)
    if matter.state == "open":
        yield "\n" + _holder_sentence(matter, reader)
    theirs = [action for action in actions if action.text("matter") == matter.id]
    for action in sorted(theirs, key=lambda action: not action.flag("leads")):
        about = [saying for saying in sayings if saying.about == action.id]
        yield from _action_parts(action, about, reader)
    outcome = matter.row("outcome")
    if outcome:
        yield from _outcome_parts(measure, outcome)


def _raisers_line(matter: Shown) -> str:
    count = matter.number("raised_by") or 0
    sentence = plural("Raised by {n} person", "Raised by {n} people", count).format(n=count)
    return sentence + (", " + _("you among them") if matter.flag("i_raised_it") else "")


def _outcome_parts(measure: Shown, outcome: Shown) -> Iterator[Part]:
    yield ("\n" + _("Before and after") + ": ", "dim")
    yield _("{before}, then {after}. {words}").format(
        before=measures.result_in_words(measure, _part(outcome, "before")),
        after=measures.result_in_words(measure, _part(outcome, "after")),
        words=phrases.code_in_words(outcome.text("result")),
    )
    balance = outcome.row("balance")
    if balance is not None:
        yield ("\n" + _("Meanwhile") + ": ", "dim")
        yield _("{question} {words}").format(
            question=phrases.line_or_hidden(_part(balance, "measure").text("question")),
            words=phrases.code_in_words(balance.text("result")),
        )


def _action_parts(action: Shown, sayings: list[Shown], reader: Reader) -> Iterator[Part]:
    leads = action.flag("leads") or not action.has("leads")
    sentence = _("{who} took on") if leads else _("{who} also took on")
    sentence = sentence.format(who=phrases.capitalized(phrases.name(action.author, reader.me)))
    yield f"\n{sentence}: {phrases.line_or_hidden(action.text('what'))}"
    yield " · " + _("by {day}").format(day=phrases.moment(action.text("due"), reader.clock))
    yield from _standing_parts(action)
    yield ("\n  " + _("The person doing it says") + ": ", "dim")
    yield _done_line([saying for saying in sayings if saying.kind == "done"], reader.clock)
    yield ("\n  " + _("People say") + ": ", "dim")
    yield _verdict_counts(action) or _("nothing yet")
    yield f" · {labels.state(action.state)}"
    for saying in sayings:
        if saying.kind == "verdict" and saying.text("text"):
            author = phrases.name(saying.author, reader.me)
            yield f"\n    {author}: “{safe_text(saying.text('text') or '').strip()}”"
            yield from _standing_parts(saying)


def _standing_parts(view: Shown) -> Iterator[Part]:
    """Says where a record stands in time, if that is not where its author claims."""
    if view.has("standing"):
        yield (f" · {phrases.code_in_words(view.text('standing'))}", "dim")


def _done_line(reports: list[Shown], clock: LocalClock) -> str:
    if not reports:
        return _("not done yet")
    line = _("done on {day}").format(day=phrases.moment(reports[0].created, clock))
    text = reports[0].text("text")
    return f"{line} – “{phrases.line_or_hidden(text)}”" if text else line


def _verdict_counts(action: Shown) -> str:
    counts = action.numbers("fixed")
    return ", ".join(
        f"{labels.state(verdict)} {counts[verdict]}" for verdict in _VERDICTS if counts.get(verdict)
    )


# -- a matter in words ----------------------------------------------------------------------------


def _part(view: Shown, name: str) -> Shown:
    return view.row(name) or Shown({})


def _title(matter: Shown) -> str:
    service = phrases.line_or_hidden(_part(matter, "service").text("title"))
    return f"{service}: {phrases.line_or_hidden(_part(matter, 'measure').text('question'))}"


def _state(matter: Shown) -> str:
    if matter.state == "open":
        return _("open")
    if matter.flag("quiet"):
        return _("closed: quiet, unconfirmed")
    return _("closed: it helped")


def _holder_sentence(matter: Shown, reader: Reader) -> str:
    holder = matter.person("holder")
    if holder is None:
        return _("Nobody responsible fixed this, so it is now up to all of us.")
    sentence = _("Held by {who} since {day}").format(
        who=phrases.name(holder, reader.me),
        day=phrases.moment(matter.text("held_since"), reader.clock),
    )
    if not matter.has("answer_by"):
        return sentence + ", " + _("reported done")
    by = phrases.moment(matter.text("answer_by"), reader.clock)
    if not _is_overdue(matter, reader.clock):
        return sentence + ", " + _("has time until {day}").format(day=by)
    missed = phrases.moment(matter.text("missed_at"), reader.clock)
    overdue = _("was due {day}; counts as missed from {then}").format(day=by, then=missed)
    return f"{sentence}, {overdue}"


def _is_overdue(matter: Shown, clock: LocalClock) -> bool:
    """Returns True if the holder's deadline is past. It counts as missed only later (R-23.6l)."""
    answer_by = matter.text("answer_by")
    try:
        return answer_by is not None and clock.has_begun(answer_by)
    except ValueError:
        return False  # what is no time is shown as it is, like every other text
