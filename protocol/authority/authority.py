"""Stratum 1, the first step of the fold: who belongs, who decides, which rules are in force.

Authority is computed from the set of open records, in any order (specs/03, from R-03.4 on). First,
the fold reads which device belongs to which person. Then it follows the terms from the charter to
the current term. Then it computes the registers, which are numbered values. The voters and
moderators of the current term decide which changes to registers pass. Last, the fold finds who was
let in and not removed.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from protocol.authority import admission, registers, relays, settled_cuts, terms
from protocol.authority.admission import (
    Admission,
    AdmissionRule,
    Certificates,
    Device,
    Member,
)
from protocol.authority.charter_rules import CHARTER_RULES
from protocol.authority.kind_names import ADMIT, CHARTER, PROPOSAL
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.authority.registers import CouncilPosts, Judge, Outcome, Registers
from protocol.authority.relays import Relay
from protocol.authority.settled_cuts import SettledCuts
from protocol.authority.standing import Standing, read_accepts
from protocol.authority.terms import Ballot, Chain, Holding, Register, Signers, Term
from protocol.errors import Refused
from protocol.record.root_statement import Leave
from protocol.schema.register_names import RULE, STANDING


@dataclass(frozen=True, kw_only=True)
class Authority(Standing):
    """Who may do what, according to one set of open records.

    `charter` has the fields of the charter, in which the rules in force replace the first rules.
    `members` are the people who belong now. `people` are all who were let in, including removed
    people. `candidates` maps each person who is not let in yet to the members who vouched for that
    person. `terms` has all terms that passed. `outcomes` tells how the vote on each proposal
    stands, by the proposal's id. `renewals` tells how the vote on each renewal stands.
    `council_posts` tells which numbers the moderators posted for registers, in `remove` and `hide`
    records.
    """

    neighbourhood: bytes
    charter: dict[str, Any] = field(default_factory=dict)
    chain: Chain
    terms: dict[bytes, Term] = field(default_factory=dict)
    registers: Registers = field(default_factory=dict)
    council_posts: CouncilPosts = field(default_factory=dict)
    outcomes: dict[bytes, Outcome] = field(default_factory=dict)
    renewals: dict[bytes, Ballot] = field(default_factory=dict)
    # term → everybody who accepted the term or a later term built on it
    supporters: dict[bytes, set[bytes]] = field(default_factory=dict)
    members: dict[bytes, Member] = field(default_factory=dict)
    people: dict[bytes, Member] = field(default_factory=dict)
    # person → the time before which the person's records do not fold in threads (R-03.9a)
    belongs_from: dict[bytes, int] = field(default_factory=dict)
    candidates: dict[bytes, frozenset[bytes]] = field(default_factory=dict)
    # The next values decide what is stored. With more records they only grow, except that a
    # settled cut and the number of a person's devices take some devices away.
    storable_devices: frozenset[bytes] = frozenset()  # devices whose records are stored
    certified: Certificates = field(default_factory=dict)  # certificates of known devices
    ever_let_in: frozenset[bytes] = (
        frozenset()
    )  # people whose further devices need no vouchers
    largest_quotas: tuple[int, int] = (0, 0)  # the highest quotas, of records and bytes
    # person → the time from which the quotas of the person's days are counted (R-03.15k)
    stored_from: dict[bytes, int] = field(default_factory=dict)
    # people with as many devices as may be known → (time, id) of the last certificate (R-03.19d)
    last_known: dict[bytes, tuple[int, bytes]] = field(default_factory=dict)
    settled: SettledCuts = field(
        default_factory=SettledCuts
    )  # stores let go beyond these
    relays: dict[bytes, Relay] = field(default_factory=dict)
    voucher_devices: dict[bytes, bytes] = field(default_factory=dict)  # admit → signing device
    # voucher → the people who take room of this voucher
    newcomers: dict[bytes, set[bytes]] = field(default_factory=dict)
    leavers: frozenset[bytes] = frozenset()  # people who left by their own statement

    @property
    def term(self) -> Term:
        """The term in force."""
        return self.chain.current

    @cached_property
    def agreed_renewals(self) -> Mapping[bytes, Sequence[bytes]]:
        """Maps each person to the renewals that the person accepted or said yes to."""
        agreed: dict[bytes, list[bytes]] = defaultdict(list)
        for renewal, ballot in self.renewals.items():
            for person in ballot.accepted | ballot.yes:
                agreed[person].append(renewal)
        return agreed

    @cached_property
    def owners(self) -> Mapping[bytes, bytes]:
        """Maps each known device to the person of its first certificate."""
        owners: dict[bytes, bytes] = {}
        for device, person in self.certified:
            owners.setdefault(device, person)
        return owners

    @cached_property
    def signers(self) -> Signers:
        """Maps each known device to all people who have certified it as theirs (R-03.5e)."""
        return admission.signers_of(self.certified)

    @cached_property
    def left(self) -> frozenset[bytes]:
        """The people who have left: they were let in once, and were removed (R-14.8)."""
        return frozenset(self.people.keys() - self.members.keys())

    @cached_property
    def _devices_by_person(self) -> Mapping[bytes, list[Device]]:
        devices: defaultdict[bytes, list[Device]] = defaultdict(list)
        for device in self.devices.values():
            devices[device.person].append(device)
        return devices

    def member_of_device(self, device: bytes) -> bytes | None:
        """Returns the member who owns this device, or None if its owner is not a member now."""
        person = self.person_of_device(device)
        return person if person in self.members else None

    def person_of_device(self, device: bytes) -> bytes | None:
        """Returns the person who owns this device, or None if that person was never let in.

        A removed person is returned too, because this person's records up to the cut count.
        """
        certified = self.devices.get(device)
        return certified.person if certified and certified.person in self.people else None

    def is_live(self, device: bytes) -> bool:
        """Returns True if the device belongs to a member and is not revoked.

        A live device may write records and read sealed records.
        """
        return (
            self.member_of_device(device) is not None and self.devices[device].revoked_after is None
        )

    def takes_device(self, person: bytes, device: bytes, carrier: tuple[int, bytes]) -> bool:
        """Returns True if a certificate for this device of the person would allow the device's log
        to be stored.

        `carrier` is the time and id of the record with the certificate (R-03.19, R-03.19d).
        """
        if person not in self.ever_let_in or self.settled.is_unnamed(person, device):
            return False
        if device in self.storable_devices or person not in self.last_known:
            return True
        return carrier < self.last_known[person]

    def devices_of(self, person: bytes) -> list[Device]:
        """Returns a person's devices, including revoked ones, sorted by key."""
        return sorted(self._devices_by_person.get(person, ()))

    def box_keys_of(self, people: Iterable[bytes]) -> list[bytes]:
        """Returns the box keys, sorted, to which content for `people` is sealed.

        Takes only live devices, and only people who are members.
        """
        members = set(people) & set(self.members)
        theirs = [device for device in self.devices.values() if device.person in members]
        return sorted(device.box for device in theirs if device.revoked_after is None)

    def holding(self, register: Register) -> Holding:
        """Returns the number and value that a register has now."""
        return self.registers.get(register, Holding(0, None))

    def has_posted(self, moderator: bytes, register: Register, number: int) -> bool:
        """Returns True if a moderator of this term posted the number `n` for a register."""
        return moderator in self.council_posts.get(register, {}).get(number, frozenset())

    def term_to_accept(self, person: bytes) -> bytes | None:
        """Returns the id of the term that this person's software should accept now (R-16.5).

        It is the newest term of the chain that has the person on its own roll or on its parent's
        roll. If somebody is new on the roll, their accept chooses no term. But because of this
        accept, stores keep the term even if the log of the only voter forks.

        A sibling of a term is another term with the same parent. A term is firm if two thirds of
        its parent's roll accepted the term. Returns None if the person has accepted the newest term
        or a sibling of it. Also returns None if the person has accepted a sibling of an earlier
        term that is not firm.
        """
        newest = None
        for (parent, term), firm in zip(pairwise(self.chain.terms), self.chain.firm, strict=True):
            if person in parent.roll | term.roll:
                accepted = self._accepted_children(parent, person)
                # Otherwise a home that knows half of the records could accept two siblings, and its
                # person would count for neither. A firm term cannot lose to a sibling any more.
                if accepted - {term.id} and not firm:
                    return None
                newest = None if accepted else term.id
        return newest

    def has_room(self, voucher: bytes) -> bool:
        """Returns True if `voucher` has room for one more newcomer (R-03.7b)."""
        return len(self.newcomers.get(voucher, ())) < int(self.charter["room"])

    def vouchers_of(self, person: bytes) -> set[bytes]:
        """Returns the people who vouched for a member. For a founder, the set is empty."""
        admits = self.members[person].admits if person in self.members else ()
        devices = [self.devices.get(self.voucher_devices[admit]) for admit in admits]
        return {device.person for device in devices if device is not None}

    def _accepted_children(self, parent: Term, person: bytes) -> set[bytes]:
        """Returns the ids of the terms that follow `parent` and that `person` accepted."""
        children = [term.id for term in self.terms.values() if term.parent == parent.id]
        return {term for term in children if person in self.supporters[term]}


