"""Whose device is whose, and who was ever let in (AUTHORITY R-10, R-12; specs/03 R-03.5 ff.).

Admission is a least fixpoint from the people of the rolls. Whether somebody was removed later is
another matter: an admit within its author's cut stands.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, NamedTuple

from protocol.authority.records import Act, Acts
from protocol.errors import Refused
from protocol.record import root_statement as statement

MONTH_MS = 30 * 86_400_000
MAX_DEVICES = 4


class Device(NamedTuple):
    """A device certified by one person; `revoked` is the last number that counts, or None."""

    key: bytes
    person: bytes
    box: bytes
    revoked: int | None
    carrier: bytes  # the record that brought the certificate

    def unrevoked(self, seq: int) -> bool:
        """R-03.3: whether a record with this number is not after the revocation."""
        return self.revoked is None or seq <= self.revoked


class Member(NamedTuple):
    """A person who was let in, since when (milliseconds), and the admits that did it."""

    person: bytes
    since: int
    admits: tuple[bytes, ...]


class Voters(NamedTuple):
    """Whose admits suffice: so many, or a whole roll that has fewer people."""

    roll: frozenset[bytes]
    vouchers: int

    def enough(self, people: Collection[bytes]) -> bool:
        """Whether the word of these members lets somebody in."""
        whole = len(self.roll) < self.vouchers and self.roll <= set(people)
        return bool(people) and (len(people) >= self.vouchers or whole)


def certificates(
    charter: Act, fields: dict[str, Any], acts: Acts
) -> dict[bytes, tuple[statement.Certified, bytes]]:
    """R-03.5: the first certificate of every device, and the record that carried it."""
    found: dict[bytes, tuple[statement.Certified, bytes]] = {}
    for carrier, said in _statements(charter, fields, acts):
        if isinstance(said, statement.Certified):
            found.setdefault(said.device, (said, carrier))
    return found


def revocations(
    charter: Act,
    fields: dict[str, Any],
    acts: Acts,
    certified: Mapping[bytes, tuple[statement.Certified, bytes]],
) -> dict[bytes, int]:
    """R-03.3: the last number that counts of each device that its own person revoked."""
    found: dict[bytes, int] = {}
    for _, said in _statements(charter, fields, acts):
        theirs = certified.get(said.device)
        if isinstance(said, statement.Revoked) and theirs and theirs[0].person == said.person:
            found[said.device] = min(said.after, found.get(said.device, said.after))
    return found


def devices(
    certified: Mapping[bytes, tuple[statement.Certified, bytes]], revoked: Mapping[bytes, int]
) -> dict[bytes, Device]:
    """R-03.5: at most MAX_DEVICES live devices a person, and the revoked ones."""
    found: dict[bytes, Device] = {}
    live: dict[bytes, int] = defaultdict(int)
    for one, carrier in certified.values():
        if one.device not in revoked:
            live[one.person] += 1
            if live[one.person] > MAX_DEVICES:
                continue
        last = revoked.get(one.device)
        found[one.device] = Device(one.device, one.person, one.box, last, carrier)
    return found


def _statements(
    charter: Act, fields: dict[str, Any], acts: Acts
) -> Iterable[tuple[bytes, statement.Certified | statement.Revoked]]:
    for one in fields["founders"]:
        said = statement.read(one)
        if said.place == statement.FOUNDING:
            yield charter.id, said
    here = charter.id[: statement.PLACE]
    for act in acts.of("admit", "device"):
        carried = acts.said(act)
        if carried is not None and carried.place == here:
            yield act.id, carried


def founders(charter: Act, fields: dict[str, Any]) -> dict[bytes, Member]:
    """The people whom the charter itself makes members."""
    return {
        one.person: Member(one.person, charter.time, ())
        for one in map(statement.read, fields["founders"])
        if isinstance(one, statement.Certified) and one.place == statement.FOUNDING
    }


def admits(acts: Acts, counts: Callable[[Act], bool]) -> dict[bytes, list[Act]]:
    """The admits for each person that count, in order of time and id."""
    found: dict[bytes, list[Act]] = defaultdict(list)
    for act in acts.of("admit"):
        if counts(act):
            found[act.fields["person"]].append(act)
    return found


def within_cap(
    vouches: Mapping[bytes, list[Act]], owner: Mapping[bytes, bytes], cap: int
) -> tuple[dict[bytes, list[Act]], dict[tuple[bytes, int], set[bytes]]]:
    """R-03.7: the admits within what a voucher may in a month, and whom each admitted in it."""
    admitted: dict[tuple[bytes, int], set[bytes]] = defaultdict(set)
    found: dict[bytes, list[Act]] = defaultdict(list)
    every = [act for some in vouches.values() for act in some]
    for act in sorted(every, key=lambda act: (act.time, act.id)):
        person = act.fields["person"]
        month = admitted[owner[act.device], act.time // MONTH_MS]
        if person in month or len(month) < cap:
            month.add(person)
            found[person].append(act)
    return found, admitted


def admit(
    seeds: Mapping[bytes, Member],
    vouches: Mapping[bytes, list[Act]],
    owner: Mapping[bytes, bytes],
    rules: Iterable[Voters],
) -> dict[bytes, Member]:
    """R-03.6: the least fixpoint of admission from `seeds`, by any of these rules."""
    found = dict(seeds)
    rules = list(rules)
    grown = True
    while grown:
        grown = False
        for person, said in vouches.items():
            if person in found:
                continue
            enough = _enough(found, said, owner, rules)
            if enough:
                ids = tuple(act.id for act in enough)
                found[person] = Member(person, enough[-1].time, ids)
                grown = True
    return found


def _enough(
    members: Mapping[bytes, Member],
    said: list[Act],
    owner: Mapping[bytes, bytes],
    rules: list[Voters],
) -> list[Act]:
    """The first admits by different members that suffice, in order of time; else none."""
    counted: dict[bytes, Act] = {}
    for act in said:
        voucher = owner[act.device]
        if voucher in members:
            counted.setdefault(voucher, act)
        if any(one.enough(counted) for one in rules):
            return list(counted.values())
    return []


def read_founding(act: Act, declared: Mapping[str, Any]) -> dict[str, Any]:
    """The charter's fields with their defaults. Raises Refused (R-03.4) if it founds nothing."""
    if act.kind != "charter" or act.seq != 1:
        raise Refused("R-03.4", "a neighbourhood begins with the first record of a founder's log")
    defaults = {name: one.default for name, one in declared.items() if one.default is not None}
    given = {name: act.fields.get(name) for name in declared}  # no field of a later version, R-10.4
    charter = defaults | {name: one for name, one in given.items() if one is not None}
    found = [statement.read(one) for one in charter["founders"]]
    if not any(
        isinstance(one, statement.Certified)
        and one.device == act.device
        and one.place == statement.FOUNDING
        for one in found
    ):
        raise Refused("R-03.4", "the charter is not signed by a founder's device")
    return charter
