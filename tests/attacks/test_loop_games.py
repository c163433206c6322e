"""The moves with which people try to bend a feedback loop, one test a move.

Each docstring says the move, the rule that answers it, what remains, and what people see.
"""

import random
from collections import Counter
from datetime import date, timedelta
from types import SimpleNamespace

import pytest

from meshcoop.fold.loop_cache import FollowedService
from protocol.authority.register_change import number_change
from protocol.authority.terms import Holding
from protocol.errors import Refused
from protocol.kinds.services.services import Service
from protocol.loops.counted_answers import MeasureContext, count_windows, is_charted
from protocol.loops.windows import DAY_MS
from tests.protocol.loops.test_matters import CALENDAR, VISITS, Street
from tests.support.service_chain import CONTRACTOR, COUNCIL, OTHER, RESIDENTS, START, bins

CYCLE = 4


def new_person(dice):
    return dice.randbytes(32)


# -- the panel --------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(3))
def test_panel_ground_by_a_late_vote_a_join_or_a_removal(seed):
    """Move: let people in or out, or let a late vote count, so that other people are charted.
    Rule: R-22.7, everybody's answers are charted once a cycle, whoever else is a member.
    Remains: nothing. Seen: the chart says who is charted this window, and it never changes.
    """
    dice = random.Random(seed)
    people = [new_person(dice) for _ in range(120)]
    stays = people[:90]
    charted = Counter()
    for window in range(2920, 2920 + 5 * CYCLE):
        members = dice.sample(people[90:], dice.randrange(30)) + stays
        context = MeasureContext(VISITS, CALENDAR, {}, set(members), None, CYCLE)
        street = Street(VISITS)
        reports = [
            street.report(0, 0, 4, on=CALENDAR.first_day(window), author=who) for who in members
        ]
        assert len(reports) == len(members)
        windows = count_windows(context, street.said.feedback, ())
        charted.update((window // CYCLE, report.person) for report in windows[window].answers)
    rows = range(2920 // CYCLE, 2920 // CYCLE + 5)
    assert all(charted[row, who] == 1 for row in rows for who in stays)
    assert set(charted.values()) == {1}


@pytest.mark.parametrize("ground", ["the measure", "the person"])
def test_panel_ground_by_hashing(ground):
    """Move: try out measures or keys until many allies are charted in the window that matters.
    Rule: R-22.7. Remains: allies may sit together in one window (after 25 s: 8 of 10, where 1 is
    usual), but then not in the other windows of the cycle. Seen: how many answered beside the chart.
    """
    dice = random.Random(7)

    def charted(measure, allies, window):
        return sum(is_charted(measure, window, ally, CYCLE) for ally in allies)

    best = b"measure".ljust(32)
    allies = [new_person(dice) for _ in range(8)]
    if ground == "the measure":
        tried = [dice.randbytes(32) for _ in range(300)]
        best = max(tried, key=lambda measure: charted(measure, allies, 2920))
    else:
        tried = [new_person(dice) for _ in range(300)]
        allies = sorted(tried, key=lambda ally: not charted(best, [ally], 2920))[:8]
    seats = [charted(best, allies, 2920 + window) for window in range(CYCLE)]
    assert seats[0] > 8 / CYCLE
    assert sum(seats) == 8


def test_adoption_fixes_the_cycle_of_the_panel():
    """Move: let a late vote find other members, and so another panel.
    Rule: R-22.3e, the decision itself says in how many windows everybody is charted once.
    Remains: the proposer's software claims the number. Seen: the proposal says it before the vote.
    """
    members = dict.fromkeys([n.to_bytes(32, "big") for n in range(65)])
    authority = SimpleNamespace(
        charter={"offset": 60}, members=members, holding=lambda register: Holding(0, None)
    )
    change = number_change(["measure", b"m" * 32, None, True], authority, {})
    assert change == ["measure", b"m" * 32, 1, [60, 2]]


# -- incidents --------------------------------------------------------------------------------------


def incidents_of(story, measure):
    return sum(len(window.incidents) for window in story.loop(measure, 30).windows.values())


def test_ally_merges_the_reports_of_others_away():
    """Move: an ally of the measured says that twelve people's reports are one incident.
    Rule: R-22.6c, only its author says what a report is the same as. Remains: somebody can be
    pressed to say it of their own report (A-22.2). Seen: the refusal; every report stays.
    """
    story, _, _, _, measure = bins()
    reports = [story.says(who, "feedback", measure, day=2, value=1) for who in RESIDENTS]
    for ally in (OTHER, RESIDENTS[0], COUNCIL):
        merges = [
            story.says(ally, "same_as", report, day=3, other=reports[0].id)
            for report in reports[1:]
        ]
        assert {story.told(merge) for merge in merges} == {"R-22.6c"}
    assert incidents_of(story, measure) == len(RESIDENTS)


def test_allies_chain_their_own_reports_to_swallow_another():
    """Move: allies merge their reports in a chain, so that an honest report between them goes too.
    Rule: R-22.6, a head is one step and never followed on. Remains: an ally's own report counts
    less. Seen: the honest report is an incident, and its author has raised it.
    """
    story, _, _, _, measure = bins()
    first, honest, last = (
        story.says(who, "feedback", measure, day=2, value=1) for who in RESIDENTS[:3]
    )
    story.says(RESIDENTS[2], "same_as", last, day=3, other=honest.id)
    story.says(RESIDENTS[2], "same_as", last, day=4, other=first.id)
    assert incidents_of(story, measure) == 2


def test_reporter_is_pressed_to_merge_a_report_that_has_counted():
    """Move: press somebody, once a window has settled, to say that their report was another's.
    Rule: R-22.6g, it comes too late for what has settled. Remains: pressing within a window and its
    settle time. Seen: both reports stay incidents.
    """
    story, _, _, _, measure = bins()
    first, second = (story.says(who, "feedback", measure, day=2, value=1) for who in RESIDENTS[:2])
    story.says(RESIDENTS[1], "same_as", second, day=10.1, other=first.id)
    assert incidents_of(story, measure) == 2
    story.says(RESIDENTS[1], "same_as", second, day=9.9, other=first.id)
    assert incidents_of(story, measure) == 1


def test_made_up_links_make_one_person_many():
    """Move: one person reports 40 incidents on one day, each with a made-up link.
    Rule: R-22.6e, one incident a person and day; R-22.4g, a link that nobody accepted is left out.
    Remains: one false incident a day (A-22.1). Seen: one incident, and whose it is.
    """
    story, _, _, _, measure = bins()
    for n in range(40):
        report = story.says(
            RESIDENTS[0], "feedback", measure, day=2, value=1, link=bytes([n]).ljust(32)
        )
        assert story.view(report).link is None
    assert incidents_of(story, measure) == 1


@pytest.mark.parametrize("seed", range(8))
def test_no_ally_takes_an_honest_reporters_incident(seed):
    """Property over random histories: allies report, merge and chain as they like, in any order.
    Each honest person's report of a day stays an incident, or joins the one that they named.
    """
    dice = random.Random(seed)
    story, _, _, _, measure = bins()
    honest, allies = RESIDENTS[:4], [*RESIDENTS[4:], OTHER]
    reports = []
    for _ in range(40):
        who = dice.choice(RESIDENTS)
        day = dice.uniform(0, 20)
        reports.append(story.says(who, "feedback", measure, day=day, value=1))
    for _ in range(40):
        other = dice.choice([*reports, None])
        named = {} if other is None else {"other": other.id}
        story.says(dice.choice(allies), "same_as", dice.choice(reports), day=21, **named)
    loop = story.loop(measure, 30)
    incidents = [incident for window in loop.windows.values() for incident in window.incidents]
    days = {
        (report.person, report.day)
        for incident in incidents
        for report in incident.reports
        if report.person in honest
    }
    heads = {(incident.head.person, incident.head.day) for incident in incidents}
    assert days <= heads
    shuffled = dice.sample(story.entries, len(story.entries))
    assert story.loop(measure, 30, entries=shuffled).windows.keys() == loop.windows.keys()
    assert story.loop(measure, 30, entries=shuffled).points == loop.points


# -- the clock of the holder ------------------------------------------------------------------------


def matter_of(story, measure, day):
    """Returns who holds the only matter of a measure, and until when they have time."""
    views = story.fold().views
    service = next(view for view in views.values() if isinstance(view, Service))
    loop = story.loop(measure, day)
    followed = FollowedService(service, views, {measure.id: loop}, 3, 0)
    (matter,) = loop.matters
    held = followed.holder_of(loop, matter, START + int(day * DAY_MS))
    return followed.chain[held.level] if held.level >= 0 else None


def missed_bins():
    """Six people report on day 2 that bins were missed. The contractor holds the matter."""
    story, *_, measure = bins()
    for who in RESIDENTS[:6]:
        story.says(who, "feedback", measure, day=2, value=1)
    return story, measure


def test_holder_stalls_with_answers():
    """Move: answer "we look into it" every other day for a year.
    Rule: R-23.6c, an answer names a day, at most 14 days on, and buys time once.
    Remains: 14 days a level. Seen: the day that the holder named, and that it passed.
    """
    story, measure = missed_bins()
    for day in range(3, 40, 2):
        until = (date(2025, 8, 4) + timedelta(day + 14)).isoformat()
        story.says(CONTRACTOR, "answer", measure, day=day, text="Soon", until=until)
    assert matter_of(story, measure, 19.9) == CONTRACTOR
    assert matter_of(story, measure, 21.1) == COUNCIL


def test_holder_stalls_with_actions():
    """Move: take up one action after the other, and report none of them done.
    Rule: R-23.6d, the first action buys time, once. Remains: 28 days a level. Seen: overdue.
    """
    story, measure = missed_bins()
    for day in range(3, 40, 5):
        due = (date(2025, 8, 4) + timedelta(day + 28)).isoformat()
        story.says(CONTRACTOR, "action", measure, day=day, what="A plan", due=due)
    assert matter_of(story, measure, 33.9) == CONTRACTOR
    assert matter_of(story, measure, 35.1) == COUNCIL


def test_holder_says_done_and_sits_on_what_was_reopened():
    """Move: report something done that is not, and do nothing once it is reopened.
    Rule: R-23.6h, a reopening starts the clock again. Remains: each false `done` buys
    `answer_days`. Seen: the action is reopened, and by when the holder is to act.
    """
    story, measure = missed_bins()
    action = story.says(CONTRACTOR, "action", measure, day=3, what="A lorry", due="2025-08-14")
    story.says(CONTRACTOR, "done", action, day=4)
    story.says(RESIDENTS[0], "verdict", action, day=20, fixed="no")
    assert matter_of(story, measure, 25.9) == CONTRACTOR
    assert matter_of(story, measure, 26.1) == COUNCIL


def test_an_allys_answer_stops_no_clock():
    """Move: an ally answers or acts so that the holder keeps the matter.
    Rule: R-23.6i, only the holder's answers and actions move the deadline.
    Remains: nothing. Seen: the ally's words, and the matter climbs.
    """
    story, measure = missed_bins()
    story.says(OTHER, "answer", measure, day=3, text="They are on it", until="2025-08-20")
    story.says(OTHER, "action", measure, day=3, what="I help", due="2025-08-20")
    assert matter_of(story, measure, 8.1) == COUNCIL


def test_one_griefer_reopens_again_and_again():
    """Move: one person says "no" to every `done` so that the matter climbs to the top.
    Rule: R-23.6j, two reopenings count only by two people or figures.
    Remains: the holder reports done again each time. Seen: who reopened it, and how often.
    """
    story, measure = missed_bins()
    action = story.says(CONTRACTOR, "action", measure, day=3, what="A lorry", due="2025-08-14")
    for day in range(4, 24, 2):
        story.says(CONTRACTOR, "done", action, day=day)
        story.says(RESIDENTS[0], "verdict", action, day=day + 1, fixed="no")
    assert matter_of(story, measure, 24) == CONTRACTOR
    story.says(RESIDENTS[1], "verdict", action, day=24, fixed="no")
    story.says(CONTRACTOR, "done", action, day=24.1)
    story.says(RESIDENTS[1], "verdict", action, day=24.2, fixed="no")
    assert matter_of(story, measure, 24.3) == COUNCIL


# -- closing ----------------------------------------------------------------------------------------


def only_matter(story, measure, day):
    (matter,) = story.loop(measure, day).matters
    return matter


def test_allies_raise_confirm_and_close_in_four_minutes():
    """Move: allies report, act, say done and confirm, all before anybody else has answered.
    Rule: R-23.5b, nothing is confirmed before the opening window settles, and those who report
    something bad of a later day are raisers too. Remains: a matter that allies invented themselves.
    Seen: reported done; the honest reporters are asked.
    """
    story, _, _, _, measure = bins()
    allies, honest = RESIDENTS[:4], RESIDENTS[4:]
    for ally in allies:
        story.says(ally, "feedback", measure, day=0, value=1)
    action = story.says(OTHER, "action", measure, day=0.001, what="All fine", due="2025-08-14")
    story.says(OTHER, "done", action, day=0.002)
    for ally in allies:
        story.says(ally, "verdict", action, day=0.003, fixed="yes")
    assert only_matter(story, measure, 1).closed is None
    for who in honest:
        story.says(who, "feedback", measure, day=3, value=1)
    matter = only_matter(story, measure, 20)
    assert matter.closed is None
    assert matter.raisers == {*allies, *honest}


def test_praise_on_request_confirms_nothing():
    """Move: the holder asks friends to say afterwards that they complained, and that it is fixed.
    Rule: R-23.1f, a bad answer in the matter's windows stands before the latest done, or is about
    a later day. Remains: friends who complain before. Seen: how many of the raisers say what.
    """
    story, measure = missed_bins()
    action = story.says(CONTRACTOR, "action", measure, day=3, what="A lorry", due="2025-08-14")
    story.says(CONTRACTOR, "done", action, day=4)
    for friend in (*RESIDENTS[6:], OTHER):
        story.says(friend, "feedback", measure, day=4.5, value=1, on="2025-08-05")
        story.says(friend, "verdict", action, day=11, fixed="yes")
    matter = only_matter(story, measure, 20)
    assert (matter.raisers, matter.leading.fixed) == (set(RESIDENTS[:6]), {})


def test_raisers_who_sit_on_their_verdicts_block_nothing():
    """Move: say neither yes nor no, so that the matter stays open and no new one can open.
    Rule: R-23.5i, four points without a signal close it as quiet, unconfirmed.
    Remains: nobody's success. Seen: "closed: quiet, unconfirmed".
    """
    story, measure = missed_bins()
    action = story.says(CONTRACTOR, "action", measure, day=3, what="A lorry", due="2025-08-14")
    story.says(CONTRACTOR, "done", action, day=4)
    for week in range(1, 5):
        for who in RESIDENTS[:3]:
            story.says(who, "feedback", measure, day=7 * week + 2, value=0)
    matter = only_matter(story, measure, 40)
    assert (matter.is_quiet, matter.closed is None) == (True, False)
    for week in (9, 10):
        for who in RESIDENTS:
            story.says(who, "feedback", measure, day=7 * week + 2, value=1)
    assert len(story.loop(measure, 80).matters) == 2


def summary(loop):
    return loop.points, [
        (matter.id, matter.opened, matter.closed, matter.is_quiet, matter.raisers, matter.windows)
        for matter in loop.matters
    ]


@pytest.mark.parametrize("seed", range(4))
def test_no_history_blocks_a_measure(seed):
    check_that_nothing_blocks(seed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(4, 404))
def test_no_history_of_many_blocks_a_measure(seed):
    check_that_nothing_blocks(seed)


def check_that_nothing_blocks(seed):
    """Property over random histories: what is reported done closes at the fourth point, if there is
    neither a signal nor a partly or no. So a measure is never blocked for longer.
    """
    dice = random.Random(seed)
    story, _, _, _, measure = bins()
    actions = []
    for _ in range(150):
        day, who = dice.uniform(0, 150), dice.choice(RESIDENTS)
        story.says(who, "feedback", measure, day=day, value=int(dice.random() < 0.4))
        if dice.random() < 0.05:
            fields = {"what": "Try", "due": "2025-12-01"}
            actions.append(story.says(CONTRACTOR, "action", measure, day=day, **fields))
        if actions and dice.random() < 0.1:
            story.says(CONTRACTOR, "done", dice.choice(actions), day=day)
        if actions and dice.random() < 0.1:
            word = dice.choice(["yes", "yes", "no"])
            story.says(who, "verdict", dice.choice(actions), day=day, fixed=word)
    loop = story.loop(measure, 200)
    for matter in loop.matters:
        if matter.closed is not None or matter.done_at is None:
            continue
        first = CALENDAR.window_at(matter.done_at) + 1
        after = [number for number, _ in loop.points if number >= first]
        states = {tally.state for tally in matter.tallies}
        assert len(after) < 4 or "reopened" in states
    shuffled = dice.sample(story.entries, len(story.entries))
    assert summary(story.loop(measure, 200, entries=shuffled)) == summary(loop)


# -- the service ------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", [COUNCIL, CONTRACTOR])
def test_provider_sheds_the_service(who):
    """Move: end the service once its feedback is bad, so that no measure and no matter is left.
    Rule: R-21.1c, a service with a measure in use does not end; a decision retires its measures.
    Remains: a new service beside it, about which the roll is asked (R-21.9). Seen: the refusal, and
    the service with its open matter.
    """
    story, measure = missed_bins()
    service = story.entries[0]
    story.says(who, "close", service, day=3, as_state="ended")
    assert story.view(service).state == "open"
    assert only_matter(story, measure, 4).closed is None
    with pytest.raises(Refused, match="a decision retires it"):
        story.view(service).check_close(story.fold(), COUNCIL)
    story.adopted["measure", measure.id] = Holding(2, None)
    assert story.view(service).state == ("ended" if who == COUNCIL else "open")


def test_a_measure_that_is_retired_lets_a_service_end_in_any_order():
    """Property: a close and a decision count the same, whichever a home hears of first."""
    story, _, _, _, measure = bins()
    service = story.entries[0]
    story.says(COUNCIL, "close", service, day=3, as_state="ended")
    states = []
    for number in (1, 2, 3, 4):
        story.adopted["measure", measure.id] = Holding(number, [0, 1] if number % 2 else None)
        states.append(story.view(service).state)
    assert states == ["open", "ended", "open", "ended"]
