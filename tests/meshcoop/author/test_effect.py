"""Software signs nothing that changes nothing, and no moment that makes no sense (specs/10, R-10.19
to R-10.21).

`test_next_steps.py` beside looks for further cases at random.
"""

from datetime import UTC, datetime, timedelta

import pytest

from meshcoop.author.next_steps import find_steps
from protocol.authority.charter_rules import CHARTER_RULES
from protocol.errors import AlreadySo, Refused
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS
from protocol.local_clock import LocalClock
from protocol.schema.fields import LIFETIME, Moment
from tests.support.council import by_software, propose, vote
from tests.support.street_in_memory import HOUR, settle, street

MOMENTS = {
    (declared.name, name): rule
    for declared in KINDS.values()
    for name, rule in {**declared.fields, **CHARTER_RULES}.items()
    if isinstance(rule, Moment)
}
NOW = datetime(2026, 11, 28, 10, 30, tzinfo=UTC)
CLOCK = LocalClock(int(NOW.timestamp() * 1000), UTC)


def posts(home, others, kind, about=None, /, **fields):
    record = home.post(kind, about, **fields)
    settle(home, *others)
    return record


def agreed(ada, ben, **intent):
    """Ada asks, Ben responds, and Ada agrees. Returns the three records."""
    request = posts(ada, [ben], "request", title="A lift", minutes="30", **intent)
    response = posts(ben, [ada], "response", request)
    return request, response, posts(ada, [ben], "agreement", response)


def is_so_already(home, kind, about, /, **fields):
    """Returns the record that made it so. Nothing is signed."""
    before = home.ids()
    with pytest.raises(AlreadySo) as already:
        home.post(kind, about, **fields)
    assert home.ids() == before
    return already.value.record


def is_refused(home, reason, kind, about=None, /, **fields):
    before = home.ids()
    with pytest.raises(Refused, match=reason) as refusal:
        home.post(kind, about, **fields)
    assert not isinstance(refusal.value, AlreadySo)
    assert home.ids() == before


def offered(home, record):
    """Returns the steps that the home offers in the thread of a record, as pairs (kind, about)."""
    steps = find_steps(home.author, home.author.signer_of(), record.id)
    return {(step.kind, step.about) for step in steps}


def awaited(home):
    """Returns the kinds of the records that somebody awaits from the person of a home."""
    return {waiting.awaited.kind for waiting in home.state.views.awaited_of(home.me.person)}


# -- what changes nothing -------------------------------------------------------------------------


def test_a_yes_is_not_followed_by_a_no():
    with street(homes=3) as homes:
        ada, ben, _ = homes
        by_software(*homes)
        proposal = posts(ada, homes, "proposal", title="A tree?")
        yes = ben.post("vote", proposal, choice="yes")
        is_refused(ben, "propose the opposite", "vote", proposal, choice="no")
        assert is_so_already(ben, "vote", proposal, choice="yes") == yes.id
        no = ada.post("vote", proposal, choice="no")
        assert is_so_already(ada, "vote", proposal, choice="no") == no.id


def test_nobody_votes_on_a_proposal_that_has_passed():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        by_software(*homes)
        proposal = propose(ada, None)
        settle(*homes)
        assert ("vote", proposal.id) in offered(cho, proposal)
        vote(proposal, [ada, ben], homes)
        is_refused(cho, "has passed", "vote", proposal, choice="no")
        assert is_so_already(cho, "vote", proposal, choice="yes") == proposal.id
        assert ("vote", proposal.id) not in offered(cho, proposal)


def test_what_two_agreed_is_neither_withdrawn_nor_declined():
    with street() as (ada, ben):
        request, response, agreement = agreed(ada, ben)
        is_refused(ben, "cancel the agreement instead", "close", response, as_state="withdrawn")
        is_refused(ada, "cancel the agreement instead", "close", response, as_state="declined")
        is_refused(ada, "cancel an agreement", "close", request, as_state="withdrawn")
        posts(ada, [ben], "close", agreement, as_state="cancelled")
        ada.post("close", request, as_state="withdrawn")
        assert ada.view(request).state == "withdrawn"


