"""Activities by example: who has a place, who waits, which records count and why others do not."""

from datetime import UTC

import pytest

from protocol import recurrence as series
from protocol.fold.kind import KINDS
from tests.support.exchange_story import ADA, BEN, CHO, Story

DAY = "2026-12-01"
STARTS = f"{DAY}T12:30"
BEGINS = series.local_to_ms(STARTS, UTC)
LUNCH = {"title": "Lunch", "starts": STARTS, "minutes": 90, "offset": 0}
ROLES = {"cook": 1, "server": 2}


def lunch(**more):
    story = Story()
    return story, story.says(ADA, "activity", **(LUNCH | {"roles": ROLES} | more))


def signup(story, who, root, role="cook", on=DAY, **more):
    return story.says(who, "signup", root, role=role, on=on, **more)


def seats(story, root, role="cook", on=DAY):
    (day,) = [one for one in story.view(root)["occurrences"] if one["on"] == on]
    (found,) = [one for one in day["roles"] if one["role"] == role]
    return found["has"], found["waits"]


def test_who_signs_up_first_has_the_place_and_the_other_waits():
    story, root = lunch()
    ben = signup(story, BEN, root)
    cho = signup(story, CHO, root)

    assert seats(story, root) == ([BEN], [CHO])
    assert (story.state(ben), story.state(cho)) == ("placed", "waiting")
    assert story.view(root)["occurrences"][0]["state"] == "open"


def test_who_withdraws_frees_the_place():
    story, root = lunch()
    ben = signup(story, BEN, root)
    cho = signup(story, CHO, root)
    story.says(BEN, "close", ben, as_state="withdrawn")

    assert (story.state(ben), story.state(cho)) == ("withdrawn", "placed")
    assert seats(story, root) == ([CHO], [])


def test_only_oneself_withdraws():
    story, root = lunch()
    ben = signup(story, BEN, root)

    assert story.told(story.says(CHO, "close", ben, as_state="withdrawn")) == "R-14.2"
    assert story.state(ben) == "placed"


def test_who_the_organiser_accepts_comes_first():
    story, root = lunch()
    signup(story, BEN, root)
    cho = signup(story, CHO, root)
    story.says(ADA, "accept", cho)

    assert seats(story, root) == ([CHO], [BEN])
    assert story.view(cho)["accepted"] is True


def test_nobody_else_accepts():
    story, root = lunch()
    ben = signup(story, BEN, root)

    assert story.told(story.says(BEN, "accept", ben)) == "R-17.10"
    assert story.view(ben)["accepted"] is False


def test_it_is_full_when_all_places_of_all_days_are_taken():
    story, root = lunch(roles={"cook": 1})
    ben = signup(story, BEN, root)
    assert story.state(root) == "full"

    story.says(BEN, "close", ben, as_state="withdrawn")
    assert story.state(root) == "open"

    weekly, again = lunch(roles={"cook": 1}, repeats="FREQ=WEEKLY")
    signup(weekly, BEN, again)
    assert weekly.state(again) == "open"
    assert [one["state"] for one in weekly.view(again)["occurrences"]] == ["full"]


def test_the_organiser_cancels():
    story, root = lunch()
    assert story.told(story.says(BEN, "close", root, as_state="cancelled")) == "R-14.2"
    story.says(ADA, "close", root, as_state="cancelled")

    assert story.state(root) == "cancelled"


def test_without_roles_everybody_may_come():
    story, root = lunch(roles=None)
    ben = signup(story, BEN, root, role=None)

    assert story.state(ben) == "placed"
    assert seats(story, root, role=None) == ([BEN], [])
    assert story.told(signup(story, CHO, root, role="cook")) == "R-17.6"


def test_one_signs_up_for_roles_and_days_that_there_are():
    story, root = lunch(repeats="FREQ=WEEKLY;COUNT=2")

    assert story.told(signup(story, BEN, root, role="singer")) == "R-17.6"
    assert story.told(signup(story, BEN, root, role=None)) == "R-17.6"
    assert story.told(signup(story, BEN, root, on="2026-12-02")) == "R-17.6"
    assert story.told(signup(story, BEN, root, on="2026-12-15")) == "R-17.6"
    assert story.state(signup(story, BEN, root, on="2026-12-08")) == "placed"


