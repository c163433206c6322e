"""Memory sticks carry records between homes without a network. Homes refuse all files that a stick
should not carry.
"""

import os
import resource
import subprocess
from contextlib import contextmanager

import pytest

from protocol.wire import bundle_file, frames
from tests.support.real_homes import ROOMY, Home, agree, each, folder, together

USAGE = 2


@pytest.fixture(scope="module")
def story():
    """Lets Ada, Ben and Cleo join one neighbourhood. Then stops all nodes. From here on, two nodes
    are never up together.
    """
    with folder() as one:
        ada = one.founder("Ada", *ROOMY)
        ben, cleo = one.newcomer(ada, "Ben"), one.newcomer(ada, "Cleo")
        first = ada.post("request", "--title", "A lift", "--minutes", "30")
        for home in (ada, ben, cleo):
            home("wait", "--peers", "2")
        agree(ada, ben, cleo)
        for home in (ada, ben, cleo):
            home("down")
        yield one, ada, ben, cleo, first


@contextmanager
def alone(home):
    """Lets only this home's node be up within the block. Stops the node afterwards."""
    try:
        yield home
    finally:
        home("down")


def carry(stick, giver, taker):
    """Carries from the giver the records that the taker lacks. Returns the counts."""
    taker("bundle", "have", str(stick / "have"))
    giver("bundle", "write", str(stick / "bundle"), "--for", str(stick / "have"))
    return taker("bundle", "read", str(stick / "bundle"))


def stand(home):
    with alone(home):
        found = home("status")
    return found["set_hash"], found["state_hash"], found["records"]


def listed(home, what):
    with alone(home):
        return home("list", what)


def settle(stick, *homes):
    """Carries new records among these homes until all hold the same records and have the same
    state.
    """
    for _ in range(4):
        stands = {stand(home) for home in homes}
        if len(stands) == 1:
            return
        for taker in homes:
            with alone(taker):
                for giver in homes:
                    told = carry(stick, giver, taker)
                    assert (told["known"], told["refused"], told["waiting"]) == (0, 0, 0)
    raise AssertionError("the homes never come to agree")


@pytest.fixture
def stick(tmp_path):
    return tmp_path


def test_two_homes_come_to_an_agreement_by_a_stick(story, stick):
    _, ada, ben, _, first = story
    with alone(ben):
        response = ben.post("response", "--about", first, "--text", "at the corner")
    with alone(ada):
        told = carry(stick, ben, ada)
        assert told == {"new": told["new"], "known": 0, "refused": 0, "waiting": 0}
        assert told["new"] >= 1  # homes sign some records by themselves
        (shown,) = ada("list", "responses", "--about", first)
        assert (shown["id"], shown["text"]) == (response, "at the corner")
        ada.post("agreement", "--about", response)
    with alone(ben):
        assert carry(stick, ada, ben)["new"] >= 1
        assert ben("show", first)["state"] == "agreed"
        held = ben("status")["set_hash"]
        again = ben("bundle", "read", str(stick / "bundle"))
        assert again == {"new": 0, "known": again["known"], "refused": 0, "waiting": 0}
        said = ben.text("bundle", "read", str(stick / "bundle"))
        assert f"0 are new here, {again['known']} were known" in said
        assert ben("status")["set_hash"] == held
    settle(stick, ada, ben)


def test_a_third_home_has_all_of_it_from_one_stick(story, stick):
    _, ada, ben, cleo, _ = story
    with alone(cleo):
        offer = cleo.post("offer", "--title", "Soup")
    made = ben("bundle", "write", str(stick / "all"))
    assert made == {"file": str(stick / "all"), "records": stand(ben)[2]}
    assert (stick / "all").stat().st_mode & 0o777 == 0o600
    with alone(cleo):
        told = cleo("bundle", "read", str(stick / "all"))
        assert told["new"] + told["known"] == made["records"]
        assert (told["refused"], told["waiting"]) == (0, 0)
    settle(stick, ada, ben, cleo)
    for home in (ada, ben):
        assert offer in [one["id"] for one in listed(home, "offers")]


def test_what_came_by_a_stick_goes_on_to_peers(story, stick):
    _, ada, ben, cleo, _ = story
    with alone(ada):
        offers = [ada.post("offer", "--title", name) for name in ("Bread", "Rolls")]
    ada("bundle", "write", str(stick / "all"))
    with alone(ben), alone(cleo):
        together(lambda: ben("up"), lambda: cleo("up"))
        ben("wait", "--peers", "1")
        assert ben("bundle", "read", str(stick / "all"))["new"] >= 2
        cleo.has(*offers)


