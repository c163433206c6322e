"""Kinds of local feedback (specs/22-measures.md): a question about a service, and the answers.

The views contain only what people said. Whether the answers are signal or noise depends on a clock
too. `protocol.loops` works this out when a view is shown.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date

from protocol.authority.witnesses import HOUR_MS
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import Way
from protocol.fold.kind import SOMETHING, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Thread
from protocol.fold.view import States
from protocol.kinds.services.services import Link, ServiceQuestion, check_first
from protocol.loops.counted_answers import LOWER
from protocol.loops.points import COUNT
from protocol.loops.target_check import MOST_TARGET, USUAL_SHARE
from protocol.loops.windows import Calendar, format_day, parse_day
from protocol.schema import fields
from protocol.schema.bounds import find_broken_bound
from protocol.schema.declare import Choice, Integer, Moment, RecordId, ScaleNumber, Text
from protocol.schema.register_names import MEASURE
from protocol.schema.shared_rules import MERGEABLE_DAYS

# The scales that a measure may have. The last one is COUNT, which counts incidents.
YES_NO = "yes_no"
ONE_TO_FIVE = "one_to_five"
MINUTES = "minutes"

HIGHER = "higher"  # of a measure whose answers are good if they are high enough

# Whose answers count.
EVERYBODY = "everybody"
SERVED = "served"

USUAL_WINDOW = 7  # days
ANSWER_DAYS = 14  # so many days ahead an answer may name a day
USUAL_DAYS = 365  # after so many days, a measure ends if its author names no day
SHORTEST_DAYS = 90
LONGEST_DAYS = 731
NOTICE_DAYS = 28  # so many days before its end, software asks whether a measure goes on
DAYS_BACK = 92  # feedback is about one of so many past days, today or tomorrow: clocks differ

_NOT_OURS = "not_ours"
_WEEKS = Calendar(7, 0)

_SCALES = {  # the values that an answer may have
    YES_NO: range(2),
    ONE_TO_FIVE: range(1, 6),
    MINUTES: range(60 * 24 * 31 + 1),
    COUNT: range(2),
}
TARGETS = {**_SCALES, COUNT: range(MOST_TARGET + 1)}


# What stays when people go on with a measure. The target, the share and the end can change.
_KEPT = ("question", "scale", "better", "window", "min_answers", "who")
ASKED_AGAIN = ("target", "share", "until")


@dataclass
class _FeedbackIndex:
    """What the fold of a thread has learned so far about the feedback in this thread."""

    alarms: dict[tuple[int, bytes], bytes] = field(default_factory=dict)  # (week, person) → id


@kind("measure", about=("service",), lasting=True)
class Measure(ServiceQuestion):
    """A question about a service. It has a target on which the neighbourhood agrees."""

    class State(States):
        """The states of a measure."""

        PROPOSED = (
            "proposed",
            "No decision has adopted it, or it is outside the charter's bounds.",
        )
        IN_USE = (
            "in use",
            "A decision adopted it (`proposal`), and it is within the charter's bounds.",
        )
        ENDED = (
            "ended",
            (
                "As the loop shows it: it is in use, the window of `until` has settled, and no "
                "matter is open."
            ),
        )
        RETIRED = "retired", "A decision retired it (`proposal`)."

    wording = Words(
        "Question about a service", happened="{who} asked a question about it", submit="Ask"
    )
    example = {"question": "Were your bins taken?", "scale": YES_NO}

    question: str | None = Text(required=True, min=1, max=200)
    scale: str = Choice(required=True, words=(YES_NO, ONE_TO_FIVE, MINUTES, COUNT))
    better: str | None = Choice(words=(HIGHER, LOWER), help="which answers are good")
    target: int | None = ScaleNumber(help="an answer this good is good; or incidents a window")
    share: int | None = Integer(
        min=1, max=99, help="percent of the answers that should be good; 80 if left out"
    )
    window: int | None = Integer(
        min=1, max=366, help="days that are counted together; 7 if left out"
    )
    min_answers: int | None = Integer(
        min=1, max=1000, help="fewest people whose answers count together"
    )
    who: str | None = Choice(
        words=(EVERYBODY, SERVED), help="whose answers count; everybody if left out"
    )
    until: str | None = Moment(
        day_only=True,
        days_back=0,
        days_ahead=LONGEST_DAYS,
        help="the day with which it ends, 90 to 731 days on; a year if left out",
    )
    balance: bytes | None = RecordId(
        help="another measure of the service, which must not get worse"
    )

    offset: int | None = None  # minutes from UTC, as the decision wrote it; None: not in use
    cycle: int | None = None  # windows in which everybody is charted once; None: not in use

    @property
    def calendar(self) -> Calendar:
        """The calendar that divides time into the windows of the measure."""
        return Calendar(self.window or USUAL_WINDOW, self.offset or 0)

    @property
    def ends_at(self) -> int:
        """The time (ms) at which the last window of the measure is over."""
        return self.calendar.window_start(self.last_window + 1)

    @property
    def last_window(self) -> int:
        """The window with which the measure ends: the one that has the day `until` (R-22.10b)."""
        assert self.until is not None, "a measure that counts has a last day"
        return self.calendar.window_of_day(parse_day(self.until))

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields the ways to go on with the measures that end soon, and the way to ask something new
        (R-22.12d).
        """
        del person
        soon = thread.clock.day_in(NOTICE_DAYS)
        for measure in thread.linked_views(Measure, "about", target.id):
            if measure.state == cls.State.IN_USE and (measure.until or "") <= soon:
                balance = {} if measure.balance is None else {"balance": measure.balance}
                given = {**kept_fields(measure), **balance}
                yield Way(given, ASKED_AGAIN, trial={"target": measure.target})
        yield Way()

    def complete(self, thread: Thread) -> None:
        """Fills in the usual values for the measure's scale. Values that the author gave stay."""
        self.until = self.until or thread.clock.day_in(USUAL_DAYS)
        if self.better is None:
            self.better = LOWER if self.scale in {COUNT, MINUTES} else HIGHER
        if self.share is None and self.scale != COUNT:
            self.share = USUAL_SHARE
        self.target = _number_on_scale(self.scale, self.target)
        if self.target is None and self.scale == YES_NO:
            self.target = int(self.better == HIGHER)
        self.window = self.window or USUAL_WINDOW
        self.min_answers = self.min_answers or 1
        self.who = self.who or EVERYBODY

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the measure breaks a bound of the charter (R-22.3).

        Raises Refused also if the field `balance` does not name another measure of the same service
        (R-22.13).
        """
        fault = self._broken_bound(thread)
        if fault is not None:
            raise fault
        if self.balance is not None and self._find_balance(thread) is None:
            raise Refused("R-22.13", "its balance is another measure of the same service")

    def is_adopted(self, thread: Thread) -> bool:
        """Returns True if a decision ever adopted the measure (R-22.3).

        This is so even if another decision has retired the measure.
        """
        return bool(thread.authority.holding((MEASURE, self.id)).n)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the measure to the views, as "proposed", "in use" or "retired" (R-22.1, R-22.3).

        Raises Refused if the measure's target or its field `better` does not fit the measure's
        scale.
        """
        check_first(thread, thread.target(self))
        allowed = TARGETS[self.scale]
        if self.target not in allowed:
            raise Refused(
                "R-22.1",
                "its target is a number from {allowed} to {allowed_2}",
                allowed=allowed[0],
                allowed_2=allowed[-1],
            )
        if self.scale == COUNT and self.better == HIGHER:
            raise Refused("R-22.1", "where incidents are counted, fewer are better")
        self._check_end()
        holding = thread.authority.holding((MEASURE, self.id))
        # An odd number adopts a measure, and an even number retires it. A measure outside the
        # charter's bounds is not in use: the bounds may have become narrower since the adoption.
        if holding.n % 2 == 1 and not self._broken_bound(thread):
            self.state = self.State.IN_USE
            self.offset, self.cycle = holding.value
        elif holding.n > 0 and holding.n % 2 == 0:
            self.state = self.State.RETIRED
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Empties the field `balance` if it does not name another measure of the same service
        (R-22.13).
        """
        if self._find_balance(thread) is None:
            self.balance = None

    def _find_balance(self, thread: Thread) -> "Measure | None":
        other = thread.find_view(self.balance, Measure)
        return other if other is not None and other.about == self.about else None

    def _check_end(self) -> None:
        """Fills in the day with which the measure ends. Raises Refused if this day is too near or
        too far (R-22.10).
        """
        posted = Calendar(1, 0).day_at(self.created)
        self.until = self.until or format_day(posted + USUAL_DAYS)
        days = parse_day(self.until) - posted
        if not SHORTEST_DAYS <= days <= LONGEST_DAYS:
            raise Refused(
                "R-22.10",
                "a measure ends {shortest} to {longest} days after it was posted",
                shortest=SHORTEST_DAYS,
                longest=LONGEST_DAYS,
            )

    def _broken_bound(self, thread: Thread) -> Refused | None:
        """Returns the refusal of a measure that breaks a bound of the charter, or None."""
        return find_broken_bound(vars(self), thread.authority.charter.get("bounds") or ())


@kind("feedback", about=("measure", "service"), plural="feedback")
class Feedback(Kind):
    """Words about a service, or an answer to a measure."""

    class State(States):
        """The state of feedback."""

        STATED = "said", "Always."

    wording = Words("Report", happened="{who} reported how it goes", submit="Send")
    example = {"value": 1, "text": "Nobody came.", "on": "2026-11-23"}
    begins_branch = True
    witnessed = True

    value: int | None = ScaleNumber(help="the answer; of what is counted 1, or 0 for none")
    text: str | None = Text(max=2000)
    on: str | None = Moment(
        day_only=True,
        days_back=DAYS_BACK,
        days_ahead=1,
        help="the day that it is about; today if left out",
    )
    link: bytes | None = RecordId(help="the link of the chain that it is about, where one knows it")
    lang: str | None = Text(max=35, help="the language of the words, such as es")
    urgent: str | None = Choice(
        words=("yes", "no"), help="yes: everybody who holds a part is told at once"
    )

    service: bytes | None = None

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields one way: to answer a measure on its scale, or to write words about a service."""
        del person
        measure = thread.find_view(target.id, Measure)
        if measure is None:
            yield Way(ask=("text", "on", "link", "lang", "urgent"), trial={"text": "…"})
        else:
            asked = ("value", "text", "on", "link", "lang", "urgent")
            yield Way(ask=asked, trial={"value": _SCALES[measure.scale][0]})

    def complete(self, thread: Thread) -> None:
        """Fills in today as the day. If the measure counts incidents, fills in one incident. Turns
        the words yes and no into numbers.
        """
        measure = thread.find_view(self.about, Measure)
        self.on = self.on or thread.clock.today
        if measure is not None:
            self.value = _number_on_scale(measure.scale, self.value)
        if self.value is None and measure is not None and measure.scale == COUNT:
            self.value = 1

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the measure is not in use (R-22.4).

        Raises Refused also if the measure has ended (R-22.10d). Raises Refused also if the feedback
        is urgent, and the author has sent other urgent feedback in the same week (R-22.9b).
        """
        measure = thread.find_view(self.about, Measure)
        if measure is not None and measure.state != Measure.State.IN_USE:
            raise Refused(
                "R-22.4", "this measure is {state}; a decision adopts it", state=measure.state
            )
        self._check_not_ended(thread)
        if self.urgent == "yes" and self._alarm_week in thread.index(_FeedbackIndex).alarms:
            raise Refused(
                "R-22.9", "you have raised an alarm this week already; leave out that it is urgent"
            )

    def ties(self) -> Iterable[bytes]:
        """Urgent feedback is tied to the other urgent feedback of its author in the same week
        (R-22.9).
        """
        if self.urgent == "yes":
            week, author = self._alarm_week
            yield b"alarm" + week.to_bytes(8, "big", signed=True) + author

    def fold_entry(self, thread: Thread) -> None:
        """Adds the feedback to the views (R-22.4).

        Raises Refused if an answer is not on the measure's scale, or if feedback to a service has
        no words. Raises Refused also if the feedback is about a day more than DAYS_BACK days ago,
        or later than tomorrow.
        """
        check_first(thread, thread.target(self))
        measure = thread.find_view(self.about, Measure)
        self._check_answer(measure)
        self.service = self.about if measure is None else measure.about
        offset = 0 if measure is None else measure.offset or 0
        today = Calendar(1, offset).day_at(self.created)
        self.on = self.on or format_day(today)
        if not -1 <= today - parse_day(self.on) <= DAYS_BACK:
            raise Refused(
                "R-22.4", "feedback is about the last {days_back} days", days_back=DAYS_BACK
            )
        thread.add_view(self)
        if self.urgent == "yes" and not self._is_first_alarm(thread):
            self.urgent = None  # a person can raise one alarm a week

    def settle(self, thread: Thread) -> None:
        """Takes the link out of the feedback if nobody accepted this link (R-22.4g)."""
        link = thread.find_view(self.link, Link)
        if link is None or link.since is None:
            self.link = None

    def _check_not_ended(self, thread: Thread) -> None:
        """Raises Refused if the measure has ended, or ends before the day of the answer (R-22.10d)."""
        facts = thread.facts_of_measure(self.about or b"")
        if facts is None or facts.has_matter:
            return
        if facts.is_over or (self.on or "") > facts.last_day:
            raise Refused(
                "R-22.10", "this measure ends with {day}; a decision adopts the next one",
                day=facts.last_day,
            )  # fmt: skip

    def _check_answer(self, measure: Measure | None) -> None:
        """Raises Refused if an answer is not on the measure's scale, or if feedback about a service
        has no text (R-22.4).

        `measure` is None if the feedback is about a service.
        """
        if measure is None:
            if not self.text:
                raise Refused("R-22.4", "feedback says something: --text")
            return
        allowed = _SCALES[measure.scale]
        if self.value not in allowed:
            raise Refused(
                "R-22.4",
                "an answer is a number from {allowed} to {allowed_2}",
                allowed=allowed[0],
                allowed_2=allowed[-1],
            )

    def _is_first_alarm(self, thread: Thread) -> bool:
        """Returns True if this is the first urgent feedback of its author in the week."""
        alarms = thread.index(_FeedbackIndex).alarms
        return alarms.setdefault(self._alarm_week, self.id) == self.id

    @property
    def _alarm_week(self) -> tuple[int, bytes]:
        """The week of the feedback, and the feedback's author."""
        return _WEEKS.window_at(self.created), self.author


