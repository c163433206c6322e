"""Registers: numbered values. A term starts them, and later records change them.

There is one for each person's standing (odd: removed), for each rule of the charter, for each
measure (odd: in use) and for each record's words (odd: hidden). The lists of the term judge which
changes pass. The highest number that passed is in force (specs/03, R-03.25 to R-03.28).
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

Cuts = dict[bytes, int]  # device → the last number that counts; none if it is missing
Registers = dict[Register, Holding]


class Outcome(NamedTuple):
    """How a proposal stands in the current term. `yes`: who said yes. `no`: who said only no."""

    passed: bool
    yes: frozenset[bytes]
    no: frozenset[bytes]


@dataclass(frozen=True)
class Judge:
    """Judges proposals, removals and hides by the lists of a term.

    `owners`: device → person. `revoked`: revoked device → the last number that counts.
    """

    index: AuthorityIndex
    term: Term
    owners: Mapping[bytes, bytes]
    revoked: Mapping[bytes, int]

    @property
    def majority(self) -> int:
        """The smallest number of moderators that is more than half of them."""
        return len(self.term.moderators) // 2 + 1

    def outcome(self, proposal: AuthorityRecord) -> Outcome:
        """Judges a proposal (R-03.26).

        It passes if its yes votes exceed the share twice: among the roll, and among the roll
        together with the newcomers that the proposal names.
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
        """Returns the numbers that a majority of the moderators gave this subject (R-03.27).

        `kind` is `remove` or `hide`, `subject` the person or the record. Each number comes with its
        moderators and the highest cuts that each of them set.
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
    """Returns True if a register may have this value (R-03.25).

    A register that this version does not know may have any value.
    """
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
    """Folds the term's holdings and the proposals that passed to the registers (R-03.25).

    The removes and hides of the moderators are folded in too.
    """
    registers = dict(judge.term.written)
    # If two changes have the same number, the change of the proposal with the lower id stays.
    for proposal in sorted(passed, key=lambda record: record.id):
        if proposal.fields.get("change") is not None:
            which, new = read_holding(proposal.fields["change"])
            if may_hold(which, new.value) and new.n > _number(registers, which):
                registers[which] = new
    # Moderators come second: if both removed a person, the higher of the cuts is in force.
    for person in judge.index.subjects("remove"):
        _remove(registers, judge, person)
    for record in judge.index.subjects("hide"):
        _hide(registers, judge, record)
    return registers


def is_hidden(holding: Holding, subjects: Collection[bytes]) -> bool:
    """Returns True if a record's words are hidden, by a decision or by the moderators (R-14.5).

    `subjects` are the people that the words are about. They do not count among the moderators who
    hid the words; the others must still be more than half of all moderators.
    """
    is_odd = holding.n % 2 == 1
    if not is_odd or holding.value is None:
        return is_odd
    moderators: int = holding.value[0]
    hiders: list[bytes] = holding.value[1]
    return 2 * len(set(hiders) - set(subjects)) > moderators


def cuts_of_removed(registers: Registers) -> dict[bytes, Cuts]:
    """Returns the people who are removed (their number is odd), with the cuts of their logs."""
    return {
        key: cuts_of(holding)
        for (what, key), holding in registers.items()
        if what == STANDING and isinstance(key, bytes) and holding.n % 2 == 1
    }


def cuts_of(holding: Holding) -> Cuts:
    """Returns the cuts that a person's standing holds."""
    return dict(holding.value or ())


def cuts_to_list(cuts: Cuts) -> list[list[object]]:
    """Writes cuts as records carry them: pairs of a device and a number, sorted by device."""
    return [[device, last] for device, last in sorted(cuts.items())]


def _number(registers: Registers, which: Register) -> int:
    """Returns the number of a register. Before any change it is 0."""
    return registers[which].n if which in registers else 0


def _remove(registers: Registers, judge: Judge, person: bytes) -> None:
    """Changes a person's standing according to the removes of the moderators (R-03.27)."""
    which = (STANDING, person)
    for n, cuts_by_moderator in judge.majorities("remove", person).items():
        # A number that the term wrote down is fixed, and so are its cuts.
        if n % 2 == 0 or n <= judge.term.holding(which).n:
            continue
        cuts = _kth_smallest(list(cuts_by_moderator.values()), judge.majority)
        if n > _number(registers, which):
            registers[which] = Holding(n, cuts_to_list(cuts))
        elif n == _number(registers, which):
            decided = cuts_of(registers[which])
            registers[which] = Holding(n, cuts_to_list(_higher(decided, cuts)))


def _hide(registers: Registers, judge: Judge, record: bytes) -> None:
    """Sets a record's register according to the hides of a majority of the moderators.

    An odd number hides the words, an even number shows them again. The value of a hide is the
    number of moderators and the list of those who hid the words. `is_hidden` then leaves out the
    moderators that the words are about.
    """
    which = (HIDDEN, record)
    majorities = judge.majorities("hide", record)
    highest = max(majorities, default=0)
    if highest > _number(registers, which):
        hidden_by = [len(judge.term.moderators), sorted(majorities[highest])]
        registers[which] = Holding(highest, hidden_by if highest % 2 else None)


def _kth_smallest(cuts: list[Cuts], k: int) -> Cuts:
    """Returns, for each device, the k-th smallest number in `cuts`.

    A cut that does not name a device counts as 0 for it. Fewer than `k` hostile moderators cannot
    cut below the lowest number of the honest moderators.
    """
    devices = {device for cut in cuts for device in cut}
    return {device: sorted(cut.get(device, 0) for cut in cuts)[k - 1] for device in devices}


def _higher(first: Cuts, second: Cuts) -> Cuts:
    """Returns, for each device, the higher of its two numbers."""
    devices = first.keys() | second.keys()
    return {device: max(first.get(device, 0), second.get(device, 0)) for device in devices}
