"""A backup on a stick, restored on another machine: the person stays the same, and the device is
new.
"""

import shutil

import pytest

from tests.support.real_homes import Home, agree, folder


@pytest.fixture(scope="module")
def story():
    """Lets Ada found a neighbourhood and Ben join it. Ben makes a backup, goes on posting, and
    loses his machine.
    """
    with folder() as one:
        ada = one.founder("Ada")
        ben = one.home("ben")
        joined = ben("join", ada.invite(), "--as", "Ben", "--listen", one.listen())
        request = ada.post("request", "--title", "A lift", "--minutes", "30")
        ben.has(request)
        response = ben.post("response", "--about", request, "--text", "at the corner")
        ada.has(response)
        agree(ada, ben)
        stick = one.path / "ben.backup"
        # The software of the two homes may still sign something for itself meanwhile.
        before = ben("status")["records"]
        made = ben("backup", str(stick))
        assert before <= made["records"] <= ben("status")["records"]
        later = ben.post("offer", "--title", "Bread rolls")
        ada.has(later)
        ben("down")
        shutil.rmtree(ben.path)
        one.homes.remove(ben)
        yield one, ada, joined, stick, (request, later)


@pytest.fixture(scope="module")
def restored(story):
    one, _, _, stick, _ = story
    home = one.home("ben2")
    return home, home("restore", str(stick), "--listen", one.listen())


def test_the_person_is_back_as_a_new_device_even_before_anybody_is_met(story, restored):
    _, ada, joined, _, (request, later) = story
    ben, told = restored
    assert (told["state"], told["person"]) == ("member", joined["person"])
    assert told["neighbourhood"]["name"] == "Rushey Lane"
    assert told["device"] != joined["device"]
    ada("down")
    ben("up")
    assert ben("status")["person"] == joined["person"]
    shown = ben("list", "responses", "--about", request)
    assert [one["text"] for one in shown] == ["at the corner"]  # sealed to the device that is gone
    offer = ben.post("offer", "--title", "Alone and back")
    ada("up")
    ada.has(offer)
    ben.has(later)  # what the old device signed after the backup: no number is signed twice
    agree(ada, ben)
    assert {one["state"] for one in ada("devices", "Ben")} == {"live"}
    assert [one["counted"] for one in ada("show", later)["history"]] == [True]


def test_no_home_is_overwritten(story, restored):
    _, ada, _, stick, _ = story
    assert "somebody's home already" in ada.refused("restore", str(stick))
    assert "there already" in ada.refused("backup", str(stick))


def test_a_backup_from_after_the_check_needs_the_words(story, restored):
    one, ada, joined, _, _ = story
    ben, _ = restored
    from meshcoop.cli.recovery_sheet import forget_root_key
    from meshcoop.home import key_file as keystore
    from tests.support.real_homes import PASSPHRASE

    forget_root_key(keystore.unlock_key_file(ben.path / "keys", PASSPHRASE))
    stick = one.path / "later.backup"
    assert ben("backup", str(stick))["needs_words"]
    home = one.home("ben3")
    assert "--words" in home.refused("restore", str(stick), code=2)
    words = one.path / "words"
    words.write_text(ada_words(one))
    assert "somebody else" in home.refused("restore", str(stick), "--words", str(words))
    words.write_text(joined["recovery"])
    told = home("restore", str(stick), "--words", str(words), "--listen", one.listen())
    assert told["person"]["name"] == "Ben"
    home("up")
    agree(ada, ben, home)
    offers = [one.post("offer", "--title", name) for one, name in ((ben, "two"), (home, "three"))]
    ada.has(*offers)
    agree(ada, ben, home)  # two live devices of one person, side by side
    assert len(ada("devices", "Ben")) == 3
    assert all(ada("show", one)["history"][0]["counted"] for one in offers)


def ada_words(one):
    """Returns the recovery words of another person."""
    other = Home(one.path / "other", one.passphrase_file)
    return other("found", "Elsewhere", "--as", "Eve")["recovery"]


def test_what_is_no_backup_is_one_sentence(story):
    one, _, _, stick, _ = story
    home = Home(one.path / "nobody", one.passphrase_file)
    wrong = one.path / "wrong.backup"
    data = stick.read_bytes()
    for content, said in (
        (b"", "no backup"),
        (b"PK\x03\x04../../etc/passwd", "no backup"),
        (data[:-1], "damaged"),
        (data[: len(data) // 2], "damaged"),
        (data[:18] + b"\xff\xff\xff\xff" + data[22:], "damaged"),
        (data[:-40] + bytes(40), "damaged"),
    ):
        wrong.write_bytes(content)
        assert said in home.refused("restore", str(wrong))
        assert not (home.path / "keys").exists()
    assert "cannot be read" in home.refused("restore", str(one.path / "none"))
    told = home("restore", str(stick))  # no wrong file is in the way of the real one
    assert told["person"]["name"] == "Ben"