def read_charter(charter: AuthorityRecord) -> dict[str, Any]:
    """Returns the fields of the charter. A field that is left out gets its default.

    Raises Refused (R-03.4) if the record cannot found a neighbourhood.
    """
    if charter.kind != CHARTER or charter.seq != 1:
        raise Refused("R-03.4", "a neighbourhood begins with the first record of a founder's log")
    rules = CHARTER_RULES.items()
    defaults = {name: rule.default for name, rule in rules if rule.default is not None}
    # Ignores fields that only a later version knows.
    given = {name: charter.fields[name] for name in CHARTER_RULES if name in charter.fields}
    fields = defaults | {name: value for name, value in given.items() if value is not None}
    certificates = admission.read_founding_certificates(fields)
    if not any(certificate.device == charter.device for certificate in certificates):
        raise Refused("R-03.4", "the charter is not signed by a founder's device")
    return fields


def fold_authority(
    charter: AuthorityRecord, records: Iterable[AuthorityRecord], forks: Mapping[bytes, int]
) -> Authority:
    """Computes the authority from the charter and all other open records, in any order.

    `forks` maps each device with a forked log to the number at which the log forks. Raises Refused
    (R-03.4) if the charter cannot found a neighbourhood.
    """
    index = records if isinstance(records, AuthorityIndex) else AuthorityIndex(records)
    fields = read_charter(charter)
    all_certified = admission.read_certificates(charter, fields, index)
    certified, last_known = admission.first_devices(all_certified, index)
    revoked = admission.read_revocations(charter, fields, index, all_certified)
    leaves = admission.read_leaves(charter, fields, index)
    first_term = _first_term(charter, fields, admission.read_founders(fields))
    decided, settled = _decide_by_named(index, first_term, certified, revoked, leaves)
    signers, passed, chain, held = decided.signers, decided.passed, decided.chain, decided.held
    rules = _rules_in_force(fields, chain.current, held)
    ever_decided = _EverDecided(fields, index, passed, signers)
    certified = _certified_for(certified, signers)
    devices = admission.select_devices(certified, revoked)
    standing = _standing(index, charter.id, devices, held, settled.with_forks(forks))
    listed = terms.listed_people(passed.values())
    within_reach = admission.admits_within_reach(index, listed, ever_decided.highest("room"))
    ever_let_in = _ever_let_in(within_reach, signers, passed.values())
    admits = [admit for admit in within_reach if standing.counts(admit, admit.fields["person"])]
    people, newcomers = _let_in(admits, signers, chain, rules["room"])
    members = {person: member for person, member in people.items() if person not in standing.cuts}
    return Authority(
        neighbourhood=charter.id,
        charter=rules,
        chain=chain,
        terms=passed,
        registers=held,
        council_posts=registers.read_council_posts(decided.judge),
        outcomes=decided.outcomes,
        renewals=terms.count_ballots(index, passed, signers, decided.supported),
        supporters=decided.supported,
        devices=devices,
        cuts=standing.cuts,
        forks=standing.forks,
        accepts=standing.accepts,
        storable_devices=_devices_of(ever_let_in, signers),
        certified=certified,
        ever_let_in=ever_let_in,
        largest_quotas=ever_decided.quotas,
        stored_from=admission.first_times(
            passed.values(), within_reach, ever_let_in, signers, not_before=charter.time
        ),
        last_known=last_known,
        settled=settled,
        people=people,
        belongs_from=admission.first_times(chain.terms, admits, people, signers),
        members=members,
        candidates=_candidates(admits, devices, people, members),
        voucher_devices=_voucher_devices(index, people),
        newcomers=newcomers,
        leavers=_leavers(leaves, held, standing.cuts),
        relays=_relays(index, standing, members, signers),
    )


