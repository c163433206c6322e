"""Kinds of circles: people who talk among themselves (specs/15-circles-and-pages.md).

A circle is a private thread. Three sorts of records decide who is in the circle: the `circle`
record, `members` records, and `close` records of people who leave. These records are called steps.

A step names the latest steps that its author knew, and contains the keys of those steps. So
everybody who can read a step can read all steps before it. Readers with the same records work out
the same circle.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from protocol.errors import Refused
from protocol.fold.kind import NO_VIEW, Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.record.envelope import PRIVATE
from protocol.record.sealing import KEY_SIZE
from protocol.schema.fields import Bytes, Many, Person, Text

MOST_PEOPLE = 32
_ID = 32
_MOST_NAMED = 8

_AFTER = Many(
    of=Bytes(min=_ID + KEY_SIZE, max=_ID + KEY_SIZE),
    max=_MOST_NAMED,
    filled=True,
    help="the latest steps known: the id of each, then its key",
)


@dataclass
class Roster:
    """The people of a circle, worked out from its steps.

    Here a set of steps is an integer with one bit for each step. So the code joins and compares
    such sets fast, even if the circle has many steps.
    """

    bit_of_step: dict[bytes, int] = field(default_factory=dict)
    heads: set[bytes] = field(default_factory=set)  # the steps that no other step names
    left_at: dict[bytes, int] = field(default_factory=dict)  # person → when they last left, in ms
    _past: dict[bytes, int] = field(default_factory=dict)  # step → the set of all steps before it
    _joins: dict[bytes, list[bytes]] = field(default_factory=lambda: defaultdict(list))
    _leaves: dict[bytes, int] = field(default_factory=lambda: defaultdict(int))

    @property
    def ever(self) -> set[bytes]:
        """Everybody who was ever in the circle."""
        return set(self._joins)

    @property
    def current(self) -> set[bytes]:
        """The people who are in the circle according to all of its steps (R-15.3)."""
        all_steps = -1  # in this integer every bit is set
        return {person for person in self._joins if self.includes(person, all_steps)}

    def includes(self, person: bytes, steps: int) -> bool:
        """Returns True if a person is in the circle according to the set `steps` (R-15.4).

        One of these steps must take the person in. This step must come after each step of
        the set that lets the person go.
        """
        leaves = self._leaves[person] & steps
        return any(
            self.bit_of_step[step] & steps and not leaves & ~self._past[step]
            for step in self._joins.get(person, ())
        )

    def steps_up_to(self, named: Iterable[bytes]) -> int:
        """Returns the set of the steps with the ids `named` and of all steps before them."""
        steps = 0
        for step in named:
            steps |= self._past.get(step, 0) | self.bit_of_step.get(step, 0)
        return steps

    def add_step(
        self, entry: Entry, named: list[bytes], joins: Iterable[bytes], leaves: Iterable[bytes]
    ) -> None:
        """Adds a step that counts.

        The step comes after the steps `named`. It takes in the people `joins` and lets go the
        people `leaves`.
        """
        bit = 1 << len(self.bit_of_step)
        self._past[entry.id] = self.steps_up_to(named)
        self.bit_of_step[entry.id] = bit
        self.heads.difference_update(named)
        self.heads.add(entry.id)
        for person in joins:
            self._joins[person].append(entry.id)
        for person in leaves:
            self._leaves[person] |= bit
            self.left_at[person] = max(entry.time, self.left_at.get(person, 0))


class _Rosters(dict[bytes, Roster]):
    """The roster of a thread's circle, by the circle's id. Empty if the circle does not count."""


def build_roster(thread: Thread, circle: Entry) -> Roster:
    """Works out from its steps who is in a circle (R-15.3 to R-15.5).

    Each step is added only after all steps that it names.
    """
    roster = Roster()
    roster.add_step(circle, [], {circle.person, *circle.fields["members"]}, ())
    steps = {
        entry.id: entry
        for entry in thread.entries.values()
        if entry.about == circle.id and _is_step(thread, entry)
    }
    waits = {
        step.id: {step_id for step_id in _named_steps(step) if step_id in steps}
        for step in steps.values()
    }
    followers: dict[bytes, list[Entry]] = defaultdict(list)
    for step in steps.values():
        for step_id in waits[step.id]:
            followers[step_id].append(step)
    ready = [(step.order, step) for step in steps.values() if not waits[step.id]]
    heapq.heapify(ready)
    while ready:
        _, step = heapq.heappop(ready)
        _apply_step(roster, step)
        for follower in followers[step.id]:
            waits[follower.id].discard(step.id)
            if not waits[follower.id]:
                heapq.heappush(ready, (follower.order, follower))
    return roster


def roster_of(thread: Thread, circle: bytes | None) -> Roster:
    """Returns the roster of the circle with this id.

    Raises Refused if the circle does not count.
    """
    roster = thread.index(_Rosters).get(circle or b"")
    if roster is None:
        raise Refused("R-03.13", "the circle itself does not count")
    return roster


def _is_step(thread: Thread, entry: Entry) -> bool:
    leaves = entry.kind == "close" and entry.fields.get("as_state") == "withdrawn"
    is_readable = entry.fault is None and (leaves or entry.kind == "members")
    return is_readable and thread.authority.stands(entry.device, entry.seq)


def _named_steps(entry: Entry) -> list[bytes]:
    return [step_and_key[:_ID] for step_and_key in entry.fields.get("after") or ()]


def _apply_step(roster: Roster, step: Entry) -> None:
    """Adds a step to the roster, if its author was allowed to make this step.

    Everybody who was ever in the circle may leave. Only a person who is in the circle may take in
    or let go other people.
    """
    if step.kind == "close":
        if step.person in roster.ever:
            roster.add_step(step, [], (), (step.person,))
        return
    named = _named_steps(step)
    if roster.includes(step.person, roster.steps_up_to(named)):
        joins = step.fields.get("joins") or ()
        leaves = step.fields.get("leaves") or ()
        roster.add_step(step, named, joins, leaves)


@kind("circle", audience=PRIVATE)
class Circle(Kind):
    """People who talk among themselves: nobody else sees that there is a circle."""

    states = States(
        {
            "open": "A member of the neighbourhood is in it.",
            "ended": "No member of the neighbourhood is in it any more (`members`, `close`).",
        }
    )
    name = Text(required=True, min=1, max=120)  # type: ignore[assignment]  # the field, not the kind's name
    members = Many(of=Person(), required=True, max=MOST_PEOPLE, help="who is in it, beside you")

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Adds the author to the field `members` (R-15.3)."""
        del thread, today
        named = entry.fields.get("members") or []
        members = named if entry.person in named else [entry.person, *named]
        return {**entry.fields, "members": members}

    def readers(self, thread: Thread, entry: Entry) -> set[bytes]:
        """Returns the people in the circle (R-15.2).

        If `entry` takes people in or lets people go, these people can read `entry` too.
        """
        if entry.kind == "circle":
            return {entry.person, *entry.fields["members"]}
        fields = entry.fields
        changed = {*(fields.get("joins") or ()), *(fields.get("leaves") or ())}
        return {entry.person, *roster_of(thread, entry.about).current, *changed}

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Makes the view of a new circle.

        Works out first who is in the circle, because the records about the circle need this.
        """
        thread.index(_Rosters)[entry.id] = build_roster(thread, entry)
        thread.make_view(entry, state="open")

    def settle_view(self, thread: Thread, view: View) -> None:
        """Lists the members of the neighbourhood who are in the circle (R-15.4).

        If no member is in it, the circle is ended.
        """
        current = roster_of(thread, view["id"]).current
        view["members"] = sorted(current & set(thread.authority.members))
        if not view["members"]:
            view["state"] = "ended"


class CircleRecord(Kind):
    """A base class of kinds. In its field `after` a record names the latest steps of the circle."""

    after = _AFTER

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """Fills in `after`: the latest steps that the author knows, each with its key (R-15.3)."""
        del today
        heads = [thread.entries[step_id] for step_id in roster_of(thread, entry.about).heads]
        heads.sort(key=lambda step: step.order)
        after = [step.id + step.key for step in heads if step.key]
        return {**entry.fields, "after": after[-_MOST_NAMED:]}

    def handed_keys(self, fields: dict[str, Any]) -> dict[bytes, bytes]:
        """Returns the keys in the field `after`, each by the id of the step that it decrypts."""
        return {
            step_and_key[:_ID]: step_and_key[_ID:] for step_and_key in fields.get("after") or ()
        }

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the author is not in the circle (R-15.7)."""
        if entry.person not in roster_of(thread, entry.about).current:
            raise Refused("R-15.7", "you are not in this circle; somebody in it can take you in")


