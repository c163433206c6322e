"""Kinds of local feedback (specs/22-measures.md): a question about a service, and the answers.

The views contain only what people said. Whether the answers are signal or noise depends on a clock
too. `protocol.loops` works this out when a view is shown.
"""

from dataclasses import dataclass, field
from datetime import date
from typing import Any

from protocol.errors import Refused
from protocol.fold.kind import NO_VIEW, Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.services.services import parties_of
from protocol.loops.target_check import MOST_TARGET
from protocol.loops.windows import Calendar, format_day, parse_day
from protocol.schema.bounds import find_broken_bound
from protocol.schema.fields import Choice, Integer, Moment, RecordId, Text
from protocol.schema.register_names import MEASURE
from protocol.schema.shared_rules import MERGEABLE_DAYS

# The scales that a measure may have.
YES_NO = "yes_no"
ONE_TO_FIVE = "one_to_five"
MINUTES = "minutes"
COUNT = "count"

# Which answers are good.
HIGHER = "higher"
LOWER = "lower"

DAYS_BACK = 92  # feedback may be about a day so long ago, or about tomorrow, as clocks differ

_WEEKS = Calendar(7, 0)

_SCALES = {  # the values that an answer may have
    YES_NO: range(2),
    ONE_TO_FIVE: range(1, 6),
    MINUTES: range(60 * 24 * 31 + 1),
    COUNT: range(2),
}
_TARGETS = {**_SCALES, COUNT: range(MOST_TARGET + 1)}


@dataclass
class _FeedbackIndex:
    """What the fold of a thread has learned so far about the feedback in it."""

    alarms: dict[tuple[int, bytes], bytes] = field(default_factory=dict)  # (week, person) → id
    apart: set[frozenset[bytes]] = field(default_factory=set)  # pairs that are different incidents


@kind("measure", about=("service",), lasting=True)
class Measure(Kind):
    """A question about a service with a target that the neighbourhood agrees on."""

    states = States(
        {
            "proposed": "No decision has adopted it, or it is outside the charter's bounds.",
            "in use": "A decision adopted it (`proposal`), and it is within the charter's bounds.",
            "retired": "A decision retired it (`proposal`).",
        }
    )
    question = Text(required=True, min=1, max=200)
    scale = Choice(required=True, words=(YES_NO, ONE_TO_FIVE, MINUTES, COUNT))
    better = Choice(words=(HIGHER, LOWER), help="which answers are good")
    target = Integer(
        min=0, max=60 * 24 * 31, help="an answer this good is good; or incidents a window"
    )
    share = Integer(
        min=1, max=99, help="percent of the answers that should be good; 80 if left out"
    )
    window = Integer(min=1, max=366, help="days that are counted together; 7 if left out")
    min_answers = Integer(min=1, max=1000, help="fewest people whose answers count together")
    who = Choice(words=("everybody", "served"), help="whose answers count; everybody if left out")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the usual values for this scale. Values that the author gave stay."""
        del thread, today
        scale = entry.fields.get("scale")
        better = entry.fields.get("better", LOWER if scale in {COUNT, MINUTES} else HIGHER)
        usual = {
            "better": better,
            "share": None if scale == COUNT else 80,
            "target": int(better == HIGHER) if scale == YES_NO else None,
            "window": 7,
            "min_answers": 1,
            "who": "everybody",
        }
        return usual | entry.fields

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the measure breaks a bound of the charter (R-22.3)."""
        fault = find_broken_bound(entry.fields, thread.authority.charter.get("bounds") or ())
        if fault:
            raise Refused("R-22.3", f"{fault}; a decision can change the bounds")

    def is_adopted(self, thread: Thread, entry: Entry) -> bool:
        """Returns True if a decision ever adopted the measure, retired or not (R-22.3)."""
        return bool(thread.authority.holding((MEASURE, entry.id)).n)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the measure to the views: proposed, in use or retired (R-22.1, R-22.3).

        Raises Refused if its target, or its field `better`, does not fit its scale.
        """
        fields = entry.fields
        if fields.get("target") not in _TARGETS[fields["scale"]]:
            allowed = _TARGETS[fields["scale"]]
            raise Refused("R-22.1", f"its target is a number from {allowed[0]} to {allowed[-1]}")
        if fields["scale"] == COUNT and fields.get("better", LOWER) != LOWER:
            raise Refused("R-22.1", "where incidents are counted, fewer are better")
        holding = thread.authority.holding((MEASURE, entry.id))
        bounds = thread.authority.charter.get("bounds") or ()
        # An odd number adopts a measure, and an even number retires it. A measure outside the
        # charter's bounds is not in use: the bounds may have become narrower since the adoption.
        if holding.n % 2 == 1 and not find_broken_bound(fields, bounds):
            thread.make_view(entry, state="in use", offset=holding.value)
        else:
            is_retired = holding.n > 0 and holding.n % 2 == 0
            thread.make_view(entry, state="retired" if is_retired else "proposed", offset=None)


@kind("feedback", about=("measure", "service"), plural="feedback")
class Feedback(Kind):
    """Words about a service, or an answer to a measure."""

    states = States({"said": "Always."})
    value = Integer(min=0, max=60 * 24 * 31, help="the answer; of what is counted 1, or 0 for none")
    text = Text(max=2000)
    on = Moment(day_only=True, help="the day that it is about; today if left out")
    link = RecordId(help="the link of the chain that it is about, where one knows it")
    lang = Text(max=35, help="the language of the words, such as es")
    urgent = Choice(words=("yes", "no"), help="yes: everybody who holds a part is told at once")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in today as the day. If the measure counts incidents, fills in one incident."""
        measure = thread.find_view(entry.about, "measure")
        defaults: dict[str, Any] = {"on": today}
        if measure is not None and measure["scale"] == COUNT:
            defaults["value"] = 1
        return {**defaults, **entry.fields}

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the measure is not in use (R-22.4)."""
        measure = thread.find_view(entry.about, "measure")
        if measure is not None and measure["state"] != "in use":
            raise Refused("R-22.4", f"this measure is {measure['state']}; a decision adopts it")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the feedback to the views (R-22.4).

        Raises Refused if an answer is not on the measure's scale, or if feedback to a service has
        no words. Raises Refused also if its day is over DAYS_BACK days ago or after tomorrow.
        """
        measure = thread.find_view(entry.about, "measure")
        _check_answer(measure, entry.fields)
        service = entry.about if measure is None else measure["about"]
        offset = 0 if measure is None else measure["offset"] or 0
        today = Calendar(1, offset).day_at(entry.time)
        on = entry.fields.get("on") or format_day(today)
        if not -1 <= today - parse_day(on) <= DAYS_BACK:
            raise Refused("R-22.4", f"feedback is about the last {DAYS_BACK} days")
        view = thread.make_view(entry, state="said", service=service)
        view["on"] = on
        if view["urgent"] == "yes" and not _is_first_alarm(thread, entry):
            view["urgent"] = None  # a person can raise one alarm a week


