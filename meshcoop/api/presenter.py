"""Views as people and programs see them: names for people, hex for ids, ISO times, and what only
this home can read laid over what everybody sees.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from functools import cache, cached_property
from itertools import islice
from typing import Any

import msgpack

from meshcoop.clock import iso
from meshcoop.fold.state import State
from meshcoop.fold.time_zone import zone_of
from meshcoop.store.records import Row
from protocol import recurrence as series
from protocol.authority.terms import HIDDEN, STANDING
from protocol.errors import Refused
from protocol.fold.balance import POT
from protocol.fold.kind import KINDS, people_in
from protocol.fold.thread import Entry, Thread, View
from protocol.kinds.activities import activities
from protocol.kinds.exchange.negotiation import INTENTS
from protocol.record import sealing as seal
from protocol.record.sealing import BoxKey

Shown = dict[str, Any]

_UPCOMING = 8  # days of a series that are told beforehand
_PLAIN = frozenset({str, int, bool})  # shown as they are


class Presenter:
    """Shows the state of one home as of `now` (milliseconds), which is looked at once: one answer."""

    def __init__(self, state: State, now: Callable[[], int], boxes: Iterable[BoxKey] = ()) -> None:
        self._state = state
        self._now = now()
        self._boxes = [*state.ring.boxes.values(), *boxes]  # what private words open with
        self._names: dict[bytes, str] | None = None
        self._readers: set[bytes] | None = None

    def names(self) -> dict[bytes, str]:
        """The name of everybody who has told it, and of the common pot."""
        if self._names is None:
            latest = self._state.views.latest("profile")
            told = {who: str(view["name"]) for who, view in latest.items() if view["name"]}
            self._names = {**told, POT: "the common pot"}
        return self._names

    def person(self, person: bytes) -> Shown:
        """`{id, name}`; a person without a profile is named by the start of their id."""
        return {"id": person.hex(), "name": self.names().get(person, person.hex()[:8])}

    def view(self, view: View) -> Shown:
        """One view, whole."""
        (shown,) = self.views([view])
        return shown

    def views(self, found: Sequence[View]) -> list[Shown]:
        """Views, each whole."""
        asked = [one for view in found if view["kind"] in INTENTS for one in view["responses"]]
        responses = self._state.views.several(asked)
        return [self._whole(view, responses) for view in found]

    def _whole(self, view: View, responses: Mapping[bytes, View]) -> Shown:
        shown = self._plain(view)
        if view["kind"] in INTENTS:
            told = [responses[one] for one in view["responses"] if one in responses]
            near = {view["author"], *(one["author"] for one in told)}
            shown["responses"] = [self._plain(one, near) for one in told]
        if view["kind"] == "page":
            shown["heads"] = [self._head(one) for one in view["heads"]]
        if view["kind"] == "activity":
            shown["occurrences"] = [self._occurrence(one) for one in view["occurrences"]]
            shown["upcoming"] = self._upcoming(view)
        if view["kind"] in {"proposal", "renewal"}:
            shown["voted"] = self._voted(view)
        if view["kind"] in {"proposal", "flag", "hide"}:
            shown["concerns"] = self._concerned(view)
        return shown

    def history(self, thread: Thread) -> list[Shown]:
        """What happened in a thread, in order; `note` says why something does not count, and
        `automatic` that a home's software signed it by itself (R-13.15).
        """
        return [
            {
                "id": told.entry.id.hex(),
                "kind": told.entry.kind,
                "author": self.person(told.entry.person),
                "by": self.person(told.entry.by) if told.entry.by else None,
                "created": iso(told.entry.time),
                "about": told.entry.about.hex() if told.entry.about else None,
                "counted": told.refusal is None,
                "automatic": _countersigns(thread, told.entry),
                "note": str(told.refusal) if told.refusal else None,
            }
            for told in thread.history
        ]

    def people(self) -> list[Shown]:
        """Members, and who was removed, with their profiles, by name."""
        authority = self._state.authority
        assert authority is not None
        profiles, vouches = self._state.views.latest("profile"), self._vouches()
        found = []
        for member in authority.people.values():
            profile = profiles.get(member.person)
            shown = self._plain(profile) if profile else {}
            found.append(
                {
                    **shown,
                    **self.person(member.person),
                    "kind": "person",
                    "author": self.person(member.person),
                    "created": iso(member.since),
                    "state": "member" if member.person in authority.members else "removed",
                    "on_roll": member.person in authority.term.roll,
                    "moderator": member.person in authority.term.moderators,
                    "vouches": vouches[member.person],
                }
            )
        return sorted(found, key=lambda one: (one["name"].casefold(), one["id"]))

    def _vouches(self) -> dict[bytes, list[Shown]]:
        """The good words that stand, by whom they are for, oldest first."""
        found: dict[bytes, list[Shown]] = defaultdict(list)
        for view in reversed(self._state.views.of_kind("vouch")):
            if view["state"] == "in force":
                author, created = self.person(view["author"]), iso(view["created"])
                told = {"id": view["id"].hex(), "author": author, "created": created}
                found[view["person"]].append({**told, "text": view["text"]})
        return found

    def term(self) -> Shown | None:
        """The term in force: who decides, and whether that is settled (R-03.24)."""
        authority = self._state.authority
        if authority is None:
            return None
        term = authority.term
        return {
            "id": term.id.hex(),
            "since": iso(term.since),
            "roll": self._people(sorted(term.roll)),
            "moderators": self._people(sorted(term.moderators)),
            "vouchers": term.vouchers,
            "share": term.share,
            "settled": authority.chain.settled,
        }

    def _voted(self, view: View) -> Shown:
        """Who said what, as it counts now."""
        known = self._state.authority
        assert known is not None
        found = known.outcomes.get(view["id"]) or known.renewals.get(view["id"])
        yes, no = (found.yes, found.no) if found else ((), ())
        return {"yes": self._people(sorted(yes)), "no": self._people(sorted(no))}

    def _concerned(self, view: View) -> Shown | None:
        """The person whom a proposal would remove or restore, or the words that it, a flag or a hide
        is about, as they may be shown; None for everything else.
        """
        change = view["change"] if view["kind"] == "proposal" else [HIDDEN, view["about"]]
        what, key, *_ = change or [None, None]
        if what == STANDING:
            return self.person(key)
        words = self._state.views.get(key) if what == HIDDEN else None
        if words is None:
            return None
        named = words.get("title") or words.get("name") or words.get("text")
        return {
            "id": key.hex(),
            "kind": words["kind"],
            "author": self.person(words["author"]),
            "title": named,
            "hidden": bool(words.get("hidden")),
        }

    def _plain(self, view: View, near: set[bytes] | None = None) -> Shown:
        """A view by itself. `near`: who may be a party to it, if that is known."""
        people = _naming_people(view["kind"])
        shown = {
            name: self._people(value)
            if name in people
            else value
            if value is None or type(value) in _PLAIN
            else _json(value)
            for name, value in view.items()
        }
        kind = KINDS.get(view["kind"])
        for name in ("created", *(kind.timing if kind else ())):
            shown[name] = iso(view[name]) if view.get(name) is not None else None
        shown["state"] = self.state(view)
        return shown | self._private(view, near)

    def _head(self, head: Shown) -> Shown:
        """A text of a page that stands."""
        author, created = self.person(head["author"]), iso(head["created"])
        return {**head, "id": head["id"].hex(), "author": author, "created": created}

    def _people(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.person(one) for one in value]
        if isinstance(value, str):  # the name of somebody outside
            return {"id": None, "name": value}
        if isinstance(value, dict):
            return {name: self._people(one) for name, one in value.items()}
        return self.person(value) if value is not None else None

    def state(self, view: View) -> str:
        """The state as of now: what only a clock changes is not in the view."""
        kind = KINDS.get(view["kind"])
        over = kind.over(view) if kind else None
        return over[1] if over and self._is_past(over[0]) else str(view["state"])

    def _is_past(self, moment: str) -> bool:
        """Whether a moment, by the clock here or in UTC, lies before now."""
        now = self._told_in_utc if moment.endswith("Z") else self._told_here
        bare = moment.rstrip("Z")
        return now[: len(bare)] > bare

    @cached_property
    def _told_here(self) -> str:
        assert self._state.authority is not None
        return self._told_in(zone_of(self._state.authority.charter))

    @cached_property
    def _told_in_utc(self) -> str:
        return self._told_in(UTC)

    def _told_in(self, zone: tzinfo) -> str:
        return datetime.fromtimestamp(self._now / 1000, zone).isoformat()

    def _occurrence(self, one: Shown) -> Shown:
        """A day of an activity."""
        roles = [
            {**role, "has": self._people(role["has"]), "waits": self._people(role["waits"])}
            for role in one["roles"]
        ]
        people = {name: self._people(one[name]) for name in ("came", "missed")}
        return {**one, "roles": roles, **people}

    def _upcoming(self, view: View) -> list[str]:
        """The next days of an activity that are not over yet."""
        days = series.days(view["starts"], view["repeats"])
        ahead = (day for day in days if not self._is_past(activities.ends(view, day)))
        return list(islice(ahead, _UPCOMING))

    def _private(self, view: View, near: set[bytes] | None) -> Shown:
        """The private fields that a device of this home can open."""
        names = _private_names(view["kind"])
        if not names or not self._may_read(view, near):
            return {}
        row = self._state.store.records.find(view["id"])
        if row is None:
            return {}
        fields = self._fields(row)
        return {name: self._open(row, name, fields[name]) for name in names if fields.get(name)}

    def _may_read(self, view: View, near: set[bytes] | None) -> bool:
        """Whether somebody whose devices are here may be a party: to try all would take long."""
        if self._readers is None:
            known, boxes = self._state.authority, {one.public for one in self._boxes}
            devices = known.devices.values() if known else ()
            self._readers = {one.person for one in devices if one.box in boxes}
        if near is None:
            above = self._state.views.get(view["about"])
            if above is None:
                return True  # nobody can tell
            near = {above["author"]}
        return not self._readers.isdisjoint(
            near | {view["author"], view.get("by")} | people_in(view)
        )

    def _fields(self, row: Row) -> dict[str, Any]:
        entry = self._state.thread_fold.entry(row)
        return entry.fields if entry else {}

    def _open(self, row: Row, name: str, sealed: bytes) -> Any:
        fields = row.record.fields
        place = seal.private_context(self._state.neighbourhood, fields.device, fields.seq, name)
        try:
            plain = seal.open_private(sealed, self._boxes, place)
            return None if plain is None else msgpack.unpackb(plain)
        except (Refused, ValueError):
            return None  # sealed wrongly by its author: nobody can read it


def _countersigns(thread: Thread, entry: Entry) -> bool:
    about = thread.entries.get(entry.about or b"")
    return entry.kind == "confirm" and about is not None and about.kind == "confirm"


@cache
def _naming_people(kind_name: str) -> frozenset[str]:
    """The fields of a kind's views that name people."""
    kind = KINDS.get(kind_name)
    named = [name for name, one in kind.fields.items() if one.names_people] if kind else []
    return frozenset({"author", "by", *(kind.naming if kind else ()), *named})


@cache
def _private_names(kind_name: str) -> tuple[str, ...]:
    kind = KINDS.get(kind_name)
    return tuple(name for name, one in kind.fields.items() if one.private) if kind else ()


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_json(one) for one in value]
    if isinstance(value, dict):
        return {name: _json(one) for name, one in value.items()}
    return value