@pytest.mark.parametrize("places", [1, 2])
def test_no_more_people_agree_than_a_request_has_places(places):
    with street(homes=places + 2) as homes:
        ada, *others = homes
        request = posts(ada, homes, "request", title="Hands", places=str(places), minutes="9")
        responses = [posts(home, homes, "response", request) for home in others]
        agreements = [ada.post("agreement", response) for response in responses[:places]]
        is_refused(ada, "as many people as it wants", "agreement", responses[-1])
        assert ("agreement", responses[-1].id) not in offered(ada, request)
        assert "agreement" not in awaited(ada)
        ada.post("close", agreements[0], as_state="cancelled")
        ada.post("agreement", responses[-1])


def test_no_more_signups_are_accepted_than_a_role_has_places():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        lunch = posts(ada, homes, "activity", title="Lunch", starts="2026-11-26", roles=["cook=1"])
        first, second = (posts(home, homes, "signup", lunch) for home in (ben, cho))
        accept = ada.post("accept", first)
        is_refused(ada, "promised already", "accept", second)
        assert is_so_already(ada, "accept", first) == accept.id
        assert is_so_already(ben, "signup", lunch) == first.id


def test_of_two_receipts_for_one_time_the_second_is_not_confirmed():
    with street() as (ada, ben):
        _, _, agreement = agreed(ada, ben)
        first, second = ada.post("receipt", agreement), ben.post("receipt", agreement)
        settle(ada, ben)
        assert is_so_already(ada, "receipt", agreement) == first.id
        confirm = posts(ben, [ada], "confirm", first)
        is_refused(ada, "correct that one", "confirm", second)
        assert ("confirm", second.id) not in offered(ada, agreement)
        assert is_so_already(ben, "confirm", first) == confirm.id
        assert "confirm" not in awaited(ada)


def test_a_correction_before_the_one_that_counts_is_not_confirmed():
    with street() as (ada, ben):
        _, _, agreement = agreed(ada, ben)
        receipt = posts(ada, [ben], "receipt", agreement)
        posts(ben, [ada], "confirm", receipt)
        early = posts(ada, [ben], "correction", receipt, minutes="20")
        late = posts(ben, [ada], "correction", receipt, minutes="10")
        assert is_so_already(ada, "correction", receipt, minutes="20") == early.id
        posts(ada, [ben], "confirm", late)
        is_refused(ben, "a later correction counts", "confirm", early)
        assert is_so_already(ada, "correction", receipt, minutes="10") == receipt.id


def test_what_is_over_is_not_ended_twice():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        close = ada.post("close", offer, as_state="withdrawn")
        assert is_so_already(ada, "close", offer, as_state="withdrawn", why="again") == close.id
        circle = posts(ada, [ben], "circle", name="Choir", members=[ben.me.person.hex()])
        assert is_so_already(ada, "members", circle, joins=[ben.me.person.hex()])
        leave = ben.post("close", circle, as_state="withdrawn")
        assert is_so_already(ben, "close", circle, as_state="withdrawn") == leave.id
        assert ("close", circle.id) not in offered(ben, circle)
        pact = posts(ada, [ben], "pact", text="We water.", parties=[ben.me.person.hex()])
        accept = ben.post("accept", pact)
        assert is_so_already(ben, "accept", pact) == accept.id
        is_refused(ben, "end it instead", "close", pact, as_state="declined")


def test_words_are_flagged_taken_back_and_revised_once():
    with street() as (ada, ben):
        page = posts(ada, [ben], "page", title="The shed", text="The key hangs there.")
        flag = ben.post("flag", page, reason="unkind")
        assert is_so_already(ben, "flag", page, reason="very unkind") == flag.id
        assert is_so_already(ben, "revision", page, text="The key hangs there.") == page.id
        ada.post("retract", page)
        assert is_so_already(ada, "retract", page) == page.id
        assert ("retract", page.id) not in offered(ada, page)
        is_refused(ada, "nothing of it is shown", "flag", page, reason="gone")


def test_a_member_raises_one_alarm_a_week():
    with street() as (ada, ben):
        service = posts(ada, [ben], "service", title="The bins")
        ben.post("feedback", service, text="Glass on the street", urgent="yes")
        is_refused(ben, "this week", "feedback", service, text="More glass", urgent="yes")
        ben.post("feedback", service, text="More glass")


