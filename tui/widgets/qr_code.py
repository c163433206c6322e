"""A QR code of a short text, drawn in half blocks."""

import segno
from textual.content import Content
from textual.widgets import Static

_BORDER = 2  # light squares around the code, which phones need to find it
# The sign for two squares, one above the other: (is the upper dark, is the lower dark).
_SIGNS = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


class QrCode(Static):
    """A QR code, black on white in every theme. 150 capital letters and digits take 21 lines."""

    DEFAULT_CSS = """
    QrCode { width: auto; height: auto; color: black; background: white; }
    """

    def __init__(self, text: str) -> None:
        super().__init__(Content(draw_code(text)))


def draw_code(text: str) -> str:
    """Returns the QR code of a text as lines. Each line holds two rows of squares."""
    code = segno.make(text, error="l", boost_error=False, micro=False)
    rows = [[bool(square) for square in row] for row in code.matrix_iter(border=_BORDER)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return "\n".join(
        "".join(_SIGNS[squares] for squares in zip(upper, lower, strict=True))
        for upper, lower in pairs
    )
