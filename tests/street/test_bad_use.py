"""Whatever people do wrong, they get one sentence with the remedy, the right exit code and nothing
else.
"""

import json
import shutil
from types import SimpleNamespace

import pytest
from nacl.signing import SigningKey

import meshcoop
import protocol
import tui
from meshcoop.api.resolver import Resolver
from meshcoop.errors import Mistake
from meshcoop.store.store import Store
from protocol.wire import invitation
from tests.support.real_homes import PASSPHRASE, Home, each, folder, request

USAGE = 2


@pytest.fixture(scope="module")
def place():
    with folder() as one:
        yield one


@pytest.fixture(scope="module")
def ada(place):
    """Makes the home of a founder. Its node is up."""
    return place.founder("Ada")


@pytest.fixture(scope="module")
def request_id(ada):
    return ada.post("request", "--title", "A lift", "--minutes", "30")


# -- without a node -------------------------------------------------------------------------------


SENSELESS = [
    ["frobnicate"],
    ["found"],
    ["found", "Rushey Lane"],
    ["found", "Rushey Lane", "--as", "Ada", "--vouchers", "many"],
    ["found", "Rushey Lane", "--as", "Ada", "--vouchers", "0"],
    ["found", "Rushey Lane", "--as", "Ada", "--quota-records", "9"],
    ["found", "Rushey Lane", "--as", "Ada", "--colour", "red"],
    ["found", "", "--as", "Ada"],
    ["found", "Rushey Lane", "--as", " "],
    ["found", "Rushey Lane", "--as", "x" * 81],
    ["found", "Rushey Lane", "--as", "Ada", "--moderators", "Ben"],
    ["join", "--as", "Ben"],
    ["join", "not an invitation!", "--as", "Ben"],
    ["join", "AEBAGBAFAYDQQCIKBMGA2DQPCA", "--as", "Ben"],
    ["post"],
    ["post", "wish", "--title", "A lift"],
    ["post", "request", "--colour", "red"],
    ["post", "request", "--title"],
    ["post", "response", "--minutes", "30"],
    ["search"],
    ["show"],
    ["wait", "--records", "many"],
    ["demo", "--headless", "--households", "2"],
]


def test_a_command_that_makes_no_sense(place):
    home = Home(place.path / "nobody", place.passphrase_file)
    each(SENSELESS, lambda words: home.refused(*words, code=USAGE))
    assert not home.path.exists()


def test_there_is_no_home_yet(place):
    home = Home(place.path / "nobody", place.passphrase_file)
    commands = [
        ["run"], ["up"], ["status"], ["invite"], ["list", "requests"], ["balance"], ["wait"],
        ["post", "request", "--title", "A lift"], ["search", "lift"], ["approve", "Ben"],
        ["show", "0123abcd"], ["post", "--lines"],
    ]  # fmt: skip
    for said in each(commands, lambda words: home.refused(*words)):
        assert "`meshcoop found`" in said
    assert not home.path.exists()


def test_down_where_nothing_runs(place):
    home = Home(place.path / "nobody", place.passphrase_file)
    assert home("down") == {"stopped": True}
    assert home("down") == {"stopped": True}


def test_the_specs_are_in_a_checkout_only(place):
    copy = place.path / "installed"
    for one in (meshcoop, protocol, tui):
        source = one.__path__[0]
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(source, copy / one.__name__, ignore=ignored)
    home = Home(place.path / "nobody", place.passphrase_file)
    home.env["PYTHONPATH"] = str(copy)
    home.env["PYTHONSAFEPATH"] = "1"
    home.env["PYTHONDONTWRITEBYTECODE"] = "1"
    assert "checkout" in home.refused("specs", "--check")


# -- keys and passphrase --------------------------------------------------------------------------


def test_no_terminal_and_no_passphrase_file(place, ada):
    silent = Home(place.path / "silent", None)
    said = silent.refused("found", "Rushey Lane", "--as", "Ada", code=USAGE)
    assert "MESHCOOP_PASSPHRASE_FILE" in said
    silent.refused("found", "Rushey Lane", "--as", "Ada", code=USAGE)  # the same once more


