"""Stratum 1: who belongs and whose device is whose, from the set of open records.

`fold` is a pure function of the set: the order of its input does not matter. It covers founding,
admission by vouchers and root statements (AUTHORITY rules R-1, R-10, R-12; specs/03 R-03.4 ff.).
Renewals, registers and removals join here as further acts.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from protocol import statement
from protocol.errors import Refused
from protocol.schema import KINDS

MONTH_MS = 30 * 86_400_000
MAX_DEVICES = 4


class Act(NamedTuple):
    """An open record as authority reads it. Times in milliseconds."""

    id: bytes
    device: bytes
    seq: int
    time: int
    kind: str
    fields: dict[str, Any]
    parents: tuple[bytes, ...] = ()


class Device(NamedTuple):
    """A device certified by one person; `revoked` is the last number that counts, or None."""

    key: bytes
    person: bytes
    box: bytes
    revoked: int | None
    carrier: bytes  # the record that brought the certificate


class Member(NamedTuple):
    """A person who belongs, since when (milliseconds), and the admits that brought them in."""

    person: bytes
    since: int
    admits: tuple[bytes, ...]


@dataclass(frozen=True)
class Authority:
    """Who may, as of one set of open records.

    `accepts`: what people's standing accepts name → the person → the accept's id.
    """

    neighbourhood: bytes
    charter: dict[str, Any]
    members: dict[bytes, Member]
    waiting: dict[bytes, frozenset[bytes]]  # person → those who vouched so far
    devices: dict[bytes, Device]
    forks: Mapping[bytes, int] = field(default_factory=dict)
    storable: frozenset[bytes] = frozenset()  # devices whose records are stored
    belonging: frozenset[bytes] = frozenset()  # people whose devices may bring themselves
    accepts: dict[bytes, dict[bytes, bytes]] = field(default_factory=dict)
    _admitted_by: dict[bytes, bytes] = field(default_factory=dict)  # admit → voucher's device
    _vouched_for: dict[tuple[bytes, int], set[bytes]] = field(
        default_factory=lambda: defaultdict(set)
    )  # voucher and month → newcomers

    def author(self, device: bytes) -> bytes | None:
        """The member whose device this is, or None."""
        known = self.devices.get(device)
        return known.person if known and known.person in self.members else None

    def live(self, device: bytes) -> bool:
        """Whether the device is a member's and not revoked: it may take part, and read."""
        return self.author(device) is not None and self.devices[device].revoked is None

    def devices_of(self, person: bytes) -> list[Device]:
        """The devices of a person, revoked ones too, by key."""
        return sorted(one for one in self.devices.values() if one.person == person)

    def stands(self, device: bytes, seq: int) -> bool:
        """Whether number `seq` of the device's log lies before its fork and its revocation."""
        known = self.devices.get(device)
        if known is None or seq >= self.forks.get(device, seq + 1):
            return False
        return known.revoked is None or seq <= known.revoked

    def counts(self, act: Act, accepted_by: bytes | None) -> bool:
        """R-03.12: whether an act stands, or lies beyond a fork but the person whom it concerns
        has accepted it. No accept helps against a revocation.
        """
        known = self.devices.get(act.device)
        if known is None or (known.revoked is not None and act.seq > known.revoked):
            return False
        before_fork = act.seq < self.forks.get(act.device, act.seq + 1)
        return before_fork or accepted_by in self.accepts.get(act.id, {})

    def boxes(self, people: Iterable[bytes]) -> list[bytes]:
        """The box keys of the live devices of `people`, sorted."""
        wanted = set(people)
        known = (one for one in self.devices.values() if one.person in wanted)
        return sorted(one.box for one in known if one.revoked is None)

    def may_vouch(self, voucher: bytes, time: int) -> bool:
        """R-03.7: whether the charter lets them admit one more person in the month of `time`."""
        newcomers = self._vouched_for.get((voucher, time // MONTH_MS), set())
        return len(newcomers) < int(self.charter["admissions_a_month"])

    def vouchers_of(self, person: bytes) -> set[bytes]:
        """Who vouched for a member; nobody for a founder."""
        admits = self.members[person].admits if person in self.members else ()
        return {self.devices[self._admitted_by[one]].person for one in admits}

    def proof(self, device: bytes) -> list[bytes]:
        """Ids of the records, the charter first, that show `device` to be a member's (R-05.3)."""
        needed: dict[bytes, None] = {self.neighbourhood: None}
        ahead, seen = [device], {device}
        while ahead:  # a loop, because a chain of admissions may be longer than Python's stack
            known = self.devices.get(ahead.pop())
            if known is None or known.person not in self.members:
                continue
            needed[known.carrier] = None
            for admit in self.members[known.person].admits:
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
    if act.kind != "charter" or act.seq != 1:
        raise Refused("R-03.4", "a neighbourhood begins with the first record of a founder's log")
    declared = KINDS["charter"].fields
    defaults = {name: one.default for name, one in declared.items() if one.default is not None}
    charter = defaults | {name: one for name, one in act.fields.items() if one is not None}
    founders = [statement.read(one) for one in charter["founders"]]
    if not any(
        isinstance(one, statement.Certified)
        and one.device == act.device
        and one.place == statement.FOUNDING
        for one in founders
    ):
        raise Refused("R-03.4", "the charter is not signed by a founder's device")
    return charter


def fold(charter: Act, acts: Iterable[Act], forks: Mapping[bytes, int]) -> Authority:
    """Authority from the charter and all other open records, in any order."""
    ordered = sorted({act.id: act for act in acts}.values(), key=lambda act: (act.time, act.id))
    every = _fold(charter, ordered, {}, strict=False)
    storable = frozenset(one for one in every.devices if every.author(one) is not None)
    belonging = frozenset(every.members)
    strict = _fold(charter, ordered, forks, strict=True)
    return replace(strict, storable=storable, belonging=belonging)


def _fold(
    charter: Act, ordered: list[Act], forks: Mapping[bytes, int], *, strict: bool
) -> Authority:
    """Who belongs. Not strict (R-03.19): who would if nobody had been revoked, forked or held to a
    cap of newcomers or devices. That only grows with the set, so it decides what is stored: what a late record
    takes out of the fold stays in the store, alike everywhere.
    """
    fields = founding(charter)
    devices = _devices(charter, fields, ordered, strict=strict)
    founders = {
        one.person: Member(one.person, charter.time, ())
        for one in map(statement.read, fields["founders"])
        if isinstance(one, statement.Certified) and one.place == statement.FOUNDING
    }
    authority = Authority(charter.id, fields, founders, {}, devices, forks)
    for act in ordered:
        if act.kind == "accept" and authority.stands(act.device, act.seq):
            for named in act.parents:
                person = devices[act.device].person
                authority.accepts.setdefault(named, {}).setdefault(person, act.id)
    vouches = _vouches(authority, ordered, strict=strict)
    _admit(authority, set(founders), vouches)
    for person, admits in vouches.items():
        if person not in authority.members:
            people = {authority.author(act.device) for act in admits}
            known = frozenset(one for one in people if one is not None)
            if known:
                authority.waiting[person] = known
    return authority


def _devices(
    charter: Act, fields: dict[str, Any], acts: list[Act], *, strict: bool
) -> dict[bytes, Device]:
    """R-03.5: certified devices, at most MAX_DEVICES live ones a person, and the revoked ones."""
    certified: dict[bytes, tuple[statement.Certified, bytes]] = {}
    revoked: dict[bytes, int] = {}
    for carrier, one in _statements(charter, fields, acts):
        if isinstance(one, statement.Certified):
            certified.setdefault(one.device, (one, carrier))
    for _, one in _statements(charter, fields, acts):
        if not strict or not isinstance(one, statement.Revoked) or one.device not in certified:
            continue
        if certified[one.device][0].person == one.person:
            revoked[one.device] = min(one.after, revoked.get(one.device, one.after))
    devices: dict[bytes, Device] = {}
    live: dict[bytes, int] = defaultdict(int)
    for one, carrier in certified.values():
        if one.device not in revoked:
            live[one.person] += 1
            if strict and live[one.person] > MAX_DEVICES:
                continue
        devices[one.device] = Device(
            one.device, one.person, one.box, revoked.get(one.device), carrier
        )
    return devices


def _statements(
    charter: Act, fields: dict[str, Any], acts: list[Act]
) -> Iterable[tuple[bytes, statement.Certified | statement.Revoked]]:
    here = charter.id[: statement.PLACE]
    carried = [(charter.id, one, statement.FOUNDING) for one in fields["founders"]]
    carried += [
        (act.id, act.fields["statement"], here) for act in acts if act.kind in {"admit", "device"}
    ]
    for carrier, one, place in carried:
        try:
            said = statement.read(one)
        except Refused:
            continue  # a carrier may carry nonsense; it then certifies nothing
        if said.place == place:
            yield carrier, said


def _vouches(authority: Authority, acts: list[Act], *, strict: bool) -> dict[bytes, list[Act]]:
    """R-03.7: the admits that stand, within what a voucher's device may admit in a month."""
    cap = authority.charter["admissions_a_month"]
    vouches: dict[bytes, list[Act]] = defaultdict(list)
    for act in acts:
        if act.kind != "admit" or not authority.counts(act, act.fields["person"]):
            continue
        voucher = authority.devices[act.device].person
        admitted = authority._vouched_for[voucher, act.time // MONTH_MS]  # noqa: SLF001
        person = act.fields["person"]
        if not strict or person in admitted or len(admitted) < cap:
            admitted.add(person)
            vouches[person].append(act)
    return vouches


def _admit(authority: Authority, roll: set[bytes], vouches: dict[bytes, list[Act]]) -> None:
    """R-03.6: the least fixpoint of admission from the roll."""
    grown = True
    while grown:
        grown = False
        for person, admits in vouches.items():
            if person in authority.members:
                continue
            enough = _enough(authority, roll, admits)
            if enough:
                since = enough[-1].time
                ids = tuple(act.id for act in enough)
                authority.members[person] = Member(person, since, ids)
                authority._admitted_by.update({act.id: act.device for act in enough})  # noqa: SLF001
                grown = True


def _enough(authority: Authority, roll: set[bytes], admits: list[Act]) -> list[Act]:
    """The first admits by different members that suffice, in order of time; else none."""
    need = authority.charter["vouchers"]
    counted: dict[bytes, Act] = {}
    for act in admits:
        voucher = authority.author(act.device)
        if voucher is not None:
            counted.setdefault(voucher, act)
        whole_roll = len(roll) < need and roll <= set(counted)
        if counted and (len(counted) >= need or whole_roll):
            return list(counted.values())
    return []