def _standing(
    index: AuthorityIndex,
    neighbourhood: bytes,
    devices: dict[bytes, Device],
    held: Registers,
    forks: Mapping[bytes, int],
) -> Standing:
    accepts = read_accepts(index, neighbourhood, devices, forks)
    cuts = registers.cuts_of_removed(held)
    return Standing(devices=devices, cuts=cuts, forks=forks, accepts=accepts)


def _leavers(
    leaves: Mapping[bytes, list[Leave]], held: Registers, cuts: Collection[bytes]
) -> frozenset[bytes]:
    """Returns the people who are out because they left by themselves.

    The number in such a person's statement is the number that their standing has now.
    """
    return frozenset(
        person
        for person, of_person in leaves.items()
        if person in cuts and held[STANDING, person].n in {leave.n for leave in of_person}
    )


def _first_term(
    charter: AuthorityRecord, fields: dict[str, Any], founders: frozenset[bytes]
) -> Term:
    """Makes term 0, the first term, from the charter (R-03.21).

    The roll of term 0 has all founders. If the charter names no moderators, the founders are also
    the moderators.
    """
    moderators = frozenset(fields.get("moderators") or founders)
    return Term(
        charter.id, None, 0, charter.time, founders, moderators, fields["vouchers"], fields["share"]
    )