def test_a_passphrase_file_that_is_not_there_or_empty(place):
    Home(place.path / "new", place.path / "missing").refused("found", "X", "--as", "A", code=USAGE)
    empty = place.path / "empty"
    empty.write_text("\n")
    Home(place.path / "new", empty).refused("found", "X", "--as", "A", code=USAGE)


def test_a_stopped_home_needs_its_own_passphrase(place, ada):
    home = place.home("locked")
    home("found", "Rushey Lane", "--as", "Ada")
    silent = Home(home.path, None)
    for words in (["up"], ["run"], ["status"], ["list", "requests"]):
        assert "MESHCOOP_PASSPHRASE_FILE" in silent.refused(*words, code=USAGE)
    wrong = place.path / "wrong"
    wrong.write_text(PASSPHRASE.upper())
    for words in (["up"], ["run"]):
        assert "passphrase" in Home(home.path, wrong).refused(*words)
    keys = home.path / "keys"
    keys.chmod(0o640)
    assert "chmod 600" in home.refused("run")
    assert "chmod 600" in home.refused("up")
    keys.chmod(0o600)
    home.path.chmod(0o777)
    assert "chmod 700" in home.refused("up")
    home.path.chmod(0o700)
    keys.write_bytes(keys.read_bytes()[:-3])
    home.refused("run")


def test_a_running_node_asks_for_no_passphrase(ada):
    assert Home(ada.path, None)("status")["ready"] is True


# -- the home -------------------------------------------------------------------------------------


def test_a_home_that_is_taken(place, ada):
    assert "--home" in ada.refused("found", "Elm Road", "--as", "Ada")
    code = ada.invite()
    assert ada("join", code, "--as", "Ada")["state"] == "member"  # in this very neighbourhood
    nobody = SigningKey(bytes(32)).verify_key.encode()
    other = invitation.decode(code)._replace(peer=nobody)
    assert "--home" in ada.refused("join", invitation.encode(other), "--as", "Ada")


def test_founding_that_fails_can_be_done_again(place):
    home = place.home("again")
    home.refused("found", "Rushey Lane", "--as", "Ada", "--listen", "nowhere", several=True)
    assert home("found", "Rushey Lane", "--as", "Ada")["state"] == "member"


def test_up_twice_and_run_beside_it(ada):
    first = ada("up")["pid"]
    assert ada("up")["pid"] == first
    assert "`meshcoop down`" in ada.refused("run")


def test_an_address_that_is_taken(place, ada):
    taken = ada("status")["addresses"][0].partition("/p2p/")[0]
    home = place.home("second")
    words = ("join", ada.invite(), "--as", "Eve")
    assert taken in home.refused(*words, "--listen", taken, several=True)
    home("found", "Elm Road", "--as", "Eve")
    settings = home.path / "home.toml"
    settings.write_text(f'listen = ["{taken}"]\n')
    assert taken in home.refused("up", several=True)
    assert home("up", "--listen", place.listen())["ready"] is True
    home("down")


def test_a_home_that_is_no_folder(place):
    file = place.path / "file"
    file.write_text("")
    for words in (["found", "X", "--as", "A"], ["up"], ["down"], ["status"]):
        done = Home(file, place.passphrase_file).run("--json", *words)
        assert "Traceback" not in done.stderr
        assert done.stderr.count("\n") <= 1
    Home(file, place.passphrase_file).refused("found", "X", "--as", "A")


# -- records --------------------------------------------------------------------------------------


