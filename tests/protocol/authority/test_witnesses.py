"""Where records stand in time (specs/24-witnesses.md): pure examples, and histories with liars."""

import random
from dataclasses import replace
from hashlib import sha256
from itertools import count

import pytest

from protocol.authority.terms import Term
from protocol.authority.witnesses import (
    HOUR_MS,
    OVERLAP_MS,
    RecordTimes,
    Witnesses,
    WitnessIndex,
    WitnessRecord,
    share_few_hours,
)

DAY_MS = 24 * HOUR_MS
SETTLE_MS = 72 * HOUR_MS
ADA, BEN, CHO, DAN, EVE = (name.encode() * 32 for name in "ABCDE")
REPORT = b"r" * 32
CHARTER = b"0" * 32
_NUMBERS = count()


def term(record_id, parent, since, *witnesses):
    roll = frozenset((ADA, BEN, CHO, DAN, EVE))
    return Term(record_id, parent, 1, since, roll, roll, 1, 50, witnesses=frozenset(witnesses))


def names(witness, time, *record_ids, at=b"1" * 32):
    """Returns a `witness` record of a person, whose device has the same key as the person."""
    record_id = sha256(str(next(_NUMBERS)).encode()).digest()
    return WitnessRecord(record_id, witness, time, at, record_ids)


def witnesses(terms, *records):
    signers = {person: frozenset({person}) for person in (ADA, BEN, CHO, DAN, EVE)}
    return Witnesses(terms, terms, signers, WitnessIndex(records), SETTLE_MS)


LISTED = [term(CHARTER, None, 0), term(b"1" * 32, CHARTER, DAY_MS, ADA, BEN, CHO, DAN)]
BEGUN = [names(person, DAY_MS) for person in (ADA, BEN, CHO, DAN)]
MONDAY = 10 * DAY_MS


def test_a_record_is_seen_once_half_of_those_left_have_named_it():
    first = names(ADA, MONDAY + HOUR_MS, REPORT)
    second = names(BEN, MONDAY + 5 * HOUR_MS, REPORT)

    alone = witnesses(LISTED, *BEGUN, first).times_of(REPORT, MONDAY, EVE)
    both = witnesses(LISTED, *BEGUN, first, second).times_of(REPORT, MONDAY, EVE)
    of_author = witnesses(LISTED, *BEGUN, first, second).times_of(REPORT, MONDAY, ADA)
    of_party = witnesses(LISTED, *BEGUN, first, second).times_of(REPORT, MONDAY, EVE, {BEN})

    assert alone.seen is None
    assert both == RecordTimes(MONDAY, MONDAY + 5 * HOUR_MS, False, SETTLE_MS)
    assert of_author.seen is None
    assert of_party.seen is None


@pytest.mark.parametrize(
    ("seen_after", "stands_after", "is_late"),
    [(HOUR_MS, 0, False), (SETTLE_MS, 0, False), (SETTLE_MS + 1, SETTLE_MS + 1, True)],
)
def test_what_is_seen_too_late_stands_where_it_was_seen(seen_after, stands_after, is_late):
    seen = [names(person, MONDAY + seen_after, REPORT) for person in (ADA, BEN)]

    times = witnesses(LISTED, *BEGUN, *seen).times_of(REPORT, MONDAY, EVE)

    assert times.is_late == is_late
    assert times.stands_at(MONDAY + 99 * DAY_MS) == MONDAY + stands_after


def test_an_unseen_record_stands_for_the_settle_time_and_then_nowhere():
    times = witnesses(LISTED, *BEGUN).times_of(REPORT, MONDAY, EVE)

    assert times.stands_at(MONDAY + SETTLE_MS) == MONDAY
    assert times.stands_at(MONDAY + SETTLE_MS + 1) is None


def test_a_record_of_a_street_without_a_list_stands_at_its_claim_unwitnessed():
    times = witnesses(LISTED[:1]).times_of(REPORT, MONDAY, EVE)

    assert times == RecordTimes(MONDAY, MONDAY, True, SETTLE_MS)
    assert times.stands_at(MONDAY + 99 * DAY_MS) == MONDAY


def test_nobody_claims_the_time_before_the_list_for_what_came_after_it():
    known = witnesses(LISTED, *BEGUN)

    assert known.times_of(REPORT, DAY_MS - 1, EVE).is_unwitnessed
    assert known.times_of(REPORT, DAY_MS, EVE).seen is None


def test_where_all_witnesses_are_parties_a_record_stands_unwitnessed():
    times = witnesses(LISTED, *BEGUN).times_of(REPORT, MONDAY, EVE, {ADA, BEN, CHO, DAN})

    assert times == RecordTimes(MONDAY, MONDAY, True, SETTLE_MS)


NEXT = term(b"2" * 32, b"1" * 32, 20 * DAY_MS, CHO, DAN, EVE)
CHAIN = [*LISTED, NEXT]
SAW_NEXT = [names(person, 21 * DAY_MS, NEXT.id) for person in (ADA, BEN)]