def test_only_what_was_written_since_a_day(story, stick):
    _, ada, ben, _, _ = story
    path = str(stick / "late")
    assert ada("bundle", "write", path, "--since", "2100-01-01")["records"] == 0
    assert ada("bundle", "write", path, "--since", "2001-01-01")["records"] == stand(ada)[2]
    assert "keeps these waiting" in ada.text("bundle", "write", path, "--since", "2100-01-01")
    with alone(ben):
        assert ben("bundle", "read", path) == dict.fromkeys(
            ("new", "known", "refused", "waiting"), 0
        )
    for day in ("yesterday", "20260101", "2026-02-30", "2026-1-1", ""):
        assert "2026-11-02" in ada.refused("bundle", "write", path, "--since", day, code=USAGE)


# -- what is no bundle ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def written(story, tmp_path_factory):
    """Returns the bytes of a bundle with records that Ben lacks. The records are in several
    lists.
    """
    _, ada, _, _, _ = story
    path = tmp_path_factory.mktemp("written") / "bundle"
    with alone(ada), ada.lines() as script:
        script.post(
            *(
                {"kind": "offer", "fields": {"title": f"Jam {n}", "text": "x" * 900}}
                for n in range(60)
            )
        )
        assert script.end() == 0
    ada("bundle", "write", str(path))
    return path.read_bytes()


def test_a_cut_bundle_is_told_and_what_came_before_is_kept(story, stick, written):
    _, ada, ben, _, _ = story
    path = stick / "bundle"
    with alone(ben):
        before = ben("status")["records"]
        path.write_bytes(written[: len(written) - 30_000])
        said = ben.refused("bundle", "read", str(path))
        assert "cut off" in said
        assert "what came before is kept: " in said
        some = ben("status")["records"]
        assert before < some < held(ada)
        path.write_bytes(written[:-1])  # all but the last byte of the end
        assert "cut off" in ben.refused("bundle", "read", str(path))
        assert ben("status")["records"] == held(ada)
        path.write_bytes(written)
        told = ben("bundle", "read", str(path))
        assert (told["new"], told["known"]) == (0, held(ada))
    settle(stick, ada, ben)


def held(home):
    """Returns how many records a home holds. Its node must be down."""
    with home.database() as db:
        return db.execute("SELECT count(*) FROM records").fetchone()[0]


def test_what_is_no_bundle_is_one_sentence(story, stick, written):
    one, ada, ben, _, _ = story
    other = Home(one.path / "elsewhere", one.passphrase_file)
    other("found", "Elm Road", "--as", "Eve")
    other("bundle", "write", str(stick / "other"))
    ben("bundle", "have", str(stick / "have"))
    (stick / "link").symlink_to(stick / "other")
    os.mkfifo(stick / "pipe")
    head = len(bundle_file.file_opening(bundle_file.BUNDLE, bytes(32), bytes(32)))
    files = {
        "empty": b"",
        "zip": b"PK\x03\x04../../etc/passwd" * 100,
        "newer": written.replace(b"\x94\0\2", b"\x94\0\3", 1),
        "claims": written[:head] + b"\xff\xff\xff\xff" + written[head:],
        "longer": written + b"more",
        "nested": written[:head] + b"\0\0\x10\0" + b"\x91" * 4096,
    }
    for name, data in files.items():
        (stick / name).write_bytes(data)
    cases = [
        ("empty", "no bundle"), ("zip", "no bundle"), ("have", "no bundle"),
        ("newer", "version 3"), ("other", "another neighbourhood"), ("claims", "R-05.1"),
        ("longer", "R-"), ("nested", "R-02"), ("link", "a link"), ("pipe", "no file"),
        (".", "no file"), ("missing", "No such file"), ("empty/x", "Not a directory"),
        ("/dev/zero", "no file"),
    ]  # fmt: skip
    with alone(ben):
        before = ben("status")
        each(cases, lambda case: refused(ben, stick, *case))
        after = ben("status")
        for name in ("set_hash", "state_hash", "pid"):
            assert after[name] == before[name]
    for name, words in (("zip", "no have file"), ("other", "no have file"), ("missing", "No such")):
        asked = ("bundle", "write", str(stick / "new"), "--for", str(stick / name))
        assert words in ada.refused(*asked)
    whole = (stick / "have").read_bytes()
    (stick / "cut").write_bytes(whole[:-1])
    assert "cut off" in ada.refused(
        "bundle", "write", str(stick / "new"), "--for", str(stick / "cut")
    )
    assert not (stick / "new").exists()


