"""After a change, only the windows that it touches are counted again, and only the reports that can
change something are tested. The windows and the loop are the same as if all were.
"""

import random

import pytest

from protocol.loops import matters
from protocol.loops.counted_answers import WindowCounter, count_windows
from protocol.loops.matters import follow_windows
from protocol.loops.points import Point
from tests.protocol.loops.test_matters import BINS, MONDAY, PEOPLE, RULES, VISITS, Street, asked
from tests.support.work import count_calls

DAY_MS = 86_400_000


def plain(windows):
    """Returns windows in a form that does not depend on the order of their incidents."""
    return {
        number: (
            window.answers,
            window.not_charted,
            window.by_parties,
            window.by_proxy,
            sorted(incident.reports for incident in window.incidents),
        )
        for number, window in windows.items()
        if window.answers or window.incidents or window.not_charted or window.by_parties
    }


def draw_street(dice, measure, reports, days=120):
    """Makes a street in which people report, merge reports, act and judge at random."""
    street = Street(measure, leave_out={PEOPLE[11]})
    busy = dice.choice([0.5, 3])
    for _ in range(reports):
        street.report(dice.randrange(12), dice.uniform(0, days) ** busy / days ** (busy - 1))
    ids = [view.id for view in street.said.feedback]
    for _ in range(reports // 6):
        street.merge(dice.choice(ids), dice.choice(ids), day=dice.uniform(0, days))
    for _ in range(3):
        day = dice.uniform(20, days)
        action = street.act(0, day)
        street.done(action, 0, day + 2)
        for who in range(12):
            street.judge(action, who, day + dice.randint(3, 9), dice.choice(["yes", "yes", "no"]))
    return street


@pytest.mark.parametrize("measure", [BINS, VISITS])
def test_windows_are_the_same_after_each_change_as_if_all_were_counted(measure):
    dice = random.Random(5)
    street = draw_street(dice, measure, 60)
    counter = WindowCounter(asked(measure, {PEOPLE[11]}))
    feedback, merges = {}, {}
    for _ in range(300):
        if dice.random() < 0.7:
            view = dice.choice(street.said.feedback)
            held, change = feedback, counter.set_feedback
        else:
            view = dice.choice(street.said.merges)
            held, change = merges, counter.set_merge
        is_gone = dice.random() < 0.3
        change(view.id, None if is_gone else view)
        held.pop(view.id, None)
        held.update({} if is_gone else {view.id: view})
        if dice.random() < 0.6:
            windows = counter.count()
            everything = count_windows(counter.context, feedback.values(), merges.values())
            assert plain(windows) == plain(everything)


def test_one_more_answer_costs_no_more_among_many_windows():
    """Attacker: a member who answers every day. Asset: the time of everybody's processor (T-24)."""
    work = []
    for weeks in (4, 40):
        street = Street(VISITS)
        for week in range(weeks):
            for who in range(9):
                street.report(who, 7 * week + 1)
        counter = WindowCounter(street.asked)
        for view in street.said.feedback[:-1]:
            counter.set_feedback(view.id, view)
        counter.count()
        last = street.said.feedback[-1]

        work.append(count_calls(lambda: (counter.set_feedback(last.id, last), counter.count())))  # noqa: B023

    assert work[1] < work[0] * 1.1


def test_a_loop_is_the_same_as_if_every_report_was_tested(monkeypatch):
    def try_every_report(self, window, last, incidents):
        if window.number not in self._loop.phases:
            signal = self._signal(window.number, Point(1, incidents), last.time)
            if signal.needs_attention:
                self._open_matter(signal)

    opened = 0
    for number in range(25):
        dice = random.Random(number)
        street = draw_street(dice, BINS, dice.choice([40, 90]))
        now = MONDAY + int(dice.uniform(30, 130) * DAY_MS)
        inputs = street.said.until(now)
        windows = count_windows(street.asked, inputs.feedback, inputs.merges)
        loop = follow_windows(street.asked, windows, inputs, RULES, now)
        with monkeypatch.context() as patch:
            patch.setattr(matters._Follower, "_try_unsettled", try_every_report)
            expected = follow_windows(street.asked, windows, inputs, RULES, now)
        assert loop == expected
        opened += len(loop.matters)
    assert opened > 20
