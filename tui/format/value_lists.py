"""Writes several values as one line of text that a person can change, and reads such a line."""

import re
from collections.abc import Iterable

_VALUE = re.compile(r'\s*(?:"((?:[^"]|"")*)"\s*|([^,]*))(?:,|$)')


def join_values(values: Iterable[str]) -> str:
    """Writes values with commas between them. Puts a value into quotes if the value itself has a
    comma.

    `split_values` turns the result back into exactly these values.
    """
    return ", ".join(map(_quote, values))


def split_values(line: str) -> list[str]:
    """Reads the values of a line. Leaves out empty values."""
    parts = (quoted.replace('""', '"') or bare.strip() for quoted, bare in _VALUE.findall(line))
    return [part for part in parts if part]


def _quote(value: str) -> str:
    is_safe = value == value.strip() and "," not in value and not value.startswith('"')
    return value if is_safe else '"' + value.replace('"', '""') + '"'
