"""Kinds of what people do together at a time (specs/17-activities.md).

Places are shared out from all that is here; what the organiser writes down after it began stays.
"""

from datetime import datetime, timedelta, timezone
from typing import Any, NamedTuple

from protocol import recurrence as series
from protocol.errors import Refused
from protocol.fold.kind import Kind, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.activities import seating as places
from protocol.kinds.activities.seating import Claim
from protocol.schema.fields import Integer, Many, Map, Minutes, Moment, Person, Text

MOST_PLACES = 64  # of all roles together: as many as a list in a record holds
_EVERYBODY = {"": MOST_PLACES}  # the roles of an activity that names none


class _Signed(NamedTuple):
    """What was said of a signup in time."""

    withdrawn: bool = False
    accepted: places.Order | None = None


@kind("activity", plural="activities")
class Activity(Kind):
    """Something that people do together, once or again and again."""

    states = ("open", "full", "past", "cancelled")
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

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The charter's offset, which later changes of the charter leave as it is here."""
        del today
        return {**entry.fields, "offset": thread.authority.charter["offset"]}

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-17.1 to R-17.5: at days that exist, with places that can be written down."""
        series.days(entry.fields["starts"], entry.fields.get("repeats"))
        roles = entry.fields.get("roles") or _EVERYBODY
        if sum(roles.values()) > MOST_PLACES:
            raise Refused("R-17.5", f"all roles together have at most {MOST_PLACES} places")
        thread.make_view(entry, state="open", occurrences=[])

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-17.13: full if every day is, cancelled if the organiser says so."""
        signups = thread.linked_views("signup", "about", view["id"])
        attended = thread.linked_views("attendance", "about", view["id"])
        days = _days(view)
        told: dict[str, tuple[list[View], list[View]]] = {days[0]: ([], [])} if not days[1:] else {}
        for which, views in enumerate((signups, attended)):
            for one in views:
                told.setdefault(one["on"], ([], []))[which].append(one)
        view["occurrences"] = [_occurrence(thread, view, day, *told[day]) for day in sorted(told)]
        if "cancelled" in thread.marks[view["id"]]:
            view["state"] = "cancelled"
        elif sum(one["state"] == "full" for one in view["occurrences"]) == len(days):
            view["state"] = "full"
        if thread.is_hidden(view["id"]):
            _hide_roles(view, signups, attended)

    def over(self, view: View) -> tuple[str, str] | None:
        """Past when the last occurrence is over."""
        if view["state"] == "cancelled":
            return None
        last = _days(view)[-1]
        return ends(view, last), "past"


@kind("signup", about=("activity",))
class Signup(Kind):
    """Somebody would come, on a day and in a role."""

    states = ("placed", "waiting", "withdrawn")
    role = Text(min=1, max=40, help="needed where the activity names several")
    on = Moment(required=True, day_only=True, help="the next day if left out")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The next day; the only role."""
        activity = _activity(thread, entry.about)
        days = _days(activity)
        on = next((day for day in days if day >= today), days[-1])
        roles = activity["roles"] or ()
        return {"on": on, "role": next(iter(roles)) if len(roles) == 1 else None, **entry.fields}

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-17.8: software signs nobody up twice, nor for what does not take place."""
        activity = _activity(thread, entry.about)
        if activity["state"] == "cancelled":
            raise Refused("R-17.8", "the activity is cancelled")
        mine = (entry.person, entry.fields["on"])
        for one in thread.linked_views("signup", "about", activity["id"]):
            if (one["author"], one["on"]) == mine and one["state"] != "withdrawn":
                raise Refused("R-17.8", "there is a signup for that day already")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-17.6, R-17.7: for a role and a day that there are, before it starts."""
        activity = _activity(thread, entry.about)
        roles = activity["roles"]
        if entry.fields.get("role") not in (roles or (None,)):
            remedy = f"name one with --role: {', '.join(roles)}" if roles else "name none"
            raise Refused("R-17.6", f"the activity has no such role; {remedy}")
        _check_day(activity, entry.fields["on"])
        _in_time(activity, entry.fields["on"], entry)
        thread.make_view(entry, state="waiting", accepted=False)

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """R-17.8: software accepts a signup once, and no more of them than there are places."""
        signup = _signup(thread, entry.about)
        if signup["state"] == "withdrawn" or signup["accepted"]:
            done = "withdrawn" if signup["state"] == "withdrawn" else "accepted"
            raise Refused("R-17.8", f"the signup is {done} already")
        room = (_activity(thread, signup["about"])["roles"] or _EVERYBODY)[signup["role"] or ""]
        taken = [
            one
            for one in thread.linked_views("signup", "about", signup["about"])
            if (one["on"], one["role"]) == (signup["on"], signup["role"])
            and one["accepted"]
            and one["state"] == "placed"
        ]
        if len(taken) >= room:
            raise Refused("R-17.8", "all places of this role are promised already")

    def apply_accept(self, thread: Thread, entry: Entry) -> None:
        """R-17.10: by the organiser, before it starts."""
        signup = _signup(thread, entry.about)
        activity = _activity(thread, signup["about"])
        if entry.person != activity["author"]:
            raise Refused("R-17.10", "a signup is accepted by who organises it")
        _in_time(activity, signup["on"], entry)
        said = _signed(thread, signup["id"])
        earliest = min(entry.order, said.accepted or entry.order)
        thread.memo[signup["id"]] = said._replace(accepted=earliest)
        signup["accepted"] = True

    def apply_close(self, thread: Thread, entry: Entry) -> None:
        """R-17.7: who withdraws in time frees the place."""
        signup = _signup(thread, entry.about)
        _in_time(_activity(thread, signup["about"]), signup["on"], entry)
        thread.memo[signup["id"]] = _signed(thread, signup["id"])._replace(withdrawn=True)


@kind("attendance", about=("activity",), plural="attendances", relied_on=True)
class Attendance(Kind):
    """The organiser writes down who came, and with it who had a place."""

    states = ("written",)
    people = Many(of=Person(), required=True, max=MOST_PLACES, help="who came")
    on = Moment(required=True, day_only=True, help="the last day if left out")
    held = Map(of=Many(of=Person(), max=MOST_PLACES), filled=True, help="who had a place")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The last day; who has a place there as far as this home knows."""
        activity = _activity(thread, entry.about)
        days = _days(activity)
        begun = [day for day in days if day <= today]
        fields = {"on": begun[-1] if begun else days[0], **entry.fields}
        told = [one["roles"] for one in activity["occurrences"] if one["on"] == fields["on"]]
        held = {one["role"] or "": one["has"] for one in (told[0] if told else ()) if one["has"]}
        return {**fields, "held": held}

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-17.12: software writes down nothing that is still to come."""
        zone = _zone(_activity(thread, entry.about))
        today = datetime.fromtimestamp(entry.time / 1000, zone).date().isoformat()
        if entry.fields["on"] > today:
            raise Refused("R-17.12", f"it takes place on {entry.fields['on']}; write it down then")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-17.11: by the organiser, for a day that there is and places that there are."""
        activity = _activity(thread, entry.about)
        if entry.person != activity["author"]:
            raise Refused("R-17.11", "who came is written down by who organises it")
        _check_day(activity, entry.fields["on"])
        held = entry.fields.get("held") or {}
        roles = activity["roles"] or _EVERYBODY
        everybody = [person for people in held.values() for person in people]
        fits = all(len(people) <= roles.get(role, 0) for role, people in held.items())
        if not fits or len(set(everybody)) < len(everybody):
            raise Refused("R-17.11", "it gives more places than there are, or two to one person")
        thread.make_view(entry, state="written")


