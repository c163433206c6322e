"""Suggestions at homes in memory: if something that one person posts fits another person, both get
a suggestion with the reason.
"""

from datetime import date

import pytest
import trio

from meshcoop.cli.plain_text import format_remarks
from meshcoop.clock import iso_time
from meshcoop.errors import Mistake
from meshcoop.matching.stemming import stem
from meshcoop.matching.suggestions import Purpose
from meshcoop.matching.vocabulary import load_lexicons
from protocol.errors import Refused
from protocol.wire import calls
from tests.support.api_in_memory import Asking, named
from tests.support.council import council
from tests.support.street_in_memory import HOUR, MORNING, exchange, settle, street

HELP, WANT, BACK = Purpose
DAY = 24 * HOUR


def day(after):
    """Returns the date that lies `after` days after the morning on which every story begins."""
    return iso_time(MORNING + after * DAY)[:10]


def why(one):
    return [each["reason"] for each in one["why"]]


def test_the_elder_and_the_nurse_are_suggested_to_each_other():
    with street(homes=3) as homes:
        _, elder, nurse = homes
        she = named(
            elder, "Elder", assets=["hemming", "Yoruba", "listening"], wants=["blood pressure"]
        )
        they = named(nurse, "Nurse")
        request = nurse.post("request", title="A Yoruba speaker for an hour", minutes="60")
        offer = nurse.post("offer", title="Blood pressure sessions", minutes="15")
        settle(*homes)
        assert sorted(she.titles()) == [
            (HELP, "Elder", "A Yoruba speaker for an hour"),
            (WANT, "Elder", "Blood pressure sessions"),
        ]
        assert sorted(they.titles()) == [(HELP, "Nurse", "Elder"), (WANT, "Nurse", "Elder")]
        (first,) = she.suggestions(request.id)
        assert format_remarks(first["says"]) == "You both named Yoruba."
        assert (first["about"], first["subject"]) == (request.id.hex(), "request")
        (reason,) = first["why"]
        assert (reason["reason"], reason["means"], reason["points"]) == ("words", "Yoruba", 10)
        assert they.titles(offer.id) == [(WANT, "Elder", "Blood pressure sessions")]
        (want,) = they.suggestions(offer.id)
        assert format_remarks(want["says"]) == "You both named Blood pressure."


def test_several_may_be_the_first_to_look():
    with street(homes=2) as homes:
        elder, nurse = homes
        she = named(elder, "Elder", assets=["Yoruba"])
        named(nurse, "Nurse", wants=["a Yoruba speaker"])
        settle(*homes)
        load_lexicons.cache_clear()  # a node that has just started has no lexicons
        stem.cache_clear()
        found = []

        async def look():
            call = calls.List(what="suggestions")
            found.append((await she.methods.list_suggestions(call)).items)

        async def all_look():
            async with trio.open_nursery() as nursery:
                for _ in range(4):
                    nursery.start_soon(look)

        trio.run(all_look)
        assert [[one.subject.person for one in some] for some in found] == [[nurse.me.person]] * 4


def test_what_somebody_would_like_is_suggested_to_who_brings_it():
    with street(homes=2) as homes:
        elder, nurse = homes
        she = named(elder, "Elder", assets=["hemming", "Yoruba", "listening"])
        they = named(nurse, "Nurse", wants=["a Yoruba speaker"])
        settle(*homes)
        (help_,), (want,) = she.suggestions(), they.suggestions()
        assert (help_["suggests"], help_["subject"], help_["title"]) == (HELP, "person", "Nurse")
        assert (want["suggests"], want["title"]) == (WANT, "Elder")
        assert (
            format_remarks(help_["says"])
            == format_remarks(want["says"])
            == "You both listed Yoruba."
        )


def test_nothing_is_posted_and_nothing_is_suggested_to_who_said_nothing():
    with street(homes=2) as (ada, ben):
        mine = named(ada, "Ada")
        ben.post("request", title="A lift to the clinic")
        settle(ada, ben)
        held = ada.ids(), ada.state_hash()
        assert mine.suggestions() == []
        assert (ada.ids(), ada.state_hash()) == held


