"""Text made safe to display: which characters are marked, which are kept, and that making it safe a
second time changes nothing.
"""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.display_text import MARK, MAX_COMBINING, safe_line, safe_text

ANY = st.text(st.characters(codec=None), max_size=200)


@pytest.mark.parametrize("character", ["\x00", "\x07", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066"])
def test_what_steers_a_terminal_is_marked(character):
    assert safe_text(f"a{character}b") == f"a{MARK}b"


@pytest.mark.parametrize(
    "text", ["Grüße", "शक्ति", "שלום", "漢字", "👨‍👩‍👧", "می‌خواهم", "[/] [b]", "a\nb\tc"]
)
def test_what_people_write_is_kept(text):
    assert safe_text(text) == text


@pytest.mark.parametrize("end", ["\r\n", "\n", "\x85", "\u2028", "\u2029"])
def test_every_line_end_is_a_newline(end):
    assert safe_text(f"a{end}b") == "a\nb"
    assert safe_line(f"a{end}b") == "a b"


def test_marks_stack_on_a_letter_of_their_own_and_not_too_high():
    assert safe_text("e" + "\u0301" * 200) == "e" + "\u0301" * MAX_COMBINING
    assert safe_text("\u0301a") == "\u25cc\u0301a"
    assert safe_text("x \u0301") == "x \u25cc\u0301"


def test_joiners_join_two_and_are_never_a_row():
    assert safe_text("a\u200d\u200d\u200db") == f"a\u200d{MARK}\u200db"
    assert safe_text("\u200da") == f"{MARK}a"
    assert safe_text("a\u200d") == f"a{MARK}"


def test_letters_that_look_like_nothing_are_marked():
    assert safe_text("\u3164") == MARK
    assert safe_text("\u2800") == MARK


@given(ANY)
def test_whatever_comes_in_harmless_text_comes_out(text):
    shown = safe_text(text)
    kept = {"\n", "\t", "\u200c", "\u200d"}
    assert all(one in kept or not unicodedata.category(one).startswith("C") for one in shown)
    assert safe_text(shown) == shown
    assert "\n" not in safe_line(text)


@given(ANY, st.integers(1, 40))
def test_a_line_keeps_its_width(text, width):
    assert len(safe_line(text, width)) <= width
