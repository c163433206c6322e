"""Activities by example: who has a place, who waits, which records count and why others do not."""

from datetime import UTC

import pytest

from protocol.errors import Refused
from protocol.fold.facets import COMMON_POT, Awaited, Certainty, DiaryEntry, Way
from protocol.fold.registry import KINDS
from protocol.fold.thread import Entry
from protocol.kinds.activities.activities import Attendance, Signup
from protocol.kinds.exchange.payments import Receipt
from protocol.local_clock import start_of
from tests.support.clocks import clock_at
from tests.support.exchange_story import ADA, BEN, CHO, Story

DAY = "2026-12-01"
STARTS = f"{DAY}T12:30"
BEGINS = start_of(STARTS, UTC)
LUNCH = {"title": "Lunch", "starts": STARTS, "minutes": 90, "offset": 0}
ROLES = {"cook": 1, "server": 2}


def lunch(**more):
    story = Story()
    return story, story.says(ADA, "activity", **(LUNCH | {"roles": ROLES} | more))


def signup(story, who, root, role="cook", on=DAY, **more):
    return story.says(who, "signup", root, role=role, on=on, **more)


def seats(story, root, role="cook", on=DAY):
    (day,) = [one for one in story.view(root).occurrences if one["on"] == on]
    (found,) = [one for one in day["roles"] if one["role"] == role]
    return found["has"], found["waits"]


def test_who_signs_up_first_has_the_place_and_the_other_waits():
    story, root = lunch()
    ben = signup(story, BEN, root)
    cho = signup(story, CHO, root)

    assert seats(story, root) == ([BEN], [CHO])
    assert (story.state(ben), story.state(cho)) == ("placed", "waiting")
    assert story.view(root).occurrences[0]["state"] == "open"


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
    assert story.view(cho).accepted is True


def test_nobody_else_accepts():
    story, root = lunch()
    ben = signup(story, BEN, root)

    assert story.told(story.says(BEN, "accept", ben)) == "R-17.10"
    assert story.view(ben).accepted is False


def test_it_is_full_when_all_places_of_all_days_are_taken():
    story, root = lunch(roles={"cook": 1})
    ben = signup(story, BEN, root)
    assert story.state(root) == "full"

    story.says(BEN, "close", ben, as_state="withdrawn")
    assert story.state(root) == "open"

    weekly, again = lunch(roles={"cook": 1}, repeats="FREQ=WEEKLY")
    signup(weekly, BEN, again)
    assert weekly.state(again) == "open"
    assert [one["state"] for one in weekly.view(again).occurrences] == ["full"]


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
    before = story.view(root).occurrences
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
    (day,) = story.view(root).occurrences

    assert (day["came"], day["missed"]) == ([CHO], [])


def test_further_attendances_add_who_came_and_move_no_place():
    story, root = lunch()
    signup(story, BEN, root)
    story.says(ADA, "attendance", root, people=[], on=DAY, held={"cook": [BEN]}, time=BEGINS)
    story.says(ADA, "attendance", root, people=[BEN], on=DAY, held={"cook": [CHO]}, time=BEGINS + 1)
    (day,) = story.view(root).occurrences

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

    activity = story.view(root)
    assert activity.state_at(clock_at("2026-12-08T13:59")) == "open"
    assert activity.state_at(clock_at("2026-12-08T14:00")) == "past"


def test_an_activity_lasts_as_long_as_it_says_when_the_clocks_change():
    story, root = lunch(starts="2027-03-28T00:30", minutes=90)  # at 1 o'clock it is 2 o'clock
    activity = story.view(root)

    assert activity.state_at(clock_at("2027-03-28T02:59", "Europe/London")) == "open"
    assert activity.state_at(clock_at("2027-03-28T03:00", "Europe/London")) == "past"


def ways(kind, story, target, person=BEN, now=DAY):
    folded = story.fold()
    folded.clock = clock_at(now)
    return list(kind.ways(folded, target, person))


def held_lunch():
    """Makes a lunch. Ben had the only place as cook, and Ben and Cho came."""
    story, root = lunch()
    signup(story, BEN, root)
    attendance = story.says(
        ADA, "attendance", root, people=[BEN, CHO], on=DAY, held={"cook": [BEN]}, time=BEGINS
    )
    return story, root, attendance


def pay(story, attendance, giver, **more):
    fields = {"giver": giver, "receiver": COMMON_POT, "minutes": 90, "on": DAY}
    return story.says(ADA, "receipt", attendance, time=BEGINS + 1, **(fields | more))


def test_signup_has_a_way_for_each_role_on_the_next_free_day():
    story, root = lunch(repeats="FREQ=WEEKLY")
    signup(story, BEN, root, on="2026-12-08")

    assert ways(Signup, story, root, now="2026-12-02") == [
        Way({"on": "2026-12-15", "role": "cook"}, ask=()),
        Way({"on": "2026-12-15", "role": "server"}, ask=()),
    ]


def test_signup_names_no_role_in_its_way_if_the_activity_has_none():
    story, root = lunch(roles=None)

    assert ways(Signup, story, root) == [Way({"on": DAY}, ask=())]


def test_signup_has_no_way_once_the_person_has_signed_up_for_each_day():
    story, root = lunch()
    signup(story, BEN, root)

    assert ways(Signup, story, root) == []
    assert ways(Signup, story, root, person=CHO) != []


