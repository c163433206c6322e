"""Random histories: every order and every route of records gives one result, and the plain model
gives the same result.

`HISTORY=127` replays one history. `HISTORIES=1000000` sets how many histories the long run has.
"""

import os
import random
from collections import Counter

import pytest

from protocol.authority import authority
from protocol.authority.record_index import AuthorityIndex
from tests.support.plain_authority import plain
from tests.support.random_history import History

THOUSAND = 1000
NUMBERS = [int(os.environ["HISTORY"])] if "HISTORY" in os.environ else range(75)
THOUSANDS = int(os.environ.get("HISTORIES", 100 * THOUSAND)) // THOUSAND


def told(known):
    """Returns everything that the rules of authority determine, as plain values."""
    return {
        "terms": {one.id: lists(one) for one in known.terms.values()},
        "chain": [one.id for one in known.chain.terms],
        "settled": known.chain.is_settled,
        "rules": {name: one for name, one in known.charter.items() if name != "founders"},
        "registers": {one: (held.n, held.value) for one, held in known.registers.items()},
        "outcomes": {one: (it.passed, it.yes, it.no) for one, it in known.outcomes.items()},
        "ballots": {one: (it.yes, it.accepted) for one, it in known.renewals.items()},
        "members": set(known.members),
        "people": {one: member.since for one, member in known.people.items()},
        "newcomers": {who: people for who, people in known.newcomers.items() if people},
        "cuts": known.cuts,
        "waiting": known.candidates,
        "devices": {one.key: (one.person, one.revoked_after) for one in known.devices.values()},
        "storable": known.storable_devices,
        "ends": known.settled.ends,
    }


def lists(term):
    return term.roll, term.moderators, term.vouchers, term.share


def told_plainly(plain):
    ballots = {}
    for act in plain.of("renewal"):
        parent = plain.terms.get(act.fields["parent"])
        roll = parent.roll if parent else frozenset()
        accepted = plain.accepted_by(act.id) & roll
        ballots[act.id] = (plain.who_says(act, "yes") & roll, accepted)
    return {
        "terms": {one.id: lists(one) for one in plain.terms.values()},
        "chain": [one.id for one in plain.chain],
        "settled": plain.settled,
        "rules": {name: one for name, one in plain.rules.items() if one is not None},
        "registers": plain.registers,
        "outcomes": {act.id: plain.outcome(act) for act in plain.of("proposal")},
        "ballots": ballots,
        "members": plain.members,
        "people": plain.people,
        "newcomers": plain.newcomers,
        "cuts": plain.cuts,
        "waiting": plain.waiting,
        "devices": {one: (plain.owner[one], plain.end.get(one)) for one in plain.devices},
        "storable": plain.storable,
        "ends": plain.ends,
    }


def check(number):
    """Folds one history in several ways: with its records shuffled, with some records twice, one
    record at a time, and with some records removed and added again.

    Each way must give the result of the plain model.
    """
    history = History(number)
    first, acts, forks = history.charter, history.acts, history.forks
    order = random.Random(f"order {number}")
    expected = told_plainly(plain(first, acts, forks))
    for _ in range(2):
        mixed = order.sample(acts + acts[:9], len(acts) + len(acts[:9]))
        assert told(authority.fold_authority(first, mixed, forks)) == expected
    index = AuthorityIndex()
    for act in order.sample(acts, len(acts)):
        index.add(act)
        if order.random() < 0.06:
            here = list(index)
            known = authority.fold_authority(first, index, forks)
            assert told(known) == told_plainly(plain(first, here, forks))
    for act in order.sample(acts, len(acts) // 4):
        index.drop(act.id)
    assert told(authority.fold_authority(first, index, forks)) == told_plainly(
        plain(first, index, forks)
    )
    for act in acts:
        index.add(act)
    known = authority.fold_authority(first, index, forks)
    assert told(known) == expected


@pytest.mark.parametrize("number", NUMBERS)
def test_one_result(number):
    check(number)


@pytest.mark.long
@pytest.mark.parametrize("thousand", range(THOUSANDS))
def test_one_result_of_many_more(thousand):
    for number in range(THOUSAND * thousand, THOUSAND * (thousand + 1)):
        check(number)


def arriving(history, dice):
    """Returns the records of a history in a random order, but each log in the order of its numbers:
    a store takes no record of a log before the records that lie below it.
    """
    mixed = dice.sample(history.acts, len(history.acts))
    logs = {act.device: [] for act in mixed}
    for act in sorted(mixed, key=lambda act: act.seq, reverse=True):
        logs[act.device].append(act)
    return [logs[act.device].pop() for act in mixed]


@pytest.mark.parametrize("number", range(20))
def test_what_is_stored_only_grows_and_holds_everybody_who_belongs(number):
    """Whatever arrives, in any order, no home lets go of a device that it stored for its person.
    Otherwise two homes with the same records could keep different ones.
    """
    history = History(number)
    index, stored = AuthorityIndex(), frozenset()
    for act in arriving(history, random.Random(f"grows {number}")):
        index.add(act)
        known = authority.fold_authority(history.charter, index, history.forks)
        assert stored <= known.storable_devices
        stored = known.storable_devices
        belong = {key for key, device in known.devices.items() if device.person in known.people}
        assert belong <= stored


def test_a_number_means_one_history():
    one, again = History(7), History(7)
    assert (one.charter, one.acts, one.forks) == (again.charter, again.acts, again.forks)


def test_histories_come_to_something():
    """Each event that the histories should try happens in several histories. Otherwise the equal
    results would prove little.
    """
    seen = Counter(what for number in range(100) for what in happened(History(number)))
    assert min(seen[one] for one in HAPPENINGS) >= 5, seen


HAPPENINGS = {
    "several terms": lambda known: len(known.chain.terms) > 2,
    "settled": lambda known: known.chain.is_settled and len(known.chain.terms) > 1,
    "not settled": lambda known: not known.chain.is_settled,
    "rivals": lambda known: len(known.terms) > len(known.chain.terms),
    "removed": lambda known: len(known.people) > len(known.members),
    "restored": lambda known: any(
        what == "standing" and held.n % 2 == 0 for (what, _), held in known.registers.items()
    ),
    "written": lambda known: any(known.registers.get(one) for one in known.term.written),
    "decided": lambda known: any(one.passed for one in known.outcomes.values()),
    "let go": lambda known: known.settled.ends,
    "waiting": lambda known: known.candidates,
    "no room": lambda known: not all(map(known.has_room, known.newcomers)),
    "listed": lambda known: set(known.people) - set(known.newcomers) - known.chain.terms[0].roll,
    "accepted": lambda known: known.accepts,
    "revoked": lambda known: any(one.revoked_after is not None for one in known.devices.values()),
}


def happened(history):
    known = authority.fold_authority(history.charter, history.acts, history.forks)
    return [what for what, is_so in HAPPENINGS.items() if is_so(known)]
