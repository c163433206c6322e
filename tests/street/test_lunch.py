"""A lunch: two homes that are cut apart both give away the last place. The common pot pays the
person who served.
"""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.real_homes import agree, folder, together

NOON = 12


@pytest.fixture
def lane():
    """Makes two homes whose clocks show about noon, so that today's evening is still to come."""
    now = datetime.now(UTC)
    ahead = NOON - now.hour
    zone = f"Etc/GMT{-ahead:+}" if ahead else "UTC"  # the signs of these zones point to the west
    with folder() as one:
        ada = one.founder("Ada", "--timezone", zone)
        today = (now + timedelta(hours=ahead)).date()
        yield today.isoformat(), ada, one.newcomer(ada, "Ben")


@pytest.mark.long
def test_a_lunch(lane, tmp_path):
    today, ada, ben = lane
    lunch = ada.post(
        "activity", "--title", "Lunch", "--starts", f"{today}T23:30", "--minutes", "90",
        "--roles", "cook=1", "--roles", "server=5",
    )  # fmt: skip
    ben.has(lunch)
    both_sides_of_a_cut(lunch, ada, ben)
    at_night(ada, ben)
    paid_from_the_pot(lunch, ada, ben)

    exported = ben("export", "ics", "--to", str(tmp_path / "calendar"))
    assert exported["entries"] == 1
    (file,) = exported["files"]
    assert "SUMMARY:Lunch (cook)\\, Ada" in Path(file).read_text(encoding="utf-8")


def both_sides_of_a_cut(lunch, ada, ben):
    ben("down")
    mine = ada.post("signup", "--about", lunch, "--role", "cook")
    ada("down")
    theirs = ben.post("signup", "--about", lunch, "--role", "cook")  # alone
    assert ben("show", theirs)["state"] == "placed"
    ada("up")
    agree(ada, ben)
    for shown in together(*(lambda home=home: home("show", lunch) for home in (ada, ben))):
        (day,) = shown["occurrences"]
        cook, server = day["roles"]
        assert [[one["name"] for one in cook[what]] for what in ("has", "waits")] == [
            ["Ada"],
            ["Ben"],
        ]
        assert (server["has"], server["waits"]) == ([], [])
    states = {one["id"]: one["state"] for one in ben("list", "signups", "--about", lunch)}
    assert states == {mine: "placed", theirs: "waiting"}


def at_night(*homes):
    """Starts the homes again with clocks that show about midnight, when the lunch has begun."""
    for home in homes:
        home("down")
        home.env["MESHCOOP_CLOCK_AHEAD"] = str(NOON)
    together(*(lambda home=home: home("up") for home in homes))


def paid_from_the_pot(lunch, ada, ben):
    written = ada.post("attendance", "--about", lunch, "--people", "Ada", "--people", "Ben")
    receipt = ada.post("receipt", "--about", written)
    ben.has(receipt)
    ada.has(ben.post("confirm", "--about", receipt))
    for found in together(*(lambda home=home: home("balance") for home in (ada, ben))):
        rows = {one["person"]["name"]: one["balance"] for one in found}
        assert rows == {"Ada": 0, "Ben": 90, "the common pot": -90}
        assert sum(rows.values()) == 0
    (day,) = ada("list", "activities")[0]["occurrences"]
    assert ({one["name"] for one in day["came"]}, day["missed"]) == ({"Ada", "Ben"}, [])
