"""Kinds of circles: people who talk among themselves (specs/15-circles-and-pages.md).

A circle is a private thread. Who is in it follows from its steps: the circle itself, `members`
records and the closes of those who leave. A step names the steps that its author knew and hands on
their keys, so that whoever can read the latest step can read how it came about, and all readers of
the same records fold the same.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import Refused
from protocol.fold.kind import Kind, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.record.envelope import PRIVATE
from protocol.record.sealing import KEY
from protocol.schema.fields import Bytes, Many, Person, Text

MOST_PEOPLE = 32
_ID = 32
_MOST_NAMED = 8

_AFTER = Many(
    of=Bytes(min=_ID + KEY, max=_ID + KEY),
    max=_MOST_NAMED,
    filled=True,
    help="the latest steps known: the id of each, then its key",
)


@dataclass
class Roster:
    """Who is in a circle. Sets of steps are the bits of an integer."""

    bit_of_step: dict[bytes, int] = field(default_factory=dict)  # step → its bit
    heads: set[bytes] = field(default_factory=set)
    left_at: dict[bytes, int] = field(default_factory=dict)  # person → the time of the last step
    _past: dict[bytes, int] = field(default_factory=dict)  # step → those before it
    _joins: dict[bytes, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    _leaves: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def ever(self) -> set[bytes]:
        """Everybody whom some step took in."""
        return set(self._joins)

    @property
    def current(self) -> set[bytes]:
        """Who is in, after all steps."""
        return {person for person in self._joins if self.includes(person, -1)}

    def includes(self, person: bytes, steps: int) -> bool:
        """R-15.4: some step takes them in that comes after every one that lets them go."""
        gone = self._leaves[person] & steps
        joins = self._joins.get(person, ())
        return any(self.bit_of_step[one] & steps and not gone & ~self._past[one] for one in joins)

    def steps_up_to(self, named: Iterable[bytes]) -> int:
        """The steps that are named, and those before them."""
        steps = 0
        for one in named:
            steps |= self._past.get(one, 0) | self.bit_of_step.get(one, 0)
        return steps

    def add_step(
        self, entry: Entry, named: list[bytes], joins: Iterable[bytes], leaves: Iterable[bytes]
    ) -> None:
        """Takes in a step that counts, after those that it names."""
        self._past[entry.id] = self.steps_up_to(named)
        bit = self.bit_of_step[entry.id] = 1 << len(self.bit_of_step)
        self.heads.difference_update(named)
        self.heads.add(entry.id)
        for person in joins:
            self._joins[person].append(entry.id)
        for person in leaves:
            self._leaves[person] |= bit
            self.left_at[person] = max(entry.time, self.left_at.get(person, 0))


def build_roster(thread: Thread, circle: Entry) -> Roster:
    """R-15.3 to R-15.5: goes through the steps of a circle, each after those that it names."""
    found = Roster()
    found.add_step(circle, [], {circle.person, *circle.fields["members"]}, ())
    steps = {
        one.id: one
        for one in thread.entries.values()
        if one.about == circle.id and _is_step(thread, one)
    }
    waits = {one.id: {name for name in _named(one) if name in steps} for one in steps.values()}
    ready = [(one.order, one) for one in steps.values() if not waits[one.id]]
    heapq.heapify(ready)
    followers: dict[bytes, list[Entry]] = defaultdict(list)
    for one in steps.values():
        for name in waits[one.id]:
            followers[name].append(one)
    while ready:
        _, one = heapq.heappop(ready)
        _take(found, one)
        for follower in followers[one.id]:
            waits[follower.id].discard(one.id)
            if not waits[follower.id]:
                heapq.heappush(ready, (follower.order, follower))
    return found


def _is_step(thread: Thread, entry: Entry) -> bool:
    leaves = entry.kind == "close" and entry.fields.get("as_state") == "withdrawn"
    readable = entry.fault is None and (leaves or entry.kind == "members")
    return readable and thread.authority.stands(entry.device, entry.seq)


def _named(entry: Entry) -> list[bytes]:
    return [one[:_ID] for one in entry.fields.get("after") or ()]


def _take(found: Roster, step: Entry) -> None:
    if step.kind == "close":
        if step.person in found.ever:
            found.add_step(step, [], (), (step.person,))
    elif found.includes(step.person, found.steps_up_to(_named(step))):
        fields = step.fields
        found.add_step(step, _named(step), fields.get("joins") or (), fields.get("leaves") or ())


def roster_of(thread: Thread, circle: bytes | None) -> Roster:
    """Who is in the circle with this id. Raises Refused where it does not count."""
    known = thread.memo.get(circle or b"")
    if not isinstance(known, Roster):
        raise Refused("R-03.13", "the circle itself does not count")
    return known


@kind("circle", audience=PRIVATE)
class Circle(Kind):
    """People who talk among themselves: nobody else sees that there is a circle."""

    states = ("open", "ended")
    name = Text(required=True, min=1, max=120)  # type: ignore[assignment]  # the field, not the kind's name
    members = Many(of=Person(), required=True, max=MOST_PEOPLE, help="who is in it, beside you")

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """R-15.3: its author is in it."""
        del thread, today
        named = entry.fields.get("members") or []
        members = named if entry.person in named else [entry.person, *named]
        return {**entry.fields, "members": members}

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """R-15.2: who is in the circle; a step is read by those whom it takes in or lets go, too."""
        if entry.kind == "circle":
            return {entry.person, *entry.fields["members"]}
        fields = entry.fields
        changed = {*(fields.get("joins") or ()), *(fields.get("leaves") or ())}
        return {entry.person, *roster_of(thread, entry.about).current, *changed}

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """A new circle is open. Who is in it is worked out first, for all that answers it."""
        thread.memo[entry.id] = build_roster(thread, entry)
        thread.make_view(entry, state="open")

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-15.4: its members, as far as they belong to the neighbourhood; ended without any."""
        known = roster_of(thread, view["id"])
        view["members"] = sorted(known.current & set(thread.authority.members))
        if not view["members"]:
            view["state"] = "ended"


