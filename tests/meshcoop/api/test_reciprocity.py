"""How much the neighbourhood gives and receives in each quarter, and who can introduce two
people.
"""

import re

import pytest

from meshcoop.api.presenter import Presenter
from meshcoop.cli.plain_text import format_remarks
from meshcoop.errors import Mistake
from meshcoop.matching.index import MatchingIndex
from tests.support.api_in_memory import Asking, named
from tests.support.street_in_memory import HOUR, exchange, settle, street

DAY = 24 * HOUR
SOME = ("both", "only_gave", "only_received", "neither")


def counts(one):
    return tuple(one[name] for name in SOME)


def names(people):
    return [one["name"] for one in people]


def test_a_quarter_tells_how_many_gave_and_received_and_whom_to_ask():
    with street(homes=5) as homes:
        zoe, ben, cho, amy, _ = homes
        for name, home in zip(("Zoe", "Ben", "Cho", "amy", "Eve"), homes, strict=True):
            named(home, name)
        exchange(zoe, ben)
        exchange(ben, cho)
        exchange(amy, cho, need=10)
        settle(*homes)
        (one,) = Asking(cho)("reciprocity")
        assert (one["quarter"], one["state"]) == ("2026-Q4", "running")
        assert counts(one) == (1, 2, 1, 1)
        assert names(one["ask_them"]) == ["amy", "Zoe"]  # sorted by name, though Zoe gave much more


def test_quarters_are_listed_without_reading_the_words_of_posts(monkeypatch):
    def read_words(*_):
        raise AssertionError("nobody asked for suggestions")

    with street() as homes:
        ada, ben = homes
        exchange(ada, ben)
        settle(*homes)
        monkeypatch.setattr(MatchingIndex, "_read_words", read_words)

        (quarter,) = Asking(ben)("reciprocity")

        assert counts(quarter) == (0, 1, 1, 0)


def test_quarters_stand_by_themselves_and_only_receipts_that_count_do():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        exchange(ada, ben)
        ada.street.clock += 60 * DAY  # in the next year
        offer = cho.post("offer", title="Bread", minutes="30")
        settle(*homes)
        response = ben.post("response", offer)
        settle(*homes)
        agreement = cho.post("agreement", response)
        settle(*homes)
        ben.post("receipt", agreement)
        settle(*homes)
        mine = Asking(ada)
        now, before = mine("reciprocity")
        assert (now["quarter"], before["quarter"]) == ("2027-Q1", "2026-Q4")
        assert (counts(now), counts(before)) == ((0, 0, 0, 3), (0, 1, 1, 1))
        assert [one["state"] for one in mine("reciprocity", state="past")] == ["past"]
        with pytest.raises(Mistake, match="reciprocity are running, past"):
            mine("reciprocity", state="open")


def test_an_introduction_is_a_shortest_way_through_people_who_know_each_other():
    with street(homes=4) as homes:
        ada, sam, noor, far = homes
        for name, home in zip(("Ada", "Sam", "Noor", "Far"), homes, strict=True):
            named(home, name)
        mine = Asking(sam)
        # Ada has admitted all the other people.
        settle(*homes)
        found = mine("introductions", person="Noor")
        (way,) = found["ways"]
        assert (found["steps"], way["first"]["name"]) == (2, "Ada")
        assert format_remarks(way["says"]) == "Ada let you in; Ada let Noor in."
        exchange(sam, far)
        far.post("vouch", person=noor.me.person.hex(), text="She is always on time")
        settle(*homes)
        ways = mine("introductions", person="Noor")["ways"]
        assert sorted(names(one["first"] for one in ways)) == ["Ada", "Far"]
        (by_far,) = (one for one in ways if one["first"]["name"] == "Far")
        assert re.fullmatch(
            r"You and Far exchanged on \d+ November; Far vouched for Noor\.",
            format_remarks(by_far["says"]),
        )
        assert [one["reason"] for one in by_far["why"]] == ["exchanged", "vouched"]
        vouch = noor.post("vouch", person=sam.me.person.hex())
        settle(*homes)
        found = mine("introductions", person="Noor")
        assert found["steps"] == 1
        assert format_remarks(found["ways"][0]["says"]) == "Noor vouched for you."
        noor.post("close", vouch, as_state="withdrawn")
        settle(*homes)
        mine.membership.muted.set_muted(ada.me.person, muted=True)
        assert names(one["first"] for one in mine("introductions", person="Noor")["ways"]) == [
            "Far"
        ]


def test_at_most_three_ways_and_none_to_oneself():
    with street(homes=7) as homes:
        _, start, end, *between = homes
        for number, home in enumerate(homes):
            named(home, f"Number {number}")
        for one in between:  # Number 0 has let in everybody too
            one.post("vouch", person=start.me.person.hex())
            one.post("vouch", person=end.me.person.hex())
        settle(*homes)
        mine = Asking(start)
        ways = mine("introductions", person="Number 2")["ways"]
        assert len(set(names(one["first"] for one in ways))) == 3
        assert ways == Asking(start)("introductions", person="Number 2")["ways"]
        assert mine("introductions", person="Number 1")["ways"] == []


def test_a_good_word_is_shown_at_the_person_until_it_is_taken_back():
    with street(homes=2) as (ada, ben):
        named(ada, "Ada")
        vouch = ada.post("vouch", person=ben.me.person.hex(), text="He knows every tree")
        settle(ada, ben)
        assert [words(one) for one in people(ben)] == [[], [("Ada", "He knows every tree")]]
        ada.post("close", vouch, as_state="withdrawn")
        settle(ada, ben)
        assert [words(one) for one in people(ben)] == [[], []]


def people(home):
    shown = Presenter(home.state, home.now).list_people()
    return sorted(shown, key=lambda one: one["name"] != "Ada")


def words(person):
    return [(one["author"]["name"], one["text"]) for one in person["vouches"]]