def test_witnesses_count_until_72_hours_after_they_saw_the_next_renewal():
    end = 21 * DAY_MS + OVERLAP_MS
    in_time = [names(person, end, REPORT) for person in (ADA, BEN)]
    after = [names(person, end + 1, REPORT) for person in (ADA, BEN)]

    known = [*BEGUN, *SAW_NEXT]
    assert witnesses(CHAIN, *known, *in_time).times_of(REPORT, end, EVE).seen == end
    assert witnesses(CHAIN, *known, *after).times_of(REPORT, end, EVE).seen is None


def test_a_list_of_liars_moves_nothing_to_a_time_before_it():
    lies = [names(person, MONDAY, REPORT, at=NEXT.id) for person in (DAN, EVE)]

    times = witnesses(CHAIN, *BEGUN, *SAW_NEXT, *lies).times_of(REPORT, MONDAY, ADA)

    assert times.seen == 21 * DAY_MS
    assert times.is_late


def test_who_is_on_both_lists_signs_for_both_at_once():
    saw = [names(person, 21 * DAY_MS, NEXT.id, REPORT, at=NEXT.id) for person in (CHO, DAN)]

    known = witnesses(CHAIN, *BEGUN, *saw)

    assert known.times_of(REPORT, 20 * DAY_MS, BEN).seen == 21 * DAY_MS
    assert known.unseen_renewals() == []
    assert witnesses(CHAIN, *BEGUN, saw[0]).unseen_renewals() == [NEXT]


def test_who_is_on_the_older_list_alone_signs_until_it_ends():
    known = witnesses(CHAIN, *BEGUN, *SAW_NEXT)
    end = 21 * DAY_MS + OVERLAP_MS

    assert known.term_of(ADA, end) == LISTED[1]
    assert known.term_of(ADA, end + 1) is None
    assert known.term_of(EVE, end + 1) == NEXT


def test_what_was_seen_under_a_rival_of_the_next_term_counts_for_the_term_before():
    rival = replace(NEXT, id=b"3" * 32)
    seen = [names(person, MONDAY, REPORT, at=rival.id) for person in (ADA, BEN)]
    signers = {person: frozenset({person}) for person in (ADA, BEN)}
    index = WitnessIndex([*BEGUN, *seen])

    known = Witnesses(CHAIN, [*CHAIN, rival], signers, index, SETTLE_MS)

    assert known.times_of(REPORT, MONDAY, EVE).seen == MONDAY


def test_a_claim_of_seeing_before_the_record_was_written_counts_from_its_time():
    early = [names(person, MONDAY - DAY_MS, REPORT) for person in (ADA, BEN)]

    assert witnesses(LISTED, *BEGUN, *early).times_of(REPORT, MONDAY, EVE).seen == MONDAY


@pytest.mark.parametrize("seed", range(20))
def test_every_order_and_every_repeat_gives_the_same_times(seed):
    chance = random.Random(seed)
    people = (ADA, BEN, CHO, DAN, EVE)
    reports = [bytes([number]) * 32 for number in range(9)]
    records = [
        names(
            chance.choice(people),
            chance.randrange(40 * DAY_MS),
            *chance.sample([*reports, NEXT.id], 4),
            at=chance.choice(CHAIN).id,
        )
        for _ in range(60)
    ]
    shuffled = chance.sample(records, len(records))
    dropped = names(ADA, 0, *reports)

    def read(records):
        known = witnesses(CHAIN, *records)
        return [known.times_of(report, MONDAY, ADA, {BEN}) for report in reports]

    index = WitnessIndex([*shuffled, dropped, *shuffled])
    index.first_times(NEXT.id)
    index.drop(dropped.id)
    signers = {person: frozenset({person}) for person in people}
    later = Witnesses(CHAIN, CHAIN, signers, index, SETTLE_MS)
    assert read(records) == read(shuffled)
    assert read(records) == [later.times_of(report, MONDAY, ADA, {BEN}) for report in reports]


def signed_at(*moments):
    """Makes `witness` records of two devices in turn, at (day, hour)."""
    return [
        WitnessRecord(
            bytes([number]), bytes([number % 2]), int((24 * day + hour) * HOUR_MS), b"t", ()
        )
        for number, (day, hour) in enumerate(moments)
    ]


def test_homes_that_sign_in_few_hours_only_share_them():
    assert share_few_hours(signed_at((1, 23.5), (3, 0.5), (4, 0.2), (6, 23.9)))
    assert share_few_hours(signed_at((1, 19), (2, 21), (3, 23.9)))
    assert not share_few_hours(signed_at((1, 19), (2, 21), (3, 0.5)))
    assert not share_few_hours(signed_at((1, 19), (1, 19.5), (2, 19.2)))  # two days
    assert not share_few_hours(signed_at((1, 19), (2, 19))[::2])
