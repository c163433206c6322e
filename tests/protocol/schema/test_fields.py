"""What people type into the fields of records."""

import re
import sys
import unicodedata

import pytest

from protocol.authority.charter_rules import CHARTER_RULES
from protocol.display_text import MARK, is_visible, safe_text
from protocol.errors import Refused
from protocol.fold.registry import KINDS, load_kinds
from protocol.loops.windows import Calendar, parse_day
from protocol.schema.fields import Choice, Integer, Many, Map, Minutes, ScaleNumber
from protocol.schema.shared_rules import window_begin

load_kinds()


def all_rules():
    """Yields every rule for a value that people can type: of all kinds, and of the charter."""
    for owner, fields in [
        ("charter", CHARTER_RULES),
        *((k.name, k.fields) for k in KINDS.values()),
    ]:
        for name, rule in fields.items():
            yield f"{owner}.{name}", rule.of if isinstance(rule, Many) else rule


def rules_of(field_type):
    found = {name: rule for name, rule in all_rules() if isinstance(rule, field_type)}
    return pytest.mark.parametrize("rule", found.values(), ids=found.keys())


def read(rule, typed):
    return rule.read("it", typed, lambda what, text: text)


@rules_of(Choice)
def test_choice_is_read_in_capitals_too(rule):
    assert [read(rule, f" {word.upper()} ") for word in rule.words] == list(rule.words)


@rules_of(Minutes)
def test_minutes_that_are_typed_as_hours_are_told_in_the_refusal(rule):
    for typed in ("1:30", "1h30", "1 h 30 min", "1.5 h", "1,5 hours", "90 min", "90'", "+1:30"):
        with pytest.raises(Refused, match=f"90 for {re.escape(typed)}"):
            read(rule, typed)
    assert read(rule, "90") == 90
    assert read(rule, 90) == 90


def test_field_that_says_minutes_reads_them_as_minutes():
    said = {name for name, rule in all_rules() if "minutes" in rule.help and not rule.filled}
    wrong = {name for name, rule in all_rules() if name in said and not isinstance(rule, Minutes)}

    assert said
    assert wrong == set()


def test_minutes_before_utc_are_told_with_their_sign():
    with pytest.raises(Refused, match="-300 for -5:00"):
        read(CHARTER_RULES["offset"], "-5:00")


@rules_of(ScaleNumber)
def test_number_on_a_scale_may_be_yes_or_no(rule):
    assert (read(rule, " Yes"), read(rule, "no"), read(rule, "3")) == ("yes", "no", 3)
    with pytest.raises(Refused):
        read(rule, "maybe")


WORDINGS = {
    f"{kind.name}.{name}": rule
    for kind in KINDS.values()
    for name, rule in kind.fields.items()
    if rule.is_wording
}
HIDDEN = ("\u200b", " \u200b\u2060 ", "\u3164", "\U000e0041\ufe0f", "\u202e", "\u0301")


@pytest.mark.parametrize("rule", WORDINGS.values(), ids=WORDINGS.keys())
def test_text_that_nobody_can_see_is_refused(rule):
    def find_nobody(what, name):
        raise Refused("R-10.3", "there is nobody of this name")

    for typed in HIDDEN:
        given = {typed: 1} if isinstance(rule, Map) else typed
        with pytest.raises(Refused, match="people can see"):
            rule.read("it", given, find_nobody)


def test_characters_that_are_shown_as_marks_are_not_visible():
    alone = [chr(code) for code in range(sys.maxunicode + 1) if not 0xD800 <= code < 0xE000]
    hidden = [letter for letter in alone if not safe_text(letter).replace(MARK, "").strip()]
    seen = [letter for letter in hidden if letter != MARK and is_visible(letter)]

    assert len(hidden) > 900_000  # most code points mean nothing yet
    assert seen == []


def test_letters_of_every_script_are_visible():
    letters = [chr(code) for code in range(0x3400) if unicodedata.category(chr(code)) == "Lo"]
    unseen = [letter for letter in letters if not is_visible(letter)]

    assert unseen == ["\u115f", "\u1160", "\u3164"]  # the fillers


def test_every_integer_is_read_from_digits():
    for _name, rule in all_rules():
        if isinstance(rule, Integer):
            assert read(rule, "7") == 7


def test_software_completes_no_value_of_another_shape():
    fields = [field for declared in KINDS.values() for field in declared.fields.items()]
    for name, rule in fields:
        for strange in ([None], [[]], {"": None}):
            with pytest.raises(Refused):
                rule.check_read(name, strange)


def test_a_window_begins_as_the_calendar_of_a_measure_says():
    for length in (1, 7, 30):
        calendar = Calendar(length, 0)
        for day in ("1969-12-31", "1970-01-05", "2026-11-29", "2026-11-30"):
            begin = calendar.first_day(calendar.window_of_day(parse_day(day)))
            assert window_begin(day, length) == begin
