"""Kinds of circles: people who talk among themselves (specs/15-circles-and-pages.md).

A circle is a private thread. Three sorts of records decide who is in the circle: the `circle`
record, `members` records, and `close` records of people who leave. These records are called steps.

A step names the latest steps that its author knew, and contains the keys of those steps. So
everybody who can read a step can read all steps before it. Readers with the same records work out
the same circle.
"""

import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeGuard

from protocol.errors import AlreadySo, Refused
from protocol.fold.facets import Way
from protocol.fold.kind import SOMEBODY, By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Mark, Thread
from protocol.fold.view import NoStates, States, View
from protocol.kinds.accept_and_close import Close
from protocol.record.envelope import PRIVATE
from protocol.record.sealing import KEY_SIZE
from protocol.schema.declare import Bytes, Many, Name, Person, Text
from protocol.schema.values import PersonId

MOST_PEOPLE = 32
_ID = 32
_MOST_NAMED = 8

# A step after the first: people are taken in or let go, or somebody leaves.
Step: TypeAlias = "Members | Close"


@dataclass
class Roster:
    """The people of a circle, worked out from its steps.

    A step is a record that takes people into the circle or lets people go. Here a set of steps is
    an integer with one bit for each step. So the code joins and compares such sets fast, even if
    the circle has many steps.
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

        A step in the set must take the person in. This step must come after each step of the set
        that lets the person go.
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
        self, step: View, named: list[bytes], joins: Iterable[bytes], leaves: Iterable[bytes]
    ) -> None:
        """Adds a step that counts. A step is a record that takes people into the circle or lets
        people go.

        The step comes after the steps `named`. It takes in the people `joins` and lets go the
        people `leaves`.
        """
        bit = 1 << len(self.bit_of_step)
        self._past[step.id] = self.steps_up_to(named)
        self.bit_of_step[step.id] = bit
        self.heads.difference_update(named)
        self.heads.add(step.id)
        for person in joins:
            self._joins[person].append(step.id)
        for person in leaves:
            self._leaves[person] |= bit
            self.left_at[person] = max(step.created, self.left_at.get(person, 0))


class _Rosters(dict[bytes, Roster]):
    """Maps the id of a thread's circle to its roster, which says who is in the circle.

    The map is empty if the circle does not count.
    """


def build_roster(thread: Thread, circle: "Circle") -> Roster:
    """Works out who is in a circle, from the records that take people in or let people go (R-15.3
    to R-15.5).

    Each such record is added only after all records that it names.
    """
    roster = Roster()
    roster.add_step(circle, [], {circle.author, *circle.members}, ())
    steps = {step.id: step for step in _later_steps(thread, circle)}
    waits = {
        step.id: {step_id for step_id in _named_steps(step) if step_id in steps}
        for step in steps.values()
    }
    followers: dict[bytes, list[Step]] = defaultdict(list)
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
    """Returns the roster of the circle with this id: who is in the circle.

    Raises Refused if the circle does not count.
    """
    roster = thread.index(_Rosters).get(circle or b"")
    if roster is None:
        raise Refused("R-03.13", "the circle itself does not count")
    return roster


def _later_steps(thread: Thread, circle: "Circle") -> Iterable[Step]:
    """Yields the steps of the circle after the first one.

    Leaves out steps that lie beyond a fork or a revocation of a log.
    """
    for draft in thread.drafts.values():
        if draft.about != circle.id or not _is_step(draft):
            continue
        entry = thread.entries[draft.id]
        if thread.authority.stands(entry.device, entry.seq):
            yield draft


def _is_step(draft: View) -> TypeGuard[Step]:
    is_leave = isinstance(draft, Close) and draft.as_state == Mark.WITHDRAWN
    return is_leave or isinstance(draft, Members)


def _named_steps(step: Step) -> list[bytes]:
    after = step.after if isinstance(step, Members) else None
    return [step_and_key[:_ID] for step_and_key in after or ()]


def _apply_step(roster: Roster, step: Step) -> None:
    """Adds a step to the roster, if the author of the step was allowed to make it.

    A step is a record that takes people into the circle or lets people go. Everybody who was ever
    in the circle may leave. Only a person who is in the circle may take in or let go other people.
    """
    if isinstance(step, Close):
        if step.author in roster.ever:
            roster.add_step(step, [], (), (step.author,))
        return
    named = _named_steps(step)
    if roster.includes(step.author, roster.steps_up_to(named)):
        roster.add_step(step, named, step.joins or (), step.leaves or ())


def _everybody_ever_in(view: View, thread: Thread) -> set[bytes]:
    """Returns everybody who was ever in a circle. All these people may leave the circle."""
    return roster_of(thread, view.id).ever


@kind("circle", audience=PRIVATE)
class Circle(Kind):
    """People who talk among themselves: nobody else sees that there is a circle."""

    class State(States):
        """The states of a circle."""

        OPEN = "open", "A member of the neighbourhood is in it."
        ENDED = "ended", "No member of the neighbourhood is in it any more (`members`, `close`)."

    wording = Words("Circle", begin="Begin a circle", happened="{who} began the circle")
    example = {"name": "Choir", "members": [SOMEBODY]}
    closing = {Mark.WITHDRAWN: By(_everybody_ever_in, while_=(State.OPEN,))}

    name: str | None = Name(required=True, max=120)
    members: list[PersonId] = Many(
        of=Person(), required=True, max=MOST_PEOPLE, help="who is in it, beside you"
    )

    @property
    def is_closed(self) -> bool:
        """True if nobody is in the circle any more."""
        return self.state == self.State.ENDED

    def complete(self, thread: Thread) -> None:
        """Adds the author to the field `members` (R-15.3)."""
        del thread
        named = self.members or []
        self.members = named if self.author in named else [self.author, *named]

    def readers(self, thread: Thread, record: View) -> set[bytes]:
        """Returns the people in the circle (R-15.2).

        If `record` takes people in or lets people go, these people can read `record` too.
        """
        if isinstance(record, Circle):
            return {record.author, *record.members}
        readers = {record.author, *roster_of(thread, self.id).current}
        if isinstance(record, Members):
            readers.update(record.joins or (), record.leaves or ())
        return readers

    def fold_entry(self, thread: Thread) -> None:
        """Makes the view of a new circle.

        Works out first who is in the circle, because the records about the circle need this.
        """
        thread.index(_Rosters)[self.id] = build_roster(thread, self)
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Lists the members of the neighbourhood who are in the circle (R-15.4).

        If no member is in it, the circle is ended.
        """
        current = roster_of(thread, self.id).current
        self.members = sorted(current & set(thread.authority.members))
        if not self.members:
            self.state = self.State.ENDED


