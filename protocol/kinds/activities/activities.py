"""Kinds of activities: people do something together at a set time (specs/17-activities.md).

Who gets a place depends on all signups that this home has. Once the organiser has written down who
had a place, later signups do not change the places. The organiser writes receipts for people who
came to help. The common pot pays these receipts.
"""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta, timezone
from typing import TypedDict

from protocol import recurrence
from protocol.authority.authority import Authority
from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import (
    COMMON_POT,
    Awaited,
    Certainty,
    DiaryEntry,
    FindView,
    Way,
)
from protocol.fold.kind import SOMEBODY, By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Mark, Thread
from protocol.fold.view import Order, States, View
from protocol.kinds.activities.seating import Claim, Seats, assign_seats
from protocol.kinds.exchange.payments import (
    DAY,
    Payable,
    Receipt,
    check_not_written,
    check_pot_receipt,
)
from protocol.local_clock import LocalClock, offset_at_start
from protocol.schema.declare import Integer, Many, Map, Minutes, Moment, Person, Text
from protocol.schema.fields import YEAR
from protocol.schema.values import PersonId
from protocol.spelling import are_alike

MOST_PLACES = 64  # of all roles together; a list in a record holds no more
_MOST_UPCOMING = 8  # the coming days of an activity that are shown
_EVERYBODY = {"": MOST_PLACES}  # the only role, if an activity names no role


class RoleLine(TypedDict):
    """A role on one day of an activity: who has a place in it, and who waits for one."""

    role: str | None
    places: int
    has: list[PersonId]
    waits: list[PersonId]


class OccurrenceLine(TypedDict):
    """One day of an activity, as the view of the activity lists it."""

    on: str
    state: str
    roles: list[RoleLine]
    attended: bool
    came: list[PersonId]
    missed: list[PersonId]


class UpcomingDays(TypedDict):
    """The next days of an activity. Days that are over are left out."""

    upcoming: list[str]


class _FirstAccepts(dict[bytes, Order]):
    """Maps a signup's id to the time and id of the organiser's first `accept` of the signup.

    Only an `accept` from before the beginning of the activity counts.
    """


class _AttendanceIds(defaultdict[bytes, list[bytes]]):
    """Maps an activity to the ids of all attendances about it.

    Attendances that do not count are listed too.
    """

    def __init__(self) -> None:
        super().__init__(list)


@dataclass
class _Day:
    """The signups and the attendances for one day of an activity."""

    signups: list["Signup"] = field(default_factory=list)
    attendances: list["Attendance"] = field(default_factory=list)


