"""A log for programs to read: one JSON object on each line."""

import json
import logging
from datetime import UTC, datetime


class JsonLines(logging.Formatter):
    """Writes `time` (ISO 8601, UTC), `level`, `logger`, `message`, and `error` if there was one."""

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
        return json.dumps(fields, ensure_ascii=False)
