"""The real screen makes a trial of an idea, at a home in memory, and asks for the decision."""

import asyncio

import pytest

from tests.meshcoop.api.test_trials import Lane
from tests.support.fake_node import opened, shows, until
from tests.support.screen_of_home import ScreenedHome
from tests.support.street_in_memory import settle, street
from tui.screens.thread_page import ThreadScreen
from tui.screens.trial_page import TrialScreen
from tui.widgets.feed import Feed


@pytest.fixture
def lane():
    with street(homes=4) as homes:
        yield Lane(homes)


async def take_step(pilot, label):
    """Opens the form of the step with this label, and posts it as it stands."""
    await shows(pilot, label)
    steps = pilot.app.screen.query_one("#steps", Feed).cards
    steps.focus()
    while label not in str(steps.get_option_at_index(steps.highlighted or 0).prompt):
        await pilot.press("down")
    await pilot.press("enter")
    await until(pilot, lambda: pilot.app.screen.query("#post"))


@pytest.mark.long  # 5 s of the processor
def test_an_idea_becomes_a_trial_with_one_button(lane):
    idea = lane.homes[2].post("idea", title="Twice a week")
    settle(*lane.homes)
    node = ScreenedHome(lane.ben)

    async def try_it():
        async with opened(node) as pilot:
            await pilot.app.push_screen(ThreadScreen(pilot.app.node, idea.id.hex()))
            await shows(pilot, "Support this idea")
            await take_step(pilot, "Make a trial of this idea")
            await shows(pilot, "Nothing of it changes")
            await pilot.press("escape")

    asyncio.run(try_it())

    trial = lane.post_trial(idea=idea.id.hex())

    async def see_it():
        async with opened(node) as pilot:
            await shows(pilot, "Your trial waits for a decision: Twice a week")
            await pilot.app.push_screen(TrialScreen(pilot.app.node, trial.id.hex()))
            await shows(pilot, "This trial is short", "Decided by: Taken?")
            await take_step(pilot, "Ask everybody to start it")
            await pilot.press("f2")
            await shows(pilot, "A decision about it is open", "Nothing for you to do here.")

    asyncio.run(see_it())
    settle(*lane.homes)
    assert lane.awaited(trial) == []  # a proposal is open