@kind("activity", plural="activities")
class Activity(Kind):
    """Something that people do together, once or again and again."""

    class State(States):
        """The states of an activity."""

        OPEN = "open", "A place is free on one of its days."
        FULL = "full", "All places are taken on each of its days (`signup`)."
        PAST = "past", "By the clock: its last day is over, and it is not cancelled."
        CANCELLED = "cancelled", "Its organiser cancelled it (`close`)."

    wording = Words("Activity", begin="Plan something together", happened="{who} planned this")
    example = {"title": "Lunch", "starts": "2026-11-26T12:30", "minutes": 90, "offset": 60}
    on_board = True
    closing = {Mark.CANCELLED: By("author", while_=(State.OPEN, State.FULL))}

    title: str | None = Text(required=True, min=1, max=120)
    text: str | None = Text(max=2000)
    starts: str = Moment(required=True, days_back=YEAR, help="by the clock here, the first time")
    minutes: int | None = Minutes(min=1)
    repeats: str | None = Text(max=200, help="an iCalendar RRULE, such as FREQ=WEEKLY")
    roles: dict[str, int] | None = Map(
        of=Integer(min=1, max=MOST_PLACES), help="how many places each role has, such as cook=2"
    )
    area: str | None = Text(max=60, help="a coarse area, never an address")
    lang: str | None = Text(max=35, help="the language of the words, such as es")
    offset: int = Integer(
        required=True, min=-1080, max=1080, filled=True, help="the lowest of the time zone"
    )

    occurrences: list[OccurrenceLine]

    def complete(self, thread: Thread) -> None:
        """Fills in the field `offset`: the lowest offset from UTC at which the activity ever
        begins.

        With this offset, no day begins too early, neither in summer nor in winter. If the charter
        changes later, the activity keeps this offset (R-17.6d).
        """
        zone = thread.clock.zone
        if self.repeats is not None:
            self.repeats = recurrence.tidy_rule(self.repeats, self.starts, zone)
        if self.starts is not None:
            days = self.days()
            self.offset = min(offset_at_start(self.occurrence_start(day), zone) for day in days)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the activity to the views, in the state "open" (R-17.1 to R-17.5).

        Raises Refused if its days cannot be worked out, or if there are too many places.
        """
        self.days()
        if sum(self.places.values()) > MOST_PLACES:
            raise Refused(
                "R-17.5",
                "all roles together have at most {most_places} places",
                most_places=MOST_PLACES,
            )
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Works out the days of the activity, and sets its state (R-17.13).

        The activity is cancelled if the organiser cancelled it. It is full if every day is full.
        """
        signups = thread.linked_views(Signup, "about", self.id)
        attendances = thread.linked_views(Attendance, "about", self.id)
        days = self.days()
        by_day = _by_day(signups, attendances)
        if len(days) == 1:
            # An activity of one day shows this day even if nobody has signed up.
            by_day.setdefault(days[0], _Day())
        self.occurrences = [_occurrence(thread, self, on, by_day[on]) for on in sorted(by_day)]
        full_days = sum(day["state"] == self.State.FULL for day in self.occurrences)
        if thread.is_marked(self.id, Mark.CANCELLED):
            self.state = self.State.CANCELLED
        elif full_days == len(days):
            self.state = self.State.FULL
        if thread.is_hidden(self.id):
            _hide_roles(self, signups, attendances)

    # -- its days and its places ------------------------------------------------------------------

    @property
    def places(self) -> dict[str, int]:
        """How many places each role has. If no role is named, everybody has the role ""."""
        return self.roles or _EVERYBODY

    def days(self) -> tuple[str, ...]:
        """Returns the days of the activity. Raises Refused if they cannot be worked out."""
        return recurrence.occurrence_days(self.starts, self.repeats)

    def occurrence_start(self, day: str) -> str:
        """Returns the local moment at which the activity begins on `day`."""
        return recurrence.occurrence_start(self.starts, day)

    def is_over(self, day: str, clock: LocalClock) -> bool:
        """Returns True if the activity on `day` is over (R-17.4b)."""
        begins = self.occurrence_start(day)
        has_time = begins != day
        return clock.is_past(begins, (self.minutes or 0) if has_time else 0)

    def check_day(self, day: str) -> None:
        """Raises Refused if the activity does not take place on `day` (R-17.6a)."""
        days = self.days()
        if day not in days:
            raise Refused(
                "R-17.6",
                "it does not take place on {day}; its first day is {days}",
                day=day,
                days=days[0],
            )

    def check_in_time(self, day: str, clock: LocalClock) -> None:
        """Raises Refused if the activity on `day` has already begun (R-17.7)."""
        if clock.has_begun(self.occurrence_start(day)):
            raise Refused(
                "R-17.7", "it has begun on {day}, and its places are what they were", day=day
            )

    def own_clock(self, time: int) -> LocalClock:
        """Returns the clock by which a fold judges whether a record of this `time` (ms) is late."""
        return LocalClock(time, timezone(timedelta(minutes=self.offset)))

    def days_ahead(self, clock: LocalClock) -> tuple[str, ...]:
        """Returns the days on which the activity has not begun."""
        days = self.days()
        return days[
            bisect_left(
                days, True, key=lambda day: not clock.has_begun(self.occurrence_start(day))
            ) :
        ]

    def places_held(self, day: str) -> dict[str, list[bytes]]:
        """Returns, for each role, the people who have a place on a day.

        The result is empty if this home knows of no place that is taken.
        """
        for occurrence in self.occurrences:
            if occurrence["on"] == day:
                return {
                    role["role"] or "": role["has"] for role in occurrence["roles"] if role["has"]
                }
        return {}

    def unwritten_days(self) -> list[str]:
        """Returns the days on which people have a place, but for which there is no attendance.

        Future days are among them. If the activity is cancelled, no days are returned.
        """
        if self.state == self.State.CANCELLED:
            return []
        return [
            occurrence["on"]
            for occurrence in self.occurrences
            if not occurrence["attended"] and any(role["has"] for role in occurrence["roles"])
        ]

    # -- for those who show it --------------------------------------------------------------------

    def further_values(self, authority: Authority, clock: LocalClock) -> UpcomingDays:
        """Returns the next days of the activity. Today is among them until the activity is over
        today.
        """
        del authority
        days = self.days()
        first = bisect_left(days, True, key=lambda day: not self.is_over(day, clock))
        return {"upcoming": list(days[first : first + _MOST_UPCOMING])}

    def state_at(self, clock: LocalClock) -> str:
        """Returns the state "past" if the last day of the activity is over.

        A cancelled activity stays cancelled.
        """
        is_past = self.state != self.State.CANCELLED and self.is_over(self.days()[-1], clock)
        return self.State.PAST if is_past else self.state

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns the organiser. Returns nobody if the activity is cancelled."""
        del find
        return [] if self.state == self.State.CANCELLED else [self.author]

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """The activity waits for an `attendance`. In this record, the organiser writes down who
        came.

        The activity waits for one `attendance` for each day on which people have a place. The
        waiting starts when the activity begins on that day.
        """
        del thread
        for day in self.unwritten_days():
            yield Awaited(self.author, "attendance", self.id, since=self.occurrence_start(day))

    def diary_entry(self, person: bytes, find: FindView) -> DiaryEntry | None:
        """Returns an entry for the organiser's diary: when the activity takes place."""
        del find
        if person != self.author:
            return None
        is_cancelled = self.state == self.State.CANCELLED
        return DiaryEntry(
            self.title or self.kind,
            self.starts,
            self.minutes,
            self.repeats,
            self.area,
            certainty=Certainty.CANCELLED if is_cancelled else Certainty.CONFIRMED,
        )


