"""What waits for somebody who has left says so, is not suggested and cannot be answered. But it can
be closed or passed on (R-14.8).
"""

from datetime import date

import pytest

from meshcoop.api.calendar import Diary
from meshcoop.api.list_pages import take_page
from meshcoop.api.presenter import Presenter
from meshcoop.api.queries import Queries
from meshcoop.author.next_steps import find_steps
from meshcoop.cli.plain_text import format_list
from meshcoop.fold.thread_fold import ThreadFold
from protocol.errors import Refused
from protocol.fold.kind import LEFT, Kind
from protocol.fold.registry import KINDS
from protocol.wire import calls
from tests.meshcoop.author.test_next_steps import Walk
from tests.support.api_in_memory import Asking, named
from tests.support.clocks import clock_at
from tests.support.council import council, members
from tests.support.paths import ROOT
from tests.support.street_in_memory import HOUR, Street, settle, street
from tui.kinds.face import face_of
from tui.kinds.thread_data import Reader
from tui.node.shown import Shown

# Kinds whose views need nobody in particular, and why.
NEED_NOBODY = {
    "answer": "it says what was",
    "attendance": "it says what was",
    "charter": "all members keep it",
    "circle": "it goes on with those who are members",
    "comment": "it says what was",
    "done": "it says what was",
    "feedback": "it says what was",
    "flag": "any moderator looks at it",
    "hide": "any moderator joins it",
    "home": "it only names a node",
    "idea": "it holds without its author",
    "measure": "everybody answers it",
    "message": "it says what was",
    "page": "everybody edits it",
    "profile": "it says what was",
    "proposal": "everybody votes on it",
    "remove": "any moderator joins it",
    "renewal": "everybody votes on it",
    "revision": "everybody edits it",
    "same_as": "it says what was",
    "support": "it holds without its author",
    "synonym": "it holds without its author",
    "thanks": "it says what was",
    "trial": "everybody answers it",
    "verdict": "it says what was",
    "vouch": "it holds without its author",
}

EVERYWHERE = {declared.name for declared in KINDS.values() if "*" in declared.about}


@pytest.fixture
def lane():
    """Makes the homes of Ada, Ben and Cho, who moderate, and of Dan, whom they can remove."""
    with street(homes=4) as homes:
        council(*homes)
        yield homes


def remove(person, homes):
    """Lets the first two homes remove a person."""
    for home in homes[:2]:
        home.post("remove", person=person.hex())
    settle(*homes)
    assert person not in members(homes[0])


def queries(home):
    return Queries(Asking(home).membership, home.now, home.me.person, home.author.private)


def listed(home, what, **params):
    call = calls.List(what=what, **params)
    return take_page(call, queries(home).list_views(call))["rows"]


def diary(home):
    state = home.state
    return list(Diary(state, Presenter(state, home.now), home.me.person).entries())


def ends(home):
    """Returns what the list `waiting` lets a person end, as (id, word), because somebody left. The
    screen and the command line say so.
    """
    rows = [row for row in listed(home, "waiting") if row["because"] == LEFT]
    reader = Reader(home.me.person.hex(), date(2026, 11, 23))
    for row in rows:
        card = face_of(row["kind"]).todo_card(Shown(row), reader)
        assert "(left)" in card.title
        assert "(left)  needs your close" in format_list([row], clock_at("2026-11-23T09:00"))
    return [(row["id"], row["step"]["given"]["as_state"]) for row in rows]


def steps(home, record):
    """Returns the steps about one record as (kind, word of a close)."""
    found = find_steps(home.author, home.author.signer_of(home.me.person), record.id)
    return {
        (step.kind, step.given.get("as_state"))
        for step in found
        if step.about == record.id and step.kind not in EVERYWHERE
    }


def refused(home, kind, about, **fields):
    with pytest.raises(Refused) as caught:
        home.post(kind, about, **fields)
    return caught.value.rule


@pytest.mark.parametrize("kind", ["offer", "request"])
def test_an_offer_of_somebody_who_left_is_shown_as_left_and_cannot_be_answered(lane, kind):
    ada, ben, _cho, dan = lane
    mine = named(ben, "Ben", assets=["gardening"], wants=["gardening"])
    post = dan.post(kind, title="Gardening")
    settle(*lane)
    assert len(mine.suggestions()) == 1

    remove(dan.me.person, lane)

    (row,) = listed(ada, "board")
    assert row["state"] == LEFT
    assert row["left"] == [row["author"]]
    assert row["author"]["left"] is True
    assert listed(ada, f"{kind}s", state="open") == []
    assert len(listed(ada, f"{kind}s", state=LEFT)) == 1
    assert mine.suggestions() == []
    assert steps(ben, post) == set()
    assert refused(ben, "response", post) == "R-14.8"


