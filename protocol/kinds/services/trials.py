"""A kind for trials of something new in a service (specs/25-ideas-and-trials.md).

Nothing of a trial changes once it is posted. A decision begins the trial, and a later decision says
what becomes of it. What the answers show depends on a clock. So `protocol.loops.trial_comparison`
works it out when software shows the trial.
"""

import hashlib
from collections.abc import Iterable

from protocol.errors import Refused
from protocol.fold.facets import TrialFacts, Way
from protocol.fold.kind import SOMETHING, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Thread
from protocol.fold.view import States
from protocol.kinds.services.measures import USUAL_WINDOW, Measure
from protocol.kinds.services.services import Link, check_first
from protocol.local_clock import LocalClock
from protocol.loops.trial_comparison import (
    ENOUGH_WINDOWS,
    FEWEST_WINDOWS,
    MOST_WINDOWS,
    windows_of_trial,
)
from protocol.loops.windows import Calendar, format_day, parse_day
from protocol.schema.declare import Many, Moment, RecordId, RecordOrText, Text
from protocol.schema.fields import YEAR
from protocol.schema.register_names import TRIAL, TRIAL_CHANGES
from protocol.spelling import fold_text

_DAYS_TO_DECIDE = 7  # before a trial starts, if its author names no day
_MOST_MEASURES = 8
_LONGEST = 2 * YEAR