def _organiser(view: View, thread: Thread) -> set[bytes]:
    """Returns the author of the activity that a view is about."""
    activity = thread.find_view(view.about, Activity)
    return set() if activity is None else {activity.author}


@kind("signup", about=("activity",))
class Signup(Kind):
    """Says that its author would like to come, on a day and in a role."""

    class State(States):
        """The states of a signup.

        A view has the state "waiting" until the fold gives out the places.
        """

        PLACED = "placed", "Its author has a place in the role on that day."
        WAITING = "waiting", "Its author has no place in the role on that day."
        WITHDRAWN = "withdrawn", "Its author withdrew it before that day's beginning (`close`)."

    wording = Words("Signup", happened="{who} signed up", submit="Yes")
    example = {"role": "cook", "on": "2026-11-26"}
    accept = By(_organiser, rule="R-17.10", otherwise="only the organiser accepts a signup")
    closing = {Mark.WITHDRAWN: By("author", while_=(State.PLACED, State.WAITING))}

    role: str | None = Text(min=1, max=40, help="needed where the activity names several")
    on: str = Moment(required=True, day_only=True, days_back=0, help="the next day if left out")

    accepted: bool = False

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields a way to sign up for each role.

        The day is the next day for which the person has not signed up yet.
        """
        activity = thread.find_view(target.id, Activity)
        if activity is None:
            return
        taken = {signup.on for signup in _signups_of(thread, activity, person)}
        days = (day for day in activity.days_ahead(thread.clock) if day not in taken)
        free_day = next(days, None)
        if free_day is None:
            return
        for role in activity.places:
            given = {"on": free_day, "role": role} if role else {"on": free_day}
            yield Way(given, ask=())

    def complete(self, thread: Thread) -> None:
        """Fills in the next day on which the activity has not begun (R-17.6b).

        If the activity has only one role, fills in this role too. If no day is left, fills in the
        last day, so that the refusal says why. Spells a role in the same way as the activity.
        """
        activity = _activity_of(thread, self.about)
        days = activity.days_ahead(thread.clock) or activity.days()[-1:]
        roles = list(activity.roles or ())
        self.fill(on=days[0], role=roles[0] if len(roles) == 1 else None)
        if self.role is not None:
            alike = (role for role in roles if are_alike(role, self.role))
            self.role = next(alike, self.role)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the activity is cancelled (R-17.8), or has begun on the day (R-17.7).

        Also refuses if the author has signed up for the same day already. If that was for the same
        role, raises AlreadySo. If it was for another role, raises Refused.
        """
        activity = _activity_of(thread, self.about)
        if activity.state == Activity.State.CANCELLED:
            raise Refused("R-17.8", "the activity is cancelled")
        activity.check_in_time(self.on, thread.clock)
        for earlier in _signups_of(thread, activity, self.author):
            if (earlier.on, earlier.role) == (self.on, self.role):
                raise AlreadySo("R-17.8", "you have signed up already", earlier.id)
            if earlier.on == self.on:
                raise Refused(
                    "R-17.8", "you have signed up for that day in another role; withdraw that first"
                )

    def check_accept(self, thread: Thread, accept: View) -> None:
        """Raises Refused if software should not accept the signup (R-17.8).

        This is so if the signup is withdrawn, if the activity has begun on that day, or if the role
        is hidden. It is also so if all places of this role on that day are promised to other
        people.
        """
        del accept
        if self.state == self.State.WITHDRAWN:
            raise Refused("R-17.8", "the signup is withdrawn already")
        activity = _activity_of(thread, self.about)
        activity.check_in_time(self.on, thread.clock)
        promised = [
            other
            for other in thread.linked_views(Signup, "about", activity.id)
            if (other.on, other.role) == (self.on, self.role)
            and other.accepted
            and other.state == self.State.PLACED
        ]
        places = activity.places.get(self.role or "")
        if places is None:  # the activity has roles, but the words of the signup are hidden
            raise Refused("R-17.8", "the moderators hid the role of this signup")
        if len(promised) >= places:
            raise Refused("R-17.8", "all places of this role are promised already")

    def check_close(self, thread: Thread, person: bytes) -> None:
        """Raises Refused if the activity has begun on the day of the signup (R-17.7)."""
        del person
        _activity_of(thread, self.about).check_in_time(self.on, thread.clock)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the signup to the views, in the state "waiting" (R-17.6, R-17.7).

        Raises Refused if the activity lacks the role or the day that the signup names. Raises
        Refused also if the activity has begun on that day.
        """
        activity = _activity_of(thread, self.about)
        roles = activity.roles
        if self.role not in (roles or (None,)):
            if not roles:
                raise Refused("R-17.6", "the activity has no such role; name none")
            raise Refused(
                "R-17.6",
                "the activity has no such role; name one with --role: {roles}",
                roles=", ".join(roles),
            )
        activity.check_day(self.on)
        activity.check_in_time(self.on, activity.own_clock(self.created))
        self.state = self.State.WAITING
        thread.add_view(self)

    def apply_accept(self, thread: Thread, accept: View) -> None:
        """Notes that the organiser accepts the signup (R-17.10).

        Raises Refused if the activity has begun on the day of the signup.
        """
        activity = _activity_of(thread, self.about)
        activity.check_in_time(self.on, activity.own_clock(accept.created))
        accepts = thread.index(_FirstAccepts)
        accepts[self.id] = min(accept.order, accepts.get(self.id, accept.order))
        self.accepted = True

    def apply_close(self, thread: Thread, close: View) -> None:
        """Withdraws the signup, so that its place is free again (R-17.7).

        Raises Refused if the activity has begun on the day of the signup.
        """
        activity = _activity_of(thread, self.about)
        activity.check_in_time(self.on, activity.own_clock(close.created))

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns two people: the author of the signup, and the organiser of the activity."""
        activity = find(self.about)
        if self.state == self.State.WITHDRAWN or not isinstance(activity, Activity):
            return []
        return [self.author, *activity.relies_on(find)]

    def diary_entry(self, person: bytes, find: FindView) -> DiaryEntry | None:
        """Returns an entry for the author's diary: when the author comes to the activity.

        The entry is tentative while the author waits for a place.
        """
        activity = find(self.about)
        if person != self.author or self.state == self.State.WITHDRAWN:
            return None
        if not isinstance(activity, Activity):
            return None
        certainty = Certainty.CONFIRMED
        if activity.state == Activity.State.CANCELLED:
            certainty = Certainty.CANCELLED
        elif self.state == self.State.WAITING:
            certainty = Certainty.TENTATIVE
        return DiaryEntry(
            activity.title or activity.kind,
            activity.occurrence_start(self.on),
            activity.minutes,
            area=activity.area,
            other=activity.author,
            role=self.role,
            certainty=certainty,
        )


