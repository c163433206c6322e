"""Registers: numbered values, started by the term and changed by records that its lists judge.

A person's standing (odd: removed), a rule of the charter, a measure in use, hidden words (odd). The
highest number that passed holds (specs/03, R-03.25 to R-03.28).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from protocol.authority.charter_rules import CHARTER_RULES
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.authority.terms import Holding, Register, Term, read_holding, voters
from protocol.errors import Refused
from protocol.schema.majority import MIN_COUNCIL, votes_needed
from protocol.schema.register_names import BY_RENEWAL, HIDDEN, RULE, STANDING

_NO_DECISION_CHANGES = ("founders", *BY_RENEWAL)

Cuts = dict[bytes, int]  # device → the last number that counts; a device not named: none
Registers = dict[Register, Holding]


class Outcome(NamedTuple):
    """How a proposal stands in the current term: who said yes, and who only no."""

    passed: bool
    yes: frozenset[bytes]
    no: frozenset[bytes]


@dataclass(frozen=True)
class Judge:
    """Judges proposals, removals and hides by the lists of a term.

    `owners`: device → person; `revoked`: device → the last number that counts, if it is revoked.
    """

    index: AuthorityIndex
    term: Term
    owners: Mapping[bytes, bytes]
    revoked: Mapping[bytes, int]

    @property
    def majority(self) -> int:
        """How many moderators are more than half of them."""
        return len(self.term.moderators) // 2 + 1

    def outcome(self, proposal: AuthorityRecord) -> Outcome:
        """A proposal passes when yes exceeds the share of the roll, and of the roll together with
        the newcomers that the proposal names (R-03.26).
        """
        roll = self.term.roll
        with_newcomers = roll | set(proposal.fields.get("newcomers") or ())
        yes = self._voters(proposal, "yes") & with_newcomers
        no = self._voters(proposal, "no") & with_newcomers
        share = self.term.share
        passed = all(
            len(yes & people) >= votes_needed(share, len(people))
            for people in (roll, with_newcomers)
        )
        return Outcome(passed, frozenset(yes), frozenset(no - yes))

    def majorities(self, kind: str, subject: bytes) -> dict[int, dict[bytes, Cuts]]:
        """The numbers that a majority of the moderators has given this person or record in removes
        or hides, with each of these moderators' highest cuts (R-03.27).
        """
        if len(self.term.moderators) < MIN_COUNCIL:
            return {}
        cuts_by_number: dict[int, dict[bytes, Cuts]] = {}
        for record in self.index.with_subject(kind, subject):
            moderator = self.owners.get(record.device)
            if moderator is None or moderator not in self.term.moderators:
                continue
            if record.seq <= self.revoked.get(record.device, record.seq):
                cuts_by_moderator = cuts_by_number.setdefault(record.fields["n"], {})
                earlier = cuts_by_moderator.get(moderator, {})
                cuts = dict(record.fields.get("cuts") or ())
                cuts_by_moderator[moderator] = _higher(earlier, cuts)
        return {
            n: cuts_by_moderator
            for n, cuts_by_moderator in sorted(cuts_by_number.items())
            if len(cuts_by_moderator) >= self.majority
        }

    def _voters(self, proposal: AuthorityRecord, choice: str) -> set[bytes]:
        return voters(self.index, self.owners, proposal.id, choice=choice, revoked=self.revoked)


def may_hold(which: Register, value: Any) -> bool:
    """Whether a register may have this value; one that this version does not know has any (R-03.25)."""
    what, name = which
    if what != RULE or name not in CHARTER_RULES:
        return True
    rule_name = str(name)
    try:
        CHARTER_RULES[rule_name].check(rule_name, value)
    except Refused:
        return False
    return rule_name not in _NO_DECISION_CHANGES


def fold_registers(judge: Judge, passed: Iterable[AuthorityRecord]) -> Registers:
    """The holdings of all registers, by the term and the proposals that passed (R-03.25)."""
    registers = dict(judge.term.written)
    # Of two changes with one number the first stays: that of the proposal with the lowest id.
    for proposal in sorted(passed, key=lambda record: record.id):
        if proposal.fields.get("change") is not None:
            which, new = read_holding(proposal.fields["change"])
            if may_hold(which, new.value) and new.n > _number(registers, which):
                registers[which] = new
    # Moderators come second: where both have removed a person, the higher of the cuts holds.
    for person in judge.index.subjects("remove"):
        _remove(registers, judge, person)
    for record in judge.index.subjects("hide"):
        _hide(registers, judge, record)
    return registers


def is_hidden(holding: Holding, subjects: Collection[bytes]) -> bool:
    """Whether a record's words are hidden: by a decision, or by a majority of the moderators
    without those that the words are about, the `subjects` (R-14.5).
    """
    is_odd = holding.n % 2 == 1
    if not is_odd or holding.value is None:
        return is_odd
    moderators: int = holding.value[0]
    hiders: list[bytes] = holding.value[1]
    return 2 * len(set(hiders) - set(subjects)) > moderators


def cuts_of_removed(registers: Registers) -> dict[bytes, Cuts]:
    """The people who are removed (an odd number), with the cuts of their logs."""
    return {
        key: cuts_of(holding)
        for (what, key), holding in registers.items()
        if what == STANDING and isinstance(key, bytes) and holding.n % 2 == 1
    }


def cuts_of(holding: Holding) -> Cuts:
    """The cuts that a person's standing holds."""
    return dict(holding.value or ())


def cuts_to_list(cuts: Cuts) -> list[list[object]]:
    """Cuts as records carry them: pairs of a device and a number, sorted by device."""
    return [[device, last] for device, last in sorted(cuts.items())]


def _number(registers: Registers, which: Register) -> int:
    """The number of a register; it starts from 0."""
    return registers[which].n if which in registers else 0


def _remove(registers: Registers, judge: Judge, person: bytes) -> None:
    """Puts into a person's standing what the moderators' removes make of it (R-03.27)."""
    which = (STANDING, person)
    for n, cuts_by_moderator in judge.majorities("remove", person).items():
        # What the term wrote down is fixed, its cut included.
        if n % 2 == 0 or n <= judge.term.holding(which).n:
            continue
        cuts = _kth_smallest(list(cuts_by_moderator.values()), judge.majority)
        if n > _number(registers, which):
            registers[which] = Holding(n, cuts_to_list(cuts))
        elif n == _number(registers, which):
            decided = cuts_of(registers[which])
            registers[which] = Holding(n, cuts_to_list(_higher(decided, cuts)))


def _hide(registers: Registers, judge: Judge, record: bytes) -> None:
    """Puts into a record's register that a majority of the moderators hid it (odd) or showed it
    again, with their number and who hid it: `is_hidden` leaves out those that the words are about.
    """
    which = (HIDDEN, record)
    majorities = judge.majorities("hide", record)
    highest = max(majorities, default=0)
    if highest > _number(registers, which):
        hidden_by = [len(judge.term.moderators), sorted(majorities[highest])]
        registers[which] = Holding(highest, hidden_by if highest % 2 else None)


def _kth_smallest(cuts: list[Cuts], k: int) -> Cuts:
    """For each device the k-th smallest of the numbers said; who does not name a device says 0.

    Fewer than k hostile moderators cannot cut below what some honest moderator said.
    """
    devices = {device for cut in cuts for device in cut}
    return {device: sorted(cut.get(device, 0) for cut in cuts)[k - 1] for device in devices}


def _higher(first: Cuts, second: Cuts) -> Cuts:
    """For each device the higher of its two numbers."""
    devices = first.keys() | second.keys()
    return {device: max(first.get(device, 0), second.get(device, 0)) for device in devices}