def ends(activity: View, day: str) -> str:
    """The local moment at which the occurrence on `day` is over."""
    begins = series.moment(activity["starts"], day)
    if begins == day:
        return day
    end = datetime.fromisoformat(begins) + timedelta(minutes=activity["minutes"] or 0)
    return end.isoformat(timespec="minutes")


def _activity(thread: Thread, record_id: bytes | None) -> View:
    found = thread.find_view(record_id, "activity")
    if found is None:
        raise Refused("R-17.6", "the activity does not count, or its words are gone")
    return found


def _signup(thread: Thread, record_id: bytes | None) -> View:
    found = thread.find_view(record_id, "signup")
    if found is None:
        raise Refused("R-17.10", "the signup does not count")
    return found


def _days(activity: View) -> tuple[str, ...]:
    return series.days(activity["starts"], activity["repeats"])


def _zone(activity: View) -> timezone:
    return timezone(timedelta(minutes=activity["offset"]))


def _check_day(activity: View, day: str) -> None:
    if day not in (days := _days(activity)):
        raise Refused("R-17.6", f"it does not take place on {day}; its first day is {days[0]}")


def _in_time(activity: View, day: str, entry: Entry) -> None:
    begins = series.instant(series.moment(activity["starts"], day), _zone(activity))
    if entry.time >= begins:
        raise Refused("R-17.7", f"it has begun on {day}, and its places are what they were")


def _signed(thread: Thread, signup: bytes) -> _Signed:
    found: _Signed = thread.memo.get(signup) or _Signed()
    return found


def _occurrence(
    thread: Thread, activity: View, day: str, signups: list[View], attended: list[View]
) -> dict[str, Any]:
    """R-17.14: what there is to tell of one day; the signups get their states."""
    said = {one["id"]: _signed(thread, one["id"]) for one in signups}
    live = [one for one in signups if not said[one["id"]].withdrawn]
    claims = [
        Claim(
            one["author"], one["role"] or "", (one["created"], one["id"]), said[one["id"]].accepted
        )
        for one in live
    ]
    first = min(attended, key=lambda one: (one["created"], one["id"]), default=None)
    roles = activity["roles"] or _EVERYBODY
    found = places.assign_seats(roles, claims, (first["held"] or {}) if first else None)
    for one in signups:
        placed = one["author"] in found[one["role"] or ""].has
        one["state"] = "placed" if placed else "waiting"
        if one not in live:
            one["state"] = "withdrawn"
    came = {person for one in attended for person in one["people"]}
    gone = {one["author"] for one in signups} - {one["author"] for one in live}
    has = {person for one in found.values() for person in one.has}
    full = all(len(found[role].has) >= room for role, room in roles.items())
    return {
        "on": day,
        "state": "full" if full else "open",
        "roles": [
            {"role": role or None, "places": room, **found[role]._asdict()}
            for role, room in sorted(roles.items())
        ],
        "attended": bool(attended),
        "came": sorted(came),
        "missed": sorted(has - came - gone) if attended else [],
    }


def _hide_roles(activity: View, signups: list[View], attended: list[View]) -> None:
    """R-14.6: the names of the roles are words of the activity, wherever they stand."""
    for day in activity["occurrences"]:
        for one in day["roles"]:
            one["role"] = None
    for signup in signups:
        signup["role"] = None
    for one in attended:
        one["held"] = None