@kind("attendance", about=("activity",), plural="attendances", lasting=True)
class Attendance(Payable):
    """The organiser writes down who came, and who had a place.

    The common pot, the account of the whole neighbourhood, pays the receipts about an attendance.
    """

    class State(States):
        """The state of an attendance."""

        WRITTEN = "written", "Always."

    wording = Words("Who came", happened="{who} wrote down who came", submit="Write down")
    example = {"people": [SOMEBODY], "on": "2026-11-26", "held": {"cook": [SOMEBODY]}}

    people: list[PersonId] = Many(of=Person(), required=True, max=MOST_PLACES, help="who came")
    on: str = Moment(
        required=True, day_only=True, days_back=YEAR, days_ahead=0, help="the last day if left out"
    )
    held: dict[str, list[PersonId]] | None = Map(
        of=Many(of=Person(), max=MOST_PLACES), filled=True, help="who had a place"
    )

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields a way to write an attendance for each day on which people have a place, unless the
        day has an attendance already.

        Future days are among these days. For a future day, `check_before_signing` raises Refused.
        """
        del person
        activity = thread.find_view(target.id, Activity)
        for day in activity.unwritten_days() if activity is not None else ():
            yield Way({"on": day}, ask=("people",))

    def complete(self, thread: Thread) -> None:
        """Fills in the latest day that has begun, and the people who have a place on that day.

        If no day has begun, fills in the first day, so that the refusal names it.
        """
        activity = _activity_of(thread, self.about)
        days = activity.days()
        begun = len(days) - len(activity.days_ahead(thread.clock))
        self.fill(on=days[max(begun - 1, 0)])
        self.held = activity.places_held(self.on)

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the activity has not begun on the day of the attendance (R-17.12).

        Raises AlreadySo if earlier attendances for that day already say everything that this
        attendance says.
        """
        begins = _activity_of(thread, self.about).occurrence_start(self.on)
        if not thread.clock.has_begun(begins):
            raise Refused(
                "R-17.12",
                "it begins on {begins}; write it down then",
                begins=begins.replace("T", " "),
            )
        earlier = [
            attendance
            for attendance in thread.linked_views(Attendance, "about", self.about or b"")
            if attendance.on == self.on
        ]
        came = {person for attendance in earlier for person in attendance.people}
        if earlier and came.issuperset(self.people):
            raise AlreadySo("R-17.12", "this is written down already", earlier[0].id)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the attendance to the views (R-17.11).

        The organiser must have written the attendance, and it must be for a day of the activity.
        Otherwise raises Refused. Raises Refused also if the attendance names a role that the
        activity lacks, gives too many places, or gives two places to one person.
        """
        activity = _activity_of(thread, self.about)
        if self.author != activity.author:
            raise Refused("R-17.11", "only the organiser writes down who came")
        activity.check_day(self.on)
        held = self.held or {}
        everybody = [person for people in held.values() for person in people]
        places = activity.places
        if not held.keys() <= places.keys():
            raise Refused("R-17.11", "it names a role that the activity lacks")
        has_room = all(len(people) <= places[role] for role, people in held.items())
        if not has_room or len(set(everybody)) < len(everybody):
            raise Refused("R-17.11", "it gives more places than there are, or two to one person")
        thread.add_view(self)

    # -- what receipts about it ask ---------------------------------------------------------------

    def receipt_ways(self, thread: Thread) -> Iterable[Way]:
        """Yields a way to write a receipt for each person who came.

        Leaves out the organiser, and people who have a receipt for the day of the attendance.
        """
        for person in self.people:
            if person != self.author and not self._standing_receipts(thread, person):
                yield Way({"giver": person}, ask=("minutes", "note"))

    def fill_in_receipt(self, thread: Thread, receipt: Receipt) -> None:
        """Fills in the common pot as the receiver, and the day and the minutes of the activity.

        If only one person came besides the organiser, fills in this person as the giver (R-17.16a).
        """
        self._check_counts(thread)
        activity = _activity_of(thread, self.about)
        others = [person for person in self.people if person != receipt.author]
        receipt.fill(
            giver=others[0] if len(others) == 1 else None,
            receiver=COMMON_POT,
            minutes=activity.minutes,
            on=self.on,
        )

    def check_receipt_before_signing(self, thread: Thread, receipt: Receipt) -> None:
        """Raises Refused if the giver has another receipt for the same day already (R-17.16).

        A disputed receipt does not matter.
        """
        self._check_counts(thread)
        check_not_written(thread, receipt)
        for other in self._standing_receipts(thread, receipt.giver):
            raise Refused(
                "R-17.16",
                "there is a receipt for them on that day already, and it is {state}",
                state=other.state,
            )

    def check_receipt(self, thread: Thread, receipt: Receipt) -> None:
        """Raises Refused if the common pot may not pay the receipt (R-17.15).

        The organiser must write the receipt, for another person who came. The receipt must be for
        the day of the attendance.
        """
        check_pot_receipt(receipt, thread.target(receipt))
        if thread.find_view(self.id, Attendance) is None:
            return  # it does not count, so nothing says who came
        if receipt.giver not in self.people:
            raise Refused("R-17.15", "the giver must be one of those who came")
        if receipt.on[:DAY] != self.on:
            raise Refused(
                "R-17.15",
                "the attendance is for {on}, and the receipt must be for that day",
                on=self.on,
            )

    def paid_together(self, thread: Thread) -> tuple[bytes, list[bytes]]:
        """Returns the id of the activity, and the ids of all attendances about it (R-17.15e)."""
        if self.about is None:
            return super().paid_together(thread)
        attendances = thread.index(_AttendanceIds)
        if not attendances:
            for draft in thread.drafts.values():
                if isinstance(draft, Attendance):
                    attendances[draft.about or b""].append(draft.id)
        return self.about, attendances[self.about]

    def _check_counts(self, thread: Thread) -> None:
        if thread.find_view(self.id, Attendance) is None:
            raise Refused("R-17.15", "the attendance does not count")

    def _standing_receipts(self, thread: Thread, giver: bytes) -> list[Receipt]:
        """Returns this giver's receipts for the day of the attendance. Leaves out disputed
        receipts.
        """
        _, attendances = self.paid_together(thread)
        return [
            receipt
            for attendance in attendances
            for receipt in thread.linked_views(Receipt, "about", attendance)
            if (receipt.giver, receipt.on[:DAY]) == (giver, self.on)
            and receipt.state != Receipt.State.DISPUTED
        ]


# -- one day of an activity -----------------------------------------------------------------------


def _activity_of(thread: Thread, record_id: bytes | None) -> Activity:
    activity = thread.find_view(record_id, Activity)
    if activity is None:
        raise Refused("R-17.6", "the activity does not count, or its words are gone")
    return activity


def _signups_of(thread: Thread, activity: Activity, person: bytes) -> list[Signup]:
    """Returns a person's signups for an activity. Leaves out withdrawn signups."""
    return [
        signup
        for signup in thread.linked_views(Signup, "about", activity.id)
        if signup.author == person and signup.state != Signup.State.WITHDRAWN
    ]


