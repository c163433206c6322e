"""Trials of something new in a service (specs/25-ideas-and-trials.md)."""

import random

import pytest

from protocol.authority.terms import Holding
from protocol.kinds.services.trials import Trial, area_key
from protocol.schema.register_names import TRIAL
from tests.support.clocks import clock_at
from tests.support.service_chain import COUNCIL, OTHER, RESIDENTS, bins

STARTS = "2025-09-01"  # a Monday; the story begins on 2025-08-04
ENDS = "2025-10-26"  # eight windows later


def tried(**fields):
    story, service, link, _, measure = bins()
    trial = story.says(
        RESIDENTS[0],
        "trial",
        service,
        day=1,
        **{
            "what": "Empty them twice a week",
            "expect": "Fewer are full",
            "measures": [measure.id],
            "starts": STARTS,
            "ends": ENDS,
            **fields,
        },
    )
    return story, trial, link, measure


def decide(story, trial, n, value=None):
    story.adopted[TRIAL, trial.id] = Holding(n, value)


def shown(story, trial, day):
    return story.view(trial).state_at(clock_at(day))


def test_trial_is_proposed_until_a_decision_begins_it():
    story, trial, _, measure = tried()
    assert story.view(trial).state == Trial.State.PROPOSED
    assert len(story.view(trial).windows(story.view(measure).calendar)) == 8

    decide(story, trial, 1)

    assert shown(story, trial, STARTS) == Trial.State.RUNNING
    assert shown(story, trial, ENDS) == Trial.State.RUNNING
    assert shown(story, trial, "2025-10-27") == Trial.State.ENDED


def test_trial_is_dropped_if_nothing_begins_it_in_time():
    story, trial, *_ = tried()

    assert shown(story, trial, STARTS) == Trial.State.PROPOSED
    assert shown(story, trial, "2025-09-02") == Trial.State.DROPPED


@pytest.mark.parametrize("value", ["adopted", "adapted", "dropped"])
def test_trial_goes_on_to_its_end_even_if_it_is_decided_early(value):
    story, trial, *_ = tried()
    decide(story, trial, 2, value)

    assert shown(story, trial, "2025-09-20") == Trial.State.RUNNING
    assert shown(story, trial, "2025-10-27") == value


def test_trial_stops_early_by_a_decision():
    story, trial, *_ = tried()
    decide(story, trial, 2, "stopped")

    assert shown(story, trial, "2025-09-20") == Trial.State.STOPPED


@pytest.mark.parametrize(
    ("fields", "rule"),
    [
        ({"measures": []}, "R-25.3"),
        ({"measures": [b"m" * 32]}, "R-25.3"),
        ({"starts": None}, "R-25.4"),
        ({"ends": "2025-08-31"}, "R-25.4"),
        ({"starts": "2025-08-03"}, "R-25.4"),
        ({"ends": "2026-09-30"}, "R-25.4b"),
        ({"where": b"l" * 32}, "R-25.5"),
    ],
)
def test_trial_that_is_wrong_does_not_count(fields, rule):
    story, trial, *_ = tried(**fields)

    assert story.told(trial) == rule


def test_trial_names_each_measure_once():
    story, service, _, _, measure = bins()
    fields = {"what": "x", "expect": "y", "starts": STARTS, "ends": ENDS}
    twice = story.says(OTHER, "trial", service, day=1, measures=[measure.id, measure.id], **fields)

    assert story.told(twice) == "R-25.3"


def test_trial_has_a_link_or_an_area_as_its_part():
    story, trial, link, _ = tried()
    assert story.view(trial).place is None

    fields = {"what": "x", "expect": "y", "starts": STARTS, "ends": ENDS}
    fields["measures"] = story.view(trial).measures
    service = next(entry for entry in story.entries if entry.kind == "service")
    there = story.says(OTHER, "trial", service, day=1, where=link.id, **fields)
    north = story.says(OTHER, "trial", service, day=1, where="  NORTH ", **fields)

    assert story.view(there).place == link.id
    assert story.view(north).place == area_key("north")


def test_trial_counts_beyond_a_fork_once_a_decision_began_it():
    story, trial, *_ = tried()
    forks = {RESIDENTS[0]: 1}
    assert story.view(trial, forks=forks) is None

    decide(story, trial, 1)

    assert story.view(trial, forks=forks).state == Trial.State.RUNNING


def test_trial_is_the_same_in_any_order_of_its_records():
    story, trial, *_ = tried()
    decide(story, trial, 2, "adapted")
    values = story.values()

    for seed in range(5):
        random.Random(seed).shuffle(story.entries)
        assert story.values() == values
    assert COUNCIL in story.view(next(e for e in story.entries if e.kind == "service")).parties
