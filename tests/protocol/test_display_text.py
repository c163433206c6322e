import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol import display_text as text
from tests.support.work import count_calls

STEERING = {
    "a clipboard write (OSC 52)": "\x1b]52;c;aGVsbG8=\x07",
    "a window title": "\x1b]0;root@bank\x1b\\",
    "a cursor move (CSI)": "\x1b[2J\x1b[H",
    "CSI as one C1 character": "\x9b2J",
    "OSC as one C1 character": "\x9d52;c;\x9c",
    "NUL": "a\0b",
    "DEL": "a\x7fb",
    "a backspace": "yes\x08\x08\x08no ",
    "a right-to-left override": "\u202egnp.exe",
    "isolates": "\u2066a\u2069",
    "a zero-width space": "pay\u200bpal",
    "a byte order mark": "\ufeffAda",
    "a soft hyphen": "A\u00adda",
    "tag characters": "\U0001f3f4\U000e0067\U000e0062\U000e007f",
    "a lone surrogate": "\ud800",
    "a private character": "\ue000",
    "an unassigned character": "\u0378",
}


@pytest.mark.parametrize("hostile", STEERING.values(), ids=STEERING)
def test_what_steers_a_terminal_or_hides_letters_shows_as_a_mark(hostile):
    shown = text.safe_text(hostile)
    assert text.MARK in shown
    bad = [c for c in shown if unicodedata.category(c).startswith("C") and c not in "\n\t\u200d"]
    assert not bad


@pytest.mark.parametrize("end", ["\n", "\r", "\r\n", "\u0085", "\u2028", "\u2029"])
def test_every_line_end_becomes_a_newline(end):
    assert text.safe_text(f"yes{end}no") == "yes\nno"


@pytest.mark.parametrize(
    "markup", ["[/]", "[@click=app.quit]x[/]", "[link=file:///etc/passwd]x[/link]", "[b]", "\\[b]"]
)
def test_markup_stays_the_letters_that_somebody_typed(markup):
    assert text.safe_text(markup) == markup


def test_200_combining_marks_do_not_climb_over_the_screen():
    shown = text.safe_text("Z" + "\u0301" * 200 + "a")
    assert shown == "Z" + "\u0301" * text.MAX_COMBINING + "a"


def test_joiners_between_combining_marks_do_not_make_room_for_more():
    shown = text.safe_text("Z" + "\u0301\u200d" * 200)
    assert shown.count("\u0301") <= text.MAX_COMBINING


@pytest.mark.parametrize(
    "plain",
    ["Ada", "Señora Ñandú", "你好", "नमस्ते", "שלום", "a\tb\nc", "👩‍👩‍👧", "café", "e\u0301"],
)
def test_the_languages_and_faces_of_neighbours_pass_unchanged(plain):
    assert text.safe_text(plain) == plain


@given(st.text(alphabet=st.characters(), max_size=60))
def test_safe_text_is_safe_again_and_longer_by_seats_for_marks_alone(anything):
    shown = text.safe_text(anything)
    assert text.safe_text(shown) == shown
    assert len(shown) <= len(anything) + shown.count("\u25cc")
    shown.encode()  # no lone surrogate is left


@given(st.text(alphabet=st.characters(), max_size=60), st.integers(1, 20))
def test_a_line_is_one_line_and_fits(anything, width):
    shown = text.safe_line(anything, width)
    assert len(shown) <= width
    assert len(shown.splitlines()) <= 1


def test_a_longer_plain_text_costs_no_more_calls():
    short, long = "A lift to town", "A lift to town, please. " * 100

    assert text.safe_text(long) == long
    assert count_calls(lambda: text.safe_text(long)) == count_calls(lambda: text.safe_text(short))
