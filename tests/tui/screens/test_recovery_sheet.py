"""The recovery sheet at a real terminal: it shows the words, hides them, and asks for two of them.
Then the home forgets the words.
"""

import re
import sys
import time
from dataclasses import replace

import pytest

from meshcoop.home import key_file as keystore
from meshcoop.home import recovery_words as recovery
from tests.support.pseudo_terminal import Terminal

MESHCOOP = [sys.executable, "-m", "meshcoop"]
SECRET = "a secret of the tests"


@pytest.fixture
def place(tmp_path):
    (tmp_path / "passphrase").write_text(SECRET)
    return tmp_path


def terminal(place, *words):
    env = {"MESHCOOP_PASSPHRASE_FILE": str(place / "passphrase"), "MESHCOOP_MDNS": "0"}
    return Terminal([*MESHCOOP, "--home", str(place / "home"), *words], env=env)


def read(text):
    """Maps the numbers on the sheet to the words."""
    found = re.findall(r"(\d+) ([a-z]+)", text)
    return {int(at): word for at, word in found}


def answer(sheet, words):
    """Types the two words that the terminal asks for, as a person reads them from paper."""
    for nth in (1, 2):
        sheet.until("on your sheet:")
        asked = re.findall(r"Word (\d+) on your sheet:", sheet.text)
        while len(asked) < nth:
            sheet._read(time.monotonic() + 40)
            asked = re.findall(r"Word (\d+) on your sheet:", sheet.text)
        sheet.type(words[int(asked[-1])] + "\r")


def kept(place):
    return keystore.unlock_key_file(place / "home" / "keys", SECRET).keys.recovery_seed


def test_found_shows_the_words_once_and_checks_two_of_them(place):
    with terminal(place, "found", "Rushey Lane", "--as", "Ada") as sheet:
        sheet.until("Press Enter once they are on paper.")
        words = read(sheet.text)
        assert len(words) == 24
        seed = kept(place)
        assert recovery.to_seed(" ".join(words[at] for at in range(1, 25))) == seed
        sheet.type("\r")
        sheet.until("on your sheet:")
        assert not any(f" {words[at]} " in sheet.text for at in (1, 12, 24))
        answer(sheet, words)
        assert sheet.wait() == 0
    assert kept(place) is None
    assert seed not in b"".join(
        one.read_bytes() for one in place.rglob("*") if one.is_file() and one.name != "passphrase"
    )


def test_a_wrong_word_leaves_them_in_the_home_for_another_time(place):
    with terminal(place, "found", "Rushey Lane", "--as", "Ada") as sheet:
        sheet.until("Press Enter")
        words = read(sheet.text)
        sheet.type("\r")
        sheet.until("on your sheet:")
        sheet.type("zoo\r" if "zoo" not in words.values() else "able\r")
        assert sheet.wait() == 1
        assert "correct your sheet with" in sheet.text.replace("\n", " ")
    assert kept(place) is not None
    with terminal(place, "recovery") as sheet:
        sheet.until("Press Enter")
        assert read(sheet.text) == words
        sheet.type("\r")
        answer(sheet, words)
        sheet.until("no longer in this home")
        assert sheet.wait() == 0
    assert kept(place) is None
    with terminal(place, "recovery") as sheet:
        sheet.until("on paper only")
        assert sheet.wait() == 1


@pytest.mark.parametrize("command", [("revoke", "0123"), ("leave",)])
def test_words_that_a_person_types_are_not_shown(place, command):
    """R-01.29c. Attacker: somebody who looks over a shoulder. Asset: the root key."""
    keys = keystore.new_keys((), bytes(range(32)))
    (place / "home").mkdir(mode=0o700)
    keys = replace(keys, neighbourhood=bytes(32))
    keystore.create_key_file(place / "home" / "keys", None, keys)
    words = sorted(recovery.to_words(bytes(range(32))))  # no sheet has them in this order
    with terminal(place, *command, "--words", "-") as typing:
        typing.until("They are not shown.", "0 of 24 >")
        typing.type(" ".join(words[:20]) + "\r")
        typing.until("20 of 24 >")
        typing.type(" ".join(words[20:]) + "\r")
        assert typing.wait() == 2

        assert "do not belong together" in typing.text
        assert not [word for word in set(words) if re.search(rf"\b{word}\b".encode(), typing.raw)]