@kind("same_as", about=("feedback",), plural="merges")
class SameAs(Kind):
    """Says that its author's own report and an earlier report are about one incident.

    Both people still count as reporters of the incident.
    """

    class State(States):
        """The state of a `same_as` record."""

        STATED = "said", "Always."

    wording = Words(
        "Same report",
        happened="{who} said that their report is the same as an earlier one",
        submit="Confirm",
    )
    example = {"other": SOMETHING}
    witnessed = True

    other: bytes | None = RecordId(
        help="the earlier report of the same incident; an incident of its own if left out"
    )

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """If the person wrote the report, yields a way: to choose an earlier report of the same
        incident.

        If the person has chosen an earlier report before, also yields a way to undo this choice.
        """
        report = thread.find_view(target.id, Feedback)
        if report is None or report.author != person or _has_settled(thread, report):
            return
        latest = _latest_merge(thread, report)
        chosen = None if latest is None else latest.other
        near = [
            other.id
            for other in _other_reports(thread, report)
            if other.order < report.order
            and abs(_day(other) - _day(report)) <= MERGEABLE_DAYS
            and other.id != chosen
            and not _has_settled(thread, other)
        ]
        yield Way(ask=("other",), among=frozenset(near))
        if chosen is not None:
            yield Way()

    def check_before_signing(self, thread: Thread) -> None:
        """Raises AlreadySo if the author's latest `same_as` record about the report says exactly
        this. Raises Refused if the window of a report has settled (R-22.6g).
        """
        report = thread.find_view(self.about, Feedback)
        other = thread.find_view(self.other, Feedback)
        if any(view is not None and _has_settled(thread, view) for view in (report, other)):
            raise Refused("R-22.6g", "a window of these reports has settled: both count")
        latest = None if report is None else _latest_merge(thread, report)
        if latest is None and self.other is None:
            raise AlreadySo("R-22.6", "it is an incident of its own already")
        if latest is not None and latest.other == self.other:
            raise AlreadySo("R-22.6", "you have said so already", latest.id)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the `same_as` record to the views (R-22.6b).

        Raises Refused if somebody else wrote the report that this record is about. Raises Refused
        also if the field `other` names anything but an earlier report to the same measure, from a
        day near by.
        """
        report = thread.find_view(self.about, Feedback)
        if report is None or thread.find_view(report.about, Measure) is None:
            raise Refused("R-22.6", "it is about a report that answers a measure")
        if self.author != report.author:
            raise Refused("R-22.6c", "only its author says what a report is the same as")
        if self.other is not None:
            _check_earlier(report, thread.find_view(self.other, Feedback))
        thread.add_view(self)


@kind("answer", about=("feedback", "measure"))
class Answer(Kind):
    """A public reply to feedback or about a measure."""

    class State(States):
        """The state of an answer."""

        STATED = "said", "Always."

    wording = Words("Answer", happened="{who} answered", submit="Answer")
    begins_branch = True
    witnessed = True
    example = {"text": "The lorry broke down.", "reason": "explained"}

    text: str | None = Text(required=True, min=1, max=2000)
    reason: str | None = Choice(
        words=("explained", "being_done", _NOT_OURS), help="what kind of answer it is"
    )
    until: str | None = Moment(
        day_only=True,
        days_back=0,
        days_ahead=ANSWER_DAYS,
        help="by when more follows; gives the holder of a matter time until then, once",
    )
    to: bytes | None = RecordId(help="not ours: the link of who it is for, once they accept")

    def fold_entry(self, thread: Thread) -> None:
        """Adds the answer to the views. The loops read from it who has answered (R-23.6c)."""
        thread.add_view(self)

    @property
    def is_handed_on(self) -> bool:
        """True if the answer says that somebody else has to do something about the feedback."""
        return self.reason == _NOT_OURS


def kept_fields(measure: Measure) -> dict[str, object]:
    """Returns the fields of a measure that a new measure with the same question takes over."""
    values = vars(measure)
    return {name: values[name] for name in _KEPT if values[name] is not None}


def _number_on_scale(scale: str, answer: int | None) -> int | None:
    """Returns the number of a typed answer: on the scale yes_no, 1 for yes and 0 for no.

    Leaves any other answer as it is. The check of the field then judges it.
    """
    return fields.ScaleNumber.numbers.get(answer, answer) if scale == YES_NO else answer


def _latest_merge(thread: Thread, report: Feedback) -> SameAs | None:
    """Returns the latest `same_as` record in which the author of a report names an earlier report
    of the incident.
    """
    merges = thread.linked_views(SameAs, "about", report.id)
    return max(merges, key=lambda merge: merge.order, default=None)


def _has_settled(thread: Thread, report: Feedback) -> bool:
    """Returns True if the window of a report has settled by the clock of the thread."""
    measure = thread.find_view(report.about, Measure)
    if measure is None or report.on is None:
        return False
    calendar = measure.calendar
    end = calendar.window_start(calendar.window_of_day(parse_day(report.on)) + 1)
    settle_hours: int = thread.authority.charter["settle_hours"]
    return thread.clock.time > end + settle_hours * HOUR_MS


def _other_reports(thread: Thread, report: Feedback) -> list[Feedback]:
    """Returns all reports to the measure that `report` answers, without `report` itself.

    Returns an empty list if `report` is about a service and answers no measure.
    """
    if thread.find_view(report.about, Measure) is None or report.about is None:
        return []
    reports = thread.linked_views(Feedback, "about", report.about)
    return [other for other in reports if other.id != report.id]


def _check_earlier(report: Feedback, other: Feedback | None) -> None:
    """Raises Refused if the author of `report` cannot say that `other` is about the same incident
    (R-22.6b).
    """
    if other is None or report.about != other.about:
        raise Refused("R-22.6", "it names another report of the same measure, which counts")
    if other.order >= report.order:
        raise Refused("R-22.6", "it names an earlier report")
    if abs(_day(report) - _day(other)) > MERGEABLE_DAYS:
        raise Refused(
            "R-22.6",
            "they are more than {mergeable_days} days apart",
            mergeable_days=MERGEABLE_DAYS,
        )


def _day(report: Feedback) -> int:
    assert report.on is not None, "feedback that counts is about a day"
    return date.fromisoformat(report.on).toordinal()
