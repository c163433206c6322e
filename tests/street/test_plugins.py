"""Three homes on one street: two with the package of the developer's guide, and one without it."""

import json
import os
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.support.guest_packages import TOOLLIB, environment, install_package
from tests.support.real_homes import agree, eventually, folder, titles

UV = os.environ.get("UV") or shutil.which("uv")
TITLE = "A cordless drill"
NEWER = "something newer than this program knows"
NEWER_RECORDS = "Newer than this program"


def local_day(days):
    return (datetime.now(UTC) + timedelta(days)).date().isoformat()


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Builds the wheel of toollib, and installs it into a folder of its own."""
    if UV is None:
        pytest.skip("Building the wheel needs uv: run `pip install uv`.")
    dist = tmp_path_factory.mktemp("dist")
    place = tmp_path_factory.mktemp("packages")
    # `uv run` has installed the checkout with the same build backend, so uv finds it in its cache.
    subprocess.run(
        [UV, "build", "--wheel", "--python", sys.executable, "--out-dir", str(dist), str(TOOLLIB)],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    (wheel,) = dist.glob("*.whl")
    subprocess.run(
        [
            *(UV, "pip", "install", "--offline", "--no-deps", "--python", sys.executable),
            *("--target", str(place), str(wheel)),
        ],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    return place


def install(home, place):
    """Lets the next programs of a home find the packages in a folder."""
    home.env["PYTHONPATH"] = environment(place)["PYTHONPATH"]


@pytest.fixture(scope="module")
def street(installed):
    """Makes the homes of Ada and Ben, who have the package, and of Cleo, who has not."""
    with folder() as homes:
        ada = homes.home("ada")
        ben = homes.home("ben")
        install(ada, installed)
        install(ben, installed)
        ada("found", "Rushey Lane", "--as", "Ada", "--timezone", "UTC", "--listen", homes.listen())
        ada("up")
        joined = ben("join", ada.invite(), "--as", "Ben", "--listen", homes.listen())
        assert joined["state"] == "member"
        yield ada, ben, homes.newcomer(ada, "Cleo")


def steps(home):
    """Returns (id of the view, kind of the answer) for everything that waits for the person of a
    home.
    """
    return [(row["id"], row["step"]["kind"]) for row in home("list", "waiting")]


def next_steps(home, record):
    """Returns (kind, state) of each answer that the person of a home can post about this record.
    The state is the value of `as_state`, which only a `close` has.
    """
    return {
        (step["kind"], step["given"].get("as_state"))
        for step in home("next", record)
        if step["about"] == record and step["kind"] != "flag"  # one can always flag
    }


def loan_in(home, loan):
    (view,) = [view for view in home("list", "toollib.loans") if view["id"] == loan]
    return view


@pytest.fixture(scope="module")
def drill(street):
    """Ada lends her drill to Ben, and has it back. Returns what each home showed meanwhile."""
    ada, ben, cleo = street
    shown = {}
    tool = ada.post("toollib.tool", "--title", TITLE, "--minutes", "30")
    ben.has(tool)
    loan = ben.post("toollib.loan", "--about", tool, "--until", local_day(1))
    ada.has(loan)
    shown["asked"] = (loan_in(ben, loan), steps(ada))
    shown["steps"] = [(next_steps(ada, loan), next_steps(ben, loan))]
    shown["refused"] = ben.refused("post", "accept", "--about", loan)
    accept = ada.post("accept", "--about", loan)
    ben.has(accept)
    shown["lent"] = (loan_in(ben, loan), steps(ada), ben("list", "toollib.tools"))
    shown["steps"].append((next_steps(ada, loan), next_steps(ben, loan)))
    shown["again"] = ben.refused("post", "close", "--about", loan, "--as-state", "withdrawn")
    shown["overdue"] = look_ahead(ben, loan)
    shown["calendar"] = [calendar_of(home) for home in (ada, ben)]
    back = ada.post("toollib.returned", "--about", loan)
    ben.has(back)
    shown["returned"] = loan_in(ben, loan)
    cleo.has(tool, loan, accept, back)
    return {"tool": tool, "loan": loan, "accept": accept, "back": back, "shown": shown}


def look_ahead(home, loan):
    """Returns the loan as the home shows it four days later."""
    home("down")
    home.env["MESHCOOP_CLOCK_AHEAD"] = "96"
    view = loan_in(home, loan)
    home("down")
    del home.env["MESHCOOP_CLOCK_AHEAD"]
    home("up")
    return view


def calendar_of(home):
    (file,) = home("export", "ics", "--to", str(home.path.parent / f"{home.path.name}-out"))[
        "files"
    ]
    return Path(file).read_text(encoding="utf-8")


def test_the_package_brings_kinds_and_lists_to_the_homes_that_have_it(street):
    def guests(home):
        return {row["name"]: row["from"] for row in home("kinds") if "." in row["name"]}

    ada, ben, cleo = street
    names = ("toollib.loan", "toollib.returned", "toollib.tool")
    assert guests(ada) == guests(ben) == dict.fromkeys(names, "toollib 1.0")
    assert guests(cleo) == {}
    assert "no list of" in cleo.refused("list", "toollib.tools", code=2, several=True)


def test_a_loan_waits_for_the_owner_to_accept_it(drill):
    view, waiting = drill["shown"]["asked"]

    assert view["state"] == "asked"
    assert view["owner"]["name"] == "Ada"
    assert view["minutes"] == 30
    assert (drill["loan"], "accept") in waiting


def test_each_person_is_offered_what_they_can_do(drill):
    asked, lent = drill["shown"]["steps"]

    comment = ("comment", None)
    assert asked == (
        {("accept", None), ("close", "declined"), comment},
        {("close", "withdrawn"), comment},
    )
    assert lent == ({("toollib.returned", None), comment}, {comment})


def test_nobody_else_accepts_it(drill):
    assert drill["shown"]["refused"] == "Only the owner of a tool lends it (toollib 2)."


def test_what_is_lent_waits_for_nobody_before_its_last_day(drill):
    view, waiting, tools = drill["shown"]["lent"]

    assert view["state"] == "lent"
    assert drill["loan"] not in [record for record, _ in waiting]
    assert [(tool["id"], tool["state"]) for tool in tools] == [(drill["tool"], "lent")]
    assert "lent" in drill["shown"]["again"]


def test_a_loan_is_overdue_by_the_clock(drill):
    assert drill["shown"]["overdue"]["state"] == "overdue"


def test_the_diaries_of_both_have_the_last_day(drill):
    ada, ben = drill["shown"]["calendar"]

    assert f"SUMMARY:{TITLE}\\, Ben" in ada
    assert f"SUMMARY:{TITLE}\\, Ada" in ben


def test_minutes_are_counted_once_it_is_back(street, drill):
    ada, ben, cleo = street

    assert drill["shown"]["returned"]["state"] == "returned"
    for home in (ada, ben):
        rows = {row["person"]["name"]: row["balance"] for row in home("balance")}
        assert rows == {"Ada": 30, "Ben": -30, "Cleo": 0}
    (line,) = ben("balance", "Ben")["history"]
    assert (line["kind"], line["id"], line["minutes"]) == ("toollib.loan", drill["loan"], -30)
    assert {row["balance"] for row in cleo("balance")} == {0}


def test_the_history_tells_who_did_what(street, drill):
    shown = street[1]("show", drill["tool"])

    assert (shown["kind"], shown["title"], shown["state"]) == ("toollib.tool", TITLE, "here")
    lines = [(line["kind"], line["author"]["name"]) for line in shown["history"]]
    assert lines == [
        ("toollib.tool", "Ada"),
        ("toollib.loan", "Ben"),
        ("accept", "Ada"),
        ("toollib.returned", "Ada"),
    ]
    assert all(line["counted"] for line in shown["history"])


def test_a_tool_is_found_by_its_words(street, drill):
    ada, ben, cleo = street

    assert titles(ada("search", "cordless")) == titles(ben("search", "cordless")) == [TITLE]
    found, remark = cleo.answer_and_remark("search", "cordless")
    assert found == []
    assert remark.startswith(f"{NEWER_RECORDS}: 3 records, ")


def test_the_home_without_it_carries_the_records_and_agrees(street, drill):
    status = agree(*street)  # equal in records, set hash and state hash
    cleo = street[2]

    assert status["specs"] == cleo("status")["specs"]
    shown = cleo("show", drill["tool"])
    assert NEWER in str(shown["history"])
    assert not any(line["counted"] for line in shown["history"])
    assert NEWER in cleo.text("show", drill["tool"])


def test_a_tool_stands_on_the_board(street, drill):
    ada, ben, cleo = street

    assert titles(ada("list", "board")) == titles(ben("list", "board")) == [TITLE]
    board, remark = cleo.answer_and_remark("list", "board")
    assert board == []
    assert remark.startswith(f"{NEWER_RECORDS}: 3 records, ")


def test_what_is_overdue_waits_for_the_owner(street, drill):
    ada, ben, _ = street
    loan = ben.post("toollib.loan", "--about", drill["tool"], "--until", local_day(-2))
    ada.has(loan)
    accept = ada.post("accept", "--about", loan)

    assert (loan, "toollib.returned") in steps(ada)

    ada.post("toollib.returned", "--about", loan)
    ben.has(accept)
    assert loan not in [record for record, _ in steps(ada)]


def test_whoever_installs_it_later_sees_what_was_carried(street, drill, installed):
    cleo = street[2]
    cleo("down")
    install(cleo, installed)

    assert titles(cleo("list", "toollib.tools")) == [TITLE]
    rows = {row["person"]["name"]: row["balance"] for row in cleo("balance")}
    assert rows["Ada"] == -rows["Ben"] >= 30
    agree(*street)

    cleo("down")
    del cleo.env["PYTHONPATH"]
    assert "no list of" in cleo.refused("list", "toollib.tools", code=2, several=True)
    agree(*street)


def diagnose(home):
    """Returns what the doctor finds. The doctor exits with 1 if something is wrong."""
    done = home.run("--json", "doctor")
    assert done.returncode == 1
    return json.loads(done.stdout)


def test_a_package_that_fails_is_named_and_the_home_works(street, drill, tmp_path):
    cleo = street[2]
    cleo("down")
    module = "raise RuntimeError('out of order')\n"
    install_package(tmp_path, "broken", module=module, version="0.1")
    install(cleo, tmp_path)
    fault = "The kinds of broken 0.1 are left out: RuntimeError: out of order."

    cleo("up")

    assert fault in (cleo.path / "node.log").read_text(encoding="utf-8")
    (finding,) = [row for row in diagnose(cleo) if row["name"] == "packages"]
    assert (finding["state"], finding["said"]) == ("wrong", fault)
    assert cleo.run("kinds").stderr == f"{fault}\n"
    request = cleo.post("request", "--title", "A ladder")
    street[0].has(request)
    eventually(lambda: titles(street[0]("search", "ladder")) == ["A ladder"], "it does not arrive")