# -- moments --------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MOMENTS, ids=".".join)
def test_every_moment_has_a_span(name):
    rule = MOMENTS[name]
    assert 0 <= rule.days_back <= LIFETIME
    assert 0 <= rule.days_ahead <= LIFETIME
    for value in ("0001-01-01", "9999-12-31"):
        for moment in (value, f"{value}T00:00", f"{value}T23:59:59Z"):
            with pytest.raises(Refused, match=r"R-10\.21"):
                rule.check_span("moment", moment, CLOCK)
    for days in (-rule.days_back, rule.days_ahead):
        edge = NOW + timedelta(days)
        rule.check_span("day", edge.date().isoformat(), CLOCK)
        rule.check_span("minute", edge.isoformat()[:16], CLOCK)
        rule.check_span("minute", f"{edge.isoformat()[:16]}Z", CLOCK)
        beyond = edge + (timedelta(1) if days == rule.days_ahead else timedelta(-1))
        with pytest.raises(Refused, match=r"R-10\.21"):
            rule.check_span("day", beyond.date().isoformat(), CLOCK)


@pytest.mark.parametrize(
    ("kind", "fields", "reason"),
    [
        ("proposal", {"title": "?", "closes": "2026-11-01"}, "closes is 2026-11-01, .* is past"),
        ("proposal", {"title": "?", "closes": "2099-01-01"}, "too far ahead; name one up to 2028"),
        ("proposal", {"title": "?", "change": "charter review=9999-01-01"}, "too far ahead"),
        ("request", {"title": "?", "until": "2026-11-17"}, "is past"),
        ("offer", {"title": "?", "starts": "0001-01-01"}, "too long ago"),
        ("activity", {"title": "?", "starts": "9999-01-01T10:00"}, "R-1[07]"),
        ("proxy", {"matters": ["request"], "until": "2026-11-17"}, "is past"),
        ("pact", {"text": "?", "due": "2099-01-01"}, "too far ahead"),
    ],
)
def test_a_moment_that_makes_no_sense_is_refused_in_words(kind, fields, reason):
    with street() as (ada, ben):
        someone = {
            "proxy": {"person": ben.me.person.hex()},
            "pact": {"parties": [ben.me.person.hex()]},
        }
        is_refused(ada, reason, kind, **fields, **someone.get(kind, {}))


def test_a_receipt_is_written_once_the_time_was_given():
    with street() as (ada, ben):
        _, _, agreement = agreed(ada, ben, starts="2026-11-20T10:00")
        is_refused(ben, "still to come", "receipt", agreement)
        is_refused(ben, "still to come", "receipt", agreement, on="2026-11-19")
        assert ("receipt", agreement.id) not in offered(ben, agreement)
        ada.street.clock += 48 * HOUR
        assert ("receipt", agreement.id) in offered(ben, agreement)
        ben.post("receipt", agreement)


STATEMENTS = {
    "profile": lambda ben: {"name": "Ada", "assets": ["bicycles"]},
    "vouch": lambda ben: {"person": ben.me.person.hex(), "text": "She mends things."},
    "synonym": lambda ben: {"words": ["lorry", "truck"]},
    "proxy": lambda ben: {
        "person": ben.me.person.hex(), "matters": ["request"], "until": "2026-12-31"
    },
}  # fmt: skip


@pytest.mark.parametrize("kind", STATEMENTS)
def test_who_says_the_same_twice_has_said_so_already(kind):
    with street() as (ada, ben):
        fields = STATEMENTS[kind](ben)
        first = posts(ada, [ben], kind, **fields)

        assert is_so_already(ada, kind, None, **fields) == first.id
        assert posts(ben, [ada], "offer", title="Help") != posts(ben, [ada], "offer", title="Help")


@pytest.mark.parametrize("kind", ["vouch", "synonym", "proxy"])
def test_who_took_something_back_says_it_again(kind):
    with street() as (ada, ben):
        fields = STATEMENTS[kind](ben)
        word = "ended" if kind == "proxy" else "withdrawn"
        ada.post("close", ada.post(kind, **fields), as_state=word)

        assert ada.post(kind, **fields)


def test_a_person_goes_back_to_an_earlier_profile():
    with street() as (ada, _):
        first = ada.post("profile", name="Ada", area="North")
        ada.post("profile", name="Ada", area="South")

        assert ada.post("profile", name="Ada", area="North").id != first.id


def test_every_kind_of_statement_is_tried():
    named = {
        name
        for name, kind in KINDS.items()
        if kind.view_type.standing.__func__ is not Kind.standing.__func__
    }

    assert named == STATEMENTS.keys()
