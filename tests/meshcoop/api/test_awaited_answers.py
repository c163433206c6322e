"""What waits for a person's answer, as the list `waiting` shows it (R-06.11)."""

import pytest
import trio

from meshcoop.api import awaited_answers
from meshcoop.api.list_pages import take_page
from meshcoop.api.presenter import Presenter
from meshcoop.api.queries import Queries
from protocol.wire import calls
from tests.support.api_in_memory import Asking
from tests.support.council import council, propose
from tests.support.street_in_memory import HOUR, settle, street


def waiting(home, **params):
    queries = Queries(Asking(home).membership, home.now, home.me.person, home.author.private)
    call = calls.List(what="waiting", **params)
    return take_page(call, queries.list_views(call))["rows"]


def steps(home, **params):
    """Returns each row of the list `waiting` as (id of the waiting record, kind of the answer)."""
    return [(row["id"], row["step"]["kind"]) for row in waiting(home, **params)]


@pytest.fixture
def lane():
    """Makes the homes of Ada, Ben and Cho."""
    with street(homes=3) as homes:
        yield homes


def test_list_of_waiting_follows_an_exchange_from_answer_to_answer(lane):
    ada, ben, cho = lane
    request = ada.post("request", title="A lift", minutes="90")
    settle(*lane)
    response = ben.post("response", request)
    settle(*lane)

    (row,) = waiting(ada)
    assert row["author"]["id"] == ben.me.person.hex()
    assert row["minutes"] == 90, "it has the values of its view"
    assert (
        row.items()
        >= {
            "id": response.id.hex(),
            "kind": "response",
            "state": "waiting",
            "title": "A lift",
            "because": "awaited",
            "thread": request.id.hex(),
            "thread_title": "A lift",
        }.items()
    )
    assert row["step"] == {"kind": "agreement", "about": response.id.hex()}
    assert waiting(ben) == waiting(cho) == []

    agreement = ada.post("agreement", response)
    settle(*lane)
    assert steps(ada) == steps(ben) == [(agreement.id.hex(), "receipt")]
    receipt = ben.post("receipt", agreement)
    settle(*lane)
    assert steps(ada) == [(receipt.id.hex(), "confirm")]
    assert steps(ben) == []


def test_nothing_waits_after_its_last_moment(lane):
    ada, ben, _ = lane
    offer = ada.post("offer", title="Bread", minutes="30", until="2026-11-18")
    settle(*lane)
    ben.post("response", offer)
    settle(*lane)
    assert len(waiting(ada)) == 1

    ada.street.clock += 48 * HOUR

    assert waiting(ada) == []


def test_a_response_of_a_muted_person_still_waits(lane):
    ada, ben, _ = lane
    offer = ada.post("offer", title="Bread", minutes="30")
    settle(*lane)
    ben.post("response", offer)
    settle(*lane)
    node = Asking(ada)
    node.membership.muted.set_muted(ben.me.person, muted=True)

    assert len(waiting(ada)) == 1
    assert waiting(ada, muted=True) == []


def test_a_proposal_waits_for_those_who_have_not_voted(lane):
    ada, ben, cho = lane
    homes = (ada, ben, cho)
    question = propose(ada, "charter answer_days=6")
    settle(*homes)
    assert all((question.id.hex(), "vote") in steps(home) for home in homes)

    ben.post("vote", question, choice="no")
    settle(*homes)

    assert (question.id.hex(), "vote") not in steps(ben)
    assert (question.id.hex(), "vote") in steps(cho)


def test_moderators_are_asked_until_they_have_said_the_same():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        offer = dan.post("offer", title="Something unkind")
        settle(*homes)
        flag = cho.post("flag", offer, reason="unkind")
        settle(*homes)
        hidden = (flag.id.hex(), "hide")
        assert steps(ada) == steps(ben) == [hidden]
        assert steps(cho) == steps(dan) == []

        hide = ada.post("hide", offer)
        settle(*homes)

        assert steps(ada) == []
        assert sorted(steps(ben)) == sorted([hidden, (hide.id.hex(), "hide")])
        assert steps(cho) == [(hide.id.hex(), "hide")]


def test_moderators_join_a_removal_but_not_the_person_to_be_removed():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, _ = homes
        removal = ada.post("remove", person=cho.me.person.hex())
        settle(*homes)

        assert steps(ben) == [(removal.id.hex(), "remove")]
        assert steps(ada) == steps(cho) == []


def test_a_pact_waits_for_the_parties_who_have_not_accepted(lane):
    ada, ben, cho = lane
    pact = ada.post("pact", parties=[ben.me.person.hex()], text="Keep it between us")
    settle(*lane)

    assert steps(ben) == [(pact.id.hex(), "accept")]
    assert waiting(ben)[0]["thread"] == pact.id.hex()
    assert steps(ada) == steps(cho) == []


def test_show_adds_all_views_of_the_thread_when_it_is_to_be_whole(lane):
    ada, ben, _ = lane
    request = ada.post("request", title="A lift", minutes="90")
    settle(*lane)
    response = ben.post("response", request)
    settle(*lane)
    queries = Queries(Asking(ada).membership, ada.now, ada.me.person, ada.author.private)

    whole = trio.run(queries.show_record, calls.Show(id=response.id.hex(), whole=True))

    assert "views" not in trio.run(queries.show_record, calls.Show(id=response.id.hex()))
    assert [view["id"] for view in whole["views"]] == [request.id.hex(), response.id.hex()]
    assert whole["views"][0]["responses"][0]["id"] == response.id.hex()


def test_a_page_of_waiting_rows_shows_no_more_than_its_own(lane, monkeypatch):
    ada, ben, _ = lane
    request = ada.post("request", title="A lift")
    settle(*lane)
    responses = [ben.post("response", request, minutes=str(15 * n)) for n in range(1, 4)]
    settle(*lane)
    shown = []
    show_view = Presenter.show_view
    monkeypatch.setattr(
        Presenter, "show_view", lambda self, view: shown.append(view.id) or show_view(self, view)
    )
    monkeypatch.setattr(awaited_answers, "MOST_WAITING", 2)
    queries = Queries(Asking(ada).membership, ada.now, ada.me.person, ada.author.private)

    pages = []
    after = None
    for _ in range(2):
        call = calls.List(what="waiting", limit=500, after=after)
        pages.append(take_page(call, queries.list_views(call)))
        after = pages[-1]["next"]

    assert [len(page["rows"]) for page in pages] == [2, 1]
    assert {page["total"] for page in pages} == {3}
    assert shown == [response.id for response in reversed(responses)]
