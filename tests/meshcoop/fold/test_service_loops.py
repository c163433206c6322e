"""Measures end, continue the points of earlier ones, and account for themselves (R-22.10 to R-22.13)."""

from meshcoop.fold.service_views import ServiceViews
from meshcoop.fold.services.service_loops import ServiceLoops
from meshcoop.fold.standing_views import StandingViews
from protocol.authority.terms import Holding
from protocol.authority.witnesses import RecordTimes
from protocol.kinds.services.loop import find_parties
from protocol.kinds.services.services import Service
from protocol.loops.account import account_of
from protocol.loops.outcome import Result, balance_of, outcome_of
from protocol.loops.windows import DAY_MS, Calendar, format_day
from protocol.schema.register_names import MEASURE
from tests.support.service_chain import CONTRACTOR, COUNCIL, RESIDENTS, START, bins

WEEKS = Calendar(7, 0)
FIRST = WEEKS.window_at(START)


def seen_at_once(record_id, claimed, author=None, parties=()):
    del record_id, author, parties
    return RecordTimes(claimed, claimed, False, 72 * 3_600_000)


def not_seen(matter, parties):
    """Says that no witness has named a matter."""
    del matter, parties


class Lane:
    """The story of the bins, with what three residents say about a measure week by week."""

    def __init__(self):
        self.story, self.service, _, _, self.measure = bins()

    def ask(self, day, question="Were your bins missed?", **fields):
        fields = {"scale": "count", "better": "lower", "target": 2, "window": 7, **fields}
        return self.story.says(
            COUNCIL, "measure", self.service, day=day, question=question, **fields
        )

    def week(self, number, incidents, measure=None):
        """Lets so many residents report an incident in a week, and others say that all is fine."""
        for place, who in enumerate(RESIDENTS[: max(3, incidents)]):
            value = int(place < incidents)
            about = measure or self.measure
            self.story.says(who, "feedback", about, day=7 * number + 1 + place / 100, value=value)

    def mend(self, day, measure=None):
        """Lets the contractor act on the open matter, and all who raised it confirm that."""
        due = format_day(WEEKS.day_at(START) + int(day) + 5)
        about = measure or self.measure
        action = self.story.says(CONTRACTOR, "action", about, day=day, what="A lorry", due=due)
        self.story.says(CONTRACTOR, "done", action, day=day + 0.1)
        for who in RESIDENTS:
            self.story.says(who, "verdict", action, day=day + 0.2, fixed="yes")
        return action

    def retire(self, measure):
        self.story.adopted[MEASURE, measure.id] = Holding(2, None)

    def at(self, day):
        views = self.story.fold().views
        now = START + int(day * DAY_MS)
        service = next(view for view in views.values() if isinstance(view, Service))
        party_since = find_parties(service, views.values(), now)
        standing = StandingViews(seen_at_once, party_since, now)
        thread = ServiceViews(dict(enumerate(views.values())), standing, now)
        return ServiceLoops(thread, self.story.authority(), dict, not_seen, now)

    def loop(self, day, measure=None):
        return self.at(day).follow()[(measure or self.measure).id]


def until(day):
    return format_day(WEEKS.day_at(START) + day)


def weeks_of(loop):
    return [number - FIRST for number, _ in loop.points]


def test_a_measure_ends_with_the_window_of_its_last_day():
    lane = Lane()
    measure = lane.ask(0, until=until(93))  # a Tuesday
    for number in range(12, 16):
        lane.week(number, 0, measure)

    assert weeks_of(lane.loop(120, measure)) == [12, 13]
    assert not lane.loop(14 * 7 + 2.9, measure).is_over
    assert lane.loop(14 * 7 + 3, measure).is_over


def test_a_measure_goes_on_while_a_matter_is_open():
    lane = Lane()
    measure = lane.ask(0, until=until(93))
    lane.week(13, 6, measure)
    for number in range(14, 18):
        lane.week(number, 0, measure)
    open_loop = lane.loop(108, measure)
    lane.mend(108, measure)
    closed = lane.loop(130, measure)

    assert not open_loop.is_over
    assert weeks_of(open_loop) == [13, 14]
    assert closed.is_over
    assert weeks_of(closed) == [13, 14, 15]


def test_a_new_target_continues_the_old_points_without_their_matters():
    lane = Lane()
    for number in range(10):
        lane.week(number, 5 if number == 3 else 1)
    softer = lane.ask(66, question="Missed again?", target=5)
    lane.retire(lane.measure)
    for number in range(10, 12):
        lane.week(number, 8, softer)

    services = lane.at(84 + 3)
    loop = services.follow()[softer.id]

    assert services.continued[softer.id].id == lane.measure.id
    assert weeks_of(loop) == list(range(12))
    assert loop.own_from == FIRST + 10
    (matter,) = loop.matters
    assert matter.window >= loop.own_from
    assert matter.change == "worse"  # the old points say what is usual


