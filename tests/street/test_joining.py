"""Who may join, and who must vouch. Also a street where the home that invited everybody is gone."""

import re

import pytest

from tests.support.real_homes import agree, eventually, folder, titles, together


@pytest.fixture(scope="module")
def neighbourhood():
    """Makes a neighbourhood in which two people have to vouch. Only the founder is a member yet."""
    with folder() as one:
        yield one, one.founder("Ada", "--vouchers", "2")


def knocks(home):
    return {one["person"]["name"]: one for one in home("status")["waiting"]["knocks"]}


def knock(one, inviter, name):
    """Lets somebody ask to join at the inviter's home and wait for the answer."""
    home = one.home(name.lower())
    given = inviter("invite")
    assert re.fullmatch(r"[A-Z2-7]{1,150}", given["invitation"])
    knocked = home("join", given["invitation"], "--as", name, "--listen", one.listen())
    assert knocked["state"] == "waiting"
    assert knocked["person"]["name"] == name
    assert len(knocked["recovery"].split()) == 24
    status = home("status")
    assert status["person"] is None
    assert status["waiting"] == {"admission": True}
    assert knocks(inviter)[name]["person"] == knocked["person"]
    return home, knocked, given["invitation"]


def admitted(home):
    """Waits until a home that asked to join becomes a member, without a further command."""
    eventually(lambda: home("status")["person"], "it does not become a member")


@pytest.fixture(scope="module")
def ben_and_cleo(neighbourhood):
    """Lets Ben and Cleo join through Ada's home.

    For Ben, one voucher is enough, because only Ada is on the roll. Then Ada puts Ben on it
    too, and Cleo needs two vouchers.
    """
    one, ada = neighbourhood
    ben, asks, used = knock(one, ada, "Ben")
    assert ada("approve", "Ben") == {"person": asks["person"]["id"], "state": "member"}
    admitted(ben)
    asked = ada.refused("renew")
    assert "Then 2 people vote (new: " in asked
    assert "(R-16.5m)" in ada.refused("renew", "--will-vote", "3")
    ada("renew", "--will-vote", "2")
    eventually(lambda: len(ben("status")["term"]["roll"]) == 2, "the roll does not grow")
    cleo, asks, code = knock(one, ada, "Cleo")
    assert ada("approve", "Cleo")["state"] == "waiting"
    eventually(lambda: ben("status")["waiting"]["vouched"], "nobody hears of her")
    assert ben("approve", asks["person"]["id"])["state"] == "member"
    admitted(cleo)
    agree(ada, ben, cleo)
    return (ben, used), (cleo, code)


def test_the_founder_alone_suffices_while_the_roll_is_shorter_than_the_vouchers(
    neighbourhood, ben_and_cleo
):
    for home in (neighbourhood[1], *(home for home, _ in ben_and_cleo)):
        people = home("list", "people")
        assert [one["name"] for one in people] == ["Ada", "Ben", "Cleo"]
        assert all(one["state"] == "member" and one["kind"] == "person" for one in people)
        assert home("status")["waiting"]["knocks"] == []


def test_others_are_two_and_an_invitation_is_for_one_person(neighbourhood, ben_and_cleo):
    one, ada = neighbourhood
    (ben, used), (cleo, _) = ben_and_cleo
    dora = one.home("dora")
    said = dora.refused("join", used, "--as", "Dora")
    assert "used" in said
    assert "ask for a new one" in said
    assert ben("join", used, "--as", "Ben")["state"] == "member"  # Ben is a member already
    dora, knocked, _ = knock(one, ben, "Dora")
    assert "approve" in ben.text("status")
    assert ben("approve", "Dora")["state"] == "waiting"
    assert ben("approve", "Dora")["state"] == "waiting"  # a second approval changes nothing
    agree(ada, ben, cleo)
    assert dora("status")["person"] is None
    (vouched,) = cleo("status")["waiting"]["vouched"]
    assert [who["name"] for who in vouched["vouchers"]] == ["Ben"]
    # Cleo is on no roll yet. So her word counts only once a renewal puts her on it.
    assert cleo("approve", knocked["person"]["id"][:12])["state"] == "waiting"
    eventually(lambda: ada("status")["waiting"]["vouched"], "nobody hears of Dora")
    assert ada("approve", knocked["person"]["id"])["state"] == "member"
    admitted(dora)
    agree(ada, ben, cleo, dora)
    dora("down")


def test_the_street_lives_without_the_home_everybody_joined_at(neighbourhood, ben_and_cleo):
    ada = neighbourhood[1]
    (ben, _), (cleo, _) = ben_and_cleo
    ada("down")
    together(lambda: ben("down"), lambda: cleo("down"))
    together(lambda: ben("up"), lambda: cleo("up"))
    for home in (ben, cleo):
        home("wait", "--peers", "1", "--timeout", "60")
    offer = ben.post("offer", "--title", "Bread rolls", "--minutes", "20")
    cleo.has(offer)
    response = cleo.post("response", "--about", offer, "--text", "two bags please")
    ben.has(response)
    agreement = ben.post("agreement", "--about", response)
    agree(ben, cleo)
    ada("up")
    ada.has(agreement)
    assert titles(ada("list", "offers")) == ["Bread rolls"]
    agree(ada, ben, cleo)
