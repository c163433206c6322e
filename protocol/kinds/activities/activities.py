"""Kinds of activities: people do something together at a set time (specs/17-activities.md).

All signups that this home has decide who gets a place. Once the organiser has written down who had
a place, later signups do not change this.
"""

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from protocol import recurrence
from protocol.errors import Refused
from protocol.fold.kind import Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.activities.seating import Claim, Order, Seats, assign_seats
from protocol.schema.fields import Integer, Many, Map, Minutes, Moment, Person, Text

MOST_PLACES = 64  # of all roles together; a list in a record holds no more
_EVERYBODY = {"": MOST_PLACES}  # the only role, if an activity names no role


class _Answers(NamedTuple):
    """What people said about a signup before its day began."""

    is_withdrawn: bool = False
    accepted: Order | None = None  # time and id of the organiser's first `accept`


class _AnswersBySignup(defaultdict[bytes, _Answers]):
    """For the id of each signup of a thread: what people said about the signup."""

    def __init__(self) -> None:
        super().__init__(_Answers)


@dataclass
class _Day:
    """The signups and the attendances for one day of an activity."""

    signups: list[View] = field(default_factory=list)
    attendances: list[View] = field(default_factory=list)


@kind("activity", plural="activities")
class Activity(Kind):
    """Something that people do together, once or again and again."""

    states = States(
        {
            "open": "A place is free on one of its days.",
            "full": "All places are taken on each of its days (`signup`).",
            "past": "By the clock: its last day is over, and it is not cancelled.",
            "cancelled": "Its organiser cancelled it (`close`).",
        }
    )
    title = Text(required=True, min=1, max=120)
    text = Text(max=2000)
    starts = Moment(required=True, help="by the clock here, the first time")
    minutes = Minutes(min=1)
    repeats = Text(max=200, help="an iCalendar RRULE, such as FREQ=WEEKLY")
    roles = Map(
        of=Integer(min=1, max=MOST_PLACES), help="how many places each role has, such as cook=2"
    )
    area = Text(max=60, help="a coarse area, never an address")
    lang = Text(max=35, help="the language of the words, such as es")
    offset = Integer(
        required=True, min=-1080, max=1080, filled=True, help="the charter's, to tell what is late"
    )

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the charter's offset from UTC. Later changes of the charter do not change it."""
        del today
        return {**entry.fields, "offset": thread.authority.charter["offset"]}

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the activity to the views, in the state "open" (R-17.1 to R-17.5).

        Raises Refused if its days cannot be worked out, or if it has too many places.
        """
        recurrence.occurrence_days(entry.fields["starts"], entry.fields.get("repeats"))
        roles = entry.fields.get("roles") or _EVERYBODY
        if sum(roles.values()) > MOST_PLACES:
            raise Refused("R-17.5", f"all roles together have at most {MOST_PLACES} places")
        thread.make_view(entry, state="open", occurrences=[])

    def settle_view(self, thread: Thread, view: View) -> None:
        """Works out the days of the activity, and sets its state (R-17.13).

        The activity is cancelled if the organiser cancelled it. It is full if every day is full.
        """
        signups = thread.linked_views("signup", "about", view["id"])
        attendances = thread.linked_views("attendance", "about", view["id"])
        days = _days_of(view)
        by_day = _by_day(signups, attendances)
        if len(days) == 1:
            # An activity of one day shows this day even if nobody has signed up.
            by_day.setdefault(days[0], _Day())
        view["occurrences"] = [_occurrence(thread, view, on, by_day[on]) for on in sorted(by_day)]
        full_days = sum(occurrence["state"] == "full" for occurrence in view["occurrences"])
        if "cancelled" in thread.marks[view["id"]]:
            view["state"] = "cancelled"
        elif full_days == len(days):
            view["state"] = "full"
        if thread.is_hidden(view["id"]):
            _hide_roles(view, signups, attendances)

    def clock_state(self, view: View) -> tuple[str, str] | None:
        """Returns the end of the last day of the activity, and the state "past" that follows then.

        Returns None if the activity is cancelled.
        """
        if view["state"] == "cancelled":
            return None
        last_day = _days_of(view)[-1]
        return occurrence_end(view, last_day), "past"


@kind("signup", about=("activity",))
class Signup(Kind):
    """Says that its author would like to come, on a day and in a role."""

    states = States(
        {
            "placed": "Its author has a place in the role on that day.",
            "waiting": "Its author has no place in the role on that day.",
            "withdrawn": "Its author withdrew it before that day's beginning (`close`).",
        }
    )
    role = Text(min=1, max=40, help="needed where the activity names several")
    on = Moment(required=True, day_only=True, help="the next day if left out")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the next day of the activity.

        If the activity has only one role, fills in this role too.
        """
        activity = _activity_of(thread, entry.about)
        days = _days_of(activity)
        next_day = next((day for day in days if day >= today), days[-1])
        roles = list(activity["roles"] or ())
        return {"on": next_day, "role": roles[0] if len(roles) == 1 else None, **entry.fields}

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the activity is cancelled (R-17.8).

        Raises Refused also if the author has signed up for that day already.
        """
        activity = _activity_of(thread, entry.about)
        if activity["state"] == "cancelled":
            raise Refused("R-17.8", "the activity is cancelled")
        wanted = (entry.person, entry.fields["on"])
        for signup in thread.linked_views("signup", "about", activity["id"]):
            if (signup["author"], signup["on"]) == wanted and signup["state"] != "withdrawn":
                raise Refused("R-17.8", "there is a signup for that day already")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the signup to the views, in the state "waiting" (R-17.6, R-17.7).

        Raises Refused if the activity has no such role or day, or has begun on that day.
        """
        activity = _activity_of(thread, entry.about)
        roles = activity["roles"]
        if entry.fields.get("role") not in (roles or (None,)):
            remedy = f"name one with --role: {', '.join(roles)}" if roles else "name none"
            raise Refused("R-17.6", f"the activity has no such role; {remedy}")
        _check_day(activity, entry.fields["on"])
        _check_in_time(activity, entry.fields["on"], entry)
        thread.make_view(entry, state="waiting", accepted=False)

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if software should not accept the signup (R-17.8).

        This is so if the signup is already accepted or withdrawn. It is also so if the organiser
        has promised all places of this role on that day.
        """
        signup = _signup_of(thread, entry.about)
        if signup["state"] == "withdrawn":
            raise Refused("R-17.8", "the signup is withdrawn already")
        if signup["accepted"]:
            raise Refused("R-17.8", "the signup is accepted already")
        roles = _activity_of(thread, signup["about"])["roles"] or _EVERYBODY
        promised = [
            other
            for other in thread.linked_views("signup", "about", signup["about"])
            if (other["on"], other["role"]) == (signup["on"], signup["role"])
            and other["accepted"]
            and other["state"] == "placed"
        ]
        if len(promised) >= roles[signup["role"] or ""]:
            raise Refused("R-17.8", "all places of this role are promised already")

    def apply_accept(self, thread: Thread, entry: Entry) -> None:
        """Notes that the organiser accepts a signup (R-17.10).

        Raises Refused if somebody else accepts it, or if the activity has begun on that day.
        """
        signup = _signup_of(thread, entry.about)
        activity = _activity_of(thread, signup["about"])
        if entry.person != activity["author"]:
            raise Refused("R-17.10", "only the organiser accepts a signup")
        _check_in_time(activity, signup["on"], entry)
        index = thread.index(_AnswersBySignup)
        answers = index[signup["id"]]
        earliest = min(entry.order, answers.accepted or entry.order)
        index[signup["id"]] = answers._replace(accepted=earliest)
        signup["accepted"] = True

    def apply_close(self, thread: Thread, entry: Entry) -> None:
        """Withdraws a signup, so that its place is free again (R-17.7).

        Raises Refused if the activity has begun on that day.
        """
        signup = _signup_of(thread, entry.about)
        _check_in_time(_activity_of(thread, signup["about"]), signup["on"], entry)
        index = thread.index(_AnswersBySignup)
        index[signup["id"]] = index[signup["id"]]._replace(is_withdrawn=True)


@kind("attendance", about=("activity",), plural="attendances", lasting=True)
class Attendance(Kind):
    """The organiser writes down who came, and who had a place."""

    states = States({"written": "Always."})
    people = Many(of=Person(), required=True, max=MOST_PLACES, help="who came")
    on = Moment(required=True, day_only=True, help="the last day if left out")
    held = Map(of=Many(of=Person(), max=MOST_PLACES), filled=True, help="who had a place")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in the latest day up to `today`, and the people who have a place on that day."""
        activity = _activity_of(thread, entry.about)
        days = _days_of(activity)
        begun = [day for day in days if day <= today]
        fields = {"on": begun[-1] if begun else days[0], **entry.fields}
        return {**fields, "held": _places_held(activity, fields["on"])}

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the day of the attendance has not come yet (R-17.12)."""
        zone = _zone_of(_activity_of(thread, entry.about))
        today = datetime.fromtimestamp(entry.time / 1000, zone).date().isoformat()
        if entry.fields["on"] > today:
            raise Refused("R-17.12", f"it takes place on {entry.fields['on']}; write it down then")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the attendance to the views (R-17.11).

        Raises Refused unless the organiser wrote it, for a day of the activity. Raises Refused also
        if it gives more places than the activity has, or two places to one person.
        """
        activity = _activity_of(thread, entry.about)
        if entry.person != activity["author"]:
            raise Refused("R-17.11", "only the organiser writes down who came")
        _check_day(activity, entry.fields["on"])
        held = entry.fields.get("held") or {}
        roles = activity["roles"] or _EVERYBODY
        everybody = [person for people in held.values() for person in people]
        has_room = all(len(people) <= roles.get(role, 0) for role, people in held.items())
        if not has_room or len(set(everybody)) < len(everybody):
            raise Refused("R-17.11", "it gives more places than there are, or two to one person")
        thread.make_view(entry, state="written")