@kind(TRIAL, about=("service",), lasting=True)
class Trial(Kind):
    """Something new that is tried in a service for a fixed time."""

    class State(States):
        """The states of a trial."""

        PROPOSED = "proposed", "No decision has begun it, and `starts` is not past."
        RUNNING = "running", "A decision began it (`proposal`), and `ends` is not past."
        ENDED = "ended", "By the clock: it is running, and `ends` is past."
        STOPPED = "stopped", "A decision stopped it, because it did harm (`proposal`)."
        ADOPTED = "adopted", "A decision keeps what was tried (`proposal`)."
        ADAPTED = "adapted", "A decision changes what was tried, to try it again (`proposal`)."
        DROPPED = (
            "dropped",
            (
                "A decision gives up what was tried (`proposal`). Or by the clock: no decision has "
                "begun it, and `starts` is past."
            ),
        )

    wording = Words(
        "Trial",
        happened="{who} wants to try something",
        submit="Propose",
        states={State.PROPOSED: "proposed"},
    )
    example = {"what": "Empty them twice", "expect": "Fewer are full", "measures": [SOMETHING]}

    what: str | None = Text(required=True, min=1, max=500, help="what we change")
    expect: str | None = Text(required=True, min=1, max=500, help="what we expect")
    measures: list[bytes] = Many(
        of=RecordId(),
        max=_MOST_MEASURES,
        required=True,
        help="the measures that show it; the first one decides",
    )
    starts: str | None = Moment(
        day_only=True, days_back=0, days_ahead=_LONGEST, help="the first day"
    )
    ends: str | None = Moment(day_only=True, days_back=0, days_ahead=_LONGEST, help="the last day")
    where: bytes | str | None = RecordOrText(
        help="the link of the service, or the area, where it is tried; everywhere if left out"
    )
    idea: bytes | None = RecordId(help="the idea that it tries")

    # The link, or the SHA-256 of the area. It stays if the words are hidden.
    place: bytes | None = None

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields one way to try something, if the service has a measure in use."""
        del person
        measures = [measure.id for measure in _measures_in_use(thread, target.id)]
        if measures:
            yield Way(
                ask=("measures", "what", "expect", "starts", "ends", "where"),
                among=frozenset(measures),
                trial={"measures": measures[:1]},
            )

    def complete(self, thread: Thread) -> None:
        """Fills in the days: a week to decide, and then as many windows as a trial should have."""
        in_use = _measures_in_use(thread, self.about or b"")
        if len(in_use) == 1:
            self.fill(measures=[in_use[0].id])
        calendar = _deciding_calendar(thread, self.measures or [measure.id for measure in in_use])
        if self.starts is None:
            soonest = parse_day(thread.clock.day_in(_DAYS_TO_DECIDE))
            self.starts = calendar.first_day(calendar.window_of_day(soonest - 1) + 1)
        if self.ends is None:
            first = calendar.window_of_day(parse_day(self.starts) - 1) + 1
            day_after = parse_day(calendar.first_day(first + ENOUGH_WINDOWS))
            self.ends = format_day(day_after - 1)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if a measure is not in use, or if the trial is too short to show anything
        (R-25.4c).
        """
        in_use = {measure.id for measure in _measures_in_use(thread, self.about or b"")}
        if not self.measures or not in_use.issuperset(self.measures):
            raise Refused("R-25.4c", "a trial needs a measure of the service that is in use")
        deciding = thread.find_view(self.measures[0], Measure)
        if deciding is not None and (self.ends or "") > (deciding.until or ""):
            raise Refused(
                "R-25.4c", "its first measure ends before it, with {day}", day=deciding.until
            )
        count = len(self.windows(_deciding_calendar(thread, self.measures)))
        if count < FEWEST_WINDOWS:
            raise Refused(
                "R-25.4c",
                "it has {count} whole windows of its measure; {least} are needed to show anything",
                count=count,
                least=FEWEST_WINDOWS,
            )

    def is_adopted(self, thread: Thread) -> bool:
        """Returns True if a decision ever began the trial (R-25.6a)."""
        return bool(thread.authority.holding((TRIAL, self.id)).n)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the trial to the views (R-25.3 to R-25.6).

        Raises Refused if the measures or the days of the trial are wrong, or if the trial names a
        link that is not in the service.
        """
        check_first(thread, thread.target(self))
        self._check_measures(thread)
        self._check_days(thread)
        if isinstance(self.where, bytes):
            if thread.find_view(self.where, Link) is None:
                raise Refused("R-25.5", "it is tried in a link of this service, or in an area")
            self.place = self.where
        elif self.where is not None:
            self.place = area_key(self.where)
        holding = thread.authority.holding((TRIAL, self.id))
        if holding.n:
            self.state = self.State.RUNNING
        if holding.value is not None:
            self.state = _ENDINGS[holding.value]
        thread.add_view(self)

    def clock_state(self) -> tuple[str, str] | None:
        """Returns a day and a state: after this day the trial is shown in this state (R-25.7).

        Returns None if only a decision changes the state.
        """
        assert self.starts is not None, "a trial that counts has days"
        assert self.ends is not None, "a trial that counts has days"
        if self.state == self.State.PROPOSED:
            return self.starts, self.State.DROPPED
        return (self.ends, self.State.ENDED) if self.state == self.State.RUNNING else None

    def state_at(self, clock: LocalClock) -> str:
        """Returns the state in which the trial is shown at a local time.

        People may decide early that a trial is adopted, adapted or dropped. Even then, software
        shows the trial as running until its last day is over (R-25.7a).
        """
        is_decided = self.state in {self.State.ADOPTED, self.State.ADAPTED, self.State.DROPPED}
        if is_decided and self.ends is not None and not clock.is_past(self.ends):
            return self.State.RUNNING
        return super().state_at(clock)

    def windows(self, calendar: Calendar) -> range:
        """Returns the windows of a measure that lie wholly within the trial."""
        assert self.starts is not None, "a trial that counts has days"
        assert self.ends is not None, "a trial that counts has days"
        return windows_of_trial(calendar, self.starts, self.ends)

    def _check_measures(self, thread: Thread) -> None:
        measures = [thread.find_view(measure, Measure) for measure in self.measures]
        if not measures or len(set(self.measures)) < len(measures):
            raise Refused("R-25.3", "it names measures, each once; the first one decides")
        if any(measure is None or measure.about != self.about for measure in measures):
            raise Refused("R-25.3", "its measures are about the same service")

    def _check_days(self, thread: Thread) -> None:
        if self.starts is None or self.ends is None:
            raise Refused("R-25.4", "it says from when to when: --starts and --ends")
        calendar = _deciding_calendar(thread, self.measures)
        posted = Calendar(1, calendar.offset).day_at(self.created)
        if parse_day(self.starts) < posted - 1:
            raise Refused("R-25.4", "it starts after it is posted")
        if self.ends < self.starts:
            raise Refused("R-25.4", "it ends after it starts")
        if len(self.windows(calendar)) > MOST_WINDOWS:
            raise Refused(
                "R-25.4b", "it has at most {most} windows of its measure", most=MOST_WINDOWS
            )


# What a register can say of a trial → the state of the trial.
_ENDINGS = {str(state): state for state in Trial.State if state in TRIAL_CHANGES.values()}


def area_key(area: str) -> bytes:
    """Returns the key by which a trial finds the people of its area (R-25.5a)."""
    return hashlib.sha256(b"meshcoop area 1\0" + fold_text(area).strip().encode()).digest()


def check_change(n: int, value: str | None, facts: TrialFacts | None, clock: LocalClock) -> None:
    """Raises Refused if software should not propose this change of a trial (R-25.8).

    `facts` is what this home knows of the trial now.
    """
    if facts is None:
        raise Refused("R-25.8", "no trial with this id is here")
    if n == 1:
        if clock.is_past(last_day_to_vote(facts)):
            raise Refused("R-25.8", "too late for a decision before it starts; post it anew")
    elif value == TRIAL_CHANGES["stop"]:
        if facts.state not in {Trial.State.RUNNING, Trial.State.ENDED} or not facts.is_harmful:
            raise Refused(
                "R-25.8a", "only harm stops a trial: an urgent report, or a measure that got worse"
            )
    elif not facts.is_settled:
        raise Refused(
            "R-25.8b", "it is decided once it has ended and its last answers are in: {day}",
            day=facts.settles,
        )  # fmt: skip


def last_day_to_vote(facts: TrialFacts) -> str:
    """Returns the last day on which people can still vote for a trial to start."""
    return format_day(parse_day(facts.starts) - 1)


def _measures_in_use(thread: Thread, service: bytes) -> list[Measure]:
    measures = thread.linked_views(Measure, "about", service)
    return [measure for measure in measures if measure.state == Measure.State.IN_USE]


def _deciding_calendar(thread: Thread, measures: list[bytes]) -> Calendar:
    deciding = thread.find_view(measures[0], Measure) if measures else None
    return deciding.calendar if deciding is not None else Calendar(USUAL_WINDOW, 0)
