"""Finds which device belongs to which person, and who was ever let in (specs/03, R-03.5 to R-03.7).

An `admit` is a record in which a member vouches for a newcomer. Admission starts from the people on
the rolls, the lists of voters. Then it lets in everybody for whom there are enough admits, again
and again, until nobody new comes in. If a member is removed later, the member's log counts only up
to a number, the cut. The member's admits up to the cut still let people in.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from protocol.authority.kind_names import ADMIT, DEVICE
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.record import root_statement
from protocol.record.root_statement import Certificate, Revocation

MONTH_MS = 30 * 86_400_000
MAX_LIVE_DEVICES = 4  # the most devices of one person that are not revoked


class CarriedCertificate(NamedTuple):
    """The first certificate of a device. `carrier` is the id of the record that contains it."""

    statement: Certificate
    carrier: bytes


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


def read_founders(charter: AuthorityRecord, fields: dict[str, Any]) -> dict[bytes, Member]:
    """Returns the founders: the people that the charter itself makes members."""
    people = [certificate.person for certificate in read_founding_certificates(fields)]
    return {person: Member(person, charter.time, ()) for person in people}


def read_certificates(
    charter: AuthorityRecord, fields: dict[str, Any], index: AuthorityIndex
) -> dict[bytes, CarriedCertificate]:
    """Returns the first certificate of every device, by the device's key (R-03.5)."""
    first: dict[bytes, CarriedCertificate] = {}
    for carrier, statement in _statements(charter, fields, index):
        if isinstance(statement, Certificate):
            first.setdefault(statement.device, CarriedCertificate(statement, carrier))
    return first


def read_revocations(
    charter: AuthorityRecord,
    fields: dict[str, Any],
    index: AuthorityIndex,
    certified: Mapping[bytes, CarriedCertificate],
) -> dict[bytes, int]:
    """Returns, for each revoked device, the last number of its log that counts (R-03.3).

    A revocation counts only if it comes from the person who certified the device.
    """
    last: dict[bytes, int] = {}
    for _, statement in _statements(charter, fields, index):
        if not isinstance(statement, Revocation):
            continue
        certificate = certified.get(statement.device)
        if certificate and certificate.statement.person == statement.person:
            last[statement.device] = min(
                statement.after, last.get(statement.device, statement.after)
            )
    return last


def select_devices(
    certified: Mapping[bytes, CarriedCertificate], revoked: Mapping[bytes, int]
) -> dict[bytes, Device]:
    """Selects the devices that count (R-03.5).

    Of each person, the first MAX_LIVE_DEVICES devices that are not revoked count. All revoked
    devices count too, up to their revocation.
    """
    device_by_key: dict[bytes, Device] = {}
    live: dict[bytes, int] = defaultdict(int)  # person → the number of unrevoked devices so far
    for statement, carrier in certified.values():
        if statement.device not in revoked:
            live[statement.person] += 1
            if live[statement.person] > MAX_LIVE_DEVICES:
                continue
        last = revoked.get(statement.device)
        device = Device(statement.device, statement.person, statement.box, last, carrier)
        device_by_key[statement.device] = device
    return device_by_key


def collect_admits(
    index: AuthorityIndex, counts: Callable[[AuthorityRecord], bool]
) -> dict[bytes, list[AuthorityRecord]]:
    """Returns the admits that count for each person, in the order of time and id.

    `counts` returns True if an admit counts.
    """
    admits: dict[bytes, list[AuthorityRecord]] = defaultdict(list)
    for admit in index.of_kinds(ADMIT):
        if counts(admit):
            admits[admit.fields["person"]].append(admit)
    return admits


def cap_admits(
    admits: Mapping[bytes, list[AuthorityRecord]], owners: Mapping[bytes, bytes], cap: int
) -> tuple[dict[bytes, list[AuthorityRecord]], dict[tuple[bytes, int], set[bytes]]]:
    """Leaves out admits above the limit: a voucher may admit `cap` newcomers a month (R-03.7).

    Returns the remaining admits of each newcomer. Also returns a map of the newcomers that each
    voucher admitted in each month. A key of this map is a pair: the voucher and the number of the
    month.
    """
    newcomers: dict[tuple[bytes, int], set[bytes]] = defaultdict(set)
    within: dict[bytes, list[AuthorityRecord]] = defaultdict(list)
    all_admits = [admit for of_person in admits.values() for admit in of_person]
    for admit in sorted(all_admits, key=lambda record: (record.time, record.id)):
        person = admit.fields["person"]
        in_month = newcomers[owners[admit.device], admit.time // MONTH_MS]
        # If a voucher admits the same person twice in a month, this counts once against the cap.
        if person in in_month or len(in_month) < cap:
            in_month.add(person)
            within[person].append(admit)
    return within, newcomers


def let_in(
    seeds: Mapping[bytes, Member],
    admits: Mapping[bytes, list[AuthorityRecord]],
    owners: Mapping[bytes, bytes],
    rules: Iterable[AdmissionRule],
) -> dict[bytes, Member]:
    """Lets people in, and returns everybody who is in at the end (R-03.6).

    It starts from `seeds`, who need no admits. It lets in every person for whom one of the `rules`
    has enough admits by people who are in. It ends when nobody new comes in. `owners` maps each
    device to its person.
    """
    members = dict(seeds)
    rules = list(rules)
    has_grown = True
    while has_grown:
        has_grown = False
        for person, of_person in admits.items():
            if person in members:
                continue
            sufficient = _sufficient_admits(members, of_person, owners, rules)
            if sufficient:
                ids = tuple(admit.id for admit in sufficient)
                members[person] = Member(person, sufficient[-1].time, ids)
                has_grown = True
    return members


def _statements(
    charter: AuthorityRecord, fields: dict[str, Any], index: AuthorityIndex
) -> Iterable[tuple[bytes, Certificate | Revocation]]:
    """Yields each root statement for this neighbourhood, with the id of its record (R-03.5)."""
    for packed in fields["founders"]:
        statement = root_statement.read_statement(packed)
        if statement.place == root_statement.FOUNDING_PLACE:
            yield charter.id, statement
    place = charter.id[: root_statement.PLACE_SIZE]
    for record in index.of_kinds(ADMIT, DEVICE):
        carried = index.statement_of(record)
        if carried is not None and carried.place == place:
            yield record.id, carried


def _sufficient_admits(
    members: Mapping[bytes, Member],
    admits: list[AuthorityRecord],
    owners: Mapping[bytes, bytes],
    rules: list[AdmissionRule],
) -> list[AuthorityRecord]:
    """Returns the first of `admits` that together are enough to let their newcomer in.

    Each returned admit is by a different member. If `admits` are not enough, the list is empty.
    """
    by_voucher: dict[bytes, AuthorityRecord] = {}
    for admit in admits:
        voucher = owners[admit.device]
        if voucher in members:
            by_voucher.setdefault(voucher, admit)
        if any(rule.lets_in(by_voucher) for rule in rules):
            return list(by_voucher.values())
    return []
