"""Moves with which liars try to bend when something was seen, and what is asked, one test a move.

Each docstring says the move, the rule that answers it, what remains, and what people see. The
streets are those of `tests/support/lying_street.py`: real stores, sixteen people, five liars.
"""

import hashlib
import random
from types import SimpleNamespace

import pytest

from meshcoop.author.witness_list import _draw
from protocol.authority.terms import MOST_WITNESSES
from protocol.kinds.services.measures import Measure
from protocol.loops.counted_answers import count_windows
from protocol.loops.matters import matter_id
from protocol.loops.windows import format_day
from protocol.schema.register_names import MEASURE
from tests.protocol.loops.test_matters import PEOPLE, VISITS, asked
from tests.protocol.loops.test_matters import Street as Answers
from tests.support.lying_street import DAY, PARTIES, LyingStreet
from tests.support.service_chain import COUNCIL, RESIDENTS, bins
from tests.support.street_in_memory import HOUR, Street


@pytest.fixture
def street():
    with Street(3) as here:
        yield LyingStreet(here, 3, PARTIES, 0)


def critics(street):
    return [person for person in street.honest if person is not street.observer][:5]


def complain(street):
    """Five people report on one day. Their homes name what they hold."""
    street.clock += DAY
    reports = [
        street.say(person, "feedback", street.measure, value=1) for person in critics(street)
    ]
    look_all(street)
    return reports


def look_all(street):
    for person in street.honest:
        street.look(person)


def follow(street):
    """Returns the service of a home that holds everything, and the loop of its measure."""
    street.here.clock = street.clock
    home = street.new_home()
    home.feed([release.record.wire for release in street.released])
    followed = home.author.loops.loops_for(street.measure.id, home.now())
    return followed, followed.loops[street.measure.id]


def test_parties_backdate_an_action_a_done_and_reports(street):
    """Move: once the deadline is missed, sign with a device whose clock is weeks behind.
    Rule: R-24.6, a record stands where half of the witnesses saw it. Remains: the settle time
    (A-24.2). Seen: the matter has climbed; the report is late.
    """
    complain(street)
    then = street.clock + HOUR
    street.clock += 20 * DAY
    action = street.say(
        street.contractor, "action", street.measure, claims=then, owner=street.contractor.key,
        what="A lorry", due="2027-01-01",
    )  # fmt: skip
    done = street.say(street.contractor, "done", action, claims=then)
    praise = street.say(street.liars[-1], "feedback", street.measure, claims=then, value=0)
    look_all(street)
    street.clock += HOUR

    followed, loop = follow(street)

    for record in (action, done, praise):
        assert followed.times[record.id].stands_at(street.clock) == street.clock - HOUR
    (matter,) = loop.matters
    assert followed.holder_of(loop, matter, street.clock).level < 1
    assert [late.id for window in loop.windows.values() for late in window.late] == [praise.id]


def test_people_answer_the_past(street):
    """Move: answer for a week that has settled, with the day of it in `on`.
    Rule: R-24.8, what stands after a window has settled changes nothing. Remains: nothing.
    Seen: the answer, as late.
    """
    complain(street)
    _, loop = follow(street)
    day = loop.context.calendar.day_at(street.clock)
    street.clock += 30 * DAY
    before = follow(street)[1].points
    answers = [
        street.say(liar, "feedback", street.measure, value=0, on=format_day(day))
        for liar in street.liars[2:]
    ]
    look_all(street)
    street.clock += 5 * DAY
    _, loop = follow(street)
    assert loop.points == before
    late = {report.id for window in loop.windows.values() for report in window.late}
    assert late == {answer.id for answer in answers}


@pytest.mark.parametrize("how", ["refuse", "tip", "lie early"])
def test_witnesses_collude(street, how):
    """Move: liars on the list name nothing, or tip what a few honest homes named, or claim to have
    seen something long ago. Rule: R-24.3, it takes half. Remains: a list that liars hold (A-24.1).
    Seen: what is late, and since when a record stands.
    """
    reports = complain(street)
    followed, _ = follow(street)
    if how == "refuse":
        for report in reports:
            assert followed.times[report.id].stands_at(street.clock + 9 * DAY) == report.header.time
        return
    then = street.clock
    street.clock += 20 * DAY
    lie = street.say(street.liars[-1], "feedback", street.measure, claims=then, value=0)
    for liar in street.liars:
        street.name(liar, [lie.id], claims=then)
    if how == "tip":
        street.look(street.honest[0])
    else:
        look_all(street)
    followed, _ = follow(street)
    seen = followed.times[lie.id].seen
    assert seen == (None if how == "tip" else street.clock)