def test_words_in_other_languages_meet():
    with street(homes=2) as homes:
        ada, ben = homes
        mine = named(ada, "Ada", assets=["gardening"])
        named(ben, "Ben")
        ben.post("request", title="Rasen mähen", lang="de")
        settle(*homes)
        (one,) = mine.suggestions()
        assert format_remarks(one["says"]) == "Ben asks for “Rasen mähen”; you listed “gardening”."
        assert one["why"][0]["means"] == "gardening"


def test_what_is_over_withdrawn_hidden_or_answered_is_not_suggested():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        mine = named(ada, "Ada", assets=["driving"])
        past = dan.post("request", title="A lift yesterday", starts=day(-1))
        dan.put(dan.forge("request", title="A lift till yesterday", until=day(-1)))
        back = dan.post("request", title="A lift after all not")
        rude = dan.post("request", title="A lift, you fools")
        asked = dan.post("request", title="A lift on foot of your answer")
        kept = dan.post("request", title="A lift tomorrow", starts=day(1))
        settle(*homes)
        assert len(mine.suggestions()) == 4
        assert past.id.hex() not in {one["about"] for one in mine.suggestions()}
        dan.post("close", back, as_state="withdrawn")
        settle(*homes)
        ada.post("response", asked)
        for home in (ben, cho):
            home.post("hide", rude)
        settle(*homes)
        assert [one["about"] for one in mine.suggestions()] == [kept.id.hex()]
        ada.street.clock += 2 * DAY
        assert mine.suggestions() == []


def test_muted_and_removed_people_are_left_out():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        mine = named(ada, "Ada", assets=["sewing"])
        named(ben, "Ben", wants=["sewing"])
        request = cho.post("request", title="Sewing")
        settle(*homes)
        assert len(mine.suggestions()) == 2
        mine.membership.muted.set_muted(ben.me.person, muted=True)
        assert [one["about"] for one in mine.suggestions()] == [request.id.hex()]
        mine.membership.muted.set_muted(cho.me.person, muted=True)
        assert mine.suggestions() == []
        assert mine.suggestions(request.id) == []
        assert mine.suggestions(muted=True) == []


def test_no_more_is_suggested_than_somebody_has_time_for():
    with street(homes=2) as homes:
        ada, ben = homes
        mine = named(ada, "Ada", assets=["driving"], minutes_a_month="120")
        long = ben.post("request", title="A lift to the sea", minutes="180")
        short = ben.post("request", title="A lift to town", minutes="60")
        settle(*homes)
        (one,) = mine.suggestions()
        assert (one["about"], why(one)) == (short.id.hex(), ["words", "time"])
        assert format_remarks(one["says"]).endswith("; 2 h are left of your time this month.")
        exchange(ada, ben, need=90)
        assert mine.suggestions() == []
        ada.street.clock += 40 * DAY
        assert [one["about"] for one in mine.suggestions()] == [short.id.hex()]
        assert Asking(ben).suggestions(long.id) == []


def test_days_and_hours_have_to_suit_both():
    with street(homes=2) as homes:
        ada, ben = homes
        thursday = next(day(n) for n in range(1, 8) if weekday(day(n)) == 3)
        friday = next(day(n) for n in range(1, 8) if weekday(day(n)) == 4)
        mine = named(ada, "Ada", assets=["driving"], about="Free on Thursdays")
        fits = ben.post("request", title="A lift", starts=f"{thursday}T09:30", minutes="60")
        ben.post("request", title="A lift on another day", starts=friday)
        settle(*homes)
        (one,) = mine.suggestions()
        assert (one["about"], why(one)) == (fits.id.hex(), ["words", "day"])
        assert format_remarks(one["says"]).endswith("; free on Thursdays.")
        offer = ada.post("offer", title="Bread", starts=f"{thursday}T10:00", minutes="30")
        settle(*homes)
        response = ben.post("response", offer)
        settle(*homes)
        ada.post("agreement", response)
        settle(*homes)
        assert mine.suggestions() == []  # that hour is promised to somebody


def weekday(text):
    return date.fromisoformat(text).weekday()


def test_area_and_language_are_reasons_and_no_common_language_is_none():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        mine = named(ada, "Ada", assets=["driving"], languages=["en", "Yoruba"], area="Mill Lane")
        near = named(ben, "Ben", languages=["yo"], area="mill  lane")
        named(cho, "Cho", languages=["es"])
        request = ben.post("request", title="A lift to town")
        cho.post("request", title="Conducir al centro", lang="es")
        settle(*homes)
        (one,) = mine.suggestions()
        assert (one["about"], why(one)) == (request.id.hex(), ["words", "area", "language"])
        assert format_remarks(near.suggestions(request.id)[0]["says"]).endswith(
            "both in mill lane; both speak yo."
        )
        yoruba = cho.post("request", title="Clases de yoruba", lang="es")
        settle(*homes)
        assert yoruba.id.hex() in {one["about"] for one in mine.suggestions()}


