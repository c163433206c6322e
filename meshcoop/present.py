"""Views as people and programs see them: names for people, hex for ids, ISO times, and what only
this home can read laid over what everybody sees.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

import msgpack

from meshcoop.rows import Row
from meshcoop.state import State
from protocol import seal
from protocol.errors import Refused
from protocol.schema import KINDS
from protocol.seal import BoxKey
from protocol.terms import HIDDEN, STANDING
from protocol.thread import Entry, Thread, View

Shown = dict[str, Any]


def iso(milliseconds: int) -> str:
    """A time as ISO 8601 in UTC."""
    moment = datetime.fromtimestamp(milliseconds / 1000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


class Presenter:
    """Shows the state of one home as of `now` (milliseconds)."""

    def __init__(self, state: State, now: Callable[[], int], boxes: Iterable[BoxKey] = ()) -> None:
        self._state = state
        self._now = now
        self._boxes = [*state.ring.boxes.values(), *boxes]  # what private words open with
        self._names: dict[bytes, str] | None = None

    def names(self) -> dict[bytes, str]:
        """The name of everybody who has told it."""
        latest = self._state.views.latest("profile")
        return {person: str(view["name"]) for person, view in latest.items() if view["name"]}

    def person(self, person: bytes) -> Shown:
        """`{id, name}`; a person without a profile is named by the start of their id."""
        if self._names is None:
            self._names = self.names()
        return {"id": person.hex(), "name": self._names.get(person, person.hex()[:8])}

    def view(self, view: View) -> Shown:
        """One view, whole."""
        shown = self._plain(view)
        if view["kind"] in {"offer", "request"}:
            found = (self._state.views.get(one) for one in view["responses"])
            shown["responses"] = [self._plain(one) for one in found if one]
        if view["kind"] == "page":
            shown["heads"] = [self._head(one) for one in view["heads"]]
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
        profiles = self._state.views.latest("profile")
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
                }
            )
        return sorted(found, key=lambda one: (one["name"].casefold(), one["id"]))

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

    def _plain(self, view: View) -> Shown:
        people = {"author", "by", *_naming_people(view)}
        shown = {
            name: self._people(value) if name in people else _json(value)
            for name, value in view.items()
        }
        shown["created"] = iso(view["created"])
        shown["state"] = self._state_now(view)
        return shown | self._private(view)

    def _head(self, head: Shown) -> Shown:
        """A text of a page that stands."""
        author, created = self.person(head["author"]), iso(head["created"])
        return {**head, "id": head["id"].hex(), "author": author, "created": created}

    def _people(self, value: Any) -> Any:
        if isinstance(value, list):
            return [self.person(one) for one in value]
        return self.person(value) if value is not None else None

    def _state_now(self, view: View) -> str:
        """The state as of now: what only a clock changes is not in the view."""
        kind, state = KINDS.get(view["kind"]), str(view["state"])
        field, over = kind.ends if kind and kind.ends else ("", state)
        until = view.get(field)
        if state == "open" and until and iso(self._now())[: len(until)] > until:
            return over
        return state

    def _private(self, view: View) -> Shown:
        """The private fields that a device of this home can open."""
        kind = KINDS.get(view["kind"])
        names = [name for name, one in (kind.fields if kind else {}).items() if one.private]
        row = self._state.store.get(view["id"]) if names else None
        if row is None:
            return {}
        fields = self._fields(row)
        return {name: self._open(row, name, fields[name]) for name in names if fields.get(name)}

    def _fields(self, row: Row) -> dict[str, Any]:
        entry = self._state.entry(row)
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


def people_in(view: View) -> set[bytes]:
    """The people whom a view names, beside its author."""
    values = [view.get(name) for name in _naming_people(view)]
    found = [one for value in values for one in (value if isinstance(value, list) else [value])]
    return {one for one in found if one is not None}


def _naming_people(view: View) -> list[str]:
    kind = KINDS.get(view["kind"])
    if kind is None:
        return []
    return [*kind.people, *(name for name, one in kind.fields.items() if one.names_people)]


def _json(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, list):
        return [_json(one) for one in value]
    if isinstance(value, dict):
        return {name: _json(one) for name, one in value.items()}
    return value
