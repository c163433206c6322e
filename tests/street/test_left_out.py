"""A home whose program fails at one record comes up, serves the rest and says what it leaves out.

The record is the attendance that ended every home: it names a role that its activity lacks.
"""

import json
from datetime import UTC, datetime, timedelta

import pytest

from tests.support.guest_packages import environment, install_package
from tests.support.real_homes import folder, titles

# Packages that change the program: one signs the attendance, and one folds it as programs did that
# could not stand it. Each declares a kind, so that a home folds all again when it gets the package.
KIND = """
from protocol.fold.kind import Kind, Words
from protocol.fold.registry import kind
from protocol.fold.view import States
from protocol.kinds.activities.activities import Activity, Attendance


@kind("{name}.note")
class Note(Kind):
    class State(States):
        OPEN = "open", "Always."

    wording = Words("Note", happened="{{who}} noted something")
    example = {{}}


Attendance.fold_entry = lambda attendance, thread: thread.add_view(attendance)
"""
SIGNER = """
Attendance.complete = lambda attendance, thread: setattr(attendance, "held", {"nobody": []})
Activity.settle = lambda activity, thread: setattr(activity, "occurrences", [])
"""


@pytest.fixture
def change(tmp_path):
    """Returns a function that gives a home one of the packages, or none."""
    for name, further in (("signer", SIGNER), ("folder", "")):
        place = tmp_path / name
        place.mkdir()
        install_package(place, name, module=KIND.format(name=name) + further)

    def change(home, name):
        home("down")
        home.env.pop("PYTHONPATH", None)
        if name is not None:
            home.env["PYTHONPATH"] = environment(tmp_path / name)["PYTHONPATH"]
        home("up")

    return change


def finding(home, name):
    """Returns (state, sentence) of one of the doctor's checks."""
    done = home.run("--json", "doctor")
    found = {row["name"]: row for row in json.loads(done.stdout)}
    return found[name]["state"], found[name]["said"]


def test_a_home_that_holds_a_record_its_program_fails_at_serves_the_rest(change):
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()
    with folder() as homes:
        ada = homes.home("ada")
        ada("found", "Rushey Lane", "--as", "Ada", "--timezone", "UTC", "--listen", homes.listen())
        ada("up")
        ada.post("offer", "--title", "Bread")
        lunch = ada.post("activity", "--title", "Lunch", "--starts", f"{yesterday}T12:30")
        change(ada, "signer")
        ada.post("signer.note")
        ada.post("attendance", "--about", lunch, "--people", "Ada", "--on", yesterday)

        change(ada, "folder")

        (failed,) = ada("status")["failed"]
        assert failed["id"] == lunch
        assert failed["error"].startswith("KeyError: 'nobody' (seating.py:")
        assert "leaves something out: see `meshcoop doctor`" in ada.text("status")
        state, sentence = finding(ada, "threads")
        assert (state, failed["error"] in sentence) == ("wrong", True)
        newer = "Newer than this program: 1 record, 1 signer.note (from the package signer)."
        offers, remark = ada.answer_and_remark("list", "offers")
        assert (titles(offers), remark) == (["Bread"], newer)
        assert ada.answer_and_remark("list", "activities") == ([], newer)
        ada.post("offer", "--title", "Soup")

        assert ada("status")["newer"] == [
            {"kind": "signer.note", "records": 1, "package": "signer"}
        ]
        assert newer in ada.text("list", "offers")
        assert newer in ada.text("search", "bread")
        assert newer in ada.text("status")
        assert finding(ada, "newer") == ("note", newer)

        change(ada, None)

        assert ada("status")["failed"] == []
        activities, remark = ada.answer_and_remark("list", "activities")
        assert (titles(activities), remark) == (["Lunch"], newer)
        assert finding(ada, "threads")[0] == "fine"
