"""Ideas over the local API: who supports them, what they are about, and where they are listed."""

import pytest

from meshcoop.api.list_pages import take_page
from meshcoop.api.queries import Queries
from meshcoop.author.next_steps import find_steps
from protocol.errors import AlreadySo, Refused
from protocol.wire import calls
from tests.support.api_in_memory import Asking
from tests.support.street_in_memory import settle, street


def listed(home, what, **params):
    call = calls.List(what=what, **params)
    queries = Queries(Asking(home).membership, home.now, home.me.person, home.author.private)
    return take_page(call, queries.list_views(call))["rows"]


def offered(home, idea):
    steps = find_steps(home.author, home.author.signer_of(), idea.id)
    return {(step.kind, step.given.get("as_state")) for step in steps}


def test_an_idea_is_about_a_service_or_about_nothing():
    with street() as (ada, ben):
        service = ada.post("service", title="The bins")
        idea = ada.post("idea", title="Twice a week", about=service.id.hex())
        other = ada.post("idea", title="A bench")
        settle(ada, ben)

        assert [row["id"] for row in listed(ben, "ideas")] == [other.id.hex(), idea.id.hex()]
        about = listed(ben, "ideas", about=service.id.hex())
        assert [(row["id"], row["about"]) for row in about] == [(idea.id.hex(), service.id.hex())]
        assert {row["id"] for row in listed(ben, "board")} == {idea.id.hex(), other.id.hex()}


def test_a_neighbour_supports_an_idea_once_and_takes_it_back():
    with street() as (ada, ben):
        idea = ada.post("idea", title="A bench")
        settle(ada, ben)
        with pytest.raises(Refused, match="your own idea"):
            ada.post("support", idea)
        assert ("support", None) not in offered(ada, idea)
        assert ("support", None) in offered(ben, idea)

        support = ben.post("support", idea)
        with pytest.raises(AlreadySo) as already:
            ben.post("support", idea)
        assert already.value.record == support.id
        assert ("support", None) not in offered(ben, idea)
        settle(ada, ben)
        (row,) = listed(ada, "ideas")
        assert [person["id"] for person in row["supporters"]] == [ben.me.person.hex()]

        ben.post("close", support, as_state="withdrawn")
        settle(ada, ben)
        assert listed(ada, "ideas")[0]["supporters"] == []
        assert ("support", None) in offered(ben, idea)