REFUSED = [
    (["post", "request"], USAGE),
    (["post", "request", "--title", ""], USAGE),
    (["post", "request", "--title", "x" * 121], USAGE),
    (["post", "request", "--title", "A lift", "--minutes", "0"], USAGE),
    (["post", "request", "--title", "A lift", "--minutes", "an hour"], USAGE),
    (["post", "request", "--title", "A lift", "--minutes", "9" * 30], USAGE),
    (["post", "request", "--title", "A lift", "--starts", "tomorrow"], USAGE),
    (["post", "request", "--title", "A lift", "--starts", "2026-02-30"], USAGE),
    (["post", "request", "--title", "A lift"] + ["--tags", "t"] * 17, USAGE),
    (["post", "request", "--title", "A lift", "--as", "Nobody"], 1),
    (["post", "response", "--about", "xyz"], USAGE),
    (["post", "response", "--about", "0123abc"], USAGE),
    (["post", "response", "--about", "0123abcd"], 1),
    (["show", "0123abc"], USAGE),
    (["show", "0123abcd"], 1),
    (["show", "0" * 65], USAGE),
    (["list", "unicorns"], USAGE),
    (["list", "requests", "--state", "lost"], USAGE),
    (["list", "requests", "--about", "0123abcd"], 1),
    (["list", "requests", "--limit", "-1"], USAGE),
    (["balance", "Nobody"], 1),
    (["approve", "Nobody"], 1),
    (["wait", "--id", "0123abc"], USAGE),
    (["wait", "--records", "-1"], USAGE),
]


def test_what_the_node_refuses(ada):
    before = ada("status")["set_hash"]
    each(REFUSED, lambda case: ada.refused(*case[0], code=case[1]))
    assert ada("status")["set_hash"] == before


def test_a_response_to_oneself(ada, request_id):
    ada.refused("post", "response", "--about", request_id)
    ada.refused("post", "agreement", "--about", request_id)
    ada.refused("post", "confirm", "--about", request_id)


def test_wait_that_does_not_come_true(ada):
    done = ada.run("--json", "wait", "--records", "999999", "--timeout", "0")
    assert done.returncode == 1
    assert done.stdout == '{"so": false}\n'


def test_lines_that_are_no_requests(ada):
    lines = [
        "not JSON", "[]", "{}", "null", '{"kind": 7}', '{"kind": "wish"}', '{"kind": "request"}',
        '{"kind": "request", "fields": []}', '{"kind": "request", "fields": {"title": 7}}',
        '{"kind": "request", "fields": {"title": "x", "colour": "red"}}',
        '{"kind": "request", "fields": {"title": "x", "minutes": 1e400}}',
        '{"kind": "request", "fields": {"title": "x", "minutes": NaN}}',
        '{"kind": "request", "fields": {"title": "x", "minutes": 99999999999999999999999}}',
        '{"kind": "request", "fields": {"title": "x", "minutes": true}}',
        '{"kind": "request", "fields": {"title": "\\ud800"}}',
        '{"kind": "request", "fields": {"title": "x"}, "about": 7}',
        '{"kind": "request", "fields": {"title": "x"}, "extra": 1}',
        '{"kind": "response", "about": "0123abcd", "fields": {}}',
        "[" * 3000,
    ]  # fmt: skip
    before = ada("status")["set_hash"]
    said = "\n".join([*lines, "", '{"kind": "request", "fields": {"title": "One that counts"}}'])
    done = ada.run("--json", "post", "--lines", said=said + "\n")
    assert done.returncode == 1
    assert done.stderr == ""
    answers = [json.loads(one) for one in done.stdout.splitlines()]
    assert [list(one) for one in answers] == [["error"]] * len(lines) + [["id"]]
    for one in answers[:-1]:
        assert one["error"].endswith(".")
        assert "made a mistake" not in one["error"], one
    ada.has(answers[-1]["id"])
    assert ada("status")["set_hash"] != before


def test_an_ambiguous_id():
    # In a test, no two ids share 8 digits by chance. So the resolver gets two made-up ids that do.
    store = Store(":memory:")
    store.db.execute("CREATE TEMP TABLE records (id BLOB)")  # hides the real table
    for last in (1, 2):
        store.db.execute("INSERT INTO records VALUES (?)", (bytes([7] * 31 + [last]),))
    resolver = Resolver(SimpleNamespace(store=store), SimpleNamespace(names=dict))
    with pytest.raises(Mistake, match="give more digits") as raised:
        resolver.resolve_record("07070707")
    assert raised.value.code == 1
    assert resolver.resolve_record("07" * 31 + "02") == bytes([7] * 31 + [2])
    store.close()


