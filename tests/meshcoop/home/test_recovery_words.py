"""Recovery words: the program that reads them forgives small slips of people who copy from paper.
But it never reads a wrong key.
"""

import hashlib
import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meshcoop.errors import Mistake
from meshcoop.home import recovery_words as recovery

SEED = hashlib.sha256(b"somebody").digest()
WORDS = recovery.to_words(SEED)
# The test vector of BIP-39 itself for 32 bytes of 0x7f.
KNOWN = (bytes([0x7F]) * 32, "legal winner thank year wave sausage worth useful legal winner thank")


def refused(text):
    with pytest.raises(Mistake) as caught:
        recovery.to_seed(text)
    assert caught.value.code == 2
    return caught.value.sentence


@given(st.binary(min_size=32, max_size=32))
def test_a_seed_comes_back_from_its_words(seed):
    words = recovery.to_words(seed)
    assert len(words) == 24
    assert recovery.to_seed(" ".join(words)) == seed


def test_the_words_are_those_of_bip_39():
    assert " ".join(recovery.to_words(KNOWN[0])).startswith(KNOWN[1])


@pytest.mark.parametrize(
    "text",
    [
        " ".join(WORDS).upper(),
        "\n".join(WORDS),
        "\r\n".join(f"{at:2}. {word}" for at, word in enumerate(WORDS, 1)),
        "  ".join(f"{at} {word.title()}," for at, word in enumerate(WORDS, 1)),
    ],
)
def test_case_lines_and_numbers_do_not_matter(text):
    assert recovery.to_seed(text) == SEED


def test_a_misspelt_word_is_named_with_what_is_meant():
    words = ["abandon", *WORDS[1:]]
    words[4] = "teh" + words[4][:1]
    assert "Word 5" in refused(" ".join(words))
    assert "'abandon' is meant" in refused(" ".join(["abandn", *WORDS[1:]]))


@pytest.mark.parametrize("count", [0, 1, 12, 23, 25, 48])
def test_another_number_of_words_is_said(count):
    assert f"There are {count} words" in refused(" ".join((WORDS * 2)[:count]))


def test_words_in_another_order_do_not_belong_together():
    shuffled = random.Random(1).sample(WORDS, len(WORDS))
    assert "do not belong together" in refused(" ".join(shuffled))


def test_a_file_that_holds_no_words(tmp_path):
    path = tmp_path / "words"
    with pytest.raises(Mistake, match="No such file"):
        recovery.read_root_seed(path)
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(Mistake, match="not UTF-8"):
        recovery.read_root_seed(path)
    path.write_bytes(b"abandon " * 100_000)
    with pytest.raises(Mistake, match=r"There are \d+ words"):
        recovery.read_root_seed(path)
    path.write_text(" ".join(WORDS))
    assert recovery.read_root_seed(path) == SEED


def test_nobody_is_asked_without_a_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdin", None)
    with pytest.raises(Mistake, match="no terminal") as caught:
        recovery.read_root_seed(Path("-"))
    assert caught.value.code == 2
