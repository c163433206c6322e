"""Evidence of membership: records that show a stranger that a device belongs to a member.

A home shows these records to another home that has missed decisions of the neighbourhood (R-05.3).
"""

from protocol.authority.authority import Authority
from protocol.authority.kind_names import ACCEPT, PART, VOTE
from protocol.authority.record_index import AuthorityIndex, AuthorityRecord
from protocol.authority.terms import Term


def collect_evidence(authority: Authority, index: AuthorityIndex, device: bytes) -> list[bytes]:
    """Returns the ids of the records that prove the role of `device`, the charter first.

    After the charter come the records about the device and its person, because other nodes probably
    lack these. Then come the terms, the newest first (R-05.3h).

    The device may belong to a member (R-05.3), or it may be the key of a relay that a member
    enrolled (R-08.3). `authority` was folded from the records in `index`.
    """
    needed: dict[bytes, None] = {authority.neighbourhood: None}  # in order, each id once
    if device in authority.relays:
        carrier = authority.relays[device].carrier
        needed[carrier.id] = None
        needed |= dict.fromkeys(collect_evidence(authority, index, carrier.device))
        return list(needed)
    certified = authority.devices.get(device)
    if certified is None or certified.person not in authority.people:
        return list(needed)
    needed[certified.carrier] = None
    needed |= dict.fromkeys(_admission_evidence(authority, certified.person))
    seat = _seat_of(authority, certified.person)
    if seat is None:
        # The current term says how many vouchers are needed, so all terms are needed (R-05.3n).
        seat = len(authority.chain.terms) - 1
    for number in range(seat, 0, -1):
        parent, term = authority.chain.terms[number - 1 : number + 1]
        needed |= dict.fromkeys(_term_evidence(authority, index, parent, term))
    return list(needed)


def _seat_of(authority: Authority, person: bytes) -> int | None:
    """Returns the number of the first term that has the person on its roll. Terms are counted from
    0 along the chain of terms. Returns None if no roll has the person.
    """
    numbers = [number for number, term in enumerate(authority.chain.terms) if person in term.roll]
    return numbers[0] if numbers else None


def _admission_evidence(authority: Authority, person: bytes) -> list[bytes]:
    """Returns the ids of the admits of a person. Adds the records that show who signed the admits,
    and that the admits count.

    The vouchers are on rolls of the chain, so the evidence of the terms shows that they may vouch.
    """
    evidence = []
    for admit in authority.people[person].admits:
        voucher = authority.devices.get(authority.voucher_devices[admit])
        if voucher is None:
            continue  # the person is on a roll, and this admit does not count
        evidence += [voucher.carrier, admit]
        accept = authority.accepts.get(admit, {}).get(person)
        if accept is not None:
            evidence.append(accept)
    return evidence


def _term_evidence(
    authority: Authority, index: AuthorityIndex, parent: Term, term: Term
) -> list[bytes]:
    """Returns the ids of the renewal, of its parts, and of just enough votes to show that the
    renewal passed.

    If the votes are not enough, adds accepts (R-03.22h).
    """
    renewal = index.get(term.id)
    assert renewal is not None, "the term was folded from this record"
    digests = renewal.fields.get("parts") or ()
    parts = [index.with_subject_in_order(PART, digest)[0].id for digest in digests]
    votes = index.with_subject_in_order(VOTE, term.id)
    yes = [vote for vote in votes if vote.fields["choice"] == "yes"]
    agreed: dict[bytes, AuthorityRecord] = {}  # person → a yes, or else an accept
    for record in [*yes, *index.with_subject_in_order(ACCEPT, term.id)]:
        for person in authority.signers.get(record.device, frozenset()) & parent.roll:
            agreed.setdefault(person, record)
    enough = list(agreed.items())[: len(parent.roll) // 2 + 1]
    carriers = [authority.certified[record.device, person].carrier for person, record in enough]
    return [renewal.id, *parts, *carriers, *(record.id for _, record in enough)]