def test_a_series_that_nobody_can_work_out_does_not_count():
    story, root = lunch(repeats="FREQ=SECONDLY")

    assert story.told(root) == "R-17.2"
    assert story.told(signup(story, BEN, root)) == "R-17.6"


def test_there_are_no_more_places_than_can_be_written_down():
    story, root = lunch(roles={"cook": 60, "server": 5})

    assert story.told(root) == "R-17.5"


@pytest.mark.parametrize(("late", "rule"), [(-1, None), (0, "R-17.7"), (1, "R-17.7")])
def test_what_is_said_after_it_began_changes_no_place(late, rule):
    story, root = lunch()
    ben, cho = signup(story, BEN, root), signup(story, CHO, root)
    withdrawn = story.says(BEN, "close", ben, as_state="withdrawn", time=BEGINS + late)
    accepted = story.says(ADA, "accept", cho, time=BEGINS + late)
    other = signup(story, ADA, root, role="server", time=BEGINS + late)

    assert [story.told(one) for one in (withdrawn, accepted, other)] == [rule] * 3
    assert seats(story, root) == (([CHO], []) if rule is None else ([BEN], [CHO]))


def test_the_start_is_judged_by_the_offset_that_the_activity_says():
    story, root = lunch(offset=60)

    assert story.told(signup(story, BEN, root, time=BEGINS - 1)) == "R-17.7"
    assert story.told(signup(story, CHO, root, time=BEGINS - 3_600_001)) is None


def test_attendance_freezes_the_places_whatever_arrives_later():
    story, root = lunch()
    ben = signup(story, BEN, root, time=5)
    story.says(ADA, "attendance", root, people=[], on=DAY, held={"cook": [BEN]}, time=BEGINS)
    before = story.view(root)["occurrences"]
    cho = signup(story, CHO, root, time=2)
    story.says(ADA, "accept", cho, time=3)

    assert before[0]["missed"] == [BEN]
    assert seats(story, root) == ([BEN], [CHO])
    assert (story.state(ben), story.state(cho)) == ("placed", "waiting")


def test_who_withdrew_in_time_did_not_stay_away():
    story, root = lunch()
    ben = signup(story, BEN, root)
    story.says(BEN, "close", ben, as_state="withdrawn")
    story.says(ADA, "attendance", root, people=[CHO], on=DAY, held={"cook": [BEN]}, time=BEGINS)
    (day,) = story.view(root)["occurrences"]

    assert (day["came"], day["missed"]) == ([CHO], [])


def test_further_attendances_add_who_came_and_move_no_place():
    story, root = lunch()
    signup(story, BEN, root)
    story.says(ADA, "attendance", root, people=[], on=DAY, held={"cook": [BEN]}, time=BEGINS)
    story.says(ADA, "attendance", root, people=[BEN], on=DAY, held={"cook": [CHO]}, time=BEGINS + 1)
    (day,) = story.view(root)["occurrences"]

    assert (day["came"], day["missed"]) == ([BEN], [])
    assert seats(story, root) == ([BEN], [])


@pytest.mark.parametrize(
    "held", [{"cook": [BEN, CHO]}, {"singer": [BEN]}, {"cook": [BEN], "server": [BEN]}]
)
def test_an_attendance_gives_no_places_that_there_are_not(held):
    story, root = lunch()
    one = story.says(ADA, "attendance", root, people=[], on=DAY, held=held)

    assert story.told(one) == "R-17.11"


def test_only_the_organiser_writes_who_came():
    story, root = lunch()

    assert story.told(story.says(BEN, "attendance", root, people=[BEN], on=DAY)) == "R-17.11"


def test_a_forked_log_loses_its_signups_and_the_next_in_line_moves_up():
    story, root = lunch()
    signup(story, BEN, root)
    cho = signup(story, CHO, root)

    assert story.state(cho, forks={BEN: 1}) == "placed"


def test_it_is_past_when_the_last_day_is_over():
    story, root = lunch(repeats="FREQ=WEEKLY;COUNT=2")

    assert KINDS["activity"].clock_state(story.view(root)) == ("2026-12-08T14:00", "past")
