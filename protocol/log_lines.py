"""Formats the entries of a log, so that the words of peers in them do no harm."""

import logging

from protocol.display_text import safe_text


class LogLines(logging.Formatter):
    """Formats each entry of a log as text that is safe to read on a terminal.

    Only the first line of an entry begins at the margin. So nobody can make up an entry with words
    that have line breaks.
    """

    def __init__(self) -> None:
        super().__init__("%(asctime)s %(levelname)s %(name)s: %(message)s")

    def format(self, record: logging.LogRecord) -> str:
        """Formats one entry."""
        return safe_text(super().format(record)).replace("\n", "\n    ")