@kind("members", about=("circle",), audience=PRIVATE, plural="steps")
class Members(CircleRecord):
    """Takes people into a circle, or lets them go."""

    states = NO_VIEW
    joins = Many(of=Person(), max=MOST_PEOPLE, help="who is taken in")
    leaves = Many(of=Person(), max=MOST_PEOPLE, help="who is in it no more")

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the record changes nothing or makes the circle too large (R-15.7)."""
        super().check_before_signing(thread, entry)
        current = roster_of(thread, entry.about).current
        joins = set(entry.fields.get("joins") or ())
        leaves = set(entry.fields.get("leaves") or ())
        if not joins and not leaves:
            raise Refused("R-15.7", "say who is taken in (--joins) or let go (--leaves)")
        if joins & current or leaves - current:
            raise Refused(
                "R-15.7",
                "only people outside the circle can join it, and only people in it can leave",
            )
        if len(current | joins) > MOST_PEOPLE:
            raise Refused("R-15.7", f"a circle has at most {MOST_PEOPLE} people")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the author was not in the circle (R-15.5).

        Only the steps that the record names, and the steps before them, decide this.
        """
        if entry.id not in roster_of(thread, entry.about).bit_of_step:
            raise Refused("R-15.5", "by the steps that it names, its author was not in the circle")


@kind("message", about=("circle",), audience=PRIVATE)
class Message(CircleRecord):
    """Words for the people of a circle."""

    states = States({"said": "Always."})
    text = Text(required=True, min=1, max=2000)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the message to the views.

        Raises Refused unless its author is in the circle or was in it at that time (R-15.6).
        """
        roster = roster_of(thread, entry.about)
        if entry.person not in roster.current:
            if entry.person not in roster.ever:
                raise Refused("R-15.6", "its author was never in the circle")
            if entry.time > roster.left_at.get(entry.person, -1):
                raise Refused("R-15.6", "its author had left the circle by then")
        thread.make_view(entry, state="said")