def test_who_received_hears_of_ways_to_give_back():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        named(ada, "Ada", wants=["baking"])
        mine = named(ben, "Ben", assets=["baking", "sewing"])
        named(cho, "Cho", wants=["sewing"])
        settle(*homes)
        assert {one["suggests"] for one in mine.suggestions()} == {HELP}
        exchange(ada, ben, need=90)
        settle(*homes)
        first, second = mine.suggestions()
        assert (first["suggests"], first["title"], why(first)) == (BACK, "Ada", ["words", "gave"])
        assert "Ada gave you 1 h 30 min on" in format_remarks(first["says"])
        assert (second["suggests"], second["title"], why(second)) == (
            BACK,
            "Cho",
            ["words", "owes"],
        )
        theirs = Asking(cho).suggestions(ben.me.person)
        assert {(one["suggests"], one["for"]["name"], one["title"]) for one in theirs} == {
            (WANT, "Cho", "Ben"), (BACK, "Ben", "Ada"), (BACK, "Ben", "Cho"),
        }  # fmt: skip


def test_the_neighbourhood_says_what_words_mean():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        mine = named(ada, "Ada", assets=["driving"])
        ben.post("request", title="An okada to town")
        settle(*homes)
        assert mine.suggestions() == []
        synonym = cho.post("synonym", words=["okada", "lift"])
        settle(*homes)
        assert len(mine.suggestions()) == 1
        mine.membership.muted.set_muted(cho.me.person, muted=True)
        assert mine.suggestions() == []
        mine.membership.muted.set_muted(cho.me.person, muted=False)
        assert len(mine.suggestions()) == 1
        cho.post("close", synonym, as_state="withdrawn")
        settle(*homes)
        assert mine.suggestions() == []


def test_equal_fits_have_one_order_and_nobody_is_first_everywhere():
    with street(homes=5) as homes:
        asks, *others = homes
        for name, home in zip("ABCD", others, strict=True):
            named(home, name, assets=["driving", "sewing", "baking", "gardening"])
        titles = [
            "A lift",
            "Sewing",
            "A cake",
            "Mow the lawn",
            "Hemming",
            "A ride",
            "Weeding",
            "Bake",
        ]
        requests = [asks.post("request", title=title) for title in titles]
        settle(*homes)
        mine, again = Asking(asks), Asking(others[0])
        first = set()
        for one in requests:
            names = [each["for"]["name"] for each in mine.suggestions(one.id)]
            assert sorted(names) == list("ABCD")
            assert names == [each["for"]["name"] for each in again.suggestions(one.id)]
            first.add(names[0])
        assert len(first) > 1


def test_an_index_that_was_kept_up_is_one_that_was_made_anew():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        mine = named(ada, "Ada", assets=["driving"], wants=["sewing"])
        steps = [
            lambda: named(ben, "Ben", assets=["sewing"]),
            lambda: ben.post("request", title="A lift to town"),
            lambda: named(ben, "Ben", assets=["baking"]),
            lambda: cho.post("synonym", words=["baking", "sewing"]),
            lambda: named(ada, "Ada", assets=["driving"], wants=["hemming"], minutes_a_month="600"),
            lambda: exchange(ada, ben, need=60),
            lambda: cho.post("offer", title="Hems"),
            ada.state.rebuild,
        ]
        for step in steps:
            step()
            settle(*homes)
            assert mine.suggestions() == Asking(ada).suggestions()
        assert mine.suggestions()


def test_what_makes_no_sense_is_a_sentence():
    with street(homes=1) as (ada,):
        mine = Asking(ada)
        with pytest.raises(Mistake, match="suggestions are open"):
            mine.suggestions(state="done")
        with pytest.raises(Refused, match="limit"):
            mine.suggestions(limit="many")
        with pytest.raises(Mistake):
            mine("suggestions", about="Nobody")
        assert mine.suggestions(ada.state.neighbourhood) == []
