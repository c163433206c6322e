"""Registers: numbered values. A term begins with them, and later records change them.

There is a register for each person's standing: an odd number means removed. There is a register for
each rule of the charter. There is a register for each measure: an odd number means in use. There is
a register for the words of each record: an odd number means hidden. The voters and moderators of
the term decide which changes pass. If several changes of a register pass, the change with the
highest number is in force (specs/03, R-03.25 to R-03.28).
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

from protocol.authority.charter_rules import CHARTER_RULES
from protocol.authority.kind_names import HIDE, REMOVE
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.authority.terms import Holding, Register, Signers, Term, read_holding, voters
from protocol.errors import Refused
from protocol.record.root_statement import Leave
from protocol.schema.majority import MIN_COUNCIL, votes_needed
from protocol.schema.register_names import BY_RENEWAL, HIDDEN, RULE, STANDING

MAX_STEP = 1000  # how far a register's number may lie above the number in the term

_NO_DECISION_CHANGES = ("founders", *BY_RENEWAL)

Cuts = dict[bytes, int]  # device → the last number that counts; without an entry, none counts
Registers = dict[Register, Holding]
CouncilPosts = dict[Register, dict[int, frozenset[bytes]]]  # register → number → moderators


class Outcome(NamedTuple):
    """How the vote on a proposal stands in the current term.

    `yes` are the people who said yes. `no` are the people who said no and never yes.
    """

    passed: bool
    yes: frozenset[bytes]
    no: frozenset[bytes]


@dataclass(frozen=True)
class Judge:
    """Counts how one term's voters voted, and what its moderators removed and hid.

    `revoked` maps each revoked device to the last number of its log that counts.
    """

    index: AuthorityIndex
    term: Term
    signers: Signers
    revoked: Mapping[bytes, int]

    @property
    def majority(self) -> int:
        """The smallest number of moderators that is more than half of all moderators."""
        return len(self.term.moderators) // 2 + 1

    def is_in_reach(self, which: Register, n: int) -> bool:
        """Returns True if a change may give the register the number `n` in this term (R-03.25g).

        `n` must be above the number with which the register began in this term, but not too far
        above. Otherwise one change could use up all numbers for good.
        """
        first = self.term.holding(which).n
        return first < n <= first + MAX_STEP

    def outcome(self, proposal: AuthorityRecord) -> Outcome:
        """Counts the votes on a proposal and judges whether it passed (R-03.26).

        The yes votes must exceed the term's `share` in two groups. The first group is the roll. The
        second is the roll together with the newcomers that the proposal names.
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
        """Returns the register numbers to which a majority of the moderators agreed (R-03.27).

        The arguments and the form of the result are the same as in `posted_numbers`.
        """
        return {
            n: cuts_by_moderator
            for n, cuts_by_moderator in sorted(self.posted_numbers(kind, subject).items())
            if len(cuts_by_moderator) >= self.majority
        }

    def posted_numbers(self, kind: str, subject: bytes) -> dict[int, dict[bytes, Cuts]]:
        """Returns the register numbers that moderators posted.

        `kind` is `remove` or `hide`. `subject` is the person to remove or the record to hide. The
        result maps each posted number to a map of the moderators who posted it. The inner map gives
        the cuts of each moderator: for each device, the highest number that this moderator still
        lets count. If there are fewer than MIN_COUNCIL moderators, the result is empty.
        """
        if len(self.term.moderators) < MIN_COUNCIL:
            return {}
        cuts_by_number: dict[int, dict[bytes, Cuts]] = {}
        for record in self.index.with_subject(kind, subject):
            if record.seq > self.revoked.get(record.device, record.seq):
                continue
            for moderator in self.signers.get(record.device, frozenset()) & self.term.moderators:
                cuts_by_moderator = cuts_by_number.setdefault(record.fields["n"], {})
                earlier = cuts_by_moderator.get(moderator, {})
                cuts = dict(record.fields.get("cuts") or ())
                cuts_by_moderator[moderator] = _higher(earlier, cuts)
        return cuts_by_number

    def _voters(self, proposal: AuthorityRecord, choice: str) -> set[bytes]:
        return voters(self.index, self.signers, proposal.id, choice=choice, revoked=self.revoked)


