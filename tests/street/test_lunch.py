"""A lunch: the last place is taken on both sides of a cut, and the pot pays who cooked."""

from datetime import UTC, datetime, timedelta

import pytest
from homes import agree, folder, together

NOON = 12


@pytest.fixture
def lane():
    """Three homes where it is about noon, so that today's evening is still to come."""
    now = datetime.now(UTC)
    offset = timedelta(hours=NOON - now.hour)
    with folder() as one:
        ada = one.founder("Ada", "--offset", str(offset // timedelta(minutes=1)))
        ben, cleo = together(lambda: one.newcomer(ada, "Ben"), lambda: one.newcomer(ada, "Cleo"))
        yield (now + offset).date().isoformat(), ada, ben, cleo


def seats(home, lunch):
    """Who has a place and who waits, by role."""
    (day,) = home("show", lunch)["occurrences"]
    return {
        one["role"]: tuple([each["name"] for each in one[what]] for what in ("has", "waits"))
        for one in day["roles"]
    }


def test_a_lunch(lane, tmp_path):
    today, ada, ben, cleo = lane
    lunch = ada.post(
        "activity", "--title", "Lunch", "--starts", f"{today}T23:30", "--minutes", "90",
        "--roles", "cook=2", "--roles", "server=4",
    )  # fmt: skip
    first = ada.post("signup", "--about", lunch, "--role", "cook")
    for home in (ben, cleo):
        home.has(first)
    both_sides_of_a_cut(lunch, ada, ben, cleo)

    found = {"cook": (["Ada", "Ben"], ["Cleo"]), "server": ([], [])}
    assert [seats(home, lunch) for home in (ada, ben, cleo)] == [found] * 3
    (waits,) = [one for one in cleo("list", "signups") if one["author"]["name"] == "Cleo"]
    assert waits["state"] == "waiting"
    assert [one["title"] for one in cleo("list", "activities", "--state", "open")] == ["Lunch"]
    assert "Lunch" in cleo.text("show", lunch)
    refused = cleo.refused("post", "signup", "--about", lunch, "--role", "singer", "--on", today)
    assert "already" in refused

    exported = ben("export", "ics", "--to", str(tmp_path / "calendar"))
    assert exported["entries"] == 1
    (file,) = exported["files"]
    with open(file, encoding="utf-8") as read:  # noqa: PTH123
        assert "SUMMARY:Lunch (cook)\\, Ada" in read.read()

    paid_from_the_pot(lunch, ada, ben, cleo)


def both_sides_of_a_cut(lunch, ada, ben, cleo):
    cleo("down")
    mine = ben.post("signup", "--about", lunch, "--role", "cook")
    together(lambda: ada("down"), lambda: ben("down"))
    theirs = cleo.post("signup", "--about", lunch, "--role", "cook")
    assert cleo("show", theirs)["state"] == "placed"
    together(lambda: ada("up"), lambda: ben("up"))
    assert ben("show", mine)["state"] == "placed"
    agree(ada, ben, cleo)


def paid_from_the_pot(lunch, ada, ben, cleo):
    written = ada.post("attendance", "--about", lunch, "--people", "Ada", "--people", "Ben")
    receipt = ada.post("receipt", "--about", written)
    ben.has(receipt)
    cleo.has(receipt)
    cleo.refused("post", "confirm", "--about", receipt)
    cleo.has(ben.post("confirm", "--about", receipt))
    agree(ada, ben, cleo)
    for home in (ada, ben, cleo):
        rows = {one["person"]["name"]: one["balance"] for one in home("balance")}
        assert rows == {"Ada": 0, "Ben": 90, "Cleo": 0, "the common pot": -90}
        assert sum(rows.values()) == 0
    (day,) = cleo("show", lunch)["occurrences"]
    assert ([one["name"] for one in day["came"]], day["missed"]) == (["Ada", "Ben"], [])
