"""Codes: bytes that people copy and type, as capital letters and digits (R-07.1)."""

import base64
import re

from protocol.errors import Refused
from protocol.record.packed_addresses import pack_addresses

MAX_BYTES = 93  # 150 letters: a QR code of them fits a small screen


def write_code(head: bytes, addresses: tuple[str, ...]) -> str:
    """Writes `head`, and as many addresses as fit, in letters."""
    return _letters(head + pack_addresses(addresses, MAX_BYTES - len(head)))


def read_code(text: str, what: str, rule: str) -> bytes:
    """Returns the bytes of a code that a person typed.

    It allows spaces, hyphens and small letters. Raises Refused (`rule`). `what` names the code in
    the refusal: "an invitation".
    """
    plain = re.sub(r"[\s-]", "", text).upper()
    if not re.fullmatch(r"[A-Z2-7]{1,150}", plain):
        raise Refused(rule, f"{what} is at most 150 letters and digits from 2 to 7")
    try:
        data = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except ValueError:
        raise cut_short(rule) from None
    # The spare bits of the last letter must be those that we would write.
    if _letters(data) != plain:
        raise Refused(rule, "it is mistyped; ask for it again")
    return data


def cut_short(rule: str) -> Refused:
    """Returns the refusal of a code that has too few letters or wrong ones."""
    return Refused(rule, "it is cut short or mistyped; ask for it again")


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")
