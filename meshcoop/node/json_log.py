"""Writes a log that programs can read: one JSON object on each line."""

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Formats log records with the fields `time` (ISO 8601, UTC), `level`, `logger` and `message`.
    If there was an error, adds the field `error`.
    """

    def format(self, record: logging.LogRecord) -> str:
        """Formats a log record as one line of JSON."""
        fields = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage(),
        }
        if record.exc_info:
            fields["error"] = self.formatException(record.exc_info)
        return json.dumps(fields)