def may_hold(which: Register, value: Any) -> bool:
    """Returns True if the register `which` may have this value (R-03.25).

    If this version does not know the register, this function allows any value.
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


def fold_registers(
    judge: Judge, passed: Collection[AuthorityRecord], leaves: Mapping[bytes, list[Leave]]
) -> Registers:
    """Computes all registers (R-03.25). They begin with what the term wrote down, and all later
    changes follow.

    The changes are the proposals that passed, the removes and hides of the moderators, and the
    statements of people who leave.
    """
    registers = dict(judge.term.written)
    # If two changes have the same number, the change in the proposal with the lower id holds.
    for proposal in sorted(passed, key=lambda record: record.id):
        if proposal.fields.get("change") is not None:
            which, new = read_holding(proposal.fields["change"])
            is_allowed = judge.is_in_reach(which, new.n) and may_hold(which, new.value)
            if is_allowed and new.n > _number(registers, which):
                registers[which] = new
    # The removes of moderators come second. If a proposal and the moderators both removed a person
    # with the same number, the higher cut of each log is in force.
    for person in judge.index.subjects(REMOVE):
        _remove(registers, judge, person)
    for person, of_person in leaves.items():
        _leave(registers, of_person, _numbers_in(judge, person, passed))
    for record in judge.index.subjects(HIDE):
        _hide(registers, judge, record)
    return registers


def read_council_posts(judge: Judge) -> CouncilPosts:
    """Returns which moderators posted each number of each register.

    Software reads from the result what a moderator has posted already (R-14.5, R-16.7).
    """
    posts: CouncilPosts = {}
    for what, kind in ((STANDING, REMOVE), (HIDDEN, HIDE)):
        for subject in judge.index.subjects(kind):
            posted = judge.posted_numbers(kind, subject)
            posts[what, subject] = {n: frozenset(moderators) for n, moderators in posted.items()}
    return posts


def is_hidden(holding: Holding, subjects: Collection[bytes]) -> bool:
    """Returns True if a record's words are hidden, by a decision or by the moderators (R-14.5).

    `subjects` are the people that the words are about. If some of these people are moderators, the
    hides by these moderators do not count. The remaining hides must still come from more than half
    of all moderators.
    """
    is_odd = holding.n % 2 == 1
    if not is_odd or holding.value is None:
        return is_odd
    moderators: int = holding.value[0]
    hiders: list[bytes] = holding.value[1]
    return 2 * len(set(hiders) - set(subjects)) > moderators


def cuts_of_removed(registers: Registers) -> dict[bytes, Cuts]:
    """Maps each removed person to the cuts of that person's logs.

    A person is removed if the number of their standing is odd.
    """
    return {
        key: cuts_of(holding)
        for (what, key), holding in registers.items()
        if what == STANDING and isinstance(key, bytes) and holding.n % 2 == 1
    }


def cuts_of(holding: Holding) -> Cuts:
    """Returns the cuts of a removed person's logs. They are in the register of this person's
    standing.
    """
    return dict(holding.value or ())


def cuts_to_list(cuts: Cuts) -> list[list[object]]:
    """Returns the cuts in the form for a record.

    They are pairs of a device and a number, sorted by device.
    """
    return [[device, last] for device, last in sorted(cuts.items())]


def _number(registers: Registers, which: Register) -> int:
    """Returns the present number of a register. Before any change, the number is 0."""
    return registers[which].n if which in registers else 0


def _remove(registers: Registers, judge: Judge, person: bytes) -> None:
    """Changes a person's standing if a majority of the moderators removed the person (R-03.27)."""
    which = (STANDING, person)
    for n, cuts_by_moderator in judge.majorities(REMOVE, person).items():
        # The moderators cannot change a number that the term wrote down, or a lower number.
        if n % 2 == 0 or not judge.is_in_reach(which, n):
            continue
        cuts = _kth_smallest(list(cuts_by_moderator.values()), judge.majority)
        if n > _number(registers, which):
            registers[which] = Holding(n, cuts_to_list(cuts))
        elif n == _number(registers, which):
            decided = cuts_of(registers[which])
            registers[which] = Holding(n, cuts_to_list(_higher(decided, cuts)))


def _numbers_in(judge: Judge, person: bytes, passed: Iterable[AuthorityRecord]) -> set[int]:
    """Returns the numbers of a person's standing at which the person belonged (R-03.34b).

    These are even numbers: the number in the term, if it is even, and the numbers of restorations
    that passed.
    """
    which = (STANDING, person)
    numbers = {judge.term.holding(which).n}
    for proposal in passed:
        if proposal.fields.get("change") is not None:
            changed, new = read_holding(proposal.fields["change"])
            if changed == which and judge.is_in_reach(which, new.n):
                numbers.add(new.n)
    return {n for n in numbers if n % 2 == 0}


def _leave(registers: Registers, leaves: Iterable[Leave], numbers_in: Collection[int]) -> None:
    """Changes a person's standing if the person left (R-03.34).

    A leave counts only if the person belonged before the leave. Otherwise a removed person could
    leave with a higher number, and so undo the cut of the removal. If several leaves have the same
    number, the lowest cuts are in force.
    """
    for leave in sorted(leaves, key=lambda leave: leave.n):
        which = (STANDING, leave.person)
        if leave.n - 1 not in numbers_in or leave.n < _number(registers, which):
            continue
        cuts = dict(leave.cuts)
        if leave.n == _number(registers, which):
            cuts = _kth_smallest([cuts, cuts_of(registers[which])], 1)
        registers[which] = Holding(leave.n, cuts_to_list(cuts))


def _hide(registers: Registers, judge: Judge, record: bytes) -> None:
    """Changes the register of a record's words if a majority of the moderators hid or showed these
    words.

    An odd number hides the words, and an even number shows them again. When words are hidden, the
    value has the number of moderators. It also lists the moderators who hid the words. With this
    list, `is_hidden` can leave out the moderators that the words are about.
    """
    which = (HIDDEN, record)
    majorities = judge.majorities(HIDE, record)
    highest = max((n for n in majorities if judge.is_in_reach(which, n)), default=0)
    if highest > _number(registers, which):
        hidden_by = [len(judge.term.moderators), sorted(majorities[highest])]
        registers[which] = Holding(highest, hidden_by if highest % 2 else None)


def _kth_smallest(cuts: list[Cuts], k: int) -> Cuts:
    """Returns, for each device, the k-th smallest of its numbers in `cuts`.

    Each item of `cuts` is the choice of one moderator. If a moderator does not name a device, the
    number 0 is taken. So fewer than `k` hostile moderators cannot cut a log below the lowest number
    that an honest moderator chose.
    """
    devices = {device for cut in cuts for device in cut}
    return {device: sorted(cut.get(device, 0) for cut in cuts)[k - 1] for device in devices}


def _higher(first: Cuts, second: Cuts) -> Cuts:
    """Returns, for each device, the higher one of its numbers in `first` and `second`."""
    devices = first.keys() | second.keys()
    return {device: max(first.get(device, 0), second.get(device, 0)) for device in devices}
