"""Codes: bytes written as capital letters and digits, which people copy and type (R-07.1)."""

import base64
import re

from protocol.errors import Refused
from protocol.record.packed_addresses import pack_addresses

MAX_BYTES = 93  # so many bytes take 150 letters; a QR code of 150 letters fits a small screen


def write_code(head: bytes, addresses: tuple[str, ...]) -> str:
    """Returns a code of letters and digits. It holds `head` and as many addresses as fit."""
    return _letters(head + pack_addresses(addresses, MAX_BYTES - len(head)))


def read_code(text: str, what: str, rule: str) -> bytes:
    """Returns the bytes of a code that a person typed.

    The person may type spaces, hyphens and small letters. Raises Refused, with the rule number
    `rule`, if the code is mistyped. `what` names the code in the message, such as "an invitation".
    """
    plain = re.sub(r"[\s-]", "", text).upper()
    if not re.fullmatch(r"[A-Z2-7]{1,150}", plain):
        raise Refused(rule, "{what} is at most 150 letters and digits from 2 to 7", what=what)
    try:
        data = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except ValueError:
        raise cut_short(rule) from None
    # The same bytes have only one code: the unused bits of its last letter are zero.
    if _letters(data) != plain:
        raise Refused(rule, "it is mistyped; ask for it again")
    return data


def cut_short(rule: str) -> Refused:
    """Returns the refusal of a code that has too few letters or wrong letters."""
    return Refused(rule, "it is cut short or mistyped; ask for it again")


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")
