"""Writes a log that programs can read: one JSON object on each line."""

import json
import logging
from datetime import UTC, datetime

from protocol.log_lines import count_left_out, shorten_entry


class JsonLines(logging.Formatter):
    """Formats log records with the fields `time` (ISO 8601, UTC), `level`, `logger` and `message`.
    If there was an error, adds the field `error`. If similar entries were left out before this
    entry, adds their number as `left_out`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Formats a log record as one line of JSON."""
        fields: dict[str, str | int] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": shorten_entry(record.getMessage()),
        }
        if record.exc_info:
            fields["error"] = shorten_entry(self.formatException(record.exc_info))
        if left_out := count_left_out(record):
            fields["left_out"] = left_out
        return json.dumps(fields)