@dataclass(frozen=True)
class _Decided:
    """What the fold has decided: which terms passed, and what the registers hold. `signers` has the
    signers of each device. The fold decided on the basis of these signers.

    The fields have the same meaning as in Authority.
    """

    signers: Signers
    passed: dict[bytes, Term]
    supported: dict[bytes, set[bytes]]
    chain: Chain
    judge: Judge
    outcomes: dict[bytes, Outcome]
    held: Registers


def _decide(
    index: AuthorityIndex,
    first_term: Term,
    signers: Signers,
    revoked: Mapping[bytes, int],
    leaves: Mapping[bytes, list[Leave]],
) -> _Decided:
    passed = terms.passed_terms(index, first_term, signers)
    supported = terms.supporters(index, passed, signers)
    chain = terms.choose_chain(passed, supported)
    judge = Judge(index, chain.current, signers, revoked)
    return _Decided(signers, passed, supported, chain, judge, *_judge_proposals(judge, leaves))


def _decide_by_named(
    index: AuthorityIndex,
    first_term: Term,
    certified: Certificates,
    revoked: Mapping[bytes, int],
    leaves: Mapping[bytes, list[Leave]],
) -> tuple[_Decided, SettledCuts]:
    """Returns what was decided, and the cuts that settled terms have written down.

    A cut of a removal names devices of the removed person. While the removal holds, that person's
    other devices belong to nobody (R-03.35c). So these other devices do not vote about the return
    of that person either.
    """
    signers = admission.signers_of(certified)
    decided = _decide(index, first_term, signers, revoked, leaves)
    settled = settled_cuts.read_settled_cuts(
        index, decided.passed, decided.supported, decided.chain, signers
    )
    while True:
        named = settled.named(signers)
        if decided.signers != named:
            decided = _decide(index, first_term, named, revoked, leaves)
        still_out = settled.without_restored(decided.held)
        if still_out.out == settled.out:
            return decided, settled
        settled = still_out


def _devices_of(people: frozenset[bytes], signers: Signers) -> frozenset[bytes]:
    return frozenset(device for device, owners in signers.items() if owners & people)


def _certified_for(certified: Certificates, signers: Signers) -> Certificates:
    """Selects the certificates whose person is among the `signers` of the certified device."""
    return {
        (device, person): carried
        for (device, person), carried in certified.items()
        if person in signers.get(device, ())
    }


def _judge_proposals(
    judge: Judge, leaves: Mapping[bytes, list[Leave]]
) -> tuple[dict[bytes, Outcome], Registers]:
    """Returns how the vote on each proposal stands, and the holdings of all registers."""
    proposals = judge.index.of_kinds(PROPOSAL)
    outcomes = {proposal.id: judge.outcome(proposal) for proposal in proposals}
    passed = [proposal for proposal in proposals if outcomes[proposal.id].passed]
    return outcomes, registers.fold_registers(judge, passed, leaves)


def _rules_in_force(fields: dict[str, Any], term: Term, held: Registers) -> dict[str, Any]:
    """Returns the charter's fields, in which the rules in force replace the first rules (R-03.25).

    The current term and later decisions have changed the rules.
    """
    rules = fields | {
        "vouchers": term.vouchers,
        "share": term.share,
        "moderators": sorted(term.moderators),
    }
    for (what, name), holding in held.items():
        # Skips rules that only a later version knows.
        is_known_rule = what == RULE and name in CHARTER_RULES
        if is_known_rule and registers.may_hold((what, name), holding.value):
            rules[str(name)] = holding.value
    return rules


def _ever_let_in(
    admits: Iterable[AuthorityRecord], signers: Signers, passed: Iterable[Term]
) -> frozenset[bytes]:
    """Returns everybody who might be let in under any of the terms (R-03.19).

    This function ignores revocations, removals, forks, and how much room a voucher has. So more
    records can only add people. For this reason the store may use the result to decide which
    records it keeps.
    """
    passed = list(passed)
    voters = frozenset[bytes]().union(*(term.roll for term in passed))
    rules = {AdmissionRule(term.roll, term.vouchers) for term in passed}
    return voters | admission.people_vouched_for(admits, signers, voters, rules)


