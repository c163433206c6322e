"""Attacks on testimony: remove the critics, revoke their devices, fork a log to unsay."""

import pytest

from tests.support.street_in_memory import settle, street
from tests.support.witnesses_in_memory import listed_street, look_twice, measured


def answers_of(home, measure):
    followed = home.author.loops.loops_for(measure.id, home.now())
    windows = followed.loops[measure.id].windows.values()
    return [answer.id for window in windows for answer in window.answers]


@pytest.mark.parametrize("is_seen", [True, False])
def test_a_council_that_cuts_a_critic_at_0_undoes_only_what_nobody_saw(is_seen):
    """Move: remove the critics. Rule: R-24.11, what was seen counts for good. Remains: what nobody
    had seen yet. Seen: the report, by somebody who has left.
    """
    with street(homes=5) as homes:
        ada, ben, cho, dan, eve = homes
        listed_street(*homes)
        measure = measured(*homes)
        report = eve.post("feedback", measure, value="no")
        settle(*homes)
        if is_seen:
            for home in (ben, cho, dan):
                look_twice(home)
            settle(*homes)
        for moderator in (ada, ben, cho, dan):
            moderator.write("remove", person=eve.me.person, n=1, cuts=[[eve.me.device, 0]])
        settle(ada, ben, cho, dan)

        for home in (ada, ben, cho, dan):
            assert eve.me.person not in home.state.authority.members
            assert answers_of(home, measure) == ([report.id] if is_seen else [])


@pytest.mark.parametrize("is_seen", [True, False])
def test_who_forks_a_log_unsays_only_what_nobody_saw(is_seen):
    """Move: fork a log to unsay. Rule: R-24.11. Remains: what nobody had seen. Seen: the report."""
    with street(homes=4) as homes:
        ada, ben, cho, eve = homes
        listed_street(*homes)
        measure = measured(*homes)
        before = eve.head
        report = eve.post("feedback", measure, value="no")
        settle(*homes)
        if is_seen:
            for home in (ben, cho):
                look_twice(home)
            settle(*homes)
        other = eve.forge("profile", seq=before.seq + 1, prev=before.id, name="Eve")
        for home in (ada, ben, cho):
            home.take(other)

        for home in (ada, ben, cho):
            assert answers_of(home, measure) == ([report.id] if is_seen else [])


@pytest.mark.parametrize("is_seen", [True, False])
def test_reporters_who_are_pressed_to_take_words_back_leave_a_seen_matter_open(is_seen):
    """Move: press everybody who reported to take it back. Rule: R-23.2d, a matter whose id half of
    the witnesses named stays. Remains: pressing within the hours before that; the answers go.
    Seen: the matter, which no longer stands out, with nobody who raised it.
    """
    with street(homes=5) as homes:
        ada, ben, cho, dan, eve = homes
        listed_street(*homes)
        measure = measured(*homes, scale="count", better="lower", target=0)
        reports = [home.post("feedback", measure, value="1") for home in (ben, cho, dan, eve)]
        settle(*homes)
        (matter,) = matters_of(ada, measure)
        if is_seen:
            for home in homes:
                look_twice(home)
            settle(*homes)
        for home, report in zip((ben, cho, dan, eve), reports, strict=True):
            home.post("retract", report)
        settle(*homes)

        for home in homes:
            kept = matters_of(home, measure)
            assert [other.id for other in kept] == ([matter.id] if is_seen else [])
            assert all(other.faded and other.closed is None and not other.raisers for other in kept)


def matters_of(home, measure):
    followed = home.author.loops.loops_for(measure.id, home.now())
    return followed.loops[measure.id].matters
