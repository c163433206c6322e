"""A home burns down, a laptop is stolen, a person has two machines: how people come back and how
devices end.
"""

import shutil
from dataclasses import replace

import pytest

from meshcoop.home import key_file as keystore
from protocol import kinds
from protocol.fold.content import read_content
from tests.support.real_homes import PASSPHRASE, agree, eventually, folder

assert kinds  # registers every kind


@pytest.fixture(scope="module")
def story():
    """Ada founds a neighbourhood, Ben and Cleo join it, and Ben earns 30 minutes. Then Ben's home
    burns down.
    """
    with folder() as one:
        ada = one.founder("Ada")
        ben = one.home("ben")
        joined = ben("join", ada.invite(), "--as", "Ben", "--listen", one.listen())
        cleo = one.newcomer(ada, "Cleo")
        request = cleo.post("request", "--title", "A lift", "--minutes", "30")
        ben.has(request)
        response = ben.post("response", "--about", request, "--text", "gladly")
        cleo.has(response)
        agreement = cleo.post("agreement", "--about", response)
        ben.has(agreement)
        receipt = ben.post("receipt", "--about", agreement)
        cleo.has(receipt)
        cleo.post("confirm", "--about", receipt)
        agree(ada, ben, cleo)
        assert ben("balance", "Ben")["balance"] == 30
        ben("down")
        shutil.rmtree(ben.path)
        one.homes.remove(ben)
        words = one.path / "words"
        words.write_text(joined["recovery"] + "\n")
        yield one, ada, cleo, joined, words


@pytest.fixture(scope="module")
def back(story):
    """Makes Ben's new home from his recovery words and an invitation of Cleo, who never vouched for
    him.
    """
    one, _, cleo, _, words = story
    home = one.home("ben2")
    code = cleo("invite")["invitation"]
    answer = home("join", code, "--words", str(words), "--listen", one.listen())
    return home, answer


def test_who_lost_everything_is_back_as_a_new_device(story, back):
    _, ada, cleo, joined, _ = story
    ben, answer = back
    assert answer["state"] == "member"
    assert answer["recovery"] is None
    assert answer["person"] == joined["person"]
    assert answer["device"] != joined["device"]
    agree(ada, ben, cleo)
    assert ben("balance", "Ben")["balance"] == 30
    assert [one["title"] for one in ben("list", "requests")] == ["A lift"]
    offer = ben.post("offer", "--title", "I am back")
    ada.has(offer)
    assert ada("show", offer)["author"] == joined["person"]
    assert len(ada("list", "people")) == 3


def test_both_devices_are_listed_and_the_lost_one_can_be_ended(story, back):
    _, ada, cleo, joined, words = story
    ben, answer = back
    listed = {one["device"]: one for one in ben("devices")}
    assert set(listed) == {joined["device"], answer["device"]}
    assert {one["state"] for one in listed.values()} == {"live"}
    assert [listed[one]["here"] for one in (joined["device"], answer["device"])] == [False, True]
    lost = joined["device"]
    assert "recovery words" in ben.refused("revoke", lost, code=2)
    ended = ben("revoke", lost, "--words", str(words))
    assert ended["after"] == listed[lost]["records"] > 0
    cleo.has(ended["id"])
    (shown,) = [one for one in cleo("devices", "Ben") if one["device"] == lost]
    assert (shown["state"], shown["after"]) == ("revoked", ended["after"])
    eventually(lambda: knows_revocation(ada, lost), "Ada never hears of the theft")
    before = epochs(ada)
    after = ada.post("offer", "--title", "after the theft")
    assert epochs(ada) > before  # no key from before the theft seals anything any more
    ben.has(after)
    assert ben("show", after)["title"] == "after the theft"
    agree(ada, ben, cleo)
    assert ben("balance", "Ben")["balance"] == 30


def test_words_that_do_not_fit_are_one_sentence(story, back):
    one, ada, cleo, _, words = story
    ben, _ = back
    right = words.read_text().split()
    file = one.path / "wrong"
    for wrong, said in (
        (right[:23], "copy all of it"),
        ([right[1], right[0], *right[2:]], "do not belong together"),
        (["zzzz", *right[1:]], "no recovery word"),
    ):
        file.write_text(" ".join(wrong))
        home = one.home("nobody")
        one.homes.remove(home)
        assert said in home.refused("join", ada.invite(), "--words", str(file), code=2)
        assert not home.path.exists()
    assert "not the words of" in ada.refused(
        "revoke", cleo("devices")[0]["device"], "--words", str(words)
    )
    assert "Say who joins" in ben.refused("join", ada.invite(), code=2)
    unseen = ada.run("recovery")
    assert unseen.returncode == 2
    assert "no terminal" in unseen.stderr
    assert len(ada("recovery")["recovery"].split()) == 24


def test_a_copied_home_says_what_it_found_and_certifies_a_new_device(story, back):
    _, ada, cleo, _, words = story
    agree(ada, cleo)
    cleo("down")
    unlocked = keystore.unlock_key_file(cleo.path / "keys", PASSPHRASE)
    (held,) = unlocked.keys.devices
    elsewhere = keystore.HeldDevice(held.person, held.seed, held.statement, "another machine")
    unlocked.save(replace(unlocked.keys, devices=(elsewhere,)))
    before = cleo("status")
    assert "copied or moved" in before["trouble"]["text"]
    assert "meshcoop certify" in cleo.text("status")
    said = cleo.refused("post", "offer", "--title", "from a copy")
    assert "certify a new one from the recovery words" in said
    (mine,) = cleo("devices")
    records = mine["records"]
    other = cleo.refused("certify", "--words", str(words))
    assert "no device at this home" in other
    made = cleo("certify")  # the words are not on paper yet, so the home still has them
    assert made["device"] != mine["device"]
    offer = cleo.post("offer", "--title", "from here on")
    ada.has(offer)
    assert ada("show", offer)["author"]["name"] == "Cleo"
    listed = {one["device"]: one for one in ada("devices", "Cleo")}
    assert listed[mine["device"]]["records"] == records
    assert {one["state"] for one in listed.values()} == {"live"}
    assert cleo("status")["trouble"] is None


def knows_revocation(home, device):
    listed = {one["device"]: one for one in home("devices", "Ben")}
    return listed[device]["state"] == "revoked"


def epochs(home):
    """Returns the ids of the group keys for which this home has records."""
    with home.database() as db:
        rows = db.execute("SELECT content FROM records WHERE open AND content NOT NULL").fetchall()
    read = [read_content(row[0]) for row in rows]
    return {fields["key_id"] for kind, fields in read if kind == "epoch"}
