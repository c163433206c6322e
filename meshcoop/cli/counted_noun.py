"""Writes a number together with its noun."""


def format_count(count: int, noun: str) -> str:
    """Writes a number with its noun, such as "1 record" or "2 records"."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
