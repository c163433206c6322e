"""Registers: numbered values, started by the term and changed by acts that its lists judge.

A person's standing (odd: removed), a rule of the charter, a measure in use. The highest number that
passed holds (AUTHORITY R-6 to R-8; specs/03 R-03.25 ff.).
"""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from protocol.acts import Act, Acts
from protocol.errors import Refused
from protocol.schema import KINDS
from protocol.terms import BY_RENEWAL, RULE, STANDING, Holding, Register, Term, register, voters

COUNCIL = 3  # moderators from which on their majority removes
_FIXED = ("founders", *BY_RENEWAL)

Cuts = dict[bytes, int]  # device → the last number that counts; a device not named: none


class Outcome(NamedTuple):
    """How a proposal stands in the current term."""

    passed: bool
    yes: frozenset[bytes]
    no: frozenset[bytes]


def outcome(
    acts: Acts, term: Term, owner: Mapping[bytes, bytes], revoked: Mapping[bytes, int], act: Act
) -> Outcome:
    """R-03.26: yes exceeds the share of the roll, and of the roll with the newcomers it names."""
    roll = term.roll
    wider = roll | set(act.fields.get("newcomers") or ())
    yes = voters(acts, owner, act.id, revoked=revoked) & wider
    no = (voters(acts, owner, act.id, choice="no", revoked=revoked) & wider) - yes
    passed = all(100 * len(yes & one) > term.share * len(one) for one in (roll, wider))
    return Outcome(passed, frozenset(yes), frozenset(no))


def may_hold(which: Register, value: Any) -> bool:
    """R-03.25: whether a register may have the value; one that this version does not know has any."""
    what, name = which
    declared = KINDS["charter"].fields
    if what != RULE or name not in declared:
        return True
    try:
        declared[str(name)].check(str(name), value)
    except Refused:
        return False
    return name not in _FIXED


def values(
    acts: Acts,
    term: Term,
    owner: Mapping[bytes, bytes],
    revoked: Mapping[bytes, int],
    passed: Iterable[Act],
) -> dict[Register, Holding]:
    """R-03.25: what each register holds now. `passed`: the proposals that passed."""
    found = dict(term.written)
    removals: dict[tuple[Register, int], Cuts] = {}
    for act in sorted(passed, key=lambda act: act.id):  # of equal numbers the lowest id
        if act.fields.get("change") is None:
            continue
        which, new = register(act.fields["change"])
        if not may_hold(which, new.value):
            continue
        if new.n > term.held(which).n and new.n > found.get(which, term.held(which)).n:
            found[which] = new
    for person in acts.subjects("remove"):
        which = (STANDING, person)
        for n, cuts in _removals(acts, term, owner, revoked, person):
            removals[which, n] = cuts
            if n > found.get(which, term.held(which)).n:
                found[which] = Holding(n, listed(cuts))
    for (which, n), cuts in removals.items():
        if found[which].n == n > term.held(which).n:
            found[which] = Holding(n, listed(_higher(read_cuts(found[which]), cuts)))
    return found


def removed(holding: Holding) -> bool:
    """Whether a standing says that the person is out: an odd number."""
    return holding.n % 2 == 1


def cuts_of_the_removed(held: Mapping[Register, Holding]) -> dict[bytes, Cuts]:
    """Whoever is removed, and where their logs are cut."""
    return {
        key: read_cuts(holding)
        for (what, key), holding in held.items()
        if what == STANDING and isinstance(key, bytes) and removed(holding)
    }


def read_cuts(holding: Holding) -> Cuts:
    """Where a removal cuts each device's log."""
    return dict(holding.value or ())


def listed(cuts: Cuts) -> list[list[object]]:
    """Cuts as records have them: pairs, sorted by device."""
    return [[device, number] for device, number in sorted(cuts.items())]


def _removals(
    acts: Acts,
    term: Term,
    owner: Mapping[bytes, bytes],
    revoked: Mapping[bytes, int],
    person: bytes,
) -> Iterable[tuple[int, Cuts]]:
    """R-03.27: each number under which a majority of the council removes a person, and its cuts."""
    if len(term.moderators) < COUNCIL:
        return
    said: dict[int, dict[bytes, Cuts]] = {}
    for act in acts.about("remove", person):
        moderator = owner.get(act.device)
        if moderator in term.moderators and act.seq <= revoked.get(act.device, act.seq):
            by_number = said.setdefault(act.fields["n"], {})
            mine = dict(act.fields["cuts"])
            by_number[moderator] = _higher(by_number.get(moderator, {}), mine)
    majority = len(term.moderators) // 2 + 1
    for n, cuts in said.items():
        if len(cuts) >= majority and n % 2 == 1:
            yield n, _smallest(list(cuts.values()), majority)


def _smallest(cuts: list[Cuts], k: int) -> Cuts:
    """The k-th smallest number for each device; who does not name a device says 0."""
    devices = {device for one in cuts for device in one}
    return {device: sorted(one.get(device, 0) for one in cuts)[k - 1] for device in devices}


def _higher(one: Cuts, other: Cuts) -> Cuts:
    return {key: max(one.get(key, 0), other.get(key, 0)) for key in one.keys() | other.keys()}
