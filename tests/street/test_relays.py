"""Real relays: nodes without devices that pass on records which they cannot read."""

import json
import random
import socket
from contextlib import contextmanager, nullcontext, suppress
from urllib.request import urlopen

import pytest

from protocol.wire import relay_ticket as ticket
from tests.support.disk_traces import disguises
from tests.support.real_homes import eventually, folder
from tests.support.stores import open_rows

NAMES = ("Adaeze Chukwuemeka", "Benedetta Castiglione")
TITLE, WORDS = "A lift to the surgery on Thursday", "ring the green door twice"
NEVER = (*NAMES, TITLE, WORDS, "request", "response", "profile")


@pytest.fixture
def place():
    with folder() as one:
        yield one


def relay(folder, name="Surgery", *, in_new_python=False):
    home = folder.home(name.lower())
    assert home("relay", "found", name, "--listen", folder.listen()) == {"relay": name}
    with home.in_new_python() if in_new_python else nullcontext():
        home("up")
    return home


def enrolled(member, at):
    """Enrols the relay, and waits until it has all records of the member. Returns the relay."""
    member("relay", "enrol", at("relay", "ticket")["ticket"])
    holds_all(at, member)
    return at


def holds_all(at, member):
    def equal():
        return at("status")["served"][0]["set_hash"] == member("status")["set_hash"]

    eventually(equal, "the relay does not get everything")


def memory_of(pid):
    """Returns the memory that a process can read and write, if the system lets us read it."""
    found = []
    with open(f"/proc/{pid}/maps") as maps, open(f"/proc/{pid}/mem", "rb", 0) as memory:  # noqa: PTH123
        for one in maps:
            where, rights, *_ = one.split()
            if not rights.startswith("rw"):
                continue
            start, end = (int(each, 16) for each in where.split("-"))
            with suppress(OSError, ValueError, OverflowError):
                memory.seek(start)
                found.append(memory.read(end - start))
    return found


def test_a_relay_carries_between_homes_that_never_meet_and_reads_nothing(place):
    ada = place.founder(NAMES[0])
    # The relay's memory is looked at, so it must not begin with what other homes said.
    surgery = enrolled(ada, relay(place, in_new_python=True))
    ben = place.newcomer(ada, NAMES[1])
    eventually(lambda: len(surgery("status")["peers"]) == 2, "a home does not find the relay")
    asked = ada.post("request", "--title", TITLE, "--minutes", "30")
    ben.has(asked)
    ada("down")
    said = ben.post("response", "--about", asked, "--text", WORDS)
    holds_all(surgery, ben)
    ben("down")
    ada("up")
    ada.has(said)
    (view,) = ada("list", "responses")
    assert view["text"] == WORDS
    listed = surgery("relay", "list")
    assert [one["neighbourhood"]["name"] for one in listed] == ["Rushey Lane"]
    (one,) = ada("list", "relays")
    assert (one["state"], [each["name"] for each in one["people"]]) == ("connected", [NAMES[0]])
    kept = surgery("relay", "storage")
    assert kept[0]["records"] == ada("status")["records"]
    # The relay's disk and memory hold no name, no words, and no kind of a sealed record.
    pid = surgery("status")["pid"]
    dump = memory_of(pid)
    assert sum(map(len, dump)) > 20_000_000
    assert any(b"Rushey Lane" in one for one in dump), "the dump shows what a relay may know"
    for words in (*NAMES, TITLE, WORDS):
        assert surgery.holds(words) == []
        wanted = disguises(words)
        assert not any(each in one for one in dump for each in wanted), f"{words} is in its memory"
    assert ada.holds(TITLE)
    with sealed_in(surgery) as rows:
        assert rows
        for content in rows:
            assert not any(word.encode() in content for word in NEVER)


@contextmanager
def sealed_in(home):
    """Yields the sealed contents that a relay stores."""
    (path,) = (home.path / "served").glob("*.db")
    with open_rows(path, home.store_key) as db:
        rows = db.execute("SELECT content FROM records WHERE NOT open AND content NOT NULL")
        yield [row[0] for row in rows]


