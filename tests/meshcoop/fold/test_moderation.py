"""Flags and hidden words: where there are three or more moderators, a majority of them decides. The
author of the words has no say in it.
"""

import pytest

from protocol.errors import Refused
from tests.support.council import alike, by_software, council, propose, renew, vote
from tests.support.street_in_memory import settle, street


def test_a_majority_hides_words_and_one_moderator_does_not():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        offer = dan.post("offer", title="Something unkind", text="very", minutes="30")
        settle(*homes)
        flag = cho.post("flag", offer, reason="unkind")
        one = ada.post("hide", offer, reason="unkind to a neighbour")
        settle(*homes)
        assert ben.view(offer).title == "Something unkind"
        assert ben.view(one).state == "said"
        ben.post("hide", offer, reason="I agree")
        settle(*homes)
        for home in homes:
            view = home.view(offer)
            assert (view.title, view.text, view.hidden) == (None, None, True)
            assert (view.minutes, view.state) == (30, "open")
            assert home.view(one).state == "in force"
            assert home.view(one).reason == "unkind to a neighbour"
            assert home.view(flag).state == "settled"
            hits = home.state.views.in_rows(home.state.views.search("unkind"))
            assert "offer" not in [view.kind for view in hits]
        alike(*homes)
        for home in (ada, cho):
            home.post("hide", offer, hidden="no")
        settle(*homes)
        assert dan.view(offer).title == "Something unkind"
        assert not dan.view(offer).hidden
        alike(*homes)


def test_who_is_spoken_of_does_not_hide_it():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        request = ada.post("request", title="Help with the roof")
        settle(*homes)
        answer = dan.post("response", request)
        settle(*homes)
        flag = dan.post("flag", request, reason="she never pays back")
        settle(*homes)
        for words in (answer, flag):
            with pytest.raises(Refused, match=r"R-14\.5"):
                ada.post("hide", words)
        forged = ada.put(ada.forge("hide", flag, hidden="yes", n=1))
        ben.post("hide", flag)
        settle(*homes)
        for home in homes:
            assert home.store.records.has(forged.id)
            assert home.view(flag).reason == "she never pays back"
        cho.post("hide", flag)
        settle(*homes)
        assert dan.view(flag).reason is None
        alike(*homes)


def test_a_renewal_keeps_what_is_hidden_hidden():
    with street(homes=5) as homes:
        council(*homes)
        ada, ben, cho, dan, eve = homes
        offer, kept = dan.post("offer", title="Unkind"), dan.post("offer", title="Kind")
        settle(*homes)
        for home in (ada, ben):
            home.post("hide", offer)
        settle(*homes)
        fresh = sorted(one.me.person for one in (cho, dan, eve))
        renewal = renew(cho.author, moderators=fresh)
        settle(*homes)
        vote(renewal, [ada, ben], homes)
        by_software(*homes)
        assert ada.state.authority.term.id == renewal.id
        for home in homes:
            assert home.view(offer).hidden
            assert not home.view(kept).hidden
        with pytest.raises(Refused, match=r"R-14\.5"):
            ada.post("hide", kept)


def test_where_there_is_no_council_all_decide_what_is_hidden():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        by_software(*homes)
        offer = cho.post("offer", title="Unkind")
        settle(*homes)
        with pytest.raises(Refused, match="three or more moderators"):
            ada.post("hide", offer)
        act = propose(ada, f"hide {offer.id.hex()}")
        settle(*homes)
        vote(act, [ada, ben], homes)
        assert cho.view(offer).hidden
        back = propose(cho, f"show {offer.id.hex()}")
        settle(*homes)
        vote(back, [ada, cho], homes)
        assert ben.view(offer).title == "Unkind"
        alike(*homes)


def test_one_flag_a_person_and_record():
    with street(homes=2) as (ada, ben):
        offer = ada.post("offer", title="Bread")
        settle(ada, ben)
        ben.post("flag", offer, reason="mouldy")
        with pytest.raises(Refused, match=r"R-14\.4"):
            ben.post("flag", offer, reason="very mouldy")


def test_a_receipt_that_counts_still_counts_when_its_thread_is_hidden():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, _, dan = homes
        offer = dan.post("offer", title="Unkind", minutes="60")
        settle(*homes)
        response = ada.post("response", offer)
        settle(*homes)
        agreement = dan.post("agreement", response)
        settle(*homes)
        receipt = ada.post("receipt", agreement)
        settle(*homes)
        dan.post("confirm", receipt)
        settle(*homes)
        before = ben.balances()
        act = propose(ben, f"hide {offer.id.hex()}")
        settle(*homes)
        vote(act, [ada, ben, dan], homes)
        assert ben.view(offer).hidden
        assert ben.view(receipt).state == "confirmed"
        assert ben.balances() == before != {}


def test_a_hidden_text_of_a_page_is_hidden_in_the_page_too():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        page = ada.post("page", title="The shed", text="The key is with Sam.")
        settle(*homes)
        unkind = dan.post("revision", page, title="The shed", text="Sam is a thief.")
        settle(*homes)
        for home in (ben, cho):
            home.post("hide", unkind)
        settle(*homes)
        view = ada.view(page)
        assert [(one["id"], one["text"]) for one in view.heads] == [(unkind.id, None)]
        assert view.heads[0]["hidden"]
        assert (view.title, view.text) == (None, None)
        assert view.first["text"] == "The key is with Sam."
        for home in (ben, cho):
            home.post("hide", page)
        settle(*homes)
        assert ada.view(page).first == {"title": None, "text": None}
        alike(*homes)


def test_nobody_is_promised_a_role_whose_name_is_hidden():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        lunch = ben.post("activity", title="Lunch", starts="2026-12-01T12:30", roles={"cook": 2})
        settle(*homes)
        signup = dan.post("signup", lunch, role="cook")
        settle(*homes)
        for home in (ada, cho):
            home.post("hide", signup)
        settle(*homes)

        with pytest.raises(Refused, match=r"hid the role .*R-17\.8") as refused:
            ben.post("accept", signup)

        assert refused.value.rule == "R-17.8"
        assert ben.view(signup).state == "placed"