def _let_in(
    admits: Iterable[AuthorityRecord], signers: Signers, chain: Chain, room: int
) -> tuple[dict[bytes, Member], dict[bytes, set[bytes]]]:
    """Returns the people who are let in by the current term's rule (R-03.6).

    Each voucher has room for a few newcomers. The second result maps each voucher to the newcomers
    who take up this room. `admits` are the admits that count.
    """
    seated: dict[bytes, int] = {}
    for term in chain.terms:
        seated |= {person: term.since for person in sorted(term.roll) if person not in seated}
    rule = AdmissionRule(chain.current.roll, chain.current.vouchers)
    newcomers = Admission(rule, seated.keys(), terms.listed_people(chain.terms), room)
    people = newcomers.let_in(seated, admits, signers)
    return people, dict(newcomers.newcomers)


def _candidates(
    admits: Iterable[AuthorityRecord],
    devices: dict[bytes, Device],
    people: Mapping[bytes, Member],
    members: Mapping[bytes, Member],
) -> dict[bytes, frozenset[bytes]]:
    """Maps each person who is not let in yet to the members who vouched for that person."""
    candidates: dict[bytes, set[bytes]] = {}
    for admit in admits:
        person = admit.fields["person"]
        voucher = devices[admit.device].person
        if person not in people and voucher in members:
            candidates.setdefault(person, set()).add(voucher)
    return {person: frozenset(vouchers) for person, vouchers in candidates.items()}


def _voucher_devices(index: AuthorityIndex, people: Mapping[bytes, Member]) -> dict[bytes, bytes]:
    """Returns a map for the admits by which members were let in. It maps the id of each such admit
    to the device that signed the admit.
    """
    used = {admit for member in people.values() for admit in member.admits}
    return {admit.id: admit.device for admit in index.of_kinds(ADMIT) if admit.id in used}


def _relays(
    index: AuthorityIndex,
    standing: Standing,
    members: Mapping[bytes, Member],
    signers: Signers,
) -> dict[bytes, Relay]:
    """Returns the relays that serve the neighbourhood. Maps the key of each relay to the relay
    (R-08.2).
    """

    def standing_member(record: AuthorityRecord) -> bytes | None:
        if not standing.stands(record.device, record.seq):
            return None
        person = standing.devices[record.device].person
        return person if person in members else None

    enrolled = relays.fold_relays(index, standing_member)
    # Leaves out keys of people's devices: a device cannot be a relay too.
    return {key: relay for key, relay in enrolled.items() if key not in signers}


class _EverDecided:
    """The highest values that were ever decided for the charter's rules (R-03.15d, R-03.19c).

    There are two ways to decide a value: a term began with it, or a proposal for it would pass
    under some term. More records can only raise the highest values. So these values may limit what
    is stored.
    """

    def __init__(
        self,
        fields: dict[str, Any],
        index: AuthorityIndex,
        passed: Mapping[bytes, Term],
        signers: Signers,
    ) -> None:
        self._fields = fields
        self._terms = passed.values()
        self._judges = [Judge(index, term, signers, {}) for term in passed.values()]
        proposals = index.of_kinds(PROPOSAL)
        self._proposals = [proposal for proposal in proposals if proposal.fields.get("change")]

    @property
    def quotas(self) -> tuple[int, int]:
        """The highest quotas, of records and of bytes."""
        return self.highest("quota_records"), self.highest("quota_bytes")

    def highest(self, name: str) -> int:
        """Returns the highest value that the rule `name` ever had."""
        rule = (RULE, name)
        values = [term.written[rule].value for term in self._terms if rule in term.written]
        for proposal in self._proposals:
            which, new = terms.read_holding(proposal.fields["change"])
            if which == rule and self._would_ever_pass(proposal, rule, new.n):
                values.append(new.value)
        allowed: list[int] = [value for value in values if registers.may_hold(rule, value)]
        return max([int(self._fields[name]), *allowed])

    def _would_ever_pass(self, proposal: AuthorityRecord, rule: Register, n: int) -> bool:
        """Returns True if the proposal would pass in any term that people have voted in.

        No device counts as revoked here. `rule` and `n` are the register and the number that the
        proposal names.
        """
        return any(
            judge.is_in_reach(rule, n) and judge.outcome(proposal).passed for judge in self._judges
        )
