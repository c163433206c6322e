"""Logs hold words of peers."""

import logging
import sys

import pytest

from protocol.log_lines import LogLines
from tests.support.hostile_text import NAMED

HEAD = "the peer says: "


def format_entry(words, error=None):
    return LogLines().format(
        logging.LogRecord("meshcoop.sync", logging.INFO, __file__, 1, HEAD + words, (), error)
    )


@pytest.mark.parametrize(
    "words", ["\n2026-11-28 INFO forged", "\r\u2028\x85", "\x1b]0;x\x07", *NAMED.values()]
)
def test_words_of_a_peer_make_up_no_entry_and_no_escape_sequence(words):
    first, *further = format_entry(words).split("\n")

    assert HEAD in first
    assert all(line.startswith("    ") for line in further)
    assert not {"\x1b", "\r", "\x85", "\u2028"} & set("".join([first, *further]))


def test_traceback_is_readable_and_harmless():
    try:
        raise ValueError("\x1b[2J\nforged")
    except ValueError:
        entry = format_entry("", sys.exc_info())

    assert "ValueError" in entry
    assert "\x1b" not in entry
    assert "\nforged" not in entry