def test_a_new_target_goes_on_in_the_phase_that_an_action_began():
    lane = Lane()
    for number in range(8):
        lane.week(number, 5)
    lane.mend(60)
    for number in range(9, 14):
        lane.week(number, 0)
    old = lane.loop(14 * 7 + 3)
    softer = lane.ask(90, target=1)
    lane.retire(lane.measure)
    for number in (14, 15):
        lane.week(number, 1, softer)

    loop = lane.loop(16 * 7 + 3, softer)

    assert old.phase is not None
    assert (loop.phase, loop.pooled_from) == (old.phase, old.pooled_from)
    assert loop.matters == []  # the bad weeks before the action count against nobody


def test_a_matter_that_opens_again_begins_no_new_phase():
    phases = []
    for who_says_no in ([], RESIDENTS[:3]):
        lane = Lane()
        for number in range(8):
            lane.week(number, 5)
        action = lane.mend(60)
        for who in who_says_no:
            lane.story.says(who, "verdict", action, day=61, fixed="no")
        for number in range(9, 14):
            lane.week(number, 0)
        loop = lane.loop(14 * 7 + 3)
        assert any(signal.change == "better" for signal in loop.signals)
        phases.append(loop.phase)

    assert phases == [FIRST + 9, None]


def test_questions_that_are_asked_side_by_side_do_not_continue_each_other():
    lane = Lane()
    other = lane.ask(14, question="Was it noisy?")
    for number in range(12):
        lane.week(number, 1)
        lane.week(number, 0, other) if number > 2 else None
    side_by_side = lane.at(100).continued
    lane.retire(lane.measure)

    assert side_by_side == {}
    assert lane.at(100).continued == {}


def test_few_who_go_on_answering_a_retired_measure_hide_nothing_that_it_showed():
    for answering_softer, continued in ((4, False), (6, False), (7, True)):
        lane = Lane()
        for number in range(8):
            lane.week(number, 1)
        softer = lane.ask(50, question="Missed again?", target=5)
        lane.retire(lane.measure)
        for number in range(8, 14):
            lane.week(number, 0)  # three people, about the retired measure
            lane.week(number, answering_softer, softer)

        assert (softer.id in lane.at(100).continued) == continued


def test_measures_with_the_same_question_find_each_other_first():
    lane = Lane()
    noise = lane.ask(0, question="Was it noisy?")
    for number in range(3):
        lane.week(number, 1)
        lane.week(number, 0, noise)
    for measure in (lane.measure, noise):
        lane.retire(measure)
    again = lane.ask(22, question="were your BINS missed?")
    quieter = lane.ask(23, question="Was it loud?")

    continued = lane.at(30).continued

    assert continued[again.id].id == lane.measure.id
    assert continued[quieter.id].id == noise.id


def test_points_of_more_than_a_year_ago_are_not_continued():
    lane = Lane()
    lane.week(0, 1)
    lane.retire(lane.measure)
    soon, late = lane.ask(366), lane.ask(380)

    assert lane.at(390).continued.keys() == {soon.id}
    assert lane.at(390).continued[soon.id].id == lane.measure.id
    assert late.id not in lane.at(390).continued


def test_a_measure_accounts_for_what_it_cost_and_brought():
    lane = Lane()
    lane.week(0, 6)
    for number in range(1, 4):
        lane.week(number, 0)
    lane.mend(28.5)
    now = 28 + 3

    account = account_of(lane.loop(now), START + now * DAY_MS)

    assert account._asdict() == {
        "windows": 4,
        "asked": 40,  # ten residents and firms that hold no part
        "given": 15,
        "minutes": 15,
        "matters": 1,
        "confirmed": 1,
        "quiet": 0,
        "better": 0,
    }


def test_an_action_that_worsens_the_balance_says_so():
    lane = Lane()
    noise = lane.ask(0, question="Was it noisy?")
    for number in range(6):
        lane.week(number, 6)
        lane.week(number, 0, noise)
    lane.mend(43)
    for number in range(7, 11):
        lane.week(number, 0)
        lane.week(number, 5, noise)
    loops = lane.at(11 * 7 + 3).follow()
    loop = loops[lane.measure.id]

    outcome = outcome_of(loop, loop.matters[0])
    balance = balance_of(loop, loop.matters[0], loops[noise.id])
    other_way = balance_of(loop, loop.matters[0], loop)

    assert outcome.result == Result.BETTER
    assert balance.result == Result.WORSE
    assert (balance.before.bad, balance.after.bad) == (0, 20)
    assert other_way.result == Result.NO_WORSE
