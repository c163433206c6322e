"""A stick in a pocket: records between homes that no network joins."""

import os
from dataclasses import replace

import pytest
from homes import ROOMY, folder, request

from meshcoop.config import Home as Folder
from protocol import bundle as bundles

WORDS = "ring the green door twice"


@pytest.fixture(scope="module")
def apart():
    """Ada and Ben belong to Rushey Lane, and no network joins them any more."""
    with folder() as one:
        ada = one.founder("Ada", *ROOMY)
        ben = one.newcomer(ada, "Ben")
        for home in (ada, ben):
            home("down")
            # Elsewhere from now on: neither is where the other knows it to be.
            settings = Folder(home.path).read_settings()
            Folder(home.path).write_settings(replace(settings, listen=(one.listen(),)))
        yield one, ada, ben


def holds(home):
    with home.database() as db:
        return {row[0] for row in db.execute("SELECT id FROM records")}


def carried(giver, taker, tmp_path, *words):
    file = tmp_path / "stick"
    written = giver("bundle", "write", str(file), *words)
    assert written["bytes"] == file.stat().st_size
    assert file.stat().st_mode & 0o777 == 0o600
    return written["records"], taker("bundle", "read", str(file))


def test_everything_and_then_what_is_lacking(apart, tmp_path):
    _, ada, ben = apart
    ben("up")
    ben("down")
    ada("up")
    with ada.lines() as lines:
        lines.post(*(request(f"Wish {n}") for n in range(300)))
    ada("down")  # nobody else is up, so that nothing goes by network
    count, told = carried(ada, ben, tmp_path)
    assert told["new"] >= 300
    assert told == {"new": told["new"], "known": count - told["new"], "refused": 0, "waiting": 0,
                    "whole": True}  # fmt: skip
    assert holds(ada) <= holds(ben)
    again = ben("bundle", "read", str(tmp_path / "stick"))
    assert (again["new"], again["known"]) == (0, count)
    asked = ada("list", "requests")[0]["id"]
    ada("down")
    said = ben.post("response", "--about", asked, "--text", WORDS)
    ben("down")
    have = tmp_path / "have"
    ada("bundle", "have", str(have))
    lacking, told = carried(ben, ada, tmp_path, "--for", str(have))
    ada("down")
    assert lacking < 20
    assert (told["new"], told["known"]) == (lacking, 0)
    assert WORDS.encode() not in (tmp_path / "stick").read_bytes()
    (response,) = ada("list", "responses")
    assert (response["id"], response["text"]) == (said, WORDS)
    ada("down")
    # Back again, both have the same, and make the same of it.
    ada("bundle", "write", str(tmp_path / "back"))
    ben("bundle", "read", str(tmp_path / "back"))
    mine = ben("status")
    ben("down")
    theirs = ada("status")
    ada("down")
    names = ("records", "set_hash", "state_hash")
    assert [mine[name] for name in names] == [theirs[name] for name in names]


def test_what_was_retracted_does_not_come_back(apart, tmp_path):
    _, ada, _ = apart
    one = ada.post("request", "--title", "An old wish", "--minutes", "30")
    ada("bundle", "write", str(tmp_path / "old"))
    ada.post("retract", "--about", one)
    told = ada("bundle", "read", str(tmp_path / "old"))
    assert (told["new"], told["whole"]) == (0, True)
    ada("down")
    with ada.database() as db:
        found = db.execute("SELECT content FROM records WHERE id = ?", (bytes.fromhex(one),))
        assert found.fetchone() == (None,)


def test_since_a_day(apart, tmp_path):
    _, ada, ben = apart
    count, told = carried(ada, ben, tmp_path, "--since", "2099-01-01")
    assert (count, told["new"]) == (0, 0)
    everything, _ = carried(ada, ben, tmp_path, "--since", "2000-01-01")
    assert everything == ada("status")["records"]
    ada("down")
    ben("down")


def test_what_a_resident_does_wrong(apart, tmp_path):
    one, ada, ben = apart
    good = tmp_path / "good"
    ada("bundle", "write", str(good))
    data = good.read_bytes()
    ada("bundle", "write", str(good))  # an older bundle is replaced
    (tmp_path / "cut").write_bytes(data[:-5])
    said = ben.run("--json", "bundle", "read", str(tmp_path / "cut"))
    assert said.returncode == 1
    assert '"whole": false' in said.stdout
    assert "cut short" in said.stderr
    foreign = b"".join(bundles.write(b"x" * 32, []))
    (tmp_path / "foreign").write_bytes(foreign)
    assert "nother neighbourhood" in ben.refused("bundle", "read", str(tmp_path / "foreign"))
    (tmp_path / "letter").write_text("Dear Ben,")
    assert "not a bundle" in ben.refused("bundle", "read", str(tmp_path / "letter"))
    assert "something else" in ada.refused("bundle", "write", str(tmp_path / "letter"))
    assert (tmp_path / "letter").read_text() == "Dear Ben,"
    assert "cannot be read" in ben.refused("bundle", "read", str(tmp_path / "nothing"))
    assert "no file" in ben.refused("bundle", "read", str(tmp_path))
    assert "something else" in ada.refused("bundle", "write", str(tmp_path))
    assert "cannot be written" in ada.refused("bundle", "write", str(tmp_path / "no" / "where"))
    (tmp_path / "link").symlink_to(good)
    assert "cannot be read" in ben.refused("bundle", "read", str(tmp_path / "link"))
    assert "something else" in ada.refused("bundle", "write", str(tmp_path / "link"))
    os.mkfifo(tmp_path / "pipe")
    assert "no file" in ben.refused("bundle", "read", str(tmp_path / "pipe"))
    assert "not a file of what" in ada.refused(
        "bundle", "write", str(tmp_path / "out"), "--for", str(good)
    )
    ada.refused("bundle", "write", str(tmp_path / "out"), "--since", "Thursday", code=2)
    assert "no home" in one.home("nobody").refused("bundle", "write", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()
    # Hostile: records that are none, and one bit of a real one flipped.
    forged = bytearray(data)
    forged[len(data) // 2] ^= 1
    for at, wrong in enumerate(
        (bytes(forged), b"".join(bundles.write(data[18:50], [b"x", b"\xc1"])))
    ):
        file = tmp_path / f"wrong {at}"
        file.write_bytes(wrong)
        before = ben("status")["state_hash"]
        ben.run("bundle", "read", str(file))
        assert ben("status")["state_hash"] == before
    ben("down")
    ada("down")
