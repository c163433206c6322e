"""Terms: who votes, who moderates and by which share, and how one term passes to the next.

Term 0 is the charter. A renewal names its parent and writes down the whole next term; it holds once
more than half of the parent's roll has said yes (AUTHORITY R-1 to R-5; specs/03 R-03.21 ff.).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocol.authority.records import Act, Acts

STANDING, RULE, MEASURE, HIDDEN = "standing", "rule", "measure", "hidden"
BY_RENEWAL = ("vouchers", "share", "moderators")  # and the roll: nothing else changes these

Register = tuple[str, bytes | str]  # which of these, and the person, field, measure or record


class Holding(NamedTuple):
    """A register's value and its number."""

    n: int
    value: Any


@dataclass(frozen=True)
class Term:
    """A period with fixed voters, moderators and voting rules. `written`: the registers' values at
    its start; a register that is not written starts from number 0.
    """

    id: bytes
    parent: bytes | None
    round: int
    since: int
    roll: frozenset[bytes]
    moderators: frozenset[bytes]
    vouchers: int
    share: int
    written: Mapping[Register, Holding] = field(default_factory=dict)

    def held(self, register: Register) -> Holding:
        """What a register holds when the term begins."""
        return self.written.get(register, Holding(0, None))


class Ballot(NamedTuple):
    """How a renewal stands: who of its parent's roll said yes or no, and who accepted it; `term` is
    None while a part of it is missing, or its parent is no term.
    """

    parent: bytes
    round: int
    yes: frozenset[bytes]
    no: frozenset[bytes]
    accepted: frozenset[bytes]
    roll: int
    term: Term | None


class Chain(NamedTuple):
    """Terms from the charter to the current one; `firm`: of each renewal, whether so many accepted it
    that no honest node can see another in its place (R-03.24).
    """

    terms: tuple[Term, ...]
    firm: tuple[bool, ...]

    @property
    def settled(self) -> bool:
        """Whether all of it is."""
        return all(self.firm)

    @property
    def current(self) -> Term:
        """The term in force."""
        return self.terms[-1]


def register(holding: list[Any]) -> tuple[Register, Holding]:
    """What a written holding `[what, key, n, value]` says of which register."""
    what, key, n, value = holding
    return (what, key), Holding(n, value)


def voters(
    acts: Acts,
    owner: Mapping[bytes, bytes],
    target: bytes,
    *,
    choice: str = "yes",
    revoked: Mapping[bytes, int] | None = None,
) -> set[bytes]:
    """The people who said `choice` to `target`. A vote stands, whatever becomes of its author's log
    (R-03.23); with `revoked`, not what a device signed after its last number that counts.
    """
    return {
        owner[act.device]
        for act in acts.about("vote", target)
        if act.fields["choice"] == choice
        and act.device in owner
        and (revoked is None or act.seq <= revoked.get(act.device, act.seq))
    }


def tree(acts: Acts, first: Term, owner: Mapping[bytes, bytes]) -> dict[bytes, Term]:
    """All terms that passed, each after its parent. It only grows with the set (R-03.22)."""
    terms = {first.id: first}
    ahead = [first]
    while ahead:
        parent = ahead.pop()
        for act in acts.about_in_order("renewal", parent.id):
            if 2 * len(voters(acts, owner, act.id) & parent.roll) <= len(parent.roll):
                continue
            term = proposed(acts, parent, act)
            if term is not None:
                terms[term.id] = term
                ahead.append(term)
    return terms


def proposed(acts: Acts, parent: Term, act: Act) -> Term | None:
    """The term that a renewal writes down; None while a part is missing or nobody would vote."""
    fields = [act.fields]
    for digest in act.fields.get("parts") or ():
        parts = acts.about_in_order("part", digest)
        if not parts:
            return None
        fields.append(parts[0].fields)
    joining, leaving = (
        {person for one in fields for person in one.get(name) or ()}
        for name in ("joining", "leaving")
    )
    roll = (parent.roll | joining) - leaving
    if not roll:
        return None
    written: dict[Register, Holding] = {}
    for one in fields:
        for holding in one.get("holds") or ():
            written.setdefault(*register(holding))
    return Term(
        act.id,
        parent.id,
        act.fields["round"],
        act.time,
        roll,
        frozenset(act.fields["moderators"]),
        act.fields["vouchers"],
        act.fields["share"],
        written,
    )


def ballots(
    acts: Acts,
    terms: Mapping[bytes, Term],
    owner: Mapping[bytes, bytes],
    supported: Mapping[bytes, set[bytes]],
) -> dict[bytes, Ballot]:
    """How every renewal stands, passed or not."""
    found = {}
    for act in acts.of("renewal"):
        parent = terms.get(act.fields["parent"])
        roll = parent.roll if parent else frozenset[bytes]()
        yes, no = (
            frozenset(voters(acts, owner, act.id, choice=choice) & roll) for choice in ("yes", "no")
        )
        found[act.id] = Ballot(
            act.fields["parent"],
            act.fields["round"],
            yes,
            no - yes,
            frozenset((supported.get(act.id) or accepters(acts, owner, act.id)) & roll),
            len(roll),
            proposed(acts, parent, act) if parent else None,
        )
    return found


def walk(terms: Mapping[bytes, Term], supported: Mapping[bytes, set[bytes]]) -> Chain:
    """R-03.24: from the charter on, of several siblings the one that more of the roll accepted."""
    children: dict[bytes, list[Term]] = {}
    for term in terms.values():
        if term.parent is not None:
            children.setdefault(term.parent, []).append(term)
    chain = [next(iter(terms.values()))]
    firm = []
    while siblings := children.get(chain[-1].id):
        accepted = _accepted(siblings, chain[-1].roll, supported)
        best = min(siblings, key=lambda one: (-accepted[one.id], -one.round, one.id))
        firm.append(3 * accepted[best.id] >= 2 * len(chain[-1].roll))
        chain.append(best)
    return Chain(tuple(chain), tuple(firm))


def accepters(acts: Acts, owner: Mapping[bytes, bytes], term: bytes) -> set[bytes]:
    """Who accepted a term itself."""
    return {owner[act.device] for act in acts.about("accept", term) if act.device in owner}


def supporters(
    acts: Acts, terms: Mapping[bytes, Term], owner: Mapping[bytes, bytes]
) -> dict[bytes, set[bytes]]:
    """Who accepted each term, or a later one that is built on it."""
    found = {term: accepters(acts, owner, term) for term in terms}
    for term in reversed(list(terms.values())):
        if term.parent is not None:
            found[term.parent] |= found[term.id]
    return found


def _accepted(
    siblings: Iterable[Term], roll: Collection[bytes], supported: Mapping[bytes, set[bytes]]
) -> dict[bytes, int]:
    """How many of the roll accepted each sibling; who accepted two counts for neither."""
    people = Counter(p for one in siblings for p in supported[one.id] if p in roll)
    return {one.id: sum(people[p] == 1 for p in supported[one.id]) for one in siblings}