class CircleRecord(Kind):
    """The base class of the records in a circle. The field `after` of such a record names the
    latest steps.

    A step is a record that took people into the circle or let people go.
    """

    after: list[bytes] | None = Many(
        of=Bytes(min=_ID + KEY_SIZE, max=_ID + KEY_SIZE),
        max=_MOST_NAMED,
        filled=True,
        help="the latest steps known: the id of each, then its key",
    )

    def complete(self, thread: Thread) -> None:
        """Fills in `after`: the latest steps that the author knows. With each step comes the key
        that decrypts it (R-15.3).

        A step is a record that took people into the circle or let people go.
        """
        heads = [thread.entries[step_id] for step_id in roster_of(thread, self.about).heads]
        heads.sort(key=lambda step: step.order)
        after = [step.id + step.key for step in heads if step.key]
        self.after = after[-_MOST_NAMED:]

    @classmethod
    def handed_keys(cls, fields: Mapping[str, Any]) -> dict[bytes, bytes]:
        """Returns the keys in the field `after`, each by the id of the step that it decrypts."""
        return {
            step_and_key[:_ID]: step_and_key[_ID:] for step_and_key in fields.get("after") or ()
        }

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the author is not in the circle (R-15.7)."""
        if self.author not in roster_of(thread, self.about).current:
            raise Refused("R-15.7", "you are not in this circle; somebody in it can take you in")


@kind("members", about=("circle",), audience=PRIVATE, plural="steps")
class Members(CircleRecord):
    """Takes people into a circle, or lets them go."""

    State = NoStates
    wording = Words("Who is in it", happened="{who} changed who is in it", submit="Yes")
    example = {"joins": [SOMEBODY]}

    joins: list[PersonId] | None = Many(of=Person(), max=MOST_PEOPLE, help="who is taken in")
    leaves: list[PersonId] | None = Many(of=Person(), max=MOST_PEOPLE, help="who is in it no more")

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields two ways: to take in somebody from outside, and to let go somebody inside."""
        circle = thread.find_view(target.id, Circle)
        if circle is not None:
            current = roster_of(thread, circle.id).current
            yield Way(ask=("joins",), among=frozenset(set(thread.authority.members) - current))
            yield Way(ask=("leaves",), among=frozenset(current - {person}))

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the record makes the circle too large (R-15.7).

        Raises AlreadySo if everybody who joins is in the circle already, and everybody who leaves
        is already out of the circle.
        """
        super().check_before_signing(thread)
        current = roster_of(thread, self.about).current
        joins = set(self.joins or ())
        leaves = set(self.leaves or ())
        if not joins and not leaves:
            raise Refused("R-15.7", "say who is taken in (--joins) or let go (--leaves)")
        if joins <= current and not leaves & current:
            raise AlreadySo("R-15.7", "it is so already", self.about)
        if joins & current or leaves - current:
            raise Refused(
                "R-15.7",
                "only people outside the circle can join it, and only people in it can leave",
            )
        if len(current | joins) > MOST_PEOPLE:
            raise Refused(
                "R-15.7", "a circle has at most {most_people} people", most_people=MOST_PEOPLE
            )

    def fold_entry(self, thread: Thread) -> None:
        """Raises Refused if the author was not in the circle (R-15.5).

        Only the steps that the record names, and the steps before them, decide this.
        """
        if self.id not in roster_of(thread, self.about).bit_of_step:
            raise Refused("R-15.5", "by the steps that it names, its author was not in the circle")


@kind("message", about=("circle",), audience=PRIVATE)
class Message(CircleRecord):
    """Words for the people of a circle."""

    class State(States):
        """The states of a message."""

        STATED = "said", "Always."

    wording = Words("Message", happened="{who} wrote a message", submit="Send")
    example = {"text": "Who brings the notes?"}

    text: str | None = Text(required=True, min=1, max=2000)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the message to the views.

        The author must be in the circle, or must have been in it at the time of the message
        (R-15.6). Otherwise raises Refused.
        """
        roster = roster_of(thread, self.about)
        if self.author not in roster.current:
            if self.author not in roster.ever:
                raise Refused("R-15.6", "its author was never in the circle")
            if self.created > roster.left_at.get(self.author, -1):
                raise Refused("R-15.6", "its author had left the circle by then")
        thread.add_view(self)
