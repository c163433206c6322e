"""Random histories with a lying tenth of the roll, a lying third, and all parties lying as well.

Property: any order and any late delivery gives one state. Of honest people who report, nobody is
merged away, removed, backdated or outvoted. What moves after a window has settled has a cause that
a home can list.
"""

import random

import pytest

from protocol.loops.action_state import ActionState
from tests.support.lying_street import DAY, LIARS, SETTLE, LyingStreet
from tests.support.street_in_memory import HOUR, Street, settle


def loop_at(street, home):
    followed = home.author.loops.loops_for(street.measure.id, home.now())
    return followed, followed.loops[street.measure.id]


def counted(window):
    reports = [report for incident in window.incidents for report in incident.reports]
    return {report.id: report for report in (*reports, *window.answers)}


def summary(street, home):
    followed, loop = loop_at(street, home)
    windows = {
        number: (sorted(counted(window)), sorted(report.id for report in window.late))
        for number, window in loop.windows.items()
    }
    matters = [
        (matter.id, matter.opened, matter.closed, matter.raisers, matter.windows,
         [(tally.action.id, tally.state) for tally in matter.tallies])
        for matter in loop.matters
    ]  # fmt: skip
    return windows, loop.points, matters, followed.times, home.state_hash(), home.ids()


def live(street):
    """Lets a home take every record when it is released. Returns the home, and what each window had
    when it had settled.
    """
    home = street.new_home()
    settled = {}
    waiting = sorted(street.released, key=lambda release: release.at)
    for day in range((street.end - street.first) // DAY):
        street.here.clock = street.first + day * DAY
        while waiting and waiting[0].at <= street.here.clock:
            home.feed([waiting.pop(0).record.wire])
        if street.here.clock >= street.first + 7 * DAY:
            _, loop = loop_at(street, home)
            for number, window in loop.windows.items():
                if loop.context.settles_at(number) + HOUR < street.here.clock:
                    settled.setdefault(number, (counted(window), len(window.incidents)))
    street.here.clock = street.end
    home.feed([release.record.wire for release in waiting])
    return home, settled


def late(street, dice):
    """Lets a home take all records at the end, in any order, in pieces, some of them twice."""
    home = street.new_home()
    wires = [release.record.wire for release in street.released]
    wires += dice.sample(wires, len(wires) // 10)
    dice.shuffle(wires)
    while wires:
        count = dice.randint(1, 80)
        home.feed(wires[:count])
        del wires[:count]
    return home


def seen_by_honest(street, release):
    """Returns when half of the witnesses had named a record, if only honest homes count, or None.

    It is half of those who are no parties (R-24.3), and half of all, who make it count for good
    (R-24.11). The record's author is in neither half.
    """
    namers = [person for person in street.honest if release.record.id in person.named]
    halves = []
    for people in (street.people, [who for who in street.people if who not in street.parties]):
        times = sorted(who.named[release.record.id] for who in namers if who in people)
        halves.append(times[len(people) // 2 - 1 :][:1])
    return max(map(max, halves)) if all(halves) else None


def check_honest_reports(street, home):
    followed, loop = loop_at(street, home)
    checked = 0
    for release in street.written("feedback", by=street.honest):
        claimed = release.record.header.time
        seen = seen_by_honest(street, release)
        if seen is None or seen - claimed > SETTLE or release.by in street.parties:
            continue
        checked += 1
        day = loop.context.calendar.day_at(claimed)
        window = loop.windows[loop.context.calendar.window_of_day(day)]
        heads = {(incident.head.person, incident.head.day) for incident in window.incidents}
        assert (release.by.key, day) in heads
        assert counted(window)[release.record.id].time == claimed
        assert followed.times[release.record.id].stands_at(home.now()) == claimed
    return checked


def check_claims_of_liars(street, home):
    """Who backdates gains at most the settle time."""
    followed, _ = loop_at(street, home)
    by_id = {release.record.id: release for release in street.released}
    for record_id, times in followed.times.items():
        stands = times.stands_at(home.now())
        assert stands is None or stands >= by_id[record_id].at - SETTLE


def check_verdicts(street, home):
    """No honest person says that it is fixed. So nothing is, where they are half of the raisers."""
    _, loop = loop_at(street, home)
    honest = {person.key for person in street.honest}
    for matter in loop.matters:
        for tally in matter.tallies:
            raisers = set(tally.raisers)
            if 2 * len(raisers & honest) >= len(raisers):
                assert tally.state is not ActionState.CONFIRMED


def check_what_moved(street, home, settled):
    """What a settled window has lost or won since stands in a list, by cause."""
    followed, loop = loop_at(street, home)
    for number, (before, incidents) in settled.items():
        window = loop.windows[number]
        after = counted(window)
        late_ids = {report.id for report in window.late}
        of_parties = {report.id for report in window.by_parties}
        for record_id in before.keys() - after.keys():
            is_taken_back = getattr(followed.views.get(record_id), "value", None) is None
            assert is_taken_back or record_id in late_ids | of_parties
        for record_id in after.keys() - before.keys():
            assert followed.times[record_id].seen is not None
        if after.keys() == before.keys():
            assert len(window.incidents) == incidents


def check_history(seed, lying, days=14):
    with Street(seed) as here:
        street = LyingStreet(here, seed, lying, days)
        first, settled = live(street)
        other = late(street, random.Random(seed))
        settle(first, other)
        expected = summary(street, first)
        assert summary(street, other) == expected
        assert check_honest_reports(street, first) > 0
        check_claims_of_liars(street, first)
        check_verdicts(street, first)
        check_what_moved(street, first, settled)
        first.state.rebuild()
        assert first.state_hash() == expected[-2]


@pytest.mark.parametrize("lying", LIARS)
def test_liars_bend_nothing_in_a_random_history(lying):
    check_history(1, lying)


@pytest.mark.long
@pytest.mark.parametrize("lying", LIARS)
@pytest.mark.parametrize("seed", range(2, 202))
def test_liars_bend_nothing_in_many_random_histories(seed, lying):
    check_history(seed, lying, days=28)