def test_what_steers_a_terminal_is_harmless(ada):
    nasty = "\x1b]52;c;ZXZpbA==\x07\x1b[2J\u202eevil\x00\x9b31m\nA line of its own [/]"
    one = ada.post("request", "--title", nasty.replace("\x00", ""), "--text", "\x1b[31mred\r\nx")
    for words in (["list", "requests"], ["show", one], ["search", "evil"]):
        said = ada.text(*words)
        assert not set("\x1b\x07\u202e\x9b\x00\r") & set(said)
        assert "\nA line of its own" not in said
    (shown,) = [view for view in ada("list", "requests") if view["id"] == one]
    assert shown["title"] == nasty.replace("\x00", "")  # programs get the text as it was written
    said = ada.run("list", "\x1b[2Junicorns").stderr
    assert "\x1b" not in said


def test_the_quota_is_reached(place):
    home = place.home("frugal")
    home("found", "Elm Road", "--as", "Eve", "--quota-records", "10", "--listen", place.listen())
    home("up")
    with home.lines() as script:
        script.say(*(request(f"Wish {number}") for number in range(10)))
        answers = [script.answer() for _ in range(10)]
        assert script.end() == 1
    # Of ten, the charter and the profile took two; the epoch is software's (R-03.15i).
    assert [list(one) for one in answers] == [["id"]] * 8 + [["error"]] * 2
    said = home.refused("post", "request", "--title", "One more")
    assert "quota" in said
    assert "tomorrow" in said
    assert len(home("list", "requests")) == 8
    home("down")


# -- joining --------------------------------------------------------------------------------------


def test_joining_with_what_does_not_open(place, ada):
    """One newcomer tries every wrong way and joins at last: no mistake leaves a trace."""
    good, expired, used = ada.invite(), ada.invite(), ada.invite()
    one = invitation.decode(good)
    ada("down")
    newcomer = place.home("other")
    join = ("--as", "Ada")
    said = newcomer.refused("join", good, *join, "--listen", place.listen(), "--wait", "1")
    assert "ask the inviter" in said
    with ada.database(write=True) as db:
        db.execute(
            "UPDATE invitations SET expires = 1 WHERE id = ?", (invitation.decode(expired).id,)
        )
        db.execute(
            "UPDATE invitations SET person = ?, name = 'Eve', since = 1 WHERE id = ?",
            (bytes(32), invitation.decode(used).id),
        )
    ada("up")
    newcomer("up")  # a node without a neighbourhood
    assert newcomer("status")["neighbourhood"] is None
    for words in (["list", "requests"], ["invite"], ["post", "request", "--title", "x"]):
        assert "`meshcoop join`" in newcomer.refused(*words)
    wrong_secret = invitation.encode(one._replace(secret=bytes(16)))
    stranger = one._replace(peer=SigningKey(bytes(32)).verify_key.encode())
    nobody = invitation.encode(stranger._replace(addresses=("/ip4/127.0.0.1/tcp/1",)))
    nowhere = invitation.encode(stranger._replace(addresses=()))
    typo = good[:20] + ("A" if good[20] != "A" else "B") + good[21:]
    cases = [
        (wrong_secret, "ask for a new one"),
        (expired, "expired"),
        (used, "used"),
        (nobody, "2 s"),
        (nowhere, "ask for a new one"),
        (typo, ""),
        (good[:-1], ""),
        (good[:-20], ""),
        (good + "A", ""),
        (good + "1", ""),
    ]
    for code, part in cases:
        done = newcomer.run("--json", "join", code, *join, "--wait", "2")
        assert done.returncode in {1, USAGE}, code
        assert part in done.stderr, code
        assert done.stderr.count("\n") == 1
        assert "Traceback" not in done.stderr
        assert done.stdout == ""
    assert newcomer("status")["neighbourhood"] is None
    spaced = " ".join(good[at : at + 5].lower() for at in range(0, len(good), 5))
    assert newcomer("join", spaced, *join)["state"] == "member"
    # Two people are called Ada now.
    ada("wait", "--peers", "1")
    names = [person["name"] for person in newcomer("list", "people")]
    assert names == ["Ada", "Ada"]
    said = newcomer.refused("balance", "Ada")
    assert "Several people" in said


def test_nothing_of_this_has_upset_a_node(place):
    for log in place.path.glob("*/node.log*"):
        assert "Traceback" not in log.read_text(errors="replace"), log