def refused(home, stick, name, words):
    assert words in home.refused("bundle", "read", str(stick / name))


def test_a_hostile_bundle_is_given_up_and_costs_nothing_else(story, stick, written):
    _, _, ben, _, _ = story
    place = bytes.fromhex(neighbourhood(ben))
    path = stick / "bundle"
    with alone(ben):
        before = ben("status")
        wires = [b"\x93" + n.to_bytes(4, "big") for n in range(5000)]
        pieces = bundle_file.encode_file(
            bundle_file.BUNDLE, place, bytes(32), frames.batch_records(wires)
        )
        path.write_bytes(b"".join(pieces))
        told = ben.refused("bundle", "read", str(path))
        assert "records are refused, so the rest is not read" in told
        count = int(told.split(" records are refused")[0].split()[-1])
        assert 1000 <= count < 5000
        (few,) = [list(bundle_file.encode_file(bundle_file.BUNDLE, place, bytes(32), [wires[:10]]))]
        path.write_bytes(b"".join(few))
        assert ben("bundle", "read", str(path)) == {
            "new": 0,
            "known": 0,
            "refused": 10,
            "waiting": 0,
        }
        for at in range(100, len(written), len(written) // 8):
            path.write_bytes(written[:at] + bytes([written[at] ^ 1]) + written[at + 1 :])
            done = ben.run("--json", "bundle", "read", str(path))
            assert done.returncode in {0, 1}
            assert "Traceback" not in done.stderr
        after = ben("status")
        assert after["pid"] == before["pid"]
        assert after["set_hash"] == before["set_hash"]
    assert "Traceback" not in (ben.path / "node.log").read_text()


def neighbourhood(home):
    with alone(home):
        return home("status")["neighbourhood"]["id"]


# -- where it is written --------------------------------------------------------------------------


def test_nothing_but_a_bundle_is_overwritten(story, stick):
    _, ada, _, _, _ = story
    (stick / "letter").write_text("to my mother")
    (stick / "link").symlink_to(stick / "letter")
    for name in ("letter", "link", "."):
        assert "there already" in ada.refused("bundle", "write", str(stick / name))
        assert "there already" in ada.refused("bundle", "have", str(stick / name))
    assert (stick / "letter").read_text() == "to my mother"
    assert "cannot be written" in ada.refused("bundle", "write", str(stick / "no" / "folder"))
    ada("bundle", "have", str(stick / "have"))
    assert "there already" in ada.refused("bundle", "write", str(stick / "have"))
    first = ada("bundle", "write", str(stick / "all"))
    assert ada("bundle", "write", str(stick / "all")) == first


def test_no_room_leaves_what_was_there(story, stick, written):
    _, ada, _, _, _ = story
    ada("bundle", "write", str(stick / "all"), "--since", "2100-01-01")
    before = (stick / "all").read_bytes()
    most = 48 * 1024
    assert len(written) > most
    done = subprocess.run(
        ada.command("--json", "bundle", "write", str(stick / "all")), env=ada.env,
        capture_output=True, text=True, check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (most, most)),
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (1, "")
    assert "make room" in done.stderr
    assert done.stderr.count("\n") == 1
    assert (stick / "all").read_bytes() == before
    assert [one.name for one in stick.iterdir()] == ["all"]


def test_who_belongs_nowhere(story, stick):
    one, ada, _, _, _ = story
    with alone(ada):
        code = ada.invite()
    newcomer = one.home("newcomer")
    newcomer.refused("join", code, "--as", "Eve", "--listen", one.listen(), "--wait", "1")
    nobody = Home(one.path / "nobody", one.passphrase_file)
    ada("bundle", "write", str(stick / "all"))
    for what in ("write", "read", "have"):
        words = ("bundle", what, str(stick / "all"))
        assert "belongs to no neighbourhood yet" in newcomer.refused(*words)
        assert "`meshcoop found`" in nobody.refused(*words)
        assert ada.refused("bundle", what, code=USAGE)
    assert not nobody.path.exists()