def test_attendance_has_a_way_for_each_unwritten_day_with_a_place_taken():
    story, root = lunch(repeats="FREQ=WEEKLY")
    for on in (DAY, "2026-12-08"):
        signup(story, BEN, root, on=on)
    story.says(ADA, "attendance", root, people=[BEN], on=DAY, time=BEGINS)

    assert ways(Attendance, story, root, person=ADA) == [Way({"on": "2026-12-08"}, ask=("people",))]


def test_activity_awaits_who_came_from_its_beginning_on():
    story, root = lunch(repeats="FREQ=WEEKLY")
    signup(story, BEN, root)
    folded = story.fold()

    awaited = list(folded.views[root.id].awaits(folded))

    assert awaited == [Awaited(ADA, "attendance", root.id, since=STARTS)]


def test_activity_awaits_nothing_once_it_is_cancelled():
    story, root = lunch()
    signup(story, BEN, root)
    story.says(ADA, "close", root, as_state="cancelled")
    folded = story.fold()

    assert list(folded.views[root.id].awaits(folded)) == []


def test_diary_says_when_the_organiser_and_the_guests_come():
    story, root = lunch(repeats="FREQ=WEEKLY", area="mill")
    ben = signup(story, BEN, root, on="2026-12-08")
    cho = signup(story, CHO, root, on="2026-12-08")
    folded = story.fold()
    activity, placed, waiting = (folded.views[entry.id] for entry in (root, ben, cho))
    coming = DiaryEntry("Lunch", "2026-12-08T12:30", 90, area="mill", other=ADA, role="cook")

    assert activity.diary_entry(ADA, folded.views.get) == DiaryEntry(
        "Lunch", STARTS, 90, "FREQ=WEEKLY", "mill"
    )
    assert activity.diary_entry(BEN, folded.views.get) is None
    assert placed.diary_entry(BEN, folded.views.get) == coming
    assert placed.diary_entry(CHO, folded.views.get) is None
    assert waiting.diary_entry(CHO, folded.views.get) == coming._replace(
        certainty=Certainty.TENTATIVE
    )


def test_diary_shows_a_cancelled_activity_as_cancelled_and_a_withdrawn_signup_not_at_all():
    story, root = lunch()
    ben = signup(story, BEN, root)
    cho = signup(story, CHO, root)
    story.says(CHO, "close", cho, as_state="withdrawn")
    story.says(ADA, "close", root, as_state="cancelled")
    views = story.fold().views

    assert views[root.id].diary_entry(ADA, views.get).certainty == Certainty.CANCELLED
    assert views[ben.id].diary_entry(BEN, views.get).certainty == Certainty.CANCELLED
    assert views[cho.id].diary_entry(CHO, views.get) is None


def test_activity_shows_its_days_that_are_not_over():
    story, root = lunch(repeats="FREQ=WEEKLY;COUNT=3")
    activity = story.view(root)

    further = activity.further_values(None, clock_at("2026-12-08T14:01"))

    assert further == {"upcoming": ["2026-12-15"]}


def test_receipt_has_a_way_for_each_person_who_came_and_has_none_yet():
    story, _, attendance = held_lunch()
    asked = ("minutes", "note")
    assert ways(Receipt, story, attendance, person=ADA) == [
        Way({"giver": BEN}, asked),
        Way({"giver": CHO}, asked),
    ]

    pay(story, attendance, BEN)

    assert ways(Receipt, story, attendance, person=ADA) == [Way({"giver": CHO}, asked)]


def test_receipts_about_all_attendances_of_an_activity_are_compared():
    story, root, attendance = held_lunch()
    again = story.says(ADA, "attendance", root, people=[BEN], on=DAY, time=BEGINS + 1)
    first = pay(story, attendance, BEN)
    second = pay(story, again, BEN)
    for receipt in (first, second):
        story.says(BEN, "confirm", receipt, time=BEGINS + 2)

    assert story.view(min(first, second, key=lambda receipt: receipt.order)).duplicate is False
    assert story.view(max(first, second, key=lambda receipt: receipt.order)).duplicate is True


def draft_receipt(story, attendance, **fields):
    """Returns the thread, and the draft of a receipt by Ada that nobody has signed yet."""
    folded = story.fold()
    entry = Entry(bytes(32), ADA, 99, BEGINS, attendance.id, ADA, "receipt", fields)
    folded.entries[entry.id] = entry
    return folded, KINDS["receipt"].draft(entry)


def test_attendance_fills_in_what_a_receipt_from_the_pot_leaves_out():
    story, root = lunch()
    attendance = story.says(ADA, "attendance", root, people=[ADA, BEN], on=DAY, time=BEGINS)
    folded, receipt = draft_receipt(story, attendance)

    receipt.complete(folded)

    terms = (receipt.giver, receipt.receiver, receipt.minutes, receipt.on)
    assert terms == (BEN, COMMON_POT, 90, DAY)


def test_attendance_names_no_giver_if_several_others_came():
    story, _, attendance = held_lunch()
    folded, receipt = draft_receipt(story, attendance)

    receipt.complete(folded)

    assert receipt.giver is None


def test_attendance_refuses_a_second_receipt_for_a_person_and_day_before_signing():
    story, root, attendance = held_lunch()
    again = story.says(ADA, "attendance", root, people=[BEN, CHO], on=DAY, time=BEGINS + 1)
    pay(story, attendance, BEN)
    terms = {"receiver": COMMON_POT, "minutes": 90, "on": DAY}
    folded, second = draft_receipt(story, again, giver=BEN, **terms)
    _, other = draft_receipt(story, again, giver=CHO, **terms)

    other.check_before_signing(folded)
    with pytest.raises(Refused) as refused:
        second.check_before_signing(folded)

    assert refused.value.rule == "R-17.16"
