"""Bytes that people copy and type, as capital letters and digits (R-07.1)."""

import base64
import re

from protocol.errors import Refused
from protocol.record.packed_addresses import pack_addresses

MAX_BYTES = 93  # 150 letters: a QR code of them fits a small screen


def write_code(head: bytes, addresses: tuple[str, ...]) -> str:
    """The letters of `head` and of as many addresses as fit."""
    return _letters(head + pack_addresses(addresses, MAX_BYTES - len(head)))


def read_code(text: str, what: str, rule: str) -> bytes:
    """The bytes of letters that a person typed; spaces, hyphens and small letters are forgiven.

    Raises Refused, with the number of `rule`. `what` names the code in it: "an invitation".
    """
    plain = re.sub(r"[\s-]", "", text).upper()
    if not re.fullmatch(r"[A-Z2-7]{1,150}", plain):
        raise Refused(rule, f"{what} is at most 150 letters and digits from 2 to 7")
    try:
        data = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except ValueError:
        raise cut_short(rule) from None
    # Letters that are left over at the end must be the ones that we would write.
    if _letters(data) != plain:
        raise Refused(rule, "it is mistyped; ask for it again")
    return data


def cut_short(rule: str) -> Refused:
    """The refusal of a code with too few or strange letters."""
    return Refused(rule, "it is cut short or mistyped; ask for it again")


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")
