"""Makes a page about one month that a neighbourhood can print. The page says what was asked, heard
and done, and whether it helped.

The page is made from lists of the local API, so it is the same at every home. The page is one HTML
file without scripts, and loads nothing else. The charter says how many people a group must have
before others may see its answers. The lists hide the answers of smaller groups, so the page hides
them too (R-22.8).
"""

from calendar import month_name
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from operator import itemgetter
from typing import NotRequired, TypedDict

from meshcoop.cli.person_name import format_person
from protocol.display_text import safe_line
from protocol.kinds.services.measures import MINUTES, USUAL_WINDOW, YES_NO, Measure
from protocol.kinds.services.services import Link
from protocol.local_clock import LocalClock
from protocol.loops.counted_answers import LOWER
from protocol.loops.points import COUNT
from protocol.loops.target_check import USUAL_SHARE
from protocol.sentences import SENTENCES

_AGE = itemgetter("created", "id")  # all homes sort the rows in the same way
_MONTH_LENGTH = len("2026-11")
_DAY_LENGTH = len("2026-11-23")
_HIDDEN = "(hidden)"  # stands for words that the moderators have hidden
_STYLE = """
body { font: 11pt/1.4 serif; max-width: 42em; margin: 2em auto; padding: 0 1em; }
h1, h2, h3 { line-height: 1.2; } h2 { border-bottom: 1px solid; margin-top: 2em; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .1em 1.5em .1em 0; }
td + td { font-variant-numeric: tabular-nums; } .small { font-size: 9pt; }
@media print { body { margin: 0; max-width: none; } section { break-inside: avoid; } }
"""


class PersonRow(TypedDict):
    """A person, as the local API shows people.

    The other row classes of this module follow the local API too. A row of the API has more values,
    but the page does not need these.
    """

    name: str
    mark: NotRequired[str]


class LinkRow(TypedDict):
    """A part of a service, as the local API shows it."""

    title: str | None
    to: PersonRow
    state: str


class ServiceRow(TypedDict):
    """A service, as the local API shows it."""

    id: str
    created: str
    title: str | None
    holder: PersonRow | None
    answers_for: PersonRow | None
    links: list[LinkRow]


class TotalsRow(TypedDict):
    """The answers of some period. `n` is the number of answers. `bad` is the number of bad
    answers.
    """

    n: int
    bad: int


# The answers of one window, which begins on the day `from`.
PointRow = TypedDict("PointRow", {"from": str, "n": int, "bad": int})


class MeasureRow(TypedDict):
    """A measure, as the local API shows it. If the measure is in use, the row has the field
    `points`: the counted answers of each window.
    """

    id: str
    about: str
    created: str
    state: str
    question: str | None
    scale: str
    better: str | None
    target: int
    share: int | None
    window: int | None
    points: NotRequired[list[PointRow]]


class OutcomeRow(TypedDict):
    """Compares the answers before an action was done with the answers after it."""

    before: TotalsRow
    after: TotalsRow
    result: str


class MeasureName(TypedDict):
    """The measure that a matter is about. Only its id is needed."""

    id: str


class MatterRow(TypedDict):
    """A matter, as the local API shows it."""

    id: str
    created: str
    closed: str | None
    measure: MeasureName
    reading: str
    raised_by: int
    actions: list[str]
    outcome: OutcomeRow | None


class ActionRow(TypedDict):
    """An action, as the local API shows it. The field `fixed` maps each verdict, such as "partly",
    to the number of people who gave this verdict.
    """

    id: str
    what: str | None
    author: PersonRow
    state: str
    fixed: dict[str, int]


