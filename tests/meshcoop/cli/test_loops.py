"""The command `meshcoop loops FILE`, called as a script calls it."""

import json
import subprocess
import sys

import pytest


def loops(tmp_path, given, *words):
    path = tmp_path / "points.json"
    path.write_text(given if isinstance(given, str) else json.dumps(given))
    return subprocess.run(
        [sys.executable, "-m", "meshcoop", *words, "loops", str(path)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip


def test_each_point_is_told(tmp_path):
    points = [2, 1, None, 2, 3, 2, 2, 1, 3, 10]
    done = loops(tmp_path, {"scale": "count", "target": 2, "points": points}, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    *_, before, last = found = json.loads(done.stdout)
    assert [one["point"] for one in found] == [1, 2, 4, 5, 6, 7, 8, 9, 10]
    assert (before["w1"], before["short"], before["change"]) == (None, False, None)
    assert (last["short"], last["change"], last["r8"], last["screened"]) == (True, "worse", 0, None)
    numerator, denominator = map(int, last["w1"].split("/"))
    assert 400 * numerator <= denominator
    assert 9**26 % denominator == 0


def test_words_for_people(tmp_path):
    done = loops(tmp_path, {"scale": "share", "points": [[10, 5]]})
    assert done.stdout == "Point 1: as usual; the target is missed.\n"


BAD = {
    "no JSON": "{",
    "deep": "[" * 100_000,
    "a list": [],
    "no points": {"scale": "count", "target": 2},
    "no word for a scale": {"scale": [], "points": []},
    "another scale": {"scale": "stars", "points": []},
    "no target": {"scale": "count", "points": [1]},
    "a target above the table": {"scale": "count", "target": 21, "points": [1]},
    "a share of all": {"scale": "share", "share": 100, "points": [[1, 0]]},
    "more bad ones than answers": {"scale": "share", "points": [[3, 4]]},
    "a window without answers": {"scale": "share", "points": [[0, 0]]},
    "a pair of incidents": {"scale": "count", "target": 1, "points": [[1, 1]]},
    "a number of answers alone": {"scale": "share", "points": [4]},
    "less than nothing": {"scale": "count", "target": 1, "points": [-1]},
    "a fraction": {"scale": "count", "target": 1, "points": [0.5]},
    "true": {"scale": "count", "target": 1, "points": [True]},
    "too many": {"scale": "count", "target": 1, "points": [1] * 1001},
}


@pytest.mark.parametrize("name", ["no JSON", "more bad ones than answers", "too many"])
def test_a_file_that_will_not_do_is_refused(tmp_path, name):
    done = loops(tmp_path, BAD[name])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("name", BAD)
def test_and_so_is_every_other(tmp_path, name):
    from meshcoop.cli.loops.point_file import _read_points
    from meshcoop.errors import Mistake

    path = tmp_path / "points.json"
    path.write_text(BAD[name] if isinstance(BAD[name], str) else json.dumps(BAD[name]))
    with pytest.raises(Mistake) as caught:
        _read_points(path)
    assert caught.value.code == 2


def test_no_file_is_a_sentence(tmp_path):
    command = [sys.executable, "-m", "meshcoop", "loops", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.endswith("No such file or directory.\n")
