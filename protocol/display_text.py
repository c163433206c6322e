"""Display text: makes the text that a person wrote harmless for any terminal.

A character that could control the terminal or hide letters becomes a visible sign (U+FFFD). If a
letter has more than four combining marks, the marks after the fourth are left out.
"""

import unicodedata

MARK = "\ufffd"
MAX_COMBINING = 4  # combining marks on one letter

_ALLOWED_CONTROLS = {"\n", "\t"}
_JOINERS = {"\u200c", "\u200d"}  # they join emoji into one, and keep Persian letters apart
_FILLERS = {"\u115f", "\u1160", "\u2800", "\u3164", "\uffa0"}  # letters that are invisible
_DOTTED_CIRCLE = "\u25cc"  # carries a combining mark that follows no letter
# Terminals send CR for each line break of a pasted text.
_LINE_ENDS = str.maketrans(dict.fromkeys("\r\u0085\u2028\u2029", "\n"))


def safe_text(text: str) -> str:
    """Replaces every character that is not safe to show, and returns the text.

    Control, format, private-use, unassigned and invisible characters become U+FFFD. Newlines and
    tabs stay, and so does an invisible joiner if it stands alone between two letters. A letter
    keeps at most MAX_COMBINING combining marks. The line breaks CR LF, CR, U+0085, U+2028 and
    U+2029 become newlines.
    """
    # To look at each character takes long, and most texts are plain.
    is_plain = text.isascii() and text.isprintable()
    return text if is_plain else _replace_unsafe(text)


def safe_line(text: str, width: int | None = None) -> str:
    """Makes a text safe to show (`safe_text`), and joins its lines into one line.

    If this line is longer than `width` characters, it is cut to `width` characters. The last of
    these characters is then an ellipsis.
    """
    flat = " ".join(safe_text(text).split())
    if width is not None and len(flat) > width:
        return flat[: max(0, width - 1)] + "…"
    return flat


def safe_name(name: str, mark: str | None = None, width: int | None = None) -> str:
    """Makes a person's name safe to show on one line of at most `width` characters.

    `mark` tells the person apart from others with a like name. The mark follows the name in
    brackets, and is never cut (R-12.7c).
    """
    if mark is None:
        return safe_line(name, width)
    ending = f" ({mark})"
    return safe_line(name, None if width is None else width - len(ending)) + ending


def is_visible(text: str) -> bool:
    """Returns True if a text has a character that people can see.

    Spaces, combining marks without a letter, and the characters that `safe_text` replaces do not
    count.
    """
    for character in text:
        category = unicodedata.category(character)
        is_blank = character.isspace() or category.startswith("M") or character in _JOINERS
        if not is_blank and _is_harmless(character, category):
            return True
    return False


def _replace_unsafe(text: str) -> str:
    shown: list[str] = []
    combining = 0
    previous = "\n"
    for written in text.replace("\r\n", "\n").translate(_LINE_ENDS):
        character = written
        category = unicodedata.category(written)
        if category.startswith("M"):
            # Combining marks with a width of their own (Mc) do not stack, so any number may stay.
            if category != "Mc":
                combining += 1
                if combining > MAX_COMBINING:
                    continue
            # After a space, the mark would be drawn on a border or on another person's words.
            if previous.isspace():
                shown.append(_DOTTED_CIRCLE)
        elif written in _JOINERS:
            # One joiner between two letters is fine. A row of joiners would be invisible.
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


def _is_harmless(character: str, category: str) -> bool:
    if character in _ALLOWED_CONTROLS:
        return True
    return not category.startswith("C") and character not in _FILLERS
