"""Homes of witnesses name what they hold, and their software lists them (specs/24)."""

import pytest

from meshcoop.author import automatic
from meshcoop.author import renewal as deciding
from meshcoop.author.folding import fold_at_once
from meshcoop.author.witness_list import choose_witnesses
from meshcoop.author.witness_writer import PAUSE_MS
from protocol.fold.content import read_content
from protocol.kinds.witness import MOST_NAMED
from tests.support.council import alike, by_software, renew
from tests.support.street_in_memory import HOUR, settle, street
from tests.support.witness_street import ID_BYTES, RECORD_BYTES
from tests.support.witnesses_in_memory import (
    listed_street,
    look_twice,
    measured,
    times_of,
)

DAY = 24 * HOUR


def test_a_report_is_seen_once_half_of_the_homes_have_named_it():
    with street(homes=5) as homes:
        ada, ben, cho, dan, eve = homes
        listed_street(*homes)
        assert ada.state.authority.term.witnesses == {home.me.person for home in homes}
        measure = measured(*homes)
        report = eve.post("feedback", measure, value="no")
        settle(*homes)
        assert times_of(ada, report, ada.me.person).seen is None

        assert look_twice(ben) == 1
        settle(*homes)
        assert times_of(ada, report, ada.me.person).seen is None
        assert look_twice(cho) == 1
        settle(*homes)

        seen = times_of(ada, report, ada.me.person)
        assert seen.seen == cho.now()
        assert not seen.is_unwitnessed
        assert look_twice(dan) == 0
        alike(*homes)


def test_a_home_names_at_most_once_in_eight_hours_and_nothing_twice():
    with street(homes=3) as homes:
        _, ben, cho = homes
        listed_street(*homes)
        measure = measured(*homes)
        cho.post("feedback", measure, value="no")
        settle(*homes)
        assert look_twice(ben) == 1
        cho.post("feedback", measure, value="no")
        settle(*homes)
        assert look_twice(ben) == 0
        ben.street.clock += PAUSE_MS
        assert look_twice(ben) == 1
        ben.street.clock += PAUSE_MS
        assert look_twice(ben) == 0


def test_more_than_64_ids_go_into_several_records():
    with street(homes=3) as homes:
        _, ben, cho = homes
        listed_street(*homes)
        measure = measured(*homes)
        for _ in range(3):
            for _ in range(30):
                cho.post("feedback", measure, value="no")
            cho.street.clock += DAY
        settle(*homes)
        assert look_twice(ben) == 2
        named = ben.store.records.of_log(ben.me.device, ben.head.seq - 1, 2)
        ids = [read_content(record.content)[1]["ids"] for record in named]
        assert [len(part) for part in ids] == [MOST_NAMED, 90 - MOST_NAMED]
        for record, part in zip(named, ids, strict=True):
            assert len(record.wire) <= RECORD_BYTES + ID_BYTES * len(part)


def test_a_report_that_came_late_counts_in_no_settled_window():
    with street(homes=4) as homes:
        _, ben, cho, dan = homes
        listed_street(*homes)
        measure = measured(*homes)
        report = dan.post("feedback", measure, value="no")  # the others are cut off for 20 days
        claimed = report.header.time
        loop = dan.author.loops.loops_for(measure.id, dan.now()).loops[measure.id]
        assert [len(window.answers) for window in loop.windows.values()] == [1]

        dan.street.clock += 20 * DAY
        unseen = dan.author.loops.loops_for(measure.id, dan.now()).loops[measure.id]
        assert unseen.windows == {}
        settle(*homes)
        look_twice(ben)  # of the author, a party, Ben and Cho, two are left
        seen_at = ben.now()
        look_twice(cho)
        settle(*homes)

        for home in homes:
            followed = home.author.loops.loops_for(measure.id, home.now())
            (window,) = followed.loops[measure.id].windows.values()
            assert [late.time for late in window.late] == [seen_at]
            assert (window.answers, followed.times[report.id].claimed) == ([], claimed)


def test_software_says_yes_only_to_the_list_that_it_would_have_made():
    with street(homes=4) as homes:
        ada, ben, *_ = homes
        settle(*homes)
        for home in homes:
            fold_at_once(home.state, automatic.accept_charter(home.author))
        by_software(*homes)
        roll = ada.state.authority.term.roll
        honest = choose_witnesses(ben.state, roll, ben.now())
        act = renew(ada.author)
        settle(*homes)
        (term,) = (ben.state.authority.renewals[act.id].term,)
        assert term.witnesses == frozenset(honest)
        assert deciding._has_own_list(ben.author, term)
        forged = ada.forge(
            "renewal",
            parent=term.parent,
            round=9,
            moderators=sorted(term.moderators),
            vouchers=term.vouchers,
            share=term.share,
            witnesses=honest[:1],
        )
        ada.put(forged)
        settle(*homes)
        assert not deciding._has_own_list(ben.author, ben.state.authority.renewals[forged.id].term)


@pytest.mark.parametrize("days", [27, 29])
def test_a_home_that_was_silent_for_28_days_is_no_witness(days):
    with street(homes=2) as homes:
        ada, ben = homes
        settle(*homes)
        for home in homes:
            fold_at_once(home.state, automatic.accept_charter(home.author))
        settle(*homes)
        signed = {ada.me.person, ben.me.person} & set(
            choose_witnesses(ada.state, [ada.me.person, ben.me.person], ada.now())
        )
        assert signed
        later = ada.now() + days * DAY
        kept = choose_witnesses(ada.state, [ada.me.person, ben.me.person], later)
        assert bool(kept) == (days < 28)
