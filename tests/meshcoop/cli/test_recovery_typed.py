"""Two words of the recovery sheet from a file: both must be right, and at least two are needed."""

import pytest

from meshcoop.cli.recovery_sheet import check_typed
from meshcoop.errors import Mistake
from meshcoop.home import recovery_words

SEED = bytes(range(32))
WORDS = recovery_words.to_words(SEED)


def check(folder, text):
    path = folder / "typed"
    path.write_bytes(text.encode())
    check_typed(SEED, path)


@pytest.mark.parametrize(
    "text",
    [
        f"3 {WORDS[2]}\n18 {WORDS[17]}\n",
        f"\ufeff 18: {WORDS[17].upper()}\r\n3. {WORDS[2]}",
        "\n".join(f"{number} {word}" for number, word in enumerate(WORDS, 1)),
    ],
)
def test_right_words_are_taken(tmp_path, text):
    check(tmp_path, text)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f"3 {WORDS[2]}\n18 {WORDS[2]}", "not word 18"),
        (f"3 {WORDS[2]}\n25 {WORDS[2]}", "not word 25"),
        (f"0 {WORDS[-1]}\n3 {WORDS[2]}", "not word 0"),
        (f"3 {WORDS[2]}", "two words"),
        (f"3 {WORDS[2]}\n3 {WORDS[2]}", "two words"),
        (f"{WORDS[2]} {WORDS[17]}", "two words"),
        ("", "two words"),
        ("\0\xff" * 5000, "two words"),
    ],
)
def test_anything_else_is_said(tmp_path, text, said):
    with pytest.raises(Mistake, match=said):
        check(tmp_path, text)


def test_a_file_that_is_not_there_is_said(tmp_path):
    with pytest.raises(Mistake, match="No such file"):
        check_typed(SEED, tmp_path / "none")
