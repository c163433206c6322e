"""Decisions as screens and commands see them: who voted and how, and what the decision is about
(R-06.10).
"""

from meshcoop.api.presenter import Presenter
from tests.support.council import by_software, council, propose, renew, vote
from tests.support.street_in_memory import settle, street


def shown(home, act):
    return Presenter(home.state, home.now).show_view(home.view(act))


def people(*homes):
    return sorted(one.me.person.hex() for one in homes)


def ids(found):
    return [one["id"] for one in found]


def test_who_voted_is_shown_as_it_counts():
    with street(homes=4) as homes:
        ada, ben, cho, dan = homes
        by_software(*homes)
        act = propose(ada, "charter answer_days=6")
        settle(*homes)
        for home, choice in ((ada, "yes"), (ben, "no"), (cho, "no"), (cho, "yes")):
            home.post("vote", act, choice=choice)
        settle(*homes)
        voted = shown(dan, act)["voted"]
        assert (ids(voted["yes"]), ids(voted["no"])) == (people(ada, cho), people(ben))
        assert shown(dan, act)["concerns"] is None


def test_who_said_no_to_a_renewal_is_shown_too():
    with street(homes=4) as homes:
        ada, ben, cho, dan = homes
        by_software(*homes)
        act = renew(ada.author, share=60)
        settle(*homes)
        ben.post("vote", act, choice="no")
        settle(*homes)
        voted = shown(dan, act)["voted"]
        assert (ids(voted["yes"]), ids(voted["no"])) == (people(ada), people(ben))
        vote(act, [ben, cho], homes)
        voted = shown(dan, act)["voted"]
        assert (ids(voted["yes"]), ids(voted["no"])) == (people(ada, ben, cho), [])


def test_a_renewal_shows_whom_alone_it_adds_and_who_vouched_for_them():
    with street(homes=5) as homes:
        ada, ben, _, _, _ = homes
        renew(ada.author, joining=[home.me.person for home in homes[1:3]])
        settle(*homes)
        dan, eve = (home.me.person for home in homes[3:])
        act = renew(ben.author, joining=[dan])
        both = renew(ben.author, joining=[dan, eve])
        other = renew(ben.author, joining=[dan], share=70)
        settle(*homes)
        (added,) = shown(ben, act)["adds"]
        assert added["person"]["id"] == dan.hex()
        assert ids(added["vouchers"]) == people(ada)
        assert (shown(ben, act)["will_vote"], shown(ben, act)["is_typed"]) == (4, False)
        assert (shown(ben, both)["will_vote"], shown(ben, both)["is_typed"]) == (5, True)
        assert shown(ben, other)["adds"] == []


def test_whom_or_what_a_decision_is_about_is_shown():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        offer = dan.post("offer", title="Something unkind")
        settle(*homes)
        out = propose(ada, f"remove {dan.me.person.hex()}")
        hidden = propose(ada, f"hide {offer.id.hex()}")
        flag = cho.post("flag", offer, reason="unkind")
        hide = ada.post("hide", offer)
        settle(*homes)
        assert shown(ben, out)["concerns"]["id"] == dan.me.person.hex()
        for act in (hidden, flag, hide):
            about = shown(ben, act)["concerns"]
            assert (about["id"], about["kind"]) == (offer.id.hex(), "offer")
            assert (about["title"], about["hidden"]) == ("Something unkind", False)
            assert about["author"]["id"] == dan.me.person.hex()
        ben.post("hide", offer)
        settle(*homes)
        about = shown(cho, hide)["concerns"]
        assert (about["title"], about["hidden"]) == (None, True)


def test_question_that_a_decision_adopts_or_retires_is_shown():
    with street(homes=4) as homes:
        by_software(*homes)
        ada, ben, *_others = homes
        service = ada.post("service", title="Bins", provider=ada.me.person.hex())
        measure = ada.post("measure", service, question="Missed?", scale="count", target=1)
        settle(*homes)
        decisions = [propose(ada, f"adopt {measure.id.hex()}")]
        settle(*homes)
        vote(decisions[0], homes, homes)
        decisions.append(propose(ada, f"retire {measure.id.hex()}"))
        settle(*homes)

        for decision in decisions:
            concerns = shown(ben, decision)["concerns"]
            assert (concerns["id"], concerns["kind"]) == (measure.id.hex(), "measure")
            assert concerns["title"] == "Missed?"


def test_whose_name_is_hidden_is_named_by_the_start_of_their_id():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        profile = dan.post("profile", name="Something unkind")
        settle(*homes)
        for home in (ada, ben):
            home.post("hide", profile)
        settle(*homes)
        person = dan.me.person
        assert Presenter(cho.state, cho.now).show_person(person)["name"] == person.hex()[:8]
