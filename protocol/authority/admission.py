"""Finds which device belongs to which person, and who was ever let in (specs/03, R-03.5 to R-03.7).

An `admit` is a record in which a member vouches for a newcomer. Only people on a roll, the list of
voters of a term, vouch. Each of them has room for a few newcomers, until a term lists these
newcomers. So nobody can bring in many false people before the voters have agreed to a new term. If
a voucher is removed later, the voucher's log counts only up to a number, the cut. The admits up to
the cut still let people in.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any, NamedTuple

from protocol.authority.kind_names import ADMIT, DEVICE
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.authority.terms import Signers, Term
from protocol.record import root_statement
from protocol.record.root_statement import Certificate, Leave, Revocation, RootStatement

MAX_LIVE_DEVICES = 4  # the most devices of one person that are not revoked
MAX_KNOWN_DEVICES = 32  # the most devices of one person whose records are stored, with revoked ones

_REACH = (
    3  # a device's admits count for this many times as many newcomers as its owner has room for
)


class CarriedCertificate(NamedTuple):
    """The first certificate of a device for a person. `carrier` is the id of the record that
    contains the certificate.
    """

    statement: Certificate
    carrier: bytes


# The first certificates, by device and person, in the order of their carriers (R-03.5a).
Certificates = Mapping[tuple[bytes, bytes], CarriedCertificate]


class Device(NamedTuple):
    """A device. A certificate says that the device belongs to `person`.

    `box` is the device's box key: records are sealed to this key. `revoked_after` is the last
    number of the device's log that counts, or None if the device is not revoked. `carrier` is the
    id of the record that contains the certificate.
    """

    key: bytes
    person: bytes
    box: bytes
    revoked_after: int | None
    carrier: bytes

    def is_unrevoked_at(self, seq: int) -> bool:
        """Returns True if the device was not yet revoked at number `seq` of its log (R-03.3)."""
        return self.revoked_after is None or seq <= self.revoked_after


class Member(NamedTuple):
    """A person who was let in.

    `since` is the time when the person was let in, in milliseconds. `admits` has the ids of the
    admits that let the person in.
    """

    person: bytes
    since: int
    admits: tuple[bytes, ...]


class AdmissionRule(NamedTuple):
    """The rule for letting a newcomer in: at least `vouchers` members must vouch for the newcomer.

    The roll is the list of voters. If it has fewer than `vouchers` people, all of them must vouch.
    """

    roll: frozenset[bytes]
    vouchers: int

    def lets_in(self, people: Collection[bytes]) -> bool:
        """Returns True if the admits of these people are enough to let a newcomer in."""
        is_whole_roll = len(self.roll) < self.vouchers and self.roll <= set(people)
        return bool(people) and (len(people) >= self.vouchers or is_whole_roll)

    def needed_of(self, people: Sequence[bytes]) -> list[bytes]:
        """Selects some of `people`: just enough that their admits let a newcomer in."""
        if len(people) >= self.vouchers:
            return list(people[: self.vouchers])
        return [person for person in people if person in self.roll]


def read_founding_certificates(fields: dict[str, Any]) -> list[Certificate]:
    """Returns the certificates that make people members, from a charter's field `founders`.

    Raises Refused if an entry of `founders` is not a valid root statement.
    """
    statements = [root_statement.read_statement(packed) for packed in fields["founders"]]
    return [
        statement
        for statement in statements
        if isinstance(statement, Certificate) and statement.place == root_statement.FOUNDING_PLACE
    ]


def read_founders(fields: dict[str, Any]) -> frozenset[bytes]:
    """Returns the founders: the people that the charter itself makes members."""
    return frozenset(certificate.person for certificate in read_founding_certificates(fields))


def read_certificates(
    charter: AuthorityRecord, fields: dict[str, Any], index: AuthorityIndex
) -> Certificates:
    """Returns the first certificate of each pair of a device and a person (R-03.5)."""
    first: dict[tuple[bytes, bytes], CarriedCertificate] = {}
    for carrier, statement in _statements(charter, fields, index):
        if isinstance(statement, Certificate):
            pair = statement.device, statement.person
            first.setdefault(pair, CarriedCertificate(statement, carrier))
    return first


def signers_of(certified: Certificates) -> dict[bytes, frozenset[bytes]]:
    """Maps each device to the people who have certified it as theirs."""
    people: dict[bytes, set[bytes]] = defaultdict(set)
    for device, person in certified:
        people[device].add(person)
    return {device: frozenset(signers) for device, signers in people.items()}


def read_revocations(
    charter: AuthorityRecord,
    fields: dict[str, Any],
    index: AuthorityIndex,
    certified: Certificates,
) -> dict[bytes, int]:
    """Returns, for each revoked device, the last number of its log that counts (R-03.3).

    A revocation counts only if it comes from the person who certified the device. A device that two
    people have certified counts as revoked from the start (R-03.5e).
    """
    last = {device: 0 for device, people in signers_of(certified).items() if len(people) > 1}
    for _, statement in _statements(charter, fields, index):
        if not isinstance(statement, Revocation):
            continue
        if (statement.device, statement.person) in certified:
            last[statement.device] = min(
                statement.after, last.get(statement.device, statement.after)
            )
    return last


def read_leaves(
    charter: AuthorityRecord, fields: dict[str, Any], index: AuthorityIndex
) -> dict[bytes, list[Leave]]:
    """Returns, for each person, the statements in which this person says that they leave
    (R-03.34).
    """
    leaves: dict[bytes, list[Leave]] = {}
    for _, statement in _statements(charter, fields, index):
        if isinstance(statement, Leave):
            leaves.setdefault(statement.person, []).append(statement)
    return leaves


def first_devices(
    certified: Certificates, index: AuthorityIndex
) -> tuple[Certificates, dict[bytes, tuple[int, bytes]]]:
    """Returns the certificates of the first MAX_KNOWN_DEVICES devices of each person (R-03.19d).

    The second result is for people who have that many devices. It maps each of them to the time and
    id of the record that certifies their last device. Only a certificate in an earlier record can
    still bring another device.
    """
    first: dict[tuple[bytes, bytes], CarriedCertificate] = {}
    counts: Counter[bytes] = Counter()
    last: dict[bytes, tuple[int, bytes]] = {}
    for (device, person), carried in certified.items():
        if counts[person] == MAX_KNOWN_DEVICES:
            continue
        counts[person] += 1
        first[device, person] = carried
        carrier = index.get(carried.carrier)
        last[person] = (carrier.time if carrier else 0, carried.carrier)
    return first, {who: last[who] for who, count in counts.items() if count == MAX_KNOWN_DEVICES}


def select_devices(certified: Certificates, revoked: Mapping[bytes, int]) -> dict[bytes, Device]:
    """Selects the devices that count (R-03.5).

    For each person, the first MAX_LIVE_DEVICES unrevoked devices count. All revoked devices count
    too, up to their revocation.
    """
    device_by_key: dict[bytes, Device] = {}
    live: dict[bytes, int] = defaultdict(int)  # person → the number of unrevoked devices so far
    for statement, carrier in certified.values():
        if statement.device in device_by_key:
            continue
        if statement.device not in revoked:
            live[statement.person] += 1
            if live[statement.person] > MAX_LIVE_DEVICES:
                continue
        last = revoked.get(statement.device)
        device = Device(statement.device, statement.person, statement.box, last, carrier)
        device_by_key[statement.device] = device
    return device_by_key


def admits_within_reach(
    index: AuthorityIndex, listed: Collection[bytes], room: int
) -> list[AuthorityRecord]:
    """Returns the admits that are within the reach of their log, by time and id (R-03.7c).

    A log reaches as far as 3 × `room` newcomers. Its later admits are left out. People in `listed`
    do not count towards this limit (R-03.7e). So if an admit is within reach, it stays within
    reach, no matter what its author signs later.
    """
    newcomers: dict[bytes, set[bytes]] = defaultdict(set)  # device → people that it admitted
    within_reach = []
    for admit in sorted(index.of_kinds(ADMIT), key=lambda record: (record.seq, record.id)):
        person = admit.fields["person"]
        of_device = newcomers[admit.device]
        if person not in listed and person not in of_device:
            if len(of_device) >= _REACH * room:
                continue
            of_device.add(person)
        within_reach.append(admit)
    return sorted(within_reach, key=lambda record: (record.time, record.id))


def people_vouched_for(
    admits: Iterable[AuthorityRecord],
    signers: Signers,
    voters: AbstractSet[bytes],
    rules: Collection[AdmissionRule],
) -> set[bytes]:
    """Returns the people for whom enough `voters` have vouched. There are enough vouchers if they
    satisfy at least one of the `rules`.

    More admits, signers, voters or rules can only add people to the result.
    """
    vouchers: dict[bytes, set[bytes]] = defaultdict(set)
    for admit in admits:
        vouchers[admit.fields["person"]] |= signers.get(admit.device, frozenset()) & voters
    return {
        person
        for person, of_person in vouchers.items()
        if any(rule.lets_in(of_person) for rule in rules)
    }


class Admission:
    """Lets newcomers in, in the order of their admits (R-03.6, R-03.7b).

    `rule` is the rule of the current term. `voters` are the people who may vouch, because they are
    on a roll of the chain. A voucher has room for `room` newcomers. People in `listed` take no
    room, because a term of the chain lists them.

    `newcomers` maps each voucher to the people who take up this voucher's room.
    """

    def __init__(
        self, rule: AdmissionRule, voters: Collection[bytes], listed: Collection[bytes], room: int
    ) -> None:
        self.newcomers: dict[bytes, set[bytes]] = defaultdict(set)
        self._rule = rule
        self._voters = voters
        self._listed = listed
        self._room = room
        self._members: dict[bytes, Member] = {}
        # newcomer → voucher → the voucher's first admit
        self._vouched: dict[bytes, dict[bytes, AuthorityRecord]] = defaultdict(dict)

    def let_in(
        self,
        seated: Mapping[bytes, int],
        admits: Iterable[AuthorityRecord],
        signers: Signers,
    ) -> dict[bytes, Member]:
        """Returns the people who are let in. `admits` are the admits that count, by time and id.

        `seated` has the people who need no admits, because they are on a roll. `seated` maps each
        of these people to the time of the first term that had the person on its roll.
        """
        for admit in admits:
            (voucher,) = signers[admit.device]  # a device of two people signs no admit that counts
            if voucher in self._voters:
                self._vouch(voucher, admit)
        for person, time in seated.items():
            self._seat(person, time)
        return self._members

    def _vouch(self, voucher: bytes, admit: AuthorityRecord) -> None:
        person = admit.fields["person"]
        of_person = self._vouched[person]
        of_person.setdefault(voucher, admit)
        if person in self._members:
            return
        with_room = [who for who in of_person if self._has_room(who, person)]
        if not self._rule.lets_in(with_room):
            return
        needed = self._rule.needed_of(with_room)
        if person not in self._listed:
            for who in needed:
                self.newcomers[who].add(person)
        ids = tuple(of_person[who].id for who in needed)
        self._members[person] = Member(person, admit.time, ids)

    def _has_room(self, voucher: bytes, person: bytes) -> bool:
        return person in self._listed or len(self.newcomers[voucher]) < self._room

    def _seat(self, person: bytes, time: int) -> None:
        """Lets in a person because a term has this person on its roll.

        If members have vouched for this person, also notes their first admits.
        """
        member = self._members.get(person)
        if member is None:
            first_admits = list(self._vouched[person].values())[: self._rule.vouchers]
            member = Member(person, time, tuple(admit.id for admit in first_admits))
        self._members[person] = member._replace(since=min(time, member.since))


def first_times(
    terms: Iterable[Term],
    admits: Iterable[AuthorityRecord],
    people: Collection[bytes],
    signers: Signers,
    *,
    not_before: int = 0,
) -> dict[bytes, int]:
    """Returns the time from which each of the `people` belongs (R-03.9a).

    Voters are the people on the rolls of the `terms`. There are two possible times, and the earlier
    one counts: the time of the first admit that a voter wrote for the person, and the beginning of
    the first term that has the person on its roll. The result is never before `not_before`.
    """
    times: dict[bytes, int] = {}
    voters: set[bytes] = set()
    for term in terms:
        voters |= term.roll
        for person in term.roll:
            times[person] = min(term.since, times.get(person, term.since))
    for admit in admits:
        person = admit.fields["person"]
        if signers.get(admit.device, frozenset()) & voters and person in people:
            times[person] = min(admit.time, times.get(person, admit.time))
    return {person: max(time, not_before) for person, time in times.items()}


def _statements(
    charter: AuthorityRecord, fields: dict[str, Any], index: AuthorityIndex
) -> Iterable[tuple[bytes, RootStatement]]:
    """Yields each statement of a root key for this neighbourhood, with the id of its record
    (R-03.5).
    """
    for packed in fields["founders"]:
        statement = root_statement.read_statement(packed)
        if statement.place == root_statement.FOUNDING_PLACE:
            yield charter.id, statement
    place = charter.id[: root_statement.PLACE_SIZE]
    for record in index.of_kinds(ADMIT, DEVICE):
        carried = index.statement_of(record)
        if carried is not None and carried.place == place:
            yield record.id, carried
