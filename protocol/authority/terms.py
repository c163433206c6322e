"""Terms: who votes, who moderates, which share of the roll decides, and which term comes next.

Term 0 is the charter. A renewal is a record that writes down the whole next term. The renewal names
the term before as the parent of the new term. The new term passes when more than half of the
parent's roll has agreed: has said yes, or has accepted the term (specs/03, R-03.21 to R-03.24).
"""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocol.authority.kind_names import ACCEPT, PART, RENEWAL, VOTE
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.schema.register_names import STANDING

Register = tuple[
    str, bytes | str
]  # a name from `register_names`, then the person, rule, measure or record

# device → the people whose votes it signs: more than one only if the device's owner breaks R-03.5e
Signers = Mapping[bytes, frozenset[bytes]]

MOST_WITNESSES = 21  # people whose homes say in a term what they have seen


class Holding(NamedTuple):
    """The number and the value that a register holds."""

    n: int
    value: Any


@dataclass(frozen=True)
class Term:
    """A period with fixed voters (`roll`), moderators and voting rules.

    `since` is its beginning, in milliseconds. `vouchers` is the number of members who must vouch
    for a newcomer. `share` is a percentage: a decision passes if more than this part of the roll
    votes yes. `written` has what registers hold when the term begins. Every register that is not in
    `written` begins with number 0. The homes of the `witnesses` sign which records they have seen
    (R-24.1).
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
    witnesses: frozenset[bytes] = frozenset()

    def holding(self, register: Register) -> Holding:
        """Returns the number and value that a register has when the term begins."""
        return self.written.get(register, Holding(0, None))


class Ballot(NamedTuple):
    """How the vote on a renewal stands.

    `yes`, `no` and `accepted` are people on the parent's roll. `no` has the people who said no and
    never yes. `accepted` has the people who accepted the new term. `roll` is the size of the
    parent's roll. `term` is None if a part of the renewal is missing, or if the parent is not a
    term that passed.
    """

    parent: bytes
    round: int
    yes: frozenset[bytes]
    no: frozenset[bytes]
    accepted: frozenset[bytes]
    roll: int
    term: Term | None


class Chain(NamedTuple):
    """The terms from the charter to the current term.

    `firm` has one value for each renewal in the chain. The value is True if two thirds of the
    parent's roll accepted the renewal. After that, no honest node can prefer a different term with
    the same parent (R-03.24).
    """

    terms: tuple[Term, ...]
    firm: tuple[bool, ...]

    @property
    def is_settled(self) -> bool:
        """True if all renewals of the chain are firm: two thirds of the roll accepted each of
        them.
        """
        return all(self.firm)

    @property
    def current(self) -> Term:
        """The term in force."""
        return self.terms[-1]


def read_holding(holding: list[Any]) -> tuple[Register, Holding]:
    """Splits a list `[what, key, n, value]` into the register and what the register holds."""
    what, key, n, value = holding
    return (what, key), Holding(n, value)


def listed_people(terms: Iterable[Term]) -> frozenset[bytes]:
    """Returns the people that one of these terms lists, either on its roll or as removed
    (R-03.7b).
    """
    listed: set[bytes] = set()
    for term in terms:
        listed |= term.roll
        listed |= {
            key
            for (what, key), holding in term.written.items()
            if what == STANDING and isinstance(key, bytes) and holding.n % 2 == 1
        }
    return frozenset(listed)


def voters(
    index: AuthorityIndex,
    signers: Signers,
    target: bytes,
    *,
    choice: str = "yes",
    revoked: Mapping[bytes, int] | None = None,
) -> set[bytes]:
    """Returns the people who voted `choice` on the record `target`.

    A vote still counts if the voter's log forks later, or if the voter is removed later (R-03.23).
    `revoked` maps each revoked device to the last number that counts. If `revoked` is given, votes
    after a device's revocation do not count.
    """
    return {
        person
        for vote in index.with_subject(VOTE, target)
        if vote.fields["choice"] == choice
        and (revoked is None or vote.seq <= revoked.get(vote.device, vote.seq))
        for person in signers.get(vote.device, ())
    }


def accepters(index: AuthorityIndex, signers: Signers, term: bytes) -> set[bytes]:
    """Returns the people whose `accept` names this term itself, and not only a later term."""
    accepts = index.with_subject(ACCEPT, term)
    return {person for accept in accepts for person in signers.get(accept.device, ())}


def passed_terms(index: AuthorityIndex, first: Term, signers: Signers) -> dict[bytes, Term]:
    """Returns all terms that passed. In the result, each term comes after its parent (R-03.22).

    An accept counts like a yes (R-03.22h). So if more than half of the roll have accepted a term,
    the term stays, even if somebody takes back a yes. More records can only add terms.
    """
    terms = {first.id: first}
    ahead = [first]
    while ahead:
        parent = ahead.pop()
        for renewal in index.with_subject_in_order(RENEWAL, parent.id):
            agreed = parent.roll & (
                voters(index, signers, renewal.id) | accepters(index, signers, renewal.id)
            )
            if 2 * len(agreed) <= len(parent.roll):
                continue
            term = read_renewal(index, parent, renewal)
            if term is not None:
                terms[term.id] = term
                ahead.append(term)
    return terms


def read_renewal(index: AuthorityIndex, parent: Term, renewal: AuthorityRecord) -> Term | None:
    """Returns the term that a renewal writes down.

    Returns None if a part of the renewal is missing, or if the new roll would be empty.
    """
    parts = _parts(index, renewal)
    if parts is None:
        return None
    joining = _people_in(parts, "joining")
    leaving = _people_in(parts, "leaving")
    roll = (parent.roll | joining) - leaving
    if not roll:
        return None
    return Term(
        renewal.id,
        parent.id,
        renewal.fields["round"],
        renewal.time,
        roll,
        frozenset(renewal.fields["moderators"]),
        renewal.fields["vouchers"],
        renewal.fields["share"],
        _written(parts),
        frozenset(renewal.fields.get("witnesses") or ()) & roll,
    )


def supporters(
    index: AuthorityIndex, terms: Mapping[bytes, Term], signers: Signers
) -> dict[bytes, set[bytes]]:
    """Returns, for each term, the people who accepted that term or a later term built on it."""
    people_by_term = {term: accepters(index, signers, term) for term in terms}
    # In `terms`, each term comes after its parent. In reverse order, each term is therefore
    # complete before its people are added to its parent.
    for term in reversed(list(terms.values())):
        if term.parent is not None:
            people_by_term[term.parent] |= people_by_term[term.id]
    return people_by_term


def choose_chain(terms: Mapping[bytes, Term], supported: Mapping[bytes, set[bytes]]) -> Chain:
    """Chooses which terms form the chain, from the charter to the current term (R-03.24).

    Terms with the same parent are siblings. Among siblings, it chooses the term that most people on
    the parent's roll have accepted. If several siblings have this number of people, it chooses the
    term with the highest round. If the rounds are equal too, it chooses the term with the lowest
    id.
    """
    children: dict[bytes, list[Term]] = {}
    for term in terms.values():
        if term.parent is not None:
            children.setdefault(term.parent, []).append(term)
    chain = [next(iter(terms.values()))]
    firm = []
    while siblings := children.get(chain[-1].id):
        roll = chain[-1].roll
        accepted = _count_accepts(siblings, roll, supported)
        best = min(siblings, key=lambda term: (-accepted[term.id], -term.round, term.id))
        firm.append(3 * accepted[best.id] >= 2 * len(roll))
        chain.append(best)
    return Chain(tuple(chain), tuple(firm))


def count_ballots(
    index: AuthorityIndex,
    terms: Mapping[bytes, Term],
    signers: Signers,
    supported: Mapping[bytes, set[bytes]],
) -> dict[bytes, Ballot]:
    """Maps the id of each renewal to how the vote on it stands.

    The result includes renewals that did not pass.
    """
    ballot_by_renewal = {}
    for renewal in index.of_kinds(RENEWAL):
        parent = terms.get(renewal.fields["parent"])
        roll = parent.roll if parent else frozenset[bytes]()
        yes = voters(index, signers, renewal.id, choice="yes") & roll
        no = voters(index, signers, renewal.id, choice="no") & roll
        accepted = supported.get(renewal.id) or accepters(index, signers, renewal.id)
        ballot_by_renewal[renewal.id] = Ballot(
            renewal.fields["parent"],
            renewal.fields["round"],
            frozenset(yes),
            frozenset(no - yes),
            frozenset(accepted & roll),
            len(roll),
            read_renewal(index, parent, renewal) if parent else None,
        )
    return ballot_by_renewal


def _parts(index: AuthorityIndex, renewal: AuthorityRecord) -> list[dict[str, Any]] | None:
    """Returns the fields of a renewal, then the fields of each of its parts in order.

    A renewal that is too long for one record continues in parts. Returns None if a part is missing.
    """
    fields = [renewal.fields]
    for digest in renewal.fields.get("parts") or ():
        same = index.with_subject_in_order(PART, digest)
        if not same:
            return None
        fields.append(same[0].fields)
    return fields


def _people_in(parts: Iterable[dict[str, Any]], field_name: str) -> set[bytes]:
    return {person for fields in parts for person in fields.get(field_name) or ()}


def _written(parts: Iterable[dict[str, Any]]) -> dict[Register, Holding]:
    """Returns what a renewal and its parts write down for each register.

    If a register appears twice, its first entry counts.
    """
    written: dict[Register, Holding] = {}
    for fields in parts:
        for holding in fields.get("holds") or ():
            written.setdefault(*read_holding(holding))
    return written


def _count_accepts(
    siblings: Iterable[Term], roll: Collection[bytes], supported: Mapping[bytes, set[bytes]]
) -> dict[bytes, int]:
    """Counts, for each of these sibling terms, the people on the roll who accepted the term.

    Siblings are terms with the same parent. A person who accepted two siblings counts for neither
    of them.
    """
    accepted = {term.id: [p for p in supported[term.id] if p in roll] for term in siblings}
    times_accepted = Counter(person for people in accepted.values() for person in people)
    return {
        term: sum(times_accepted[person] == 1 for person in people)
        for term, people in accepted.items()
    }
