"""Neighbourhoods of hostile people: forged records of every kind, taken in by homes in every order.

Whatever the records say, each home takes them or refuses them, shows the rest, and finds the same
as the others. No code fails on the way.
"""

import random
from collections import Counter
from contextlib import suppress
from datetime import UTC

from meshcoop.api.calendar import Diary
from meshcoop.api.presenter import Presenter
from meshcoop.author.next_steps import find_steps
from meshcoop.fold.state import State
from meshcoop.matching.index import MatchingIndex
from protocol.errors import Refused
from protocol.fold.registry import KINDS, DeclaredKind
from protocol.record.envelope import PRIVATE, Record
from tests.support.hostile_fields import HostileFields
from tests.support.street_in_memory import HOUR, Home, settle, street

RECORDS = 25  # of a neighbourhood, besides those of its founding
TRIES = 3  # how often a record is drawn until a home stores it
AHEAD = 10 * 60_000  # ms


class HostileHomes:
    """A street of two homes whose people write hostile records, and the checks of the homes."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.dice = random.Random(f"homes {number}")
        self.stored: Counter[str] = Counter()  # how many records of each kind

    def check(self) -> None:
        """Lets people write, and checks each home. Raises what the code of kinds raises."""
        with street(seed=self.number) as homes:
            self.fields = HostileFields(self.dice, [home.me.person for home in homes])
            self.records: list[Record] = homes[0].records()
            for _ in range(RECORDS):
                self.add_record(homes)
                for home in homes:
                    check_failures(home.state)  # a later record can hide the failure
                if self.dice.random() < 0.2:
                    settle(*homes)
            settle(*homes)
            homes[0].street.clock += self.dice.choice([HOUR, 24 * HOUR, 900 * HOUR])
            for home in homes:
                home.state.fold_due()
                check_home(home)
            last = self.stranger(homes[0])
            hashes = {home.state_hash() for home in [*homes, last]}
            assert len(hashes) == 1, "the order of arrival changes nothing"

    def add_record(self, homes: list[Home]) -> None:
        """Lets one person write a record, by the software or by hand."""
        home = self.dice.choice(homes)
        target = self.dice.choice(self.records[-6:])
        for _ in range(TRIES):
            declared = self.draw_kind(home, target)
            about = None if declared.is_root else target
            self.fields.records = [record.id for record in self.records]
            try:
                self.records.append(self.write(home, declared, about))
            except Refused as refusal:
                if refusal.rule.startswith("R-10.16"):  # the code of a kind failed
                    raise AssertionError(str(refusal)) from refusal
            else:
                self.stored[declared.name] += 1
                return

    def draw_kind(self, home: Home, target: Record) -> DeclaredKind:
        """Draws a kind that the neighbourhood can read: mostly one that may answer the target, and
        seldom one that is stored already. Otherwise kinds that may answer every record would leave
        no room for the others.
        """
        public = public_kinds()
        kind = None  # if the target has no sound form
        with suppress(Refused):
            kind = KINDS.get(home.state.contents.read(target).kind or "")
        fitting = [
            declared for declared in public if not declared.is_root and declared.can_answer(kind)
        ]
        among = fitting if self.dice.random() < 0.7 else public
        weights = [(1 + self.stored[declared.name]) ** -3 for declared in among]
        return self.dice.choices(among, weights)[0]

    def write(self, home: Home, declared: DeclaredKind, about: Record | None) -> Record:
        """Writes a record, by the software or by hand. Raises Refused if it is refused."""
        plain = self.dice.choice([0.0, 0.7, 1.0])
        fields = self.fields.draw(declared, plain=plain)
        if plain < 1:
            fields = self.fields.spoil(declared, fields, [*declared.fields, "newer"])
        if self.dice.random() < 0.6:
            typed = {
                name: value
                for name, value in fields.items()
                if name in declared.fields and not declared.fields[name].private
            }
            for name, value in typed.items():
                declared.fields[name].check_read(name, value)
            return home.write(declared.name, about, **typed)
        home.street.clock += 60_000
        time = home.now() + AHEAD if self.dice.random() < 0.1 else None
        fields.pop("kind", None)  # a keyword of `forge`
        fields.pop("time", None)
        forged = home.forge(declared.name, about, time=time, **fields)
        if forged not in home.take(forged).stored:
            raise Refused("R-05.1", "the home does not store it")
        return forged

    def stranger(self, like: Home) -> Home:
        """Makes a home that gets the same records in another order."""
        wires = like.wires()
        self.dice.shuffle(wires)
        home = like.street.twin(like)
        home.feed(wires)
        return home


def public_kinds() -> list[DeclaredKind]:
    """Returns the kinds that the whole neighbourhood can read."""
    return [declared for declared in KINDS.values() if declared.audience != PRIVATE]


def check_home(home: Home) -> None:
    """Uses everything that a home shows of its records. Raises what the code of kinds raised."""
    state = home.state
    presenter = Presenter(state, home.now)
    for record_id in home.ids():
        view = state.views.find(record_id)
        if view is not None:
            presenter.show_view(view)
        with suppress(Refused):
            find_steps(home.author, home.author.signer_of(), record_id)
    list(Diary(state, presenter, home.me.person).entries())
    matching = MatchingIndex(state.views, state.failures)
    matching.update(frozenset(), UTC)
    check_failures(state)
    before = home.state_hash()
    state.rebuild()
    assert home.state_hash() == before, "a rebuild changes nothing"


def check_failures(state: State) -> None:
    """Fails if code has failed in a home, though the home has contained the failure."""
    failed = [thread.error for thread in state.views.failed_threads()]
    assert failed == [], failed
    assert state.failures.errors == {}, state.failures.errors
