"""What a person takes out are open files, which a plain script reads back."""

import csv
import json

import pytest

from tests.support.real_homes import agree, folder

WORDS = {"title": "A lift to the clinic", "text": "Thursday morning, with a walker"}


@pytest.fixture(scope="module")
def street():
    """Makes the homes of Ada and Ben, who have agreed on an hour, and a letter in a circle."""
    with folder() as place:
        ada = place.founder("Ada")
        ben = place.newcomer(ada, "Ben")
        asked = ada.post("request", "--title", WORDS["title"], "--text", WORDS["text"])
        ben.has(asked)
        answer = ben.post("response", "--about", asked, "--minutes", "60", "--text", "by my car")
        ada.has(answer)
        agreement = ada.post("agreement", "--about", answer)
        receipt = ada.post("receipt", "--about", agreement)
        circle = ada.post("circle", "--name", "Choir", "--members", "Ben")
        ada.post("message", "--about", circle, "--text", "we sing at eight")
        ben.has(receipt)
        ada.has(ben.post("confirm", "--about", receipt))
        agree(ada, ben)
        yield place, ada, ben


def test_every_record_comes_out_with_its_words(street):
    place, ada, _ = street
    out = place.path / "out"
    told = ada("take-out", str(out))
    rows = [json.loads(line) for line in (out / "written.jsonl").read_text().splitlines()]
    assert told["records"] == len(rows)
    by_kind = {row["kind"]: row for row in rows}
    assert {"profile", "request", "agreement", "receipt", "circle", "message"} <= by_kind.keys()
    request = by_kind["request"]["fields"]
    assert {name: request[name] for name in WORDS} == WORDS
    assert by_kind["message"]["fields"]["text"] == "we sing at eight"
    assert [row["number"] for row in rows] == list(range(1, len(rows) + 1))


def test_hours_and_people_are_tables(street):
    place, _, ben = street
    out = place.path / "out of Ben"
    ben("take-out", str(out))
    with (out / "people.csv").open(newline="") as table:
        names = {row["id"]: row["name"] for row in csv.DictReader(table)}
    assert sorted(names.values()) == ["Ada", "Ben"]
    with (out / "hours.csv").open(newline="") as table:
        [hour] = csv.DictReader(table)
    assert (hour["minutes"], names[hour["with"]]) == ("60", "Ada")
    me = json.loads((out / "me.json").read_text())
    assert (me["person"]["name"], me["balance"]["balance"]) == ("Ben", 60)
    private = [json.loads(line) for line in (out / "written.jsonl").read_text().splitlines()]
    [response] = [row for row in private if row["kind"] == "response"]
    assert response["fields"]["text"] == "by my car"


def test_no_file_holds_the_id_that_opens_the_door(street):
    place, ada, _ = street
    out = place.path / "out again"
    ada("take-out", str(out))
    neighbourhood = ada("status")["neighbourhood"]["id"]
    for path in out.iterdir():
        assert neighbourhood not in path.read_text()


def test_a_folder_with_something_in_it_is_left_alone(street):
    place, ada, _ = street
    full = place.path / "full"
    full.mkdir()
    (full / "mine.txt").write_text("mine")
    assert "is not empty" in ada.refused("take-out", str(full))
    assert [path.name for path in full.iterdir()] == ["mine.txt"]
    link = place.path / "link"
    link.symlink_to(place.path / "elsewhere")
    (place.path / "elsewhere").mkdir()
    assert "cannot be written" in ada.refused("take-out", str(link))
