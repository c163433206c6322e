"""Stratum 1: who belongs, who decides and what holds, from the set of open records.

`fold` is a pure function of the set: the order of its input does not matter (AUTHORITY.md;
specs/03 R-03.4 ff.). First whose device is whose, then the terms from the charter to the current
one, then the registers that its lists judge, then who was let in and not removed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

from protocol.authority import admission, registers, relays, terms
from protocol.authority.admission import Device, Member, Voters
from protocol.authority.charter_rules import CHARTER_RULES
from protocol.authority.records import Act, Acts
from protocol.authority.registers import Bench, Cuts, Outcome
from protocol.authority.relays import Relay
from protocol.authority.terms import RULE, Ballot, Chain, Holding, Register, Term


@dataclass(frozen=True, kw_only=True)
class Authority:
    """Who may, as of one set of open records.

    `charter`: the rules in force. `members`: who belongs now; `people`: whoever was let in, removed
    or not. `cuts`: where a removal cuts the logs of the removed. `accepts`: what people's standing
    accepts name → the person → the accept's id. `outcomes`: of proposals; `renewals`: how each stands;
    `terms`: all that passed.
    """

    neighbourhood: bytes
    charter: dict[str, Any] = field(default_factory=dict)
    chain: Chain
    terms: dict[bytes, Term] = field(default_factory=dict)
    registers: dict[Register, Holding] = field(default_factory=dict)
    outcomes: dict[bytes, Outcome] = field(default_factory=dict)
    renewals: dict[bytes, Ballot] = field(default_factory=dict)
    members: dict[bytes, Member] = field(default_factory=dict)
    people: dict[bytes, Member] = field(default_factory=dict)
    waiting: dict[bytes, frozenset[bytes]] = field(default_factory=dict)  # → who vouched so far
    devices: dict[bytes, Device] = field(default_factory=dict)
    cuts: dict[bytes, Cuts] = field(default_factory=dict)
    forks: Mapping[bytes, int] = field(default_factory=dict)
    storable: frozenset[bytes] = frozenset()  # devices whose records are stored
    room: tuple[int, int] = (0, 0)  # the most records and bytes a day that were ever allowed
    belonging: frozenset[bytes] = frozenset()  # people whose devices may bring themselves
    accepts: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)
    relays: dict[bytes, Relay] = field(default_factory=dict)
    _admitted_by: dict[bytes, bytes] = field(default_factory=dict)  # admit → voucher's device
    _vouched_for: dict[tuple[bytes, int], set[bytes]] = field(default_factory=dict)

    @property
    def term(self) -> Term:
        """The term in force."""
        return self.chain.current

    def author(self, device: bytes) -> bytes | None:
        """The member whose device this is, or None."""
        person = self.signer(device)
        return person if person in self.members else None

    def signer(self, device: bytes) -> bytes | None:
        """The person whose device this is, if they were ever let in: their words up to the cut of
        a removal stay.
        """
        known = self.devices.get(device)
        return known.person if known and known.person in self.people else None

    def holding(self, register: Register) -> Holding:
        """The value and number of a register."""
        return self.registers.get(register, Holding(0, None))

    def live(self, device: bytes) -> bool:
        """Whether the device is a member's and not revoked: it may take part, and read."""
        return self.author(device) is not None and self.devices[device].revoked is None

    def devices_of(self, person: bytes) -> list[Device]:
        """The devices of a person, revoked ones too, by key."""
        return sorted(one for one in self.devices.values() if one.person == person)

    def stands(self, device: bytes, seq: int) -> bool:
        """R-03.12, R-03.28: whether number `seq` of the device's log lies before its fork and not
        after its revocation or the cut of a removal.
        """
        return self._standing(device, seq) and self.before_fork(device, seq)

    def standing_author(self, act: Act) -> bytes | None:
        """The member whose act stands, or None."""
        return self.author(act.device) if self.stands(act.device, act.seq) else None

    def before_fork(self, device: bytes, seq: int) -> bool:
        """Whether number `seq` of the device's log lies before its fork, if it has one."""
        return seq < self.forks.get(device, seq + 1)

    def counts(self, act: Act, accepted_by: bytes | None) -> bool:
        """R-03.12: whether an act stands, or lies beyond a fork but the person whom it concerns
        has accepted it. No accept helps against a revocation or a removal.
        """
        if not self._standing(act.device, act.seq):
            return False
        accepted = accepted_by in self.accepts.get(act.id, {})
        return accepted or self.before_fork(act.device, act.seq)

    def _standing(self, device: bytes, seq: int) -> bool:
        known = self.devices.get(device)
        if known is None or not known.unrevoked(seq):
            return False
        cuts = self.cuts.get(known.person)
        return cuts is None or seq <= cuts.get(device, 0)

    def to_accept(self, person: bytes) -> bytes | None:
        """R-16.5: the term that this person's software is to accept now: the newest whose parent
        has them on its roll. Nothing on a rival's line, unless that line cannot fall any more: shown
        half of the records, a home would else accept two siblings and count for neither.
        """
        newest = None
        for (parent, term), firm in zip(pairwise(self.chain.terms), self.chain.firm, strict=True):
            if person in parent.roll:
                siblings = (one for one in self.terms.values() if one.parent == parent.id)
                said = {one.id for one in siblings if person in self.renewals[one.id].accepted}
                if said - {term.id} and not firm:
                    return None
                newest = None if said else term.id
        return newest

    def boxes(self, people: Iterable[bytes]) -> list[bytes]:
        """The box keys of the live devices of the members among `people`, sorted."""
        wanted = set(people) & set(self.members)
        known = (one for one in self.devices.values() if one.person in wanted)
        return sorted(one.box for one in known if one.revoked is None)

    def may_vouch(self, voucher: bytes, time: int) -> bool:
        """R-03.7: whether the charter lets them admit one more person in the month of `time`."""
        newcomers = self._vouched_for.get((voucher, time // admission.MONTH_MS), set())
        return len(newcomers) < int(self.charter["admissions_a_month"])

    def vouchers_of(self, person: bytes) -> set[bytes]:
        """Who vouched for a member; nobody for a founder."""
        admits = self.members[person].admits if person in self.members else ()
        known = (self.devices.get(self._admitted_by[one]) for one in admits)
        return {one.person for one in known if one is not None}

    def proof(self, device: bytes) -> list[bytes]:
        """Ids of the records, the charter first, that show `device` to be a member's (R-05.3), or
        to be the key of a relay that a member enrolled (R-08.3).
        """
        needed: dict[bytes, None] = {self.neighbourhood: None}
        if device in self.relays:
            carrier = self.relays[device].carrier
            return [*self.proof(carrier.device), carrier.id]
        ahead, seen = [device], {device}
        while ahead:  # a loop, because a chain of admissions may be longer than Python's stack
            known = self.devices.get(ahead.pop())
            if known is None or known.person not in self.people:
                continue
            needed[known.carrier] = None
            for admit in self.people[known.person].admits:
                needed[admit] = None
                accept = self.accepts.get(admit, {}).get(known.person)
                needed.update({} if accept is None else {accept: None})
                voucher = self._admitted_by[admit]
                if voucher not in seen:
                    seen.add(voucher)
                    ahead.append(voucher)
        return list(needed)


def founding(act: Act) -> dict[str, Any]:
    """The charter's fields with their defaults. Raises Refused (R-03.4) if it founds nothing."""
    return admission.read_founding(act, CHARTER_RULES)


def fold(charter: Act, acts: Iterable[Act], forks: Mapping[bytes, int]) -> Authority:
    """Authority from the charter and all other open records, in any order."""
    acts = acts if isinstance(acts, Acts) else Acts(acts)
    fields = founding(charter)
    certified = admission.certificates(charter, fields, acts)
    revoked = admission.revocations(charter, fields, acts, certified)
    owner = {device: said.person for device, (said, _) in certified.items()}
    founders = admission.founders(charter, fields)
    passed = terms.tree(acts, _first(charter, fields, founders), owner)
    supported = terms.supporters(acts, passed, owner)
    chain = terms.walk(passed, supported)
    bench = Bench(acts, chain.current, owner, revoked)
    proposals = acts.of("proposal")
    outcomes = {act.id: bench.outcome(act) for act in proposals}
    held = registers.values(bench, [act for act in proposals if outcomes[act.id].passed])
    let_in = _ever_let_in(acts, founders, owner, passed.values())
    authority = Authority(
        neighbourhood=charter.id,
        charter=_rules(fields, chain.current, held),
        chain=chain,
        terms=passed,
        registers=held,
        outcomes=outcomes,
        renewals=terms.ballots(acts, passed, owner, supported),
        devices=admission.devices(certified, revoked),
        cuts=registers.cuts_of_the_removed(held),
        forks=forks,
        storable=frozenset(device for device, person in owner.items() if person in let_in),
        belonging=frozenset(let_in),
        room=_room(fields, acts, passed, owner),
    )
    _accept(authority, acts)
    _admit(authority, acts, let_in, owner)
    enrolled = relays.enrolled(acts, authority.standing_author)
    # A key that is somebody's device is theirs: nobody makes a relay of it.
    authority.relays.update({key: one for key, one in enrolled.items() if key not in owner})
    return authority


def _first(charter: Act, fields: dict[str, Any], founders: Mapping[bytes, Member]) -> Term:
    """R-03.21: term 0, whose roll the founders are; they moderate if it names nobody."""
    roll = frozenset(founders)
    moderators = frozenset(fields.get("moderators") or roll)
    return Term(
        charter.id, None, 0, charter.time, roll, moderators, fields["vouchers"], fields["share"]
    )


def _rules(fields: dict[str, Any], term: Term, held: Mapping[Register, Holding]) -> dict[str, Any]:
    """The charter with what the term and its decisions made of it (R-03.25)."""
    rules = fields | {
        "vouchers": term.vouchers,
        "share": term.share,
        "moderators": sorted(term.moderators),
    }
    declared = CHARTER_RULES
    for (what, name), holding in held.items():
        known = what == RULE and name in declared  # else the rule of a later version, or none
        if known and registers.may_hold((what, name), holding.value):
            rules[str(name)] = holding.value
    return rules


def _room(
    fields: dict[str, Any], acts: Acts, passed: Mapping[bytes, Term], owner: Mapping[bytes, bytes]
) -> tuple[int, int]:
    """R-03.15: the highest quotas that any term began with, or that passed under any. That only
    grows with the set, so it bounds what is stored.
    """
    changes = [
        (act, *terms.register(change))
        for act in acts.of("proposal")
        if (change := act.fields.get("change"))
    ]
    most = []
    for name in ("quota_records", "quota_bytes"):
        said = [
            one.written[RULE, name].value for one in passed.values() if (RULE, name) in one.written
        ]
        said += [
            new.value
            for act, which, new in changes
            if which == (RULE, name)
            and any(Bench(acts, one, owner, {}).outcome(act).passed for one in passed.values())
        ]
        most.append(
            max([fields[name], *(one for one in said if registers.may_hold((RULE, name), one))])
        )
    return most[0], most[1]


def _ever_let_in(
    acts: Acts,
    founders: Mapping[bytes, Member],
    owner: Mapping[bytes, bytes],
    passed: Iterable[Term],
) -> dict[bytes, Member]:
    """R-03.19: who would belong if nobody had been revoked, removed, forked or held to a cap, under
    any term. That only grows with the set, so it decides what is stored.
    """
    passed = list(passed)
    seeds = dict(founders)
    vouches = admission.admits(acts, lambda act: act.device in owner)
    rules = {Voters(term.roll, term.vouchers) for term in passed}
    found = admission.admit(seeds, vouches, owner, rules)
    seated = {
        person: Member(person, term.since, ())
        for term in passed
        for person in term.roll - found.keys()
    }
    return admission.admit(found | seated, vouches, owner, rules) if seated else found


def _accept(authority: Authority, acts: Acts) -> None:
    """R-03.20: what newcomers' accepts of the charter name. A removal's cut does not touch them:
    whom the newcomer admitted within it would fall otherwise.
    """
    for act in acts.about_in_order("accept", authority.neighbourhood):
        known = authority.devices.get(act.device)
        if known and known.unrevoked(act.seq) and authority.before_fork(act.device, act.seq):
            for named in act.parents[1:]:
                authority.accepts.setdefault(named, {}).setdefault(known.person, act.id)


def _admit(
    authority: Authority, acts: Acts, let_in: Mapping[bytes, Member], owner: Mapping[bytes, bytes]
) -> None:
    """R-03.6: from the rolls of the chain, by the current term's rule, less who was removed."""
    term = authority.term
    seats = frozenset[bytes]().union(*(one.roll for one in authority.chain.terms))
    seeds = {person: one for person, one in let_in.items() if person in seats}
    counting = admission.admits(acts, lambda act: authority.counts(act, act.fields["person"]))
    cap = int(authority.charter["admissions_a_month"])
    vouches, vouched = admission.within_cap(counting, owner, cap)
    authority._vouched_for.update(vouched)  # noqa: SLF001 -- filled by its own fold
    rules = [Voters(term.roll, term.vouchers)]
    authority.people.update(admission.admit(seeds, vouches, owner, rules))
    used = {admit for one in authority.people.values() for admit in one.admits}
    authority._admitted_by.update(  # noqa: SLF001
        {act.id: act.device for act in acts.of("admit") if act.id in used}
    )
    authority.members.update(
        {person: one for person, one in authority.people.items() if person not in authority.cuts}
    )
    for person, said in vouches.items():
        known = frozenset(one for act in said if (one := authority.author(act.device)) is not None)
        if known and person not in authority.people:
            authority.waiting[person] = known