def test_liars_grind_a_key_for_the_list():
    """Move: try out keys until one of them is drawn onto the list of witnesses.
    Rule: R-24.1b, each term draws anew, by the id of the term before. Remains: who proposes a term
    tries out its ids (A-24.5). Seen: the list, and who is on it.
    """
    dice = random.Random(3)
    honest = [dice.randbytes(32) for _ in range(59)]

    def is_drawn(term, person):
        authority = SimpleNamespace(term=SimpleNamespace(id=term))
        return person in _draw(authority, [*honest, person])

    ground = min(
        (dice.randbytes(32) for _ in range(2000)),
        key=lambda key: hashlib.sha256(b"meshcoop witness 1" + bytes(32) + key).digest(),
    )
    assert is_drawn(bytes(32), ground)
    times = sum(is_drawn(dice.randbytes(32), ground) for _ in range(300))
    assert abs(times / 300 - MOST_WITNESSES / 60) < 0.08


def test_liars_invent_a_matter(street):
    """Move: name the id of a matter that no answer has opened. Rule: R-23.2d, half have to name it.
    Remains: a list that liars hold (A-24.1). Seen: nothing.
    """
    street.clock += DAY
    _, loop = follow(street)
    window = loop.context.calendar.window_at(street.clock)
    for liar in street.liars:
        street.name(liar, [matter_id(street.measure.id, window)])
    assert follow(street)[1].matters == []


def test_a_withheld_vote_moves_nothing_of_before(street):
    """Move: keep back the vote that retires a measure, and date it back when it suits.
    Rule: R-03.9c and R-22.3, a vote counts from when it is here, whatever it claims. Remains: the
    moment of the release is theirs. Seen: who voted; the measure is retired from then on.
    """
    change = [MEASURE, street.measure.id, 2, None]
    proposal = street.say(street.council, "proposal", change=change)
    liars = street.liars[:-1]
    for person in [*liars, *street.honest[: 8 - len(liars)]]:
        street.say(person, "vote", proposal, choice="yes")
    complain(street)
    _, loop = follow(street)
    assert len(loop.matters) == 1
    then = street.clock - DAY
    street.clock += 20 * DAY
    assert len(follow(street)[1].matters) == 1
    street.say(street.liars[-1], "vote", proposal, claims=then, choice="yes")
    street.here.clock = street.clock
    home = street.new_home()
    home.feed([release.record.wire for release in street.released])
    assert home.view(street.measure).state == Measure.State.RETIRED


# -- what is asked, and who is asked ----------------------------------------------------------------


def test_provider_splits_the_service():
    """Move: open a second service for the part that goes wrong, so that no measure is about it.
    Rule: R-21.1c, the first goes on with its measures; R-21.9, software asks the roll whether they
    hold there too. Remains: a roll that does not care. Seen: the question, on Today.
    """
    story, service, _, _, measure = bins()
    story.says(COUNCIL, "service", title="The south side's bins", provider="The council")
    for who in RESIDENTS[:6]:
        story.says(who, "feedback", measure, day=2, value=1)
    (matter,) = story.loop(measure, 4).matters
    assert (story.view(service).state, matter.closed) == ("open", None)


def test_author_retires_a_measure_silently():
    """Move: who posted a measure ends it alone. Rule: R-22.3, only a decision retires it.
    Remains: a majority of the roll. Seen: the refusal; the proposal, before people vote.
    """
    story, *_, measure = bins()
    words = [
        story.says(RESIDENTS[0], "close", measure, day=3, as_state=word)
        for word in ("withdrawn", "ended", "cancelled")
    ]
    words.append(story.says(RESIDENTS[0], "retract", measure, day=4))
    assert all(story.told(word) for word in words)
    assert story.view(measure).state == "in use"


def test_a_critic_is_made_a_party():
    """Move: hand a critic a part of the service, so that their reports count no more.
    Rule: R-24.12, who accepts is a party from then on, never before. Remains: who accepts it.
    Seen: the earlier reports, and the later ones apart.
    """
    story, service, *_, measure = bins()
    story.says(RESIDENTS[0], "feedback", measure, day=2, value=1)
    link = story.says(COUNCIL, "link", service, day=3, to=RESIDENTS[0], title="Your street")
    story.says(RESIDENTS[0], "feedback", measure, day=3.5, value=1)
    story.says(RESIDENTS[0], "accept", link, day=4)
    story.says(RESIDENTS[0], "feedback", measure, day=5, value=1)
    (window,) = story.loop(measure, 30).windows.values()
    assert (len(window.incidents), len(window.by_parties)) == (2, 1)


def test_guests_and_proxies_flood_that_all_is_fine():
    """Move: sign "all is fine" for ten people who have no machine. Rule: R-22.5c, two of one signer
    count in a window. Remains: two by each signer. Seen: "2 by proxy".
    """
    street = Answers(VISITS)
    for who in range(2, 12):
        street.report(who, 2 + who / 100, 5, by=PEOPLE[0])
    street.report(1, 3, 1)
    (window,) = count_windows(asked(VISITS), street.said.feedback, ()).values()
    assert (len(window.answers), window.by_proxy) == (3, 2)