def occurrence_end(activity: View, day: str) -> str:
    """Returns the local moment at which the activity is over on `day`."""
    begins = recurrence.occurrence_start(activity["starts"], day)
    if begins == day:
        return day  # without a time of day, it is over when the day is over
    end = datetime.fromisoformat(begins) + timedelta(minutes=activity["minutes"] or 0)
    return end.isoformat(timespec="minutes")


def _activity_of(thread: Thread, record_id: bytes | None) -> View:
    activity = thread.find_view(record_id, "activity")
    if activity is None:
        raise Refused("R-17.6", "the activity does not count, or its words are gone")
    return activity


def _signup_of(thread: Thread, record_id: bytes | None) -> View:
    signup = thread.find_view(record_id, "signup")
    if signup is None:
        raise Refused("R-17.10", "the signup does not count")
    return signup


def _days_of(activity: View) -> tuple[str, ...]:
    return recurrence.occurrence_days(activity["starts"], activity["repeats"])


def _zone_of(activity: View) -> timezone:
    return timezone(timedelta(minutes=activity["offset"]))


def _check_day(activity: View, day: str) -> None:
    days = _days_of(activity)
    if day not in days:
        raise Refused("R-17.6", f"it does not take place on {day}; its first day is {days[0]}")


def _check_in_time(activity: View, day: str, entry: Entry) -> None:
    """Raises Refused if `entry` was made after the activity began on `day` (R-17.7)."""
    begins = recurrence.local_to_ms(
        recurrence.occurrence_start(activity["starts"], day), _zone_of(activity)
    )
    if entry.time >= begins:
        raise Refused("R-17.7", f"it has begun on {day}, and its places are what they were")


