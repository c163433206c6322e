"""Codes: bytes written as capital letters and digits, which people copy and type (R-07.1)."""

import base64
import hashlib
import unicodedata

from protocol.errors import Refused
from protocol.record.packed_addresses import pack_addresses

_CHECKSUM_SIZE = 4  # bytes
_MAX_LETTERS = 150  # a QR code of 150 letters fits a small screen
MAX_BYTES = 93 - _CHECKSUM_SIZE  # 93 bytes take 150 letters
_SIGNS = frozenset("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567")
_MEANT = {"0": "O", "1": "I or L", "8": "B", "9": "G or Q"}  # what somebody may have misread
_SHOWN_BEFORE = 4  # signs that a refusal names before a wrong one, so that people find the place


def write_code(head: bytes, addresses: tuple[str, ...]) -> str:
    """Returns a code of letters and digits. The code holds `head`, as many addresses as fit, and a
    checksum.
    """
    data = head + pack_addresses(addresses, MAX_BYTES - len(head))
    return _letters(data + _checksum(data))


def read_code(text: str, what: str, rule: str) -> bytes:
    """Returns the bytes of a code that a person typed, without the checksum.

    Spaces, hyphens, quotes and all other signs that are neither letters nor digits are ignored
    (R-07.1b). Raises Refused, with the rule number `rule`, if the code is mistyped. `what` names
    the code in the message, such as "an invitation".
    """
    typed = "".join(sign for sign in unicodedata.normalize("NFC", text) if _is_written(sign))
    for place, sign in enumerate(typed):
        if not (sign.isascii() and sign.upper() in _SIGNS):
            raise _wrong_sign(typed, place, rule)
    plain = typed.upper()
    if not 1 <= len(plain) <= _MAX_LETTERS:
        raise Refused(rule, "{what} is at most 150 letters and digits from 2 to 7", what=what)
    try:
        whole = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except ValueError:
        raise cut_short(rule) from None
    # The same bytes have only one code: the unused bits of its last letter are zero.
    data = whole[:-_CHECKSUM_SIZE]
    if _letters(whole) != plain or whole[-_CHECKSUM_SIZE:] != _checksum(data):
        raise Refused(
            rule, "it is mistyped or cut short; compare it with what you got, or ask for it again"
        )
    return data


def cut_short(rule: str) -> Refused:
    """Returns the refusal of a code that has too few letters or wrong letters."""
    return Refused(rule, "it is cut short or mistyped; ask for it again")


def _is_written(sign: str) -> bool:
    """Returns True for letters, digits and accents. All other signs only surround a code."""
    return unicodedata.category(sign)[0] in "LNM"


def _wrong_sign(typed: str, place: int, rule: str) -> Refused:
    """Returns the refusal of a sign that no code has. `place` is the sign's place in the code,
    counted from 0 (R-07.1f).
    """
    meant = _MEANT.get(typed[place])
    return Refused(
        rule,
        (
            "sign {place}, after {before!r}, is {sign!r}, which no code has; is it {meant}?"
            if meant
            else "sign {place}, after {before!r}, is {sign!r}; a code has only A to Z and 2 to 7"
        ),
        place=place + 1,
        before=typed[max(0, place - _SHOWN_BEFORE) : place],
        sign=typed[place],
        meant=meant or "",
    )


def _checksum(data: bytes) -> bytes:
    """Returns four bytes that show whether a code has a mistake (R-07.1h)."""
    return hashlib.sha256(data).digest()[:_CHECKSUM_SIZE]


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")
