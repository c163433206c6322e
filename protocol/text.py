"""Safe display text: what a person wrote, made harmless for any terminal (THREATS: text).

Nothing is removed silently: what could steer a terminal or hide letters shows as a visible mark.
"""

import unicodedata

MARK = "\ufffd"
MAX_COMBINING = 4

_KEEP = {"\n", "\t"}
_JOINER = "\u200d"  # holds emoji families together; harmless by itself


def safe(text: str) -> str:
    """The text with control, format, private and unassigned characters marked, and no letter
    carrying more than MAX_COMBINING combining marks.
    """
    shown: list[str] = []
    combining = 0
    for character in text:
        category = unicodedata.category(character)
        if category in {"Mn", "Me"}:
            combining += 1
            if combining > MAX_COMBINING:
                continue
        elif character != _JOINER:  # joined marks still sit on the same letter
            combining = 0
        shown.append(character if _harmless(character, category) else MARK)
    return "".join(shown)


def line(text: str, width: int | None = None) -> str:
    """The same on one line, cut to `width` characters with an ellipsis."""
    flat = " ".join(safe(text).split())
    if width is not None and len(flat) > width:
        return flat[: max(0, width - 1)] + "…"
    return flat


def _harmless(character: str, category: str) -> bool:
    return character in _KEEP or character == _JOINER or not category.startswith("C")