class MonthPage:
    """The page about a month, such as "2026-11". The page is made from four lists of the local API:
    services, measures, matters and actions. `clock` shows local time (R-10.17).
    """

    def __init__(
        self,
        month: str,
        clock: LocalClock,
        *,
        services: Iterable[ServiceRow],
        measures: Iterable[MeasureRow],
        matters: Iterable[MatterRow],
        actions: Iterable[ActionRow],
    ) -> None:
        self._month = month
        self._clock = clock
        self._services = sorted(services, key=_AGE)
        self._measures = sorted(measures, key=_AGE)
        self._matters = sorted(matters, key=_AGE)
        self._actions = {action["id"]: action for action in actions}

    def render(self, neighbourhood: str, least: int) -> str:
        """Returns the page as HTML. The page shows the answers of a group only if the group has at
        least `least` people.
        """
        year, _, number = self._month.partition("-")
        title = f"{_text(neighbourhood)}, {month_name[int(number)]} {year}"
        lines = [line for service in self._services for line in self._service_lines(service)]
        body = "\n".join(lines) or "<p>Nothing was asked this month.</p>"
        return (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
            f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n"
            "<p>What we asked, what we heard, what was done, and whether it helped.</p>\n"
            f"{body}\n"
            f'<p class="small">Where fewer than {least} people answered, nothing is shown.</p>\n'
            "</html>\n"
        )

    def _service_lines(self, service: ServiceRow) -> Iterator[str]:
        measures = [
            measure
            for measure in self._measures
            if measure["about"] == service["id"] and self._was_in_use(measure)
        ]
        if not measures:
            return
        yield f"<h2>{_text(service['title'])}</h2>"
        answerer = _name(service["answers_for"])
        yield f"<p>{_name(service['holder'])} holds it; {answerer} answers for it.</p>"
        for link in service["links"]:
            if link["state"] == Link.State.OFFERED:
                offered = f"offered to {_name(link['to'])}, not accepted."
                yield f"<p>{_text(link['title'])}: {offered}</p>"
        for measure in measures:
            yield self._measure_section(measure)

    def _was_in_use(self, measure: MeasureRow) -> bool:
        """Returns whether the measure was asked in this month.

        A measure was asked if it was posted before the end of the month, and if it is in use now or
        has answers from this month.
        """
        has_begun = self._month_of(measure["created"]) <= self._month
        return has_begun and (
            measure["state"] == Measure.State.IN_USE or bool(self._points(measure))
        )

    def _measure_section(self, measure: MeasureRow) -> str:
        lines = [
            f"<h3>{_text(measure['question'])}</h3>",
            f"<p><b>Asked:</b> {_target(measure)}</p>",
            self._answers(measure),
        ]
        for matter in self._matters:
            if matter["measure"]["id"] == measure["id"] and self._was_open(matter):
                lines += self._matter_lines(measure, matter)
        return "<section>\n" + "\n".join(lines) + "\n</section>"

    def _points(self, measure: MeasureRow) -> list[PointRow]:
        points = measure.get("points") or []
        return [point for point in points if point["from"][:_MONTH_LENGTH] == self._month]

    def _answers(self, measure: MeasureRow) -> str:
        points = self._points(measure)
        if not points:
            return "<p><b>Heard:</b> too little to say anything.</p>"
        if measure["scale"] == COUNT:
            titles = ["from", "times"]
            rows: list[list[str | int]] = [[point["from"], point["bad"]] for point in points]
        else:
            titles = ["from", "short of it", "answers"]
            rows = [[point["from"], point["bad"], point["n"]] for point in points]
        lines = [_table_row("th", titles), *(_table_row("td", cells) for cells in rows)]
        return f"<p><b>Heard:</b></p>\n<table>{''.join(lines)}</table>"

    def _was_open(self, matter: MatterRow) -> bool:
        """Returns whether the matter was open in this month."""
        closed = self._month_of(matter["closed"]) if matter["closed"] else self._month
        return self._month_of(matter["created"]) <= self._month <= closed

    def _month_of(self, time: str) -> str:
        return self._clock.to_local(time)[:_MONTH_LENGTH]

    def _matter_lines(self, measure: MeasureRow, matter: MatterRow) -> Iterator[str]:
        day = self._clock.to_local(matter["created"])[:_DAY_LENGTH]
        raised = f"{matter['raised_by']} people raised it on {day}."
        yield f"<p><b>What it says:</b> {_sentence(matter['reading'])} {raised}</p>"
        actions = [self._actions.get(action_id) for action_id in matter["actions"]]
        steps = "".join(f"<li>{_describe_action(action)}</li>" for action in actions if action)
        if steps:
            yield f"<p><b>Done:</b></p><ul>{steps}</ul>"
        else:
            yield "<p><b>Done:</b> nobody has taken it up yet.</p>"
        yield f"<p><b>Whether it helped:</b> {_describe_outcome(measure, matter)}</p>"


def _table_row(tag: str, cells: Sequence[str | int]) -> str:
    return "<tr>" + "".join(f"<{tag}>{cell}</{tag}>" for cell in cells) + "</tr>"


def _describe_action(action: ActionRow) -> str:
    counts = ", ".join(f"{word} {count}" for word, count in sorted(action["fixed"].items()))
    verdicts = f" Those who raised it said of “fixed?”: {counts}." if counts else ""
    owner = _name(action["author"])
    return f"{_text(action['what'])} ({owner}; {_text(action['state'])}).{verdicts}"


def _describe_outcome(measure: MeasureRow, matter: MatterRow) -> str:
    outcome = matter["outcome"]
    if outcome is None:
        return "it is open." if matter["closed"] is None else "too few answered afterwards to say."
    before = _describe_count(measure, outcome["before"])
    after = _describe_count(measure, outcome["after"])
    return f"{before} before, {after} after. {_sentence(outcome['result'])}"


def _describe_count(measure: MeasureRow, point: TotalsRow) -> str:
    """Says how often an event happened. If the measure does not count events, says how many answers
    fell short of the target.
    """
    if measure["scale"] == COUNT:
        times = "once" if point["bad"] == 1 else f"{point['bad']} times"
        return f"{times} in {point['n'] * (measure['window'] or USUAL_WINDOW)} days"
    return f"{point['bad']} of {point['n']} answers short of it"


def _target(measure: MeasureRow) -> str:
    days = measure["window"] or USUAL_WINDOW
    target = measure["target"]
    if measure["scale"] == COUNT:
        return f"it may happen at most {target} times in {days} days."
    if measure["better"] == LOWER:
        answer = "no"
        bound = f"at most {target}"
    else:
        answer = "yes"
        bound = f"at least {target}"
    if measure["scale"] == MINUTES:
        bound += " minutes"
    good = answer if measure["scale"] == YES_NO else bound
    share = measure["share"] or USUAL_SHARE
    return f"{share} of a hundred answers shall be {good}, counted by {days} days."


def _name(person: PersonRow | None) -> str:
    if person is None:
        return "nobody"
    return escape(format_person({**person}))


def _sentence(code: str) -> str:
    return _text(SENTENCES.get(code, code))


def _text(words: str | None) -> str:
    """Makes a text that people wrote safe for an HTML page."""
    return escape(safe_line(_HIDDEN if words is None else words))
