"""Logs hold words of peers."""

import json
import logging
import sys

import pytest

from meshcoop.node.json_log import JsonLines
from protocol.log_lines import ENTRIES_A_MINUTE, MAX_ENTRY, EntryRate, LogLines
from tests.support.hostile_text import NAMED, strings

HEAD = "the peer says: "


def make_entry(words, error=None, line=1, created=None):
    entry = logging.LogRecord(
        "meshcoop.sync", logging.INFO, __file__, line, HEAD + words, (), error
    )
    if created is not None:
        entry.created = created
    return entry


def raise_error(words):
    try:
        raise ValueError(words)
    except ValueError:
        return sys.exc_info()


@pytest.mark.parametrize("formatter", [LogLines(), JsonLines()])
@pytest.mark.parametrize(
    "words",
    ["\n2026-11-28 INFO forged", "\r\u2028\x85", "\x1b]0;x\x07", *NAMED.values(), *strings(5, 100)],
)
def test_words_of_a_peer_are_one_printable_line(formatter, words):
    for entry in (make_entry(words), make_entry("", raise_error(words))):
        line = formatter.format(entry)

        assert len(line.splitlines()) == 1
        assert HEAD in line
        assert all(sign.isprintable() or sign in "\u200c\u200d" for sign in line)


def test_a_traceback_says_what_failed_in_its_one_line():
    line = LogLines().format(make_entry("", raise_error("\x1b[2J\nforged")))

    assert line.endswith(r"ValueError: \x1b[2J\nforged")


@pytest.mark.parametrize("words", ["x" * 10**6, "\x1b" * 10**6])
def test_a_long_entry_loses_its_middle(words):
    entry = make_entry(words + "end", raise_error(words + "end"))

    assert len(LogLines().format(entry)) <= 4 * MAX_ENTRY + 100
    assert len(JsonLines().format(entry)) <= 12 * MAX_ENTRY + 400
    assert LogLines().format(entry).endswith("end")


def test_a_place_writes_few_entries_a_minute_and_others_go_on():
    rate = EntryRate()
    flood = [rate.filter(make_entry("again", created=1000 + n / 100)) for n in range(5000)]
    other = make_entry("once", line=2, created=1001)
    later = make_entry("again", created=1060)

    assert sum(flood) == ENTRIES_A_MINUTE
    assert rate.filter(other)
    assert rate.filter(later)
    assert f"(and {5000 - ENTRIES_A_MINUTE} more)" in (LogLines().format(later))
    assert json.loads(JsonLines().format(later))["left_out"] == 5000 - ENTRIES_A_MINUTE
    assert "left out" not in LogLines().format(other)


def test_a_clock_that_is_put_back_silences_nothing():
    rate = EntryRate()
    for _ in range(ENTRIES_A_MINUTE):
        rate.filter(make_entry("again", created=9000))

    assert rate.filter(make_entry("again", created=1000))


@pytest.mark.parametrize("formatter", [LogLines(), JsonLines()])
def test_no_entry_has_a_whole_id_wherever_it_stands(formatter):
    """R-05.12b: the id of a neighbourhood opens its doors, and people send logs to others."""
    whole = bytes(range(32)).hex()
    fault = raise_error(f"the store of {whole} is damaged")
    for words in (whole, whole.upper(), f"x{whole}y{whole}", f"/home/{whole[:40]}", f"{whole}.db"):
        line = formatter.format(make_entry(words, fault)).lower()
        assert whole[:8] in line
        assert whole[:32] not in line
