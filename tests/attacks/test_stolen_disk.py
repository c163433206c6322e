"""A thief takes the disks of homes that are stopped, and has no passphrase."""

import re

import pytest

from meshcoop.home.key_file import unlock_key_file
from protocol.record.envelope import device_key
from tests.support.disk_traces import disguises
from tests.support.real_homes import PASSPHRASE, agree, folder

NAMES = ("Adalgisa Quillfeather", "Benvolio Thistlewood")
PLACE = "Marmalade Crescent"
WORDS = (
    "a xylophagous wardrobe to carry",
    "on Thursday with the quincunx trolley",
    "the zeugmatic spare key is under the pot",
    "palimpsest growers of the crescent",
    "brouhaha about the hedgehogs",
)


@pytest.fixture(scope="module")
def story():
    """Tells a story on two real homes, with kills, a damaged store, a backup and an old log of
    writes. Yields their folders, the ids of the story, and the keys.
    """
    with folder() as one:
        ada = one.home("a")
        ada("found", PLACE, "--as", NAMES[0], "--listen", one.listen())
        ada("up")
        ben = one.home("b")
        ben("join", ada.invite(), "--as", NAMES[1], "--listen", one.listen())
        request = ada.post("request", "--title", WORDS[0], "--text", WORDS[1], "--minutes", "30")
        ben.has(request)
        response = ben.post("response", "--about", request, "--text", WORDS[2])
        ada.has(response)
        circle = ada.post("circle", "--name", WORDS[3], "--members", NAMES[1])
        ben.has(circle)
        offer = ben.post("offer", "--title", WORDS[4])
        ada.has(offer)
        agree(ada, ben)
        ben.kill()  # its log of writes stays
        copy = one.path / "killed"
        copy.mkdir()
        for file in ben.path.glob("store.db*"):
            (copy / file.name).write_bytes(file.read_bytes())
        ada("down")
        data = bytearray(ada.store.read_bytes())
        data[len(data) // 2] ^= 1
        ada.store.write_bytes(data)
        ada("up")  # mends the store, and keeps the damaged files
        ada("backup", str(ada.path / "backup"))
        status = ada("status")
        ben("up")
        agree(ada, ben)
        for home in (ada, ben):
            home("down")
        assert list(ada.path.glob("store.damaged-*"))
        keys = unlock_key_file(ada.path / "keys", PASSPHRASE).keys
        ids = {
            "neighbourhood": status["neighbourhood"]["id"],
            "person": keys.devices[0].person.hex(),
            "device": device_key(keys.devices[0].seed).hex(),
            "request": request,
            "response": response,
            "circle": circle,
            "offer": offer,
        }
        yield (ada.path, ben.path, copy), {**ids, "node": status["peer_id"]}, keys
        for home in (ada, ben):
            assert home("log")["log"] == "on"
            assert list(home.path.glob("*.log*"))
            home("log", "off")
            assert not list(home.path.glob("*.log*"))
        ada("up")
        assert not list(ada.path.glob("*.log*"))
        ada("log", "on")


def files_of(folders):
    """Returns what a thief reads: the content of each file, and the name of the file."""
    return {
        str(file): file.read_bytes() + file.name.encode()
        for place in folders
        for file in sorted(place.rglob("*"))
        if file.is_file()
    }


def test_a_thief_of_a_disk_finds_no_word_and_no_name(story):
    """Attacker: a thief of a disk. Asset: words and names."""
    folders, _, _ = story
    texts = [*NAMES, PLACE, *WORDS]
    words = [word for text in texts for word in re.findall(r"\w{6,}", text)]
    wanted = [form for text in texts for form in disguises(text)] + [
        word.encode() for word in words
    ]
    for name, data in files_of(folders).items():
        assert not [form for form in wanted if form in data], name


def test_a_thief_of_a_disk_finds_no_id(story):
    """Attacker: a thief of a disk. Asset: who belongs. Logs may have 8 digits of an id."""
    folders, ids, _ = story
    for name, data in files_of(folders).items():
        assert ids["node"][:17].encode() not in data, (
            name
        )  # eight signs are the same in all of them
        for what, text in ids.items():
            if what == "node":
                continue
            forms = (bytes.fromhex(text), text[:9].encode(), text[:9].upper().encode())
            assert not [form for form in forms if form in data], f"{what} in {name}"


def test_a_thief_of_a_disk_finds_no_key_of_the_store(story):
    """Attacker: a thief of a disk. Asset: the store's key."""
    folders, _, keys = story
    for name, data in files_of(folders).items():
        assert keys.store_key[:32] not in data, name
        assert keys.store_key.hex().encode() not in data, name
        assert b"SQLite format 3" not in data, name