def test_a_response_of_somebody_who_left_can_only_be_declined(lane):
    ada, _, _, dan = lane
    request = ada.post("request", title="A lift", minutes="60")
    settle(*lane)
    response = dan.post("response", request)
    settle(*lane)
    assert len(listed(ada, "waiting")) == 1

    remove(dan.me.person, lane)

    assert ends(ada) == [(response.id.hex(), "declined")]
    assert len(listed(ada, "waiting")) == 1
    assert steps(ada, response) == {("close", "declined")}
    assert refused(ada, "agreement", response) == "R-14.8"
    assert listed(ada, "requests")[0]["responses"][0]["state"] == LEFT


def test_a_thread_is_folded_once_however_much_of_somebody_who_left_waits_in_it(lane, monkeypatch):
    ada, *_, dan = lane
    request = ada.post("request", title="A lift")
    settle(*lane)
    responses = [dan.post("response", request, minutes=str(15 * n)) for n in range(1, 5)]
    settle(*lane)
    remove(dan.me.person, lane)
    folded = []
    fold_thread = ThreadFold.fold_thread
    monkeypatch.setattr(
        ThreadFold,
        "fold_thread",
        lambda self, root: folded.append(root) or fold_thread(self, root),
    )

    assert {record for record, _ in ends(ada)} == {response.id.hex() for response in responses}
    assert len(folded) == 1


def test_a_response_to_somebody_who_left_can_only_be_withdrawn(lane):
    ada, _, _, dan = lane
    offer = dan.post("offer", title="Bread", minutes="60")
    settle(*lane)
    response = ada.post("response", offer)
    settle(*lane)

    remove(dan.me.person, lane)

    assert steps(ada, response) == {("close", "withdrawn")}
    assert ends(ada) == [(response.id.hex(), "withdrawn")]


def test_an_agreement_with_somebody_who_left_can_only_be_cancelled(lane):
    ada, _, _, dan = lane
    request = ada.post("request", title="A lift", minutes="60")
    settle(*lane)
    response = dan.post("response", request)
    settle(*lane)
    agreement = ada.post("agreement", response)
    settle(*lane)

    remove(dan.me.person, lane)

    (row,) = listed(ada, "agreements")
    assert (row["state"], [who["id"] for who in row["left"]]) == (LEFT, [dan.me.person.hex()])
    assert ends(ada) == [(agreement.id.hex(), "cancelled")]
    assert len(listed(ada, "waiting")) == 1
    assert steps(ada, agreement) == {("close", "cancelled")}
    assert refused(ada, "receipt", agreement) == "R-14.8"
    ada.post("close", agreement, as_state="cancelled")
    assert listed(ada, "waiting") == []
    assert [row["state"] for row in listed(ada, "agreements")] == ["cancelled"]
    assert [row["state"] for row in listed(ada, "requests")] == ["open"]


def test_a_receipt_that_nobody_can_confirm_any_more_is_withdrawn(lane):
    ada, _, _, dan = lane
    request = ada.post("request", title="A lift", minutes="60")
    settle(*lane)
    response = dan.post("response", request)
    settle(*lane)
    agreement = ada.post("agreement", response)
    receipt = ada.post("receipt", agreement)
    settle(*lane)

    remove(dan.me.person, lane)

    assert steps(ada, receipt) == {("close", "withdrawn")}
    assert ends(ada) == [(receipt.id.hex(), "withdrawn")]
    ada.post("close", receipt, as_state="withdrawn")
    assert [row["state"] for row in listed(ada, "receipts")] == ["withdrawn"]
    assert ends(ada) == [(agreement.id.hex(), "cancelled")]


def test_a_receipt_of_somebody_who_left_can_still_be_confirmed(lane):
    ada, _, _, dan = lane
    request = ada.post("request", title="A lift", minutes="60")
    settle(*lane)
    response = dan.post("response", request)
    settle(*lane)
    agreement = ada.post("agreement", response)
    settle(*lane)
    receipt = dan.post("receipt", agreement)
    settle(*lane)

    remove(dan.me.person, lane)

    assert [row["id"] for row in listed(ada, "waiting")] == [receipt.id.hex()]
    ada.post("confirm", receipt)
    assert ada.balances()[ada.me.person] == -60