def _places_held(activity: View, day: str) -> dict[str, list[bytes]]:
    """Returns, for each role, the people who have a place on a day.

    The result is empty if this home knows of no place that is taken.
    """
    for occurrence in activity["occurrences"]:
        if occurrence["on"] == day:
            return {role["role"] or "": role["has"] for role in occurrence["roles"] if role["has"]}
    return {}


def _by_day(signups: list[View], attendances: list[View]) -> dict[str, _Day]:
    by_day: dict[str, _Day] = defaultdict(_Day)
    for signup in signups:
        by_day[signup["on"]].signups.append(signup)
    for attendance in attendances:
        by_day[attendance["on"]].attendances.append(attendance)
    return by_day


def _occurrence(thread: Thread, activity: View, on: str, day: _Day) -> dict[str, Any]:
    """Works out one day of an activity, and returns it as the activity's view shows it.

    Sets the states of all signups for this day too (R-17.14).
    """
    answers = thread.index(_AnswersBySignup)
    live = [signup for signup in day.signups if not answers[signup["id"]].is_withdrawn]
    first = min(day.attendances, key=_order, default=None)
    roles = activity["roles"] or _EVERYBODY
    fixed = (first["held"] or {}) if first else None
    claims = [_claim(signup, answers[signup["id"]].accepted) for signup in live]
    seats = assign_seats(roles, claims, fixed)
    for signup in day.signups:
        signup["state"] = _signup_state(signup, answers[signup["id"]], seats)
    came = {person for attendance in day.attendances for person in attendance["people"]}
    has_place = {person for role in seats.values() for person in role.has}
    everybody = {signup["author"] for signup in day.signups}
    withdrew = everybody - {signup["author"] for signup in live}
    is_full = all(len(seats[role].has) >= places for role, places in roles.items())
    return {
        "on": on,
        "state": "full" if is_full else "open",
        "roles": [
            {"role": role or None, "places": places, **seats[role]._asdict()}
            for role, places in sorted(roles.items())
        ],
        "attended": bool(day.attendances),
        "came": sorted(came),
        "missed": sorted(has_place - came - withdrew) if day.attendances else [],
    }


def _claim(signup: View, accepted: Order | None) -> Claim:
    return Claim(signup["author"], signup["role"] or "", _order(signup), accepted)


def _order(view: View) -> Order:
    return view["created"], view["id"]


def _signup_state(signup: View, answers: _Answers, seats: dict[str, Seats]) -> str:
    if answers.is_withdrawn:
        return "withdrawn"
    has_place = signup["author"] in seats[signup["role"] or ""].has
    return "placed" if has_place else "waiting"


def _hide_roles(activity: View, signups: list[View], attendances: list[View]) -> None:
    """Removes the names of the roles from all views of a hidden activity (R-14.6).

    The names of the roles are words of the activity, so they are hidden with its other words.
    """
    for occurrence in activity["occurrences"]:
        for role in occurrence["roles"]:
            role["role"] = None
    for signup in signups:
        signup["role"] = None
    for attendance in attendances:
        attendance["held"] = None
