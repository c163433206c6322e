"""Terms that go back and forth, a receipt that is disputed, an hour that is corrected, and an hour
that is given away.
"""

from datetime import UTC, datetime

import pytest

from tests.support.real_homes import agree

TODAY = datetime.now(UTC).date().isoformat()


@pytest.mark.long
def test_two_find_terms_and_set_right_what_was_signed(street):
    ada, ben, cleo = street

    def posts(home, kind, *words):
        """Posts a record at one of the two homes, and waits until the other home has it."""
        posted = home.post(kind, *words)
        (ben if home is ada else ada).has(posted)
        return posted

    def row(home, name):
        return next(one for one in home("balance") if one["person"]["name"] == name)

    before = {one["person"]["name"]: one["balance"] for one in cleo("balance")}
    request = posts(ada, "request", "--title", "Three hours at the wheel", "--minutes", "180")
    response = posts(ben, "response", "--about", request)
    other = posts(ada, "response", "--about", response, "--minutes", "150")
    assert "Only the person who responded" in ada.refused("post", "agreement", "--about", other)
    agreement = posts(ben, "agreement", "--about", other)
    cleo.has(agreement)
    (found,) = cleo("list", "agreements", "--about", request)
    assert (found["giver"]["name"], found["receiver"]["name"]) == ("Ben", "Ada")
    assert (found["minutes"], found["state"]) == (150, "agreed")
    states = {one["id"]: one["state"] for one in cleo("show", request)["responses"]}
    assert states == {response: "declined", other: "accepted"}

    wrong = posts(ben, "receipt", "--about", agreement, "--minutes", "300", "--on", TODAY)
    posts(ada, "close", "--about", wrong, "--as-state", "disputed", "--why", "It was three hours")
    (shown,) = ben("list", "receipts", "--about", agreement)
    assert (shown["state"], shown["why"]) == ("disputed", "It was three hours")
    receipt = posts(ben, "receipt", "--about", agreement, "--minutes", "180", "--on", TODAY)
    posts(ada, "confirm", "--about", receipt)
    assert row(ada, "Ben")["balance"] == before["Ben"] + 180
    assert "correction" in ada.refused(
        "post", "close", "--about", receipt, "--as-state", "disputed"
    )

    right = posts(
        ben, "correction", "--about", receipt, "--minutes", "120", "--why", "It was two hours"
    )
    posts(ada, "confirm", "--about", right)
    thanks = posts(ada, "thanks", "--person", "Ben", "--minutes", "60", "--text", "For the hour")
    agree(*street)

    (shown,) = cleo("list", "receipts", "--about", agreement, "--state", "confirmed")
    assert (shown["minutes"], shown["corrected"], shown["state"]) == (180, 120, "confirmed")
    (told,) = cleo("list", "corrections", "--about", receipt)
    assert (told["id"], told["why"]) == (right, "It was two hours")
    ben_now, ada_now = cleo("balance", "Ben"), row(cleo, "Ada")
    assert ben_now["balance"] == before["Ben"] + 120
    assert ada_now["balance"] == before["Ada"] - 120
    assert (ben_now["gifts_given"], ada_now["gifts_received"]) == (60, 60)
    assert sum(one["balance"] for one in cleo("balance")) == 0
    lines = [(one["id"], one["kind"], one["minutes"]) for one in ben_now["history"][-3:]]
    assert lines == [(receipt, "receipt", 180), (right, "correction", -60), (thanks, "thanks", 60)]
    assert [one["balance"] - before["Ben"] for one in ben_now["history"][-3:]] == [180, 120, 120]
    assert "(a gift)" in cleo.text("balance", "Ben")
    assert cleo("list", "thanks")[0]["text"] == "For the hour"

    nothing = posts(ada, "correction", "--about", receipt, "--minutes", "0")
    posts(ben, "confirm", "--about", nothing)
    assert row(ada, "Ben")["balance"] == before["Ben"]
