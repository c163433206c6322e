"""Log lines. A peer or a file may cause any entries in a log. This module makes the entries safe to
read, and limits their number.
"""

import logging
import re

from protocol.display_text import safe_text

MAX_ENTRY = 8_000  # characters; a longer entry loses its middle
ENTRIES_A_MINUTE = 20  # entries that one line of the program may write in a minute

_ID = re.compile(r"([0-9a-f]{8})[0-9a-f]{24,}", re.IGNORECASE)  # at least 16 bytes in hex
# The id of a node. All begin with the same eight signs, which say how the id is made.
_PEER_ID = re.compile(r"(12D3KooW[1-9A-HJ-NP-Za-km-z]{8})[1-9A-HJ-NP-Za-km-z]{36}")
_HEAD = 1_000  # characters that stay before the middle
_MINUTE = 60  # seconds


class LogLines(logging.Formatter):
    r"""Formats each entry of a log as one line that is safe to read on a terminal (R-05.13).

    The traceback of an entry is put into the entry's line, with `\n` in place of line breaks. So
    nobody can fake an entry by writing words with line breaks.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Formats one entry."""
        left_out = count_left_out(record)
        remark = f" (and {left_out} more)" if left_out else ""
        return escape_line(shorten_entry(super().format(record) + remark))


class EntryRate(logging.Filter):
    """Limits how many entries each line of the program's code may write into a log (R-05.13a). In
    one minute, each line may write at most ENTRIES_A_MINUTE entries. So nobody can flood the log.

    If entries were left out, the first entry of a later minute carries their number.
    """

    def __init__(self) -> None:
        super().__init__()
        # Maps a place in the program to the time when its minute began, and its entries since then.
        self._minutes: dict[tuple[str, int], tuple[float, int]] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Returns True if the entry goes into the log. Notes in the entry how many similar entries
        were left out before.
        """
        place = (record.pathname, record.lineno)
        begun, count = self._minutes.get(place, (record.created, 0))
        left_out = 0
        # The clock of the machine can be put back.
        if abs(record.created - begun) >= _MINUTE:
            left_out = max(0, count - ENTRIES_A_MINUTE)
            begun, count = record.created, 0
        self._minutes[place] = (begun, count + 1)
        record.left_out = left_out
        return count < ENTRIES_A_MINUTE


def guard_log(handler: logging.Handler, formatter: logging.Formatter | None = None) -> None:
    """Makes a handler of a log write only safe entries, and not too many. If no formatter is given,
    uses `LogLines`.
    """
    handler.setFormatter(formatter or LogLines())
    handler.addFilter(EntryRate())


def count_left_out(record: logging.LogRecord) -> int:
    """Returns how many similar entries were left out before this entry."""
    left_out: int = getattr(record, "left_out", 0)
    return left_out


def shorten_entry(text: str) -> str:
    """Cuts a long text to MAX_ENTRY characters. Its start and its end stay, because the end of a
    traceback says what went wrong.

    Each id is cut to its first 8 digits. People send logs to others, and the whole id of a
    neighbourhood opens its doors (R-05.12b, R-01.28b).
    """
    text = _PEER_ID.sub(r"\1…", _ID.sub(r"\1…", text))
    if len(text) <= MAX_ENTRY:
        return text
    return f"{text[:_HEAD]} … {text[len(text) - MAX_ENTRY + _HEAD :]}"


def escape_line(text: str) -> str:
    r"""Returns a text as one line that is safe to show. Line ends and other signs that nobody sees
    are written as escapes such as `\n` and `\x1b`.
    """
    return safe_text("".join(map(_escape, text)))


def _escape(character: str) -> str:
    if character.isprintable():
        return character
    return character.encode("unicode_escape").decode()
