"""Shows a rehearsal: which matters a measure would have opened. The rehearsal is for people who are
about to vote on the measure.
"""

from collections.abc import Callable, Iterator, Mapping

from textual.content import Content

from protocol.local_clock import LocalClock
from protocol.schema.fields import Field, Integer
from tui.format import phrases
from tui.format.phrases import Part
from tui.i18n import _, plural
from tui.kinds.next_steps import NextStep, Send, StepWords
from tui.kinds.services import measures
from tui.node.connection import NodeConnection
from tui.node.shown import Shown

_PAGE = "tui.screens.rehearsal_page:RehearsalScreen"
_STEP = "rehearsal"  # no kind: nothing is posted
_MOST_SHOWN = 6  # first days of matters

Numbers = Mapping[str, int]


def rehearsal_step(measure_id: str) -> NextStep:
    """Returns the step that opens the rehearsal of a measure."""
    words = StepWords(_("Rehearse it: what would it have raised?"), page=_PAGE, rank=1)
    return NextStep(_STEP, measure_id, words)


def numbers_step(measure: Shown, numbers: Numbers, take: Callable[[Numbers], None]) -> NextStep:
    """Returns the step that rehearses a measure with other numbers. The step calls `take` with the
    numbers that the reader typed.
    """
    own = {name: measure.number(name) for name in ("target", "share", "window")}
    first = {name: str(value) for name, value in {**own, **numbers}.items() if value is not None}
    words = StepWords(
        _("Try other numbers"),
        _(
            "Nothing is posted. With a rate, nothing comes from your own answers: the rate says "
            "how it usually goes, in percent of good answers or in incidents."
        ),
        button=_("Rehearse"),
        send=_sender(take),
        extra=_fields(measure),
    )
    return NextStep(_STEP, measure.id, words, fields=(), given=first, extra=words.extra)


def changed_numbers(measure: Shown, numbers: Numbers) -> Numbers:
    """Returns the typed numbers that differ from the numbers of the measure."""
    return {name: value for name, value in numbers.items() if value != measure.number(name)}


def rehearsal_text(measure: Shown, answer: Shown, clock: LocalClock) -> Content:
    """Describes a rehearsal, with the figures that the node has worked out so far."""
    return Content.assemble(*_rehearsal_parts(measure.overlaid_with(_rules(answer)), answer, clock))


def trouble_text(sentence: str) -> Content:
    """Says why there is no rehearsal yet, and what the reader can do."""
    advice = _("Choose “Try other numbers”, and type how it usually goes.")
    return Content.assemble((phrases.capitalized(sentence), "bold"), "\n\n", advice)


def _sender(take: Callable[[Numbers], None]) -> Send:
    async def send(node: NodeConnection, fields: Mapping[str, object]) -> str:
        del node
        # The form has checked that what the reader typed are numbers.
        take({name: int(str(typed)) for name, typed in fields.items() if typed})
        return _("The rehearsal begins.")

    return send


def _fields(measure: Shown) -> dict[str, Field]:
    is_count = measure.text("scale") == measures.COUNT
    named = {"target": Integer(min=0, max=44640), "window": Integer(min=1, max=366)}
    if is_count:
        return {**named, "rate": Integer(min=0, max=40)}
    return {
        **named,
        "share": Integer(min=1, max=99),
        "rate": Integer(min=0, max=100),
        "answers": Integer(min=1, max=100),
    }


def _rules(answer: Shown) -> Shown:
    return Shown({name: answer.value(name) for name in ("target", "share", "window")})


def _rehearsal_parts(measure: Shown, answer: Shown, clock: LocalClock) -> Iterator[Part]:
    yield (_("Target") + ": ", "dim")
    yield measures.target_sentence(measure) + "\n"
    yield _source_sentence(answer) + "\n\n"
    replayed = answer.row("replayed")
    if replayed is not None:
        yield _replay_sentence(replayed, clock) + "\n"
    alarms = answer.row("alarms") or Shown({})
    low = alarms.number("low") or 0
    high = alarms.number("high") or 0
    matters = plural("{range} matter", "{range} matters", high).format(range=_range(low, high))
    yield (_("A year would bring {matters}.").format(matters=matters) + "\n", "bold")
    yield (_change_sentence(measure, answer.row("detects")) + "\n\n", "bold")
    if answer.has("by_chance"):
        yield _("The assumed answers keep the target, so only chance opens these matters.")
    else:
        yield _("Nobody can say which of these matters only chance would open.")
    yield " " + _("Each range holds 8 of 10 resamplings.") + "\n"
    done = answer.number("resamplings") or 0
    total = answer.number("of") or 0
    progress = _("{done} of {total} resamplings").format(done=done, total=total)
    yield (progress + ("" if done == total else " …"), "dim")


def _source_sentence(answer: Shown) -> str:
    if not answer.flag("assumed"):
        sentence = _("From your neighbourhood's own {n} results.")
        if answer.text("source") != answer.text("measure"):
            sentence = _("From the {n} results of another question about the same service.")
        return sentence.format(n=answer.number("points") or 0)
    rate = _number(answer, "rate")
    if not answer.has("answers"):
        return _("Assumed, not measured: {rate} incidents each time.").format(rate=rate)
    return _("Assumed, not measured: {n} answers each time, {rate} % of them good.").format(
        n=answer.number("answers"), rate=rate
    )


def _replay_sentence(replayed: Shown, clock: LocalClock) -> str:
    count = replayed.number("matters") or 0
    if not count:
        return _("These results would have opened no matter.")
    days = [phrases.moment(day, clock) for day in replayed.texts("opened")]
    shown = ", ".join(days[:_MOST_SHOWN]) + (" …" if count > _MOST_SHOWN else "")
    sentence = plural(
        "These results would have opened {n} matter, from {days}.",
        "These results would have opened {n} matters, from {days}.",
        count,
    )
    return sentence.format(n=count, days=shown)


def _change_sentence(measure: Shown, change: Shown | None) -> str:
    if change is None:
        return _("No answers are good, so they cannot become worse.")
    begin = _("A fall from {before} to {after} % of good answers")
    if measure.text("scale") == measures.COUNT:
        begin = _("A rise from {before} to {after} incidents each time")
    begin = begin.format(before=_number(change, "before"), after=_number(change, "after"))
    low = change.number("low")
    high = change.number("high")
    days = measure.number("window") or 1
    if low is None:
        return _("{change} would seldom be seen within a year.").format(change=begin)
    if high is None:
        sentence = _("{change} would be seen after {time}, or not within a year.")
        return sentence.format(change=begin, time=measures.windows_in_words(days, low))
    if low == high:
        span = measures.windows_in_words(days, low)
    else:
        span = _("{low} to {time}").format(low=low, time=measures.windows_in_words(days, high))
    return _("{change} would be seen after {time}.").format(change=begin, time=span)


def _range(low: int, high: int) -> str:
    return str(low) if low == high else _("{low} to {high}").format(low=low, high=high)


def _number(row: Shown, name: str) -> str:
    value = row.value(name)
    return f"{value:g}" if isinstance(value, int | float) else ""