def test_what_a_technician_says_wrong(place):
    ada = place.founded("Ada")
    surgery = relay(place)
    code = surgery("relay", "ticket")["ticket"]
    invitation = ada.invite()
    assert "is no relay" in ada.refused("relay", "ticket")
    assert "is a relay" in surgery.refused("post", "request", "--title", "x")
    assert "is a relay" in surgery.refused("list", "requests")
    assert "relay enrol" in place.home("ben").refused("join", code, "--as", "Ben", code=2)
    assert "ticket" in ada.refused("relay", "enrol", invitation, code=2)
    assert "somebody's home already" in ada.refused("relay", "found", "x")
    assert "no such ticket" in ada.refused("relay", "enrol", changed(code))
    surgery.refused("relay", "ticket", "--at", "the surgery", code=2)
    public = surgery("relay", "ticket", "--at", "/ip4/192.0.2.7/tcp/4001")["ticket"]
    assert ticket.decode(public).addresses == ("/ip4/192.0.2.7/tcp/4001",)
    ada("relay", "enrol", code)
    ada("relay", "enrol", code)  # the same ticket may be used again
    (one,) = ada("relay", "list")
    assert "No one relay" in ada.refused("relay", "end", "0123456789abcdef")
    ada("relay", "end", one["key"][:16])
    assert ada("relay", "list") == []
    ada("relay", "enrol", code)
    assert [each["key"] for each in ada("relay", "list")] == [one["key"]]
    assert ada.text("list", "relays").startswith(one["key"][:16])
    assert surgery.text("list", "relays").startswith("Rushey Lane: ")
    cem = place.founded("Cem")
    assert "nother neighbourhood" in cem.refused("relay", "enrol", code)
    assert "names none" in surgery.refused("relay", "leave", "Nowhere Street")
    assert surgery("relay", "limits", "--megabytes", "50") == {"megabytes": 50, "days": 400}
    surgery.refused("relay", "limits", "--days", "0", code=2)
    surgery("down")
    assert "could not be reached" in cem.refused("relay", "enrol", code)
    surgery("up")
    assert surgery("relay", "limits") == {"megabytes": 50, "days": 400}
    surgery("relay", "leave", "Rushey Lane")
    eventually(lambda: ada("list", "relays") == [], "its end is not told")
    assert surgery("relay", "list") == []
    assert list((surgery.path / "served").iterdir()) == []


def changed(code):
    """Returns the same ticket with another secret."""

    one = ticket.decode(code)
    return ticket.encode(one._replace(secret=bytes(16)))


def test_what_a_technician_watches(place):
    """A technician can watch figures for Prometheus, a log and a systemd unit. None contains a name
    or a word of members.
    """
    surgery = place.home("surgery")
    surgery("relay", "found", "Surgery", "--listen", place.listen())
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert surgery("relay", "metrics", str(port)) == {"metrics": port}
    surgery("up")
    ada = place.founder(NAMES[0])
    enrolled(ada, surgery)
    ada.post("request", "--title", TITLE, "--minutes", "30")
    holds_all(surgery, ada)

    def figures():
        with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as page:
            return page.read().decode()

    place_id = ada("status")["neighbourhood"]["id"]

    def newest():
        count = float(surgery("relay", "storage")[0]["records"])
        text = figures()
        expected = {
            f'meshcoop_relay_records{{neighbourhood="{place_id[:16]}"}} {count}',
            "meshcoop_relay_neighbourhoods 1.0",
            "meshcoop_relay_reservations 1.0",  # made some time after the records have come
        }
        return text if expected <= set(text.splitlines()) else None

    text = eventually(newest, "old figures")
    assert not [file for file in surgery.path.rglob("*") if place_id[:9] in file.name]
    lines = (surgery.path / "node.log").read_text().splitlines()
    said = [json.loads(line) for line in lines]
    assert any(one["logger"] == "meshcoop.relay.relay" for one in said)
    unit = surgery.text("relay", "unit", "--user", "relay")
    assert str(surgery.path) in unit
    for words in (*NAMES, TITLE, "Rushey Lane", "request"):
        assert words not in text
        assert words not in unit
        assert not any(words in line for line in lines)


@pytest.mark.parametrize("words", [("relay", "list"), ("status",), ("relay", "storage")])
def test_what_a_relay_says_in_words(place, words):
    surgery = relay(place)
    assert surgery.text(*words).strip()


def test_a_relay_mends_its_stores_with_what_homes_hold(place):
    ada = place.founder("Ada")
    surgery = enrolled(ada, relay(place))
    for n in range(8):
        ada.post("request", "--title", f"Wish {n}", "--minutes", "30")
    holds_all(surgery, ada)
    surgery("down")
    (path,) = (surgery.path / "served").glob("*.db")
    data = bytearray(path.read_bytes())
    dice = random.Random(1)
    for _ in range(60):
        data[dice.randrange(len(data))] ^= 1 << dice.randrange(8)
    path.write_bytes(data)
    doctor = surgery.run("doctor")
    assert doctor.returncode == 1
    place_id = ada("status")["neighbourhood"]["id"]
    assert f"damaged ({place_id[:8]}:" in doctor.stdout
    older = path.with_name(f"{place_id}.db")  # as a program named it before version 3 of stores
    path.rename(older)
    surgery("up")
    assert surgery("status")["damage"][0]["code"] == "store_was_rebuilt"
    assert path.exists()
    assert not [file for file in surgery.path.rglob("*") if place_id[:9] in file.name]
    holds_all(surgery, ada)
    assert surgery.run("doctor").returncode == 0, surgery.text("doctor")
