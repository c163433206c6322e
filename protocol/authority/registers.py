"""Registers: numbered values, started by the term and changed by acts that its lists judge.

A person's standing (odd: removed), a rule of the charter, a measure in use, hidden words (odd). The
highest number that passed holds (AUTHORITY R-6 to R-8; specs/03 R-03.25 ff.).
"""

from collections.abc import Collection, Iterable, Mapping
from typing import Any, NamedTuple

from protocol.authority.charter_rules import CHARTER_RULES
from protocol.authority.records import Act, Acts
from protocol.authority.terms import (
    BY_RENEWAL,
    HIDDEN,
    RULE,
    STANDING,
    Holding,
    Register,
    Term,
    register,
    voters,
)
from protocol.errors import Refused

COUNCIL = 3  # moderators from which on their majority removes
_FIXED = ("founders", *BY_RENEWAL)

Cuts = dict[bytes, int]  # device → the last number that counts; a device not named: none
Held = dict[Register, Holding]


class Outcome(NamedTuple):
    """How a proposal stands in the current term."""

    passed: bool
    yes: frozenset[bytes]
    no: frozenset[bytes]


class Bench(NamedTuple):
    """What judges acts: a term's lists, whose device is whose, and up to which number it counts."""

    acts: Acts
    term: Term
    owner: Mapping[bytes, bytes]
    revoked: Mapping[bytes, int]

    def outcome(self, act: Act) -> Outcome:
        """R-03.26: yes exceeds the share of the roll, and of the roll with the newcomers it names."""
        roll = self.term.roll
        wider = roll | set(act.fields.get("newcomers") or ())
        yes, no = (
            voters(self.acts, self.owner, act.id, choice=choice, revoked=self.revoked) & wider
            for choice in ("yes", "no")
        )
        share = self.term.share
        passed = all(len(yes & one) >= enough(share, len(one)) for one in (roll, wider))
        return Outcome(passed, frozenset(yes), frozenset(no - yes))

    def majorities(self, kind: str, subject: bytes) -> dict[int, dict[bytes, Cuts]]:
        """R-03.27: the numbers that a majority of the council has said of somebody or of a record,
        with the highest cuts of each of these moderators.
        """
        if len(self.term.moderators) < COUNCIL:
            return {}
        said: dict[int, dict[bytes, Cuts]] = {}
        for act in self.acts.about(kind, subject):
            moderator = self.owner.get(act.device)
            if moderator is None or moderator not in self.term.moderators:
                continue
            if act.seq <= self.revoked.get(act.device, act.seq):
                by_number = said.setdefault(act.fields["n"], {})
                mine = dict(act.fields.get("cuts") or ())
                by_number[moderator] = _higher(by_number.get(moderator, {}), mine)
        return {n: said[n] for n in sorted(said) if len(said[n]) >= self.majority}

    @property
    def majority(self) -> int:
        """How many moderators are more than half of them."""
        return len(self.term.moderators) // 2 + 1


def enough(share: int, people: int) -> int:
    """R-03.26: the fewest who exceed a share, in percent, of so many people."""
    return share * people // 100 + 1


def may_hold(which: Register, value: Any) -> bool:
    """R-03.25: whether a register may have the value; one that this version does not know has any."""
    what, name = which
    declared = CHARTER_RULES
    if what != RULE or name not in declared:
        return True
    try:
        declared[str(name)].check(str(name), value)
    except Refused:
        return False
    return name not in _FIXED


def values(bench: Bench, passed: Iterable[Act]) -> Held:
    """R-03.25: what each register holds now. `passed`: the proposals that passed."""
    found = dict(bench.term.written)
    for act in sorted(passed, key=lambda act: act.id):  # of equal numbers the lowest id
        if act.fields.get("change") is not None:
            which, new = register(act.fields["change"])
            if may_hold(which, new.value) and new.n > number(found, which):
                found[which] = new
    for person in bench.acts.subjects("remove"):
        _remove(found, bench, person)
    for record in bench.acts.subjects("hide"):
        _hide(found, bench, record)
    return found


def number(held: Held, which: Register) -> int:
    """The number that a register has; it starts from 0."""
    return held[which].n if which in held else 0


def _remove(found: Held, bench: Bench, person: bytes) -> None:
    """R-03.27: what the council's removals make of a person's standing."""
    which = (STANDING, person)
    for n, said in bench.majorities("remove", person).items():
        if n % 2 == 0 or n <= bench.term.held(which).n:
            continue
        cuts = _smallest(list(said.values()), bench.majority)
        if n > number(found, which):
            found[which] = Holding(n, listed(cuts))
        elif n == number(found, which):
            found[which] = Holding(n, listed(_higher(read_cuts(found[which]), cuts)))


def _hide(found: Held, bench: Bench, record: bytes) -> None:
    """R-14.5: hidden by a majority, and who they are: whoever the words speak of is none of them."""
    which = (HIDDEN, record)
    said = bench.majorities("hide", record)
    highest = max(said, default=0)
    if highest > number(found, which):
        by = [len(bench.term.moderators), sorted(said[highest])]
        found[which] = Holding(highest, by if highest % 2 else None)


def hides(holding: Holding, subjects: Collection[bytes]) -> bool:
    """R-14.5: whether words are hidden: by all, or by a majority without those they speak of."""
    if holding.n % 2 == 0 or holding.value is None:
        return holding.n % 2 == 1
    council: int = holding.value[0]
    by: list[bytes] = holding.value[1]
    return 2 * len(set(by) - set(subjects)) > council


def cuts_of_the_removed(held: Held) -> dict[bytes, Cuts]:
    """Whoever is removed (an odd number), and where their logs are cut."""
    return {
        key: read_cuts(holding)
        for (what, key), holding in held.items()
        if what == STANDING and isinstance(key, bytes) and holding.n % 2 == 1
    }


def read_cuts(holding: Holding) -> Cuts:
    """Where a removal cuts each device's log."""
    return dict(holding.value or ())


def listed(cuts: Cuts) -> list[list[object]]:
    """Cuts as records have them: pairs, sorted by device."""
    return [[device, last] for device, last in sorted(cuts.items())]


def _smallest(cuts: list[Cuts], k: int) -> Cuts:
    """The k-th smallest number for each device; who does not name a device says 0."""
    devices = {device for one in cuts for device in one}
    return {device: sorted(one.get(device, 0) for one in cuts)[k - 1] for device in devices}


def _higher(one: Cuts, other: Cuts) -> Cuts:
    return {key: max(one.get(key, 0), other.get(key, 0)) for key in one.keys() | other.keys()}
