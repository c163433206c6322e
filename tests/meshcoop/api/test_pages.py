"""Pages that several people write at the same time: no words are lost, and all homes show the same
page.
"""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import Refused
from tests.support.street_in_memory import Street, settle, street


def texts(home, page):
    return [one["text"] for one in home.view(page).heads]


def test_concurrent_revisions_stand_side_by_side_until_one_names_both():
    with street(homes=3) as (ada, ben, cho):
        page = ada.post("page", title="The shed", text="first")
        settle(ada, ben, cho)
        mine = ada.post("revision", page, text="ada's")
        theirs = ben.post("revision", page, text="ben's", title="Our shed")
        settle(ada, ben, cho)
        assert texts(cho, page) == ["ada's", "ben's"]
        view = cho.view(page)
        assert (view.state, view.title, view.text) == ("concurrent", "Our shed", "ben's")
        both = cho.post("revision", page, text="both")
        settle(ada, ben, cho)
        view = ada.view(page)
        assert (view.state, view.title, view.revisions) == ("current", "Our shed", 3)
        assert texts(ada, page) == ["both"]
        assert view.first == {"title": "The shed", "text": "first"}
        states = [ada.view(one).state for one in (mine, theirs, both)]
        assert states == ["replaced", "replaced", "current"]
        assert ada.view(both).after == [mine.id, theirs.id]


def test_a_revision_of_an_older_text_stands_beside_the_newest():
    with street() as (ada, ben):
        page = ada.post("page", title="The shed", text="first")
        second = ada.post("revision", page, text="second")
        settle(ada, ben)
        ben.post("revision", page, text="third", after=[page.id.hex()])
        settle(ada, ben)
        assert texts(ada, page) == ["second", "third"]
        ada.post("retract", second)
        settle(ada, ben)
        assert texts(ben, page) == ["third"]


def test_a_page_is_found_by_the_words_that_stand_and_by_its_title():
    with street() as (ada, ben):
        page = ada.post("page", title="The shed", text="a rusty lock")
        settle(ada, ben)
        ben.post("revision", page, text="a brass padlock")
        settle(ada, ben)
        for words in ("shed", "padlock", "brass pad"):
            assert page.id in ada.ids_found(words)
        assert ada.state.views.search("rusty") == []


@pytest.mark.parametrize("text", ["", "x" * 2001])
def test_a_page_has_words_and_not_too_many(text):
    with street() as (ada, _), pytest.raises(Refused, match=r"R-10\.3"):
        ada.post("page", title="The shed", text=text)


@settings(deadline=None, max_examples=10, derandomize=True)
@given(st.integers(0, 2**32))
def test_no_words_are_lost_in_any_order(seed):
    dice = random.Random(seed)
    with Street(seed) as here:
        first = here.found()
        homes = [first, *(here.neighbour(first) for _ in range(2))]
        settle(*homes)
        page = first.post("page", title="The shed", text="0")
        settle(*homes)
        revisions = []
        for n in range(25):
            home = dice.choice(homes)
            if dice.random() < 0.5:
                revisions.append(home.post("revision", page, text=str(n + 1)))
            else:
                dice.choice(homes).feed(home.wires())
        settle(*homes)
        views = [vars(home.view(page)) for home in homes]
        assert views[0] == views[1] == views[2]
        followed = {one for each in revisions for one in first.view(each).after}
        standing = [one.id for one in (page, *revisions) if one.id not in followed]
        assert {one["id"] for one in views[0]["heads"]} == set(standing)
        states = {one.id: first.view(one).state for one in revisions}
        current = {one for one, state in states.items() if state == "current"}
        assert current == set(standing) - {page.id}
        fresh = here.twin(first)
        mixed = first.wires() * 2
        for _ in range(3):
            dice.shuffle(mixed)
            fresh.feed(mixed)
        assert vars(fresh.view(page)) == views[0]
        assert fresh.state_hash() == first.state_hash()
