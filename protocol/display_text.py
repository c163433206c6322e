"""Safe display text: what a person wrote, made harmless for any terminal (THREATS: text).

Nothing is removed silently: what could steer a terminal or hide letters shows as a visible mark.
"""

import unicodedata

MARK = "\ufffd"
MAX_COMBINING = 4

_KEEP = {"\n", "\t"}
_JOINERS = {"\u200c", "\u200d"}  # hold emoji families together, keep Persian letters apart
_FILLERS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}  # letters that look like nothing
_SEAT = "\u25cc"  # what a mark sits on where its writer gave it no letter
_BREAKS = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\u0085": "\n"})


def safe(text: str) -> str:
    """The text with control, format, private and unassigned characters marked, and no letter
    carrying more than MAX_COMBINING combining marks. Every kind of line end becomes a newline.
    """
    shown: list[str] = []
    combining = 0
    before = "\n"
    for character in text.replace("\r\n", "\n").translate(_BREAKS):
        category = unicodedata.category(character)
        if category.startswith("M"):
            if category != "Mc":  # those with a width of their own stack on nobody
                combining += 1
                if combining > MAX_COMBINING:
                    continue
            if before.isspace():
                shown.append(_SEAT)  # else it would sit on a border, or on another's words
        elif character in _JOINERS:
            # Between two letters only, and one at a time: a row of them would be invisible.
            if before.isspace() or before in _JOINERS:
                character = MARK  # noqa: PLW2901  # what is shown from here on
        else:
            combining = 0
            if not _harmless(character, category):
                character = MARK  # noqa: PLW2901  # the same
        shown.append(character)
        before = character
    if before in _JOINERS:
        shown[-1] = MARK
    return "".join(shown)


def line(text: str, width: int | None = None) -> str:
    """The same on one line, cut to `width` characters with an ellipsis."""
    flat = " ".join(safe(text).split())
    if width is not None and len(flat) > width:
        return flat[: max(0, width - 1)] + "…"
    return flat


def _harmless(character: str, category: str) -> bool:
    return character in _KEEP or (not category.startswith("C") and character not in _FILLERS)