def test_an_activity_of_somebody_who_left_takes_no_signups(lane):
    ada, ben, _, dan = lane
    lunch = dan.post("activity", title="Lunch", starts="2026-12-24T12:30")
    settle(*lane)
    signup = ben.post("signup", lunch)
    settle(*lane)

    remove(dan.me.person, lane)

    (row,) = listed(ada, "activities")
    assert (row["state"], row["author"]["left"]) == (LEFT, True)
    assert steps(ada, lunch) == set()
    assert refused(ada, "signup", lunch) == "R-14.8"
    assert steps(ben, signup) == {("close", "withdrawn")}
    assert ends(ben) == [(signup.id.hex(), "withdrawn")]
    assert [entry["state"] for entry in diary(ben)] == ["tentative"]


def test_the_place_of_somebody_who_left_goes_to_the_next(lane):
    ada, ben, _, dan = lane
    lunch = ada.post("activity", title="Lunch", starts="2026-12-24T12:30", roles=["cook=1"])
    settle(*lane)
    dan.post("signup", lunch)
    settle(*lane)
    lane[0].street.clock += HOUR
    mine = ben.post("signup", lunch)
    settle(*lane)
    assert ben.view(mine).state == "waiting"

    remove(dan.me.person, lane)

    assert ben.view(mine).state == "placed"


def test_a_service_whose_people_left_can_be_ended_by_any_member(lane):
    ada, _, _, dan = lane
    service = dan.post("service", title="The bins")
    settle(*lane)
    assert ("close", "ended") not in steps(ada, service)

    remove(dan.me.person, lane)

    (row,) = listed(ada, "services")
    assert (row["state"], row["holder"]["left"]) == (LEFT, True)
    assert ("close", "ended") in steps(ada, service)
    ada.post("close", service, as_state="ended")
    assert [row["state"] for row in listed(ada, "services")] == ["ended"]


def test_a_link_to_somebody_who_left_is_passed_on(lane):
    ada, ben, _, dan = lane
    service = ada.post("service", title="The bins")
    link = ada.post("link", service, to=dan.me.person.hex(), title="The south side")
    settle(*lane)
    dan.post("accept", link)
    settle(*lane)

    remove(dan.me.person, lane)

    assert steps(ada, link) >= {("close", "ended")}
    assert {record for record, _ in ends(ada)} == {service.id.hex(), link.id.hex()}
    replacement = ada.post(
        "link", service, to=ben.me.person.hex(), title="The south side", instead=link.id.hex()
    )
    settle(*lane)
    ben.post("accept", replacement)
    assert {row["state"] for row in listed(ben, "links")} == {"accepted", "ended"}


# -- every kind -----------------------------------------------------------------------------------


def test_every_kind_says_whom_its_views_need():
    silent = {
        declared.name
        for declared in KINDS.values()
        if declared.states and declared.view_type.relies_on is Kind.relies_on
    }

    assert silent == NEED_NOBODY.keys()


def test_the_specs_list_every_kind_that_needs_somebody():
    spec = (ROOT / "specs" / "14-conversation.md").read_text(encoding="utf-8")
    table = spec.partition("**R-14.8**")[2].partition("**R-14.8a**")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| ")]
    listed_kinds = {name for row in rows[1:] for name in row.strip().split(", ")}
    with_states = {declared.name for declared in KINDS.values() if declared.states}

    assert listed_kinds == with_states - NEED_NOBODY.keys()


@pytest.mark.parametrize("seed", range(4))
def test_whatever_needs_somebody_who_left_can_be_ended_and_not_answered(seed):
    with Street(seed) as here:
        walk = Walk(here, seed)
        walk.play(60)
        gone, *rest = walk.people[::-1]
        change = walk.post(
            rest[0], "proposal", {"title": "!", "change": f"remove {gone.hex()}"}, None
        )
        for person in rest:
            walk.post(person, "vote", {"choice": "yes"}, change)
        assert gone in walk.home.state.authority.left

        for root in walk.roots:
            check_thread(walk, root, gone, rest)


def check_thread(walk, root, gone, rest):
    thread = walk.thread(root)
    offered = [
        step for person in rest for step in find_steps(walk.author, walk.signer(person), root)
    ]
    for view in thread.views.values():
        if not isinstance(view, Kind):
            continue
        awaited = list(view.awaits(thread))
        relies = set(view.relies_on(thread.find))
        assert gone not in {answer.who for answer in awaited} - relies, f"{view.kind} says nothing"
        if gone not in relies:
            continue
        answers = {step.kind for step in offered if step.about == view.id}
        assert not answers & {answer.kind for answer in awaited}, f"{view.kind} can be answered"
        has_others = view.author != gone or bool({answer.who for answer in awaited} - {gone})
        if has_others and not is_begun(view, walk):
            assert answers - EVERYWHERE, f"{view.kind} has no way out"


def is_begun(view, walk):
    """Returns True for a signup whose day has come: it can be withdrawn no more (R-17.7)."""
    return view.kind == "signup" and view.on <= walk.author.state.clock_at(walk.author.now()).today
