"""Threads of hostile records: every kind, fields at their bounds and beyond, in every order.

Whatever such a thread holds, nothing but Refused comes out of the code of kinds.
"""

import random
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, timedelta, timezone
from functools import cache

from protocol.errors import Refused
from protocol.fold.fold import fold_thread
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS, DeclaredKind, view_of
from protocol.fold.thread import Entry, Thread
from protocol.kinds.services.loop import loop_of, loop_rules
from protocol.kinds.services.measures import Measure
from protocol.kinds.services.services import Service
from protocol.local_clock import LocalClock
from protocol.record import codec
from tests.protocol.kinds.test_states import HOUR, PEOPLE, START, RandomThread
from tests.support.hostile_fields import HostileFields

LONGEST_PATH = 4  # records from the root to the kind that a thread is about
TRIES = 3  # how often a hostile root is drawn until one counts
LAST_TIME = 253_402_300_799_000  # the end of the year 9999, in ms
ZONES = (UTC, timezone(timedelta(hours=-18)), timezone(timedelta(hours=18)))


class HostileThread(RandomThread):
    """A thread that leads to a record of one kind, hostile records of this kind, and the checks
    that the thread must pass. The number of the thread says which kind it is, and which of its
    fields is hostile most often.
    """

    def __init__(self, number: int) -> None:
        names = sorted(KINDS)
        self.dice = random.Random(f"hostile {number}")
        self.entries: list[Entry] = []
        self.authority = self.draw_authority()
        self.fields = HostileFields(self.dice, PEOPLE)
        self.declared = KINDS[names[number % len(names)]]
        fields = [*self.declared.fields] or ["newer"]
        self.favourite = fields[number // len(names) % len(fields)]
        if self.declared.is_root:
            self.add_root()
        else:
            self.write_path()
        self.authority = self.draw_authority()
        self.place = self.entries[-1]
        for _ in range(self.dice.randint(2, 6)):
            self.add_answer()
        self.authority = self.draw_authority()

    def write_path(self) -> None:
        """Writes sound records from a root on, to one that the thread's kind can answer."""
        for _ in range(TRIES):
            if self.entries and self.declared.can_answer(KINDS[self.entries[-1].kind]):
                break
            self.entries.clear()
            self.try_path()

    def try_path(self) -> None:
        """Writes sound records of drawn kinds. A record that does not count can end the path."""
        for declared in self.draw_path(self.declared, LONGEST_PATH)[:-1]:
            target = self.entries[-1] if self.entries else None
            for _ in range(1 if target is None else self.dice.randint(1, 3)):
                self.write(declared, target)

    def record_near(self, target: Entry | None) -> bytes:
        """Returns a record to name in a field: often another one of the target's kind."""
        kind = target.kind if target is not None else None
        alike = [entry.id for entry in self.entries if entry.kind == kind and entry != target]
        is_alike = alike and self.dice.random() < 0.6
        return self.dice.choice(alike) if is_alike else super().record_near(target)

    def draw_path(self, declared: DeclaredKind, room: int) -> list[DeclaredKind]:
        """Draws kinds, from a root on, of which each answers the one before. The last is given."""
        if declared.is_root:
            return [declared]
        targets = [
            target
            for target in KINDS.values()
            if target is not declared and declared.can_answer(target) and _depth(target.name) < room
        ]
        return [*self.draw_path(self.dice.choice(targets), room - 1), declared]

    def add_root(self) -> None:
        """Adds a hostile root. Prefers one that counts."""
        for last in range(1, TRIES + 1):
            entry = self.draw_hostile(self.declared, None)
            self.entries.append(entry)
            if last == TRIES or self.counts(entry):
                break
            self.entries.pop()

    def add_answer(self) -> None:
        """Adds a hostile record: mostly one of the thread's kind, else one that answers another."""
        target = self.place if self.dice.random() < 0.6 else self.dice.choice(self.entries)
        declared = self.declared
        if declared.is_root or self.dice.random() < 0.3:
            declared = self.draw_answer(target)
        self.entries.append(self.draw_hostile(declared, target))

    def draw_answer(self, target: Entry) -> DeclaredKind:
        """Draws a kind: mostly one that can answer the target."""
        if self.dice.random() < 0.05:
            return self.dice.choice([*KINDS.values()])
        fitting = [
            kind
            for kind in KINDS.values()
            if not kind.is_root and kind.can_answer(KINDS[target.kind])
        ]
        apt = [kind for kind in fitting if not kind.answers_anything]
        return self.dice.choice(apt if apt and self.dice.random() < 0.8 else fitting)

    def draw_hostile(self, declared: DeclaredKind, target: Entry | None) -> Entry:
        """Draws a record as its author's software completes it, and then changes a few fields."""
        self.fields.records = [entry.id for entry in self.entries] or [bytes(32)]
        self.fields.near = self.records_near(target)
        entry = self.draw_entry(declared, target) or self.draw_unfinished(declared, target)
        names = [*declared.fields, "newer"]
        if declared is self.declared and self.dice.random() < 0.6:
            names = [self.favourite]
        fields = self.fields.spoil(declared, entry.fields, names)
        author = self.entries[0].person if self.entries else entry.person
        entry = entry._replace(fields=fields)
        if self.dice.random() < 0.3:
            entry = entry._replace(person=author, device=author)
        if self.dice.random() < 0.1:
            entry = entry._replace(time=self.draw_time(), seq=self.dice.choice([1, 9]))
        if self.dice.random() < 0.02:
            entry = entry._replace(by=self.dice.choice(PEOPLE))
        if self.dice.random() < 0.4:
            entry = self.complete(entry)
        return self.judge(entry)

    def draw_unfinished(self, declared: DeclaredKind, target: Entry | None) -> Entry:
        """Draws a record that its author's software would not complete."""
        number = len(self.entries) + 1
        who = self.dice.choice(PEOPLE)
        return Entry(
            number.to_bytes(32, "big"),
            who,
            number,
            START + number * HOUR,
            target.id if target is not None else None,
            who,
            declared.name,
            self.fields.draw(declared),
            lasting=declared.lasting,
            key=bytes(32),
        )

    def records_near(self, target: Entry | None) -> list[bytes]:
        """Returns the records beside the target. If there are none, returns those about it."""
        if target is None:
            return []
        beside = [
            entry.id for entry in self.entries if entry.about == target.about and entry != target
        ]
        return beside or [entry.id for entry in self.entries if entry.about == target.id]

    def draw_time(self) -> int:
        """Draws a time at the bounds."""
        return self.dice.choice([0, 1, START, START - 400 * 24 * HOUR, LAST_TIME])

    def judge(self, entry: Entry) -> Entry:
        """Notes the fault of an entry, as a home does that reads it."""
        try:
            KINDS[entry.kind].check_fields(entry.fields)
        except Refused as refusal:
            return entry._replace(fault=refusal)
        return entry

    def complete(self, entry: Entry) -> Entry:
        """Completes an entry as its author's software does, and tries whether it may be signed."""
        declared = KINDS[entry.kind]
        if self.judge(entry).fault is not None and not _is_incomplete(entry):
            return entry
        thread = self.fold_checked(self.entries)
        thread.clock = self.draw_clock()
        draft = declared.draft(entry)
        thread.entries[entry.id] = entry
        thread.drafts[entry.id] = draft
        with suppress(Refused):
            draft.complete(thread)
            values = vars(draft)
            fields = {name: values[name] for name in declared.fields if values[name] is not None}
            declared.check_fields(fields)
            thread.entries[entry.id] = entry._replace(fields=fields)
            entry = thread.entries[entry.id]
            draft.readers(thread, draft)
            draft.check_before_signing(thread)
        return entry

    def draw_clock(self) -> LocalClock:
        time = self.dice.choice([START, START + 9 * HOUR, START + 900 * HOUR])
        return LocalClock(time, self.dice.choice(ZONES))

    def fold_checked(self, entries: Iterable[Entry]) -> Thread:
        """Folds entries. Raises what the code of kinds raises."""
        thread = fold_thread(entries, self.authority)
        for failure in thread.failures:
            raise failure
        return thread

    def check(self) -> Thread:
        """Folds the thread in two orders, and calls every method of its kinds. Returns the thread
        as it is folded.
        """
        shuffled = list(self.entries)
        self.dice.shuffle(shuffled)
        thread = self.fold_checked(shuffled)
        again = self.fold_checked(self.entries)
        assert thread.results == again.results, "the order of arrival changes nothing"
        for entry in self.entries:
            check_entry(thread, entry, self.draw_clock())
        for view_id, result in thread.results.items():
            stored = view_of(codec.unpack_framed(result.packed, max_bytes=2**24, max_items=2**16))
            check_view(thread, stored, self.draw_clock())
            check_view(thread, thread.views[view_id], self.draw_clock())
        check_loops(thread, self.draw_clock().time)
        return again


def check_entry(thread: Thread, entry: Entry, clock: LocalClock) -> None:
    """Calls what the author's software calls to offer answers to a record."""
    thread.clock = clock
    target = KINDS.get(entry.kind or "")
    for declared in KINDS.values():
        if not declared.is_root and declared.can_answer(target):
            for way in allowed(declared.view_type.ways, thread, entry, PEOPLE[0]) or ():
                way.given, way.ask, way.among, way.trial  # noqa: B018
    if target is not None:
        allowed(target.view_type.handed_keys, entry.fields if entry.fault is None else {})
    draft = thread.find_draft(entry.id, Kind)
    if draft is not None:
        allowed(draft.is_adopted, thread)
        for other in thread.drafts.values():
            allowed(draft.countersigns, thread, other)


def check_view(thread: Thread, view: object, clock: LocalClock) -> None:
    """Calls what shows a view calls."""
    if not isinstance(view, Kind):
        return
    allowed(view.state_at, clock)
    allowed(view.further_values, thread.authority, clock)
    allowed(view.matching_facts)
    allowed(view.credits)
    allowed(view.texts)
    for person in PEOPLE:
        allowed(view.diary_entry, person, lambda record_id: thread.views.get(record_id or b""))
    for draft in thread.drafts.values():
        allowed(view.check_accept, thread, draft)
        allowed(view.readers, thread, draft)


def check_loops(thread: Thread, now: int) -> None:
    """Works out the signals and matters of the measures in a thread."""
    views = list(thread.views.values())
    for service in views:
        if isinstance(service, Service):
            rules = loop_rules(thread.authority.charter)
            for measure in views:
                if isinstance(measure, Measure) and measure.state == Measure.State.IN_USE:
                    loop_of(measure, views, service, rules, PEOPLE, {}, now)


def allowed(method: Callable[..., object], *args: object) -> list[object] | None:
    """Calls a method of a kind. It may return values or raise Refused, and nothing else."""
    with suppress(Refused):
        answer = method(*args)
        is_series = hasattr(answer, "__iter__") and not isinstance(answer, (str, bytes, dict))
        return list(answer) if is_series else [answer]
    return None


@cache
def _depth(name: str) -> int:
    """Returns how many records at least stand above one of a kind. A record that can answer
    anything counts as one that answers a root.
    """
    declared = KINDS[name]
    if declared.is_root:
        return 0
    targets = [kind for kind in KINDS.values() if kind.name != name and declared.can_answer(kind)]
    if any(kind.is_root for kind in targets):
        return 1
    return 1 + min(_depth(kind.name) for kind in targets)


def _is_incomplete(entry: Entry) -> bool:
    """Returns whether an entry lacks only what its author's software may fill in."""
    declared = KINDS[entry.kind]
    with suppress(Refused):
        for name in declared.public_names & entry.fields.keys():
            declared.fields[name].check_read(name, entry.fields[name])
        return True
    return False