class CircleRecord(Kind):
    """What is posted in a circle: it names the latest steps, and hands on their keys."""

    after = _AFTER

    def complete(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """R-15.3: the steps that the author knows of."""
        del today
        known = roster_of(thread, entry.about)
        steps = sorted((thread.entries[one] for one in known.heads), key=lambda one: one.order)
        after = [one.id + one.key for one in steps if one.key][-_MOST_NAMED:]
        return {**entry.fields, "after": after}

    def hands_on(self, fields: dict[str, Any]) -> dict[bytes, bytes]:
        """The keys of the steps named."""
        return {one[:_ID]: one[_ID:] for one in fields.get("after") or ()}

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-15.7: software writes nothing in a circle in which its person is not."""
        if entry.person not in roster_of(thread, entry.about).current:
            raise Refused("R-15.7", "you are not in this circle; somebody in it can take you in")


@kind("members", about=("circle",), audience=PRIVATE, plural="steps")
class Members(CircleRecord):
    """Takes people into a circle, or lets them go."""

    joins = Many(of=Person(), max=MOST_PEOPLE, help="who is taken in")
    leaves = Many(of=Person(), max=MOST_PEOPLE, help="who is in it no more")

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-15.7: software writes a step that changes something, and no circle that is too large."""
        super().guard(thread, entry)
        current = roster_of(thread, entry.about).current
        joins, leaves = (set(entry.fields.get(name) or ()) for name in ("joins", "leaves"))
        if not joins and not leaves:
            raise Refused("R-15.7", "say who is taken in (--joins) or let go (--leaves)")
        if joins & current or leaves - current:
            raise Refused("R-15.7", "only who is not in the circle joins, and who is in it leaves")
        if len(current | joins) > MOST_PEOPLE:
            raise Refused("R-15.7", f"a circle has at most {MOST_PEOPLE} people")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-15.5: by somebody who was in the circle by the steps that it names."""
        if entry.id not in roster_of(thread, entry.about).bit_of_step:
            raise Refused("R-15.5", "its author was not in the circle by the steps that it names")


@kind("message", about=("circle",), audience=PRIVATE)
class Message(CircleRecord):
    """Words for the people of a circle."""

    states = ("said",)
    text = Text(required=True, min=1, max=2000)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-15.6: by who is in the circle, or was when they wrote it."""
        known = roster_of(thread, entry.about)
        if entry.person not in known.current:
            if entry.person not in known.ever:
                raise Refused("R-15.6", "its author was never in the circle")
            if entry.time > known.left_at.get(entry.person, -1):
                raise Refused("R-15.6", "its author had left the circle by then")
        thread.make_view(entry, state="said")
