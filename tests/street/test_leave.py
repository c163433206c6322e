"""People leave by their root key, and may take their words back first."""

import pytest

from tests.support.real_homes import agree, eventually, folder


@pytest.fixture(scope="module")
def street():
    """Makes the homes of Ada, Ben and Cho. Cho has agreed on an hour with Ada."""
    with folder() as place:
        ada = place.founder("Ada")
        ben = place.newcomer(ada, "Ben")
        cho = place.newcomer(ada, "Cho")
        offer = cho.post("offer", "--title", "Rye loaves on Saturdays")
        asked = ada.post("request", "--title", "A lift")
        cho.has(asked)
        answer = cho.post("response", "--about", asked, "--minutes", "60")
        ada.has(answer)
        receipt = ada.post("receipt", "--about", ada.post("agreement", "--about", answer))
        cho.has(receipt)
        ada.has(offer, cho.post("confirm", "--about", receipt))
        agree(ada, ben, cho)
        yield place, ada, ben, cho


def test_who_leaves_is_out_their_words_are_gone_and_hours_stand(street):
    _, ada, ben, cho = street
    left = cho("leave", "--take-back")
    assert left["taken_back"] >= 2  # the profile and the offer
    for home in (ada, ben):
        eventually(lambda home=home: "left" in str(home("list", "people")), "Cho is out")
        people = {row["id"]: row for row in home("list", "people")}
        assert people[left["person"]]["state"] == "left"
        assert "Rye loaves" not in home.text("list", "offers")
    assert sum(row["balance"] for row in ada("balance")) == 0
    for home in (ada, ben, cho):
        home("down")
        assert not home.holds("Rye loaves")


def test_who_has_left_cannot_leave_again(street):
    _, _, _, cho = street
    cho.refused("leave")
    assert "(left)" in cho.text("status")


def test_who_has_left_can_still_take_their_own_things_out(street):
    place, _, _, cho = street
    out = place.path / "out of the neighbourhood"
    cho("take-out", str(out))
    assert (out / "written.jsonl").stat().st_size > 0