def _by_day(signups: list[Signup], attendances: list[Attendance]) -> dict[str, _Day]:
    by_day: dict[str, _Day] = defaultdict(_Day)
    for signup in signups:
        by_day[signup.on].signups.append(signup)
    for attendance in attendances:
        by_day[attendance.on].attendances.append(attendance)
    return by_day


def _occurrence(thread: Thread, activity: Activity, on: str, day: _Day) -> OccurrenceLine:
    """Works out one day of an activity, and returns it as the activity's view lists it.

    Also gives out the places of this day, and sets the states of the signups for it (R-17.14).
    """
    accepts = thread.index(_FirstAccepts)
    # Signups are settled before their activity: those that are withdrawn say so already.
    # Those who have left need no place any more (R-17.9c).
    live = [
        signup
        for signup in day.signups
        if signup.state != Signup.State.WITHDRAWN and signup.author not in thread.authority.left
    ]
    first = min(day.attendances, key=lambda attendance: attendance.order, default=None)
    fixed = (first.held or {}) if first else None
    claims = [
        Claim(signup.author, signup.role or "", signup.order, accepts.get(signup.id))
        for signup in live
    ]
    places = activity.places
    seats = assign_seats(places, claims, fixed)
    for signup in live:
        signup.state = _seated_state(signup, seats)
    came = {person for attendance in day.attendances for person in attendance.people}
    has_place = {person for role in seats.values() for person in role.has}
    withdrew = {signup.author for signup in day.signups} - {signup.author for signup in live}
    is_full = all(len(seats[role].has) >= number for role, number in places.items())
    return {
        "on": on,
        "state": Activity.State.FULL if is_full else Activity.State.OPEN,
        "roles": [_role_line(role, places[role], seats[role]) for role in sorted(places)],
        "attended": bool(day.attendances),
        "came": sorted(came),
        "missed": sorted(has_place - came - withdrew) if day.attendances else [],
    }


def _seated_state(signup: Signup, seats: dict[str, Seats]) -> Signup.State:
    has_place = signup.author in seats[signup.role or ""].has
    return Signup.State.PLACED if has_place else Signup.State.WAITING


def _role_line(role: str, places: int, seats: Seats) -> RoleLine:
    return {"role": role or None, "places": places, "has": seats.has, "waits": seats.waits}


def _hide_roles(activity: Activity, signups: list[Signup], attendances: list[Attendance]) -> None:
    """Removes the names of the roles from all views of a hidden activity (R-14.6).

    The names of the roles are words of the activity, so they are hidden with its other words.
    """
    for occurrence in activity.occurrences:
        for role in occurrence["roles"]:
            role["role"] = None
    for signup in signups:
        signup.role = None
    for attendance in attendances:
        attendance.held = None
