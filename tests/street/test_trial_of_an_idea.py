"""A trial on real nodes: from an idea to "adapt", with a cut while it runs, by commands and on the
screen.
"""

import sys
from datetime import UTC, datetime, timedelta

import pytest

from tests.street.test_week_of_bins import Resident, ahead, guests, only
from tests.support.pseudo_terminal import Terminal
from tests.support.real_homes import agree, folder, put_on_roll, together

CHARTER = ("--smallest-group", "3", "--settle-hours", "24")
DAY = 24  # hours
DAYS = 3  # before the trial, and of it


def day(number):
    """Returns the day `number` days after the first one."""
    return (datetime.now(UTC) + timedelta(days=number)).date().isoformat()


def answer(residents, measure, number, bad):
    """Lets every resident answer for a day. So many of them say no."""
    for place, resident in enumerate(residents):
        value = str(int(place >= bad))
        resident.post("feedback", "--about", measure, "--value", value, "--on", day(number))


def decide(homes, title, *change):
    """Proposes a change, lets every home vote for it, and waits until it has passed."""
    council, *others = homes
    proposal = council.post("proposal", "--title", title, "--change", " ".join(change))
    for home in others:
        home.has(proposal)
    together(
        *(
            lambda home=home: home.post("vote", "--about", proposal, "--choice", "yes")
            for home in homes
        )
    )
    agree(*homes)
    assert council("show", proposal)["state"] == "passed"


@pytest.mark.long
def test_an_idea_is_tried_while_a_home_is_cut_off_and_is_then_adapted():
    with folder() as place:
        council = place.founder("Council", *CHARTER)
        ben = place.newcomer(council, "Ben")
        street = place.newcomer(council, "Rosa")
        put_on_roll(council, ben, street)
        residents = [Resident(ben, "Ben"), Resident(street, "Rosa")]
        residents += guests(place, street, "Noor", "Kofi")
        homes = (council, ben, street)
        service = council.post("service", "--title", "Bin collection")
        measure = council.post(
            "measure", "--about", service, "--question", "Was your bin taken?",
            "--scale", "yes_no", "--share", "50", "--window", "1",
        )  # fmt: skip
        decide(homes, "Ask about the bins", "adopt", measure)
        idea = street.post("idea", "--title", "Twice a week", "--about", service)
        ben.has(idea)
        ben.post("support", "--about", idea)

        for number, bad in enumerate((1, 2, 1)):
            answer(residents, measure, number, bad)
            if number < DAYS - 1:
                ahead(homes, DAY * (number + 1))
        trial = propose_trial(ben, service, idea)
        decide(homes, "Try it", "trial", trial, "start")
        assert only(street("list", "ideas"))["state"] == "on trial"
        run_with_a_cut(homes, residents, measure, trial)

        decide(homes, "Twice, but not on Mondays", "trial", trial, "adapt")
        for home in homes:
            shown = only(home("list", "trials"))
            assert (shown["state"], shown["result"]["better"]) == ("adapted", "1/20")
            (row,) = home("list", "ideas")
            assert (row["state"], row["trials"][0]["state"]) == ("open", "adapted")
            assert [one["name"] for one in row["supporters"]] == ["Ben"]
        see_it_on_the_screen(street)


def propose_trial(home, service, idea):
    """Posts the trial that `next` offers for an idea. The answer says that it is short."""
    step = only([row for row in home("next", idea) if row["kind"] == "trial"])
    assert step["given"] == {"idea": idea}
    assert step["suggested"]["what"] == "Twice a week"
    posted = home(
        "post", "trial", "--about", service, "--idea", idea, "--what", "Twice a week",
        "--expect", "Fewer are missed", "--starts", day(DAYS), "--ends", day(2 * DAYS - 1),
    )  # fmt: skip
    assert posted["advice"]["code"] == "trial_is_short"
    return posted["id"]


def run_with_a_cut(homes, residents, measure, trial):
    """Lets the trial run. On its second day, the residents' street is cut off from the others."""
    council, ben, _street = homes
    for number in range(DAYS, 2 * DAYS):
        ahead(homes, DAY * number)
        assert only(council("list", "trials"))["state"] == "running"
        refused = council.refused(
            "post", "proposal", "--title", "Enough", "--change", f"trial {trial} adopt"
        )
        assert "once it has ended" in refused
        if number == DAYS + 1:
            together(lambda: council("down"), lambda: ben("down"))
            answer(residents[1:], measure, number, 0)
            together(lambda: council("up"), lambda: ben("up"))
            answer(residents[:1], measure, number, 0)
            agree(*homes)
        else:
            answer(residents, measure, number, 0)
    ahead(homes, DAY * (2 * DAYS + 1))  # the last window has settled
    for home in homes:
        shown = only(home("list", "trials"))
        assert shown["state"] == "ended"
        assert shown["result"]["finding"] == "trial_better"
        assert (shown["result"]["windows_before"], shown["result"]["windows_during"]) == (3, 3)


def see_it_on_the_screen(home):
    """Opens the service on the screen of a home, and then its trial."""
    command = [sys.executable, "-m", "meshcoop", "--home", str(home.path)]
    with Terminal(command, env=home.env) as terminal:
        terminal.until("Rushey Lane · Rosa")
        terminal.type("4")
        terminal.until("Bin collection")
        terminal.type("\r")
        terminal.until("What is tried (1)", "Twice a week", "changed, to be tried again")
