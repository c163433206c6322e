"""Safe display text: what a person wrote, made harmless for any terminal.

A character that could steer a terminal or hide letters becomes a visible mark. The only characters
left out are the combining marks beyond the fourth on one letter.
"""

import unicodedata

MARK = "\ufffd"
MAX_COMBINING = 4  # combining marks on one letter

_ALLOWED_CONTROLS = {"\n", "\t"}
_JOINERS = {"\u200c", "\u200d"}  # hold emoji families together, keep Persian letters apart
_FILLERS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}  # letters that look like nothing
_DOTTED_CIRCLE = "\u25cc"  # carries a combining mark whose writer gave it no letter
_LINE_ENDS = str.maketrans({"\u2028": "\n", "\u2029": "\n", "\u0085": "\n"})


def safe_text(text: str) -> str:
    """Makes a text safe to show.

    Control, format, private and unassigned characters become marks. No letter keeps more than
    MAX_COMBINING combining marks. Every kind of line end becomes a newline.
    """
    shown: list[str] = []
    combining = 0
    previous = "\n"
    for written in text.replace("\r\n", "\n").translate(_LINE_ENDS):
        character = written
        category = unicodedata.category(written)
        if category.startswith("M"):
            # Marks with a width of their own (Mc) do not stack.
            if category != "Mc":
                combining += 1
                if combining > MAX_COMBINING:
                    continue
            # A mark without a letter would sit on a border, or on another person's words.
            if previous.isspace():
                shown.append(_DOTTED_CIRCLE)
        elif written in _JOINERS:
            # A joiner stands alone between two letters. A row of joiners would be invisible.
            if previous.isspace() or previous in _JOINERS:
                character = MARK
        else:
            combining = 0
            if not _is_harmless(written, category):
                character = MARK
        shown.append(character)
        previous = character
    # A joiner at the end joins nothing.
    if previous in _JOINERS:
        shown[-1] = MARK
    return "".join(shown)


def safe_line(text: str, width: int | None = None) -> str:
    """Makes a text safe and puts it on one line.

    If the line is longer than `width` characters, it is cut and ends with an ellipsis.
    """
    flat = " ".join(safe_text(text).split())
    if width is not None and len(flat) > width:
        return flat[: max(0, width - 1)] + "…"
    return flat


def _is_harmless(character: str, category: str) -> bool:
    if character in _ALLOWED_CONTROLS:
        return True
    return not category.startswith("C") and character not in _FILLERS
