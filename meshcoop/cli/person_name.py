"""Writes the names of people for a terminal."""

from typing import Any

from protocol.display_text import safe_name


def format_person(person: dict[str, Any], width: int | None = None) -> str:
    """Writes the name of a person on at most `width` columns. If another person has a similar name,
    adds a mark that tells the two apart (R-12.7c). If the person has left the neighbourhood, says
    so.
    """
    marks = [person.get("mark"), "left" if person.get("left") else None]
    return safe_name(person["name"], ", ".join(filter(None, marks)) or None, width)
