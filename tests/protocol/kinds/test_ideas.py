"""Ideas and the people who support them (specs/25-ideas-and-trials.md)."""

import random

from protocol.kinds.ideas import Support
from tests.support.exchange_story import ADA, BEN, CHO, Story


def supported():
    story = Story()
    idea = story.says(ADA, "idea", title="Empty the bins on two days")
    return story, idea, story.says(BEN, "support", idea)


def test_idea_lists_each_supporter_once():
    story, idea, _ = supported()
    story.says(BEN, "support", idea)
    story.says(CHO, "support", idea)

    assert story.view(idea).supporters == [BEN, CHO]


def test_idea_of_a_person_is_not_supported_by_the_same_person():
    story, idea, _ = supported()
    own = story.says(ADA, "support", idea)

    assert story.told(own) == "R-25.1"
    assert story.view(idea).supporters == [BEN]


def test_support_ends_when_its_author_withdraws_it():
    story, idea, support = supported()
    story.says(CHO, "close", support, as_state="withdrawn")
    assert story.view(idea).supporters == [BEN]

    story.says(BEN, "close", support, as_state="withdrawn")

    assert story.state(support) == Support.State.WITHDRAWN
    assert story.view(idea).supporters == []


def test_idea_is_the_same_in_any_order_of_its_records():
    story, idea, support = supported()
    story.says(CHO, "support", idea)
    story.says(BEN, "close", support, as_state="withdrawn")
    story.says(BEN, "support", idea)
    values = story.values()

    for seed in range(20):
        random.Random(seed).shuffle(story.entries)
        assert story.values() == values
    assert story.view(idea).supporters == [BEN, CHO]