@kind("same_as", about=("feedback",), plural="merges")
class SameAs(Kind):
    """Says that two reports are about one incident. All who reported it stay its reporters."""

    states = States(
        {
            "said": "Neither reporter has said that theirs is another incident.",
            "cancelled": "One of the reporters said that theirs is another incident (`not_same`).",
        }
    )
    other = RecordId(required=True, help="the other report")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Merges two reports of one incident (R-22.6).

        Raises Refused if the author holds a part of the service, or if the reports are too many
        days apart.
        """
        report, other = _report_pair(thread, entry)
        if entry.person in parties_of(thread, thread.views[report["service"]]):
            raise Refused(
                "R-22.6", "people who hold a part of the service do not merge reports of it"
            )
        if abs(_day(report) - _day(other)) > MERGEABLE_DAYS:
            raise Refused("R-22.6", f"they are more than {MERGEABLE_DAYS} days apart")
        thread.make_view(entry, state="said")

    def settle_view(self, thread: Thread, view: View) -> None:
        """Cancels the merge if a reporter says that the two incidents are different (R-22.6)."""
        if frozenset((view["about"], view["other"])) in thread.index(_FeedbackIndex).apart:
            view["state"] = "cancelled"


@kind("not_same", about=("feedback",), posted=True)
class NotSame(Kind):
    """A reporter says that the two reports are about different incidents."""

    states = NO_VIEW
    other = RecordId(required=True, help="the other report")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Notes that two reports are about different incidents (R-22.6).

        Raises Refused unless one of the two reporters says so. This cancels a merge (`same_as`).
        """
        report, other = _report_pair(thread, entry)
        if entry.person not in {report["author"], other["author"]}:
            raise Refused("R-22.6", "only one of the two reporters says that they are not the same")
        thread.index(_FeedbackIndex).apart.add(frozenset((report["id"], other["id"])))


@kind("answer", about=("feedback", "measure"))
class Answer(Kind):
    """A public reply to feedback or about a measure."""

    states = States({"said": "Never: an answer has no view of its own."})
    text = Text(required=True, min=1, max=2000)
    reason = Choice(words=("explained", "being_done", "not_ours"), help="what kind of answer it is")
    to = RecordId(help="not ours: the link of who it is for, once they accept")


def _check_answer(measure: View | None, fields: dict[str, Any]) -> None:
    """Raises Refused if an answer is not on the measure's scale (R-22.4).

    If there is no measure, the feedback is about a service. Then this raises Refused if the
    feedback has no text.
    """
    if measure is None:
        if not fields.get("text"):
            raise Refused("R-22.4", "feedback says something: --text")
        return
    allowed = _SCALES[measure["scale"]]
    if fields.get("value") not in allowed:
        raise Refused("R-22.4", f"an answer is a number from {allowed[0]} to {allowed[-1]}")


def _is_first_alarm(thread: Thread, entry: Entry) -> bool:
    """Returns True if `entry` is the first urgent feedback of its author in its week."""
    alarms = thread.index(_FeedbackIndex).alarms
    return alarms.setdefault((_WEEKS.window_at(entry.time), entry.person), entry.id) == entry.id


def _report_pair(thread: Thread, entry: Entry) -> tuple[View, View]:
    """Returns the two reports that the record `entry` compares.

    Raises Refused unless both reports count and answer the same measure.
    """
    report = thread.find_view(entry.about, "feedback")
    other = thread.find_view(entry.fields["other"], "feedback")
    if report is None or other is None or report["id"] == other["id"]:
        raise Refused("R-22.6", "it names another report, which is here and counts")
    if report["about"] != other["about"] or thread.find_view(report["about"], "measure") is None:
        raise Refused("R-22.6", "both reports answer one measure")
    return report, other


def _day(report: View) -> int:
    return date.fromisoformat(report["on"]).toordinal()
