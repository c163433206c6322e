"""Prepares views for people and programs: adds people's names, and writes ids in hex and times in
ISO 8601.

A shown view also has the private fields that this home can open.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache, cached_property
from itertools import islice
from typing import Any

from meshcoop.api.private_fields import PrivateFields
from meshcoop.clock import iso_time
from meshcoop.fold.state import State
from meshcoop.fold.time_zone import zone_of
from protocol import recurrence as series
from protocol.authority.admission import Member
from protocol.authority.authority import Authority
from protocol.fold.balance import COMMON_POT
from protocol.fold.kind import KINDS
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.activities import activities
from protocol.kinds.exchange.negotiation import INTENTS
from protocol.record.sealing import BoxKey
from protocol.schema.register_names import HIDDEN, STANDING

Shown = dict[str, Any]

_MAX_UPCOMING = 8  # the future days of a series that are listed
_PLAIN_TYPES = frozenset({str, int, bool})  # shown as they are
_SHORT_ID = 8  # hexadecimal digits


class Presenter:
    """Shows the state of one home. Each answer makes its own `Presenter` object.

    `now` returns milliseconds. It is called only once, so the whole answer is made for one moment.
    """

    def __init__(self, state: State, now: Callable[[], int], boxes: Iterable[BoxKey] = ()) -> None:
        self._state = state
        self._now = now()
        self._private_fields = PrivateFields(state, boxes)
        self._names: dict[bytes, str] | None = None

    def names(self) -> dict[bytes, str]:
        """Returns the name of every person who has a profile, and the name of the common pot."""
        if self._names is None:
            profiles = self._state.views.latest_by_author("profile")
            names = {person: str(view["name"]) for person, view in profiles.items() if view["name"]}
            self._names = {**names, COMMON_POT: "the common pot"}
        return self._names

    def show_person(self, person: bytes) -> Shown:
        """Shows a person as `{id, name}`. If the person has no profile, the name is the start of
        their id.
        """
        short_id = person.hex()[:_SHORT_ID]
        return {"id": person.hex(), "name": self.names().get(person, short_id)}

    def show_view(self, view: View) -> Shown:
        """Shows one view with everything that belongs to it, such as responses or votes."""
        (shown,) = self.show_views([view])
        return shown

    def show_views(self, views: Sequence[View]) -> list[Shown]:
        """Shows several views, each with everything that belongs to it."""
        intents = [view for view in views if view["kind"] in INTENTS]
        response_ids = [response_id for view in intents for response_id in view["responses"]]
        # All responses are read at once: a list may have hundreds of requests.
        responses = self._state.views.find_several(response_ids)
        return [self._show_whole(view, responses) for view in views]

    def show_history(self, thread: Thread) -> list[Shown]:
        """Shows the records of a thread, in order.

        `note` says why a record does not count. `automatic` is true if the record is a confirm that
        a home's software signed by itself (R-13.15).
        """
        return [
            {
                "id": line.entry.id.hex(),
                "kind": line.entry.kind,
                "author": self.show_person(line.entry.person),
                "by": self.show_person(line.entry.by) if line.entry.by else None,
                "created": iso_time(line.entry.time),
                "about": line.entry.about.hex() if line.entry.about else None,
                "counted": line.refusal is None,
                "automatic": _is_countersignature(thread, line.entry),
                "note": str(line.refusal) if line.refusal else None,
            }
            for line in thread.history
        ]

    def list_people(self) -> list[Shown]:
        """Lists the members, and the people who were removed, with their profiles. The list is
        sorted by name.
        """
        authority = self._authority
        profiles = self._state.views.latest_by_author("profile")
        vouches = self._vouches()
        people = [
            {
                **self._show_member(authority, member, profiles.get(member.person)),
                "vouches": vouches[member.person],
            }
            for member in authority.people.values()
        ]
        return sorted(people, key=lambda person: (person["name"].casefold(), person["id"]))

    def show_term(self) -> Shown | None:
        """Shows the term in force: who votes, who moderates, and whether the term is settled
        (R-03.24).

        Returns None if this home has no charter yet.
        """
        authority = self._state.authority
        if authority is None:
            return None
        term = authority.term
        return {
            "id": term.id.hex(),
            "since": iso_time(term.since),
            "roll": self._show_people(sorted(term.roll)),
            "moderators": self._show_people(sorted(term.moderators)),
            "vouchers": term.vouchers,
            "share": term.share,
            "settled": authority.chain.is_settled,
        }

    def state_of(self, view: View) -> str:
        """Returns the present state of a view. The state may have changed since the view was
        stored, because time has passed.
        """
        # Stored views depend on records alone. So a state that comes with time is worked out here.
        kind = KINDS.get(view["kind"])
        timed = kind.clock_state(view) if kind else None
        if timed is not None:
            moment, later_state = timed
            if self._is_past(moment):
                return later_state
        return str(view["state"])

    def _show_whole(self, view: View, responses: Mapping[bytes, View]) -> Shown:
        shown = self._show_alone(view)
        if view["kind"] in INTENTS:
            shown["responses"] = self._show_responses(view, responses)
        if view["kind"] == "page":
            shown["heads"] = [self._show_text_head(head) for head in view["heads"]]
        if view["kind"] == "activity":
            shown["occurrences"] = [self._show_occurrence(day) for day in view["occurrences"]]
            shown["upcoming"] = self._upcoming_days(view)
        if view["kind"] in {"proposal", "renewal"}:
            shown["voted"] = self._show_votes(view)
        if view["kind"] in {"proposal", "flag", "hide"}:
            shown["concerns"] = self._show_subject(view)
        return shown

    def _show_alone(self, view: View, parties: set[bytes] | None = None) -> Shown:
        """Shows a view without the further views that belong to it, such as its responses.

        `parties` are people who may be a party to the view. It is None if these people are not
        known.
        """
        kind = KINDS.get(view["kind"])
        people_fields = _people_fields(view["kind"])
        shown = {
            name: self._show_people(value) if name in people_fields else _show_value(value)
            for name, value in view.items()
        }
        for name in ("created", *(kind.extra_time_fields if kind else ())):
            time = view.get(name)
            shown[name] = None if time is None else iso_time(time)
        shown["state"] = self.state_of(view)
        return shown | self._private_fields.open_fields(view, parties)

    def _show_responses(self, intent: View, responses: Mapping[bytes, View]) -> list[Shown]:
        arrived = [responses[record] for record in intent["responses"] if record in responses]
        parties = {intent["author"], *(response["author"] for response in arrived)}
        return [self._show_alone(response, parties) for response in arrived]

    def _show_text_head(self, head: Shown) -> Shown:
        """Shows one current text of a page. No later text has replaced it."""
        return {
            **head,
            "id": head["id"].hex(),
            "author": self.show_person(head["author"]),
            "created": iso_time(head["created"]),
        }

    def _show_occurrence(self, occurrence: Shown) -> Shown:
        """Shows one day of an activity."""
        roles = [
            {
                **role,
                "has": self._show_people(role["has"]),
                "waits": self._show_people(role["waits"]),
            }
            for role in occurrence["roles"]
        ]
        return {
            **occurrence,
            "roles": roles,
            "came": self._show_people(occurrence["came"]),
            "missed": self._show_people(occurrence["missed"]),
        }

    def _upcoming_days(self, activity: View) -> list[str]:
        """Lists the next days of an activity, without days that are over."""
        days = series.occurrence_days(activity["starts"], activity["repeats"])
        ahead = (day for day in days if not self._is_past(activities.occurrence_end(activity, day)))
        return list(islice(ahead, _MAX_UPCOMING))

    def _show_votes(self, view: View) -> Shown:
        """Shows the people whose votes count as yes now, and the people whose votes count as no."""
        authority = self._authority
        outcome = authority.outcomes.get(view["id"]) or authority.renewals.get(view["id"])
        if outcome is None:
            return {"yes": [], "no": []}
        return {
            "yes": self._show_people(sorted(outcome.yes)),
            "no": self._show_people(sorted(outcome.no)),
        }

    def _show_subject(self, view: View) -> Shown | None:
        """Shows the person or the post that a proposal, a flag or a hide is about.

        A proposal can be about removing or restoring a person. A proposal, a flag or a hide can be
        about a post. Returns None for every other subject, and for a post that has not arrived
        here.
        """
        change = view["change"] if view["kind"] == "proposal" else [HIDDEN, view["about"]]
        register, key, *_ = change or [None, None]
        if register == STANDING:
            return self.show_person(key)
        words = self._state.views.find(key) if register == HIDDEN else None
        if words is None:
            return None
        title = words.get("title") or words.get("name") or words.get("text")
        return {
            "id": key.hex(),
            "kind": words["kind"],
            "author": self.show_person(words["author"]),
            "title": title,
            "hidden": bool(words.get("hidden")),
        }

    def _show_member(self, authority: Authority, member: Member, profile: View | None) -> Shown:
        fields = self._show_alone(profile) if profile else {}
        return {
            **fields,
            **self.show_person(member.person),
            "kind": "person",
            "author": self.show_person(member.person),
            "created": iso_time(member.since),
            "state": "member" if member.person in authority.members else "removed",
            "on_roll": member.person in authority.term.roll,
            "moderator": member.person in authority.term.moderators,
        }

    def _vouches(self) -> dict[bytes, list[Shown]]:
        """Returns the vouches in force for each person, with the oldest first."""
        vouches: dict[bytes, list[Shown]] = defaultdict(list)
        for view in reversed(self._state.views.of_kind("vouch")):
            if view["state"] != "in force":
                continue
            vouches[view["person"]].append(
                {
                    "id": view["id"].hex(),
                    "author": self.show_person(view["author"]),
                    "created": iso_time(view["created"]),
                    "text": view["text"],
                }
            )
        return vouches

    def _show_people(self, value: Any) -> Any:
        """Replaces the ids of people in a value with their ids and names.

        The value is a person's id, an outsider's name, None, or a list or a map of these.
        """
        if isinstance(value, list):
            return [self.show_person(person) for person in value]
        if isinstance(value, str):  # the name of somebody outside
            return {"id": None, "name": value}
        if isinstance(value, dict):
            return {name: self._show_people(people) for name, people in value.items()}
        return self.show_person(value) if value is not None else None

    def _is_past(self, moment: str) -> bool:
        """Returns whether a moment is past. A moment that ends with "Z" is in UTC. Any other moment
        is in local time.
        """
        now = self._now_in_utc if moment.endswith("Z") else self._now_here
        bare = moment.rstrip("Z")
        # ISO texts of one zone sort like times. A moment may be only a day, so `now` is cut to fit.
        return now[: len(bare)] > bare

    @cached_property
    def _now_here(self) -> str:
        return self._now_in(zone_of(self._authority.charter))

    @cached_property
    def _now_in_utc(self) -> str:
        return self._now_in(UTC)

    def _now_in(self, zone: tzinfo) -> str:
        return datetime.fromtimestamp(self._now / 1000, zone).isoformat()

    @property
    def _authority(self) -> Authority:
        authority = self._state.authority
        assert authority is not None, "the charter has been read: there are views to show"
        return authority


def _is_countersignature(thread: Thread, entry: Entry) -> bool:
    """Returns whether a record is a confirm of a confirm. Such a record is signed only by software
    (R-13.15).
    """
    about = thread.entries.get(entry.about or b"")
    return entry.kind == "confirm" and about is not None and about.kind == "confirm"


@cache
def _people_fields(kind_name: str) -> frozenset[str]:
    """Returns the names of the fields that name people, in views of one kind."""
    kind = KINDS.get(kind_name)
    if kind is None:
        return frozenset({"author", "by"})
    declared = [name for name, field in kind.fields.items() if field.names_people]
    return frozenset({"author", "by", *kind.extra_people_fields, *declared})


def _show_value(value: Any) -> Any:
    """Replaces the bytes in a value with hexadecimal text."""
    if value is None or type(value) in _PLAIN_TYPES:
        return value  # most values are plain, so this test comes first
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_show_value(part) for part in value]
    if isinstance(value, dict):
        return {name: _show_value(part) for name, part in value.items()}
    return value
