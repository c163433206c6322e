"""Bytes that people copy and type, as capital letters and digits (R-07.1), and addresses in them."""

import base64
import ipaddress
import re

from protocol.errors import Refused

MAX_BYTES = 93  # 150 letters: a QR code of them fits a small screen

_ADDRESS = re.compile(r"/ip([46])/([0-9a-fA-F.:]+)/tcp/([0-9]{1,5})")


def write(head: bytes, addresses: tuple[str, ...]) -> str:
    """The letters of `head` and of as many addresses as fit."""
    return _letters(head + pack(addresses, MAX_BYTES - len(head)))


def read(text: str, what: str, rule: str) -> bytes:
    """The bytes; spaces, hyphens and small letters are forgiven. Raises Refused, naming `what`."""
    plain = re.sub(r"[\s-]", "", text).upper()
    if not re.fullmatch(r"[A-Z2-7]{1,150}", plain):
        raise Refused(rule, f"{what} is at most 150 letters and digits from 2 to 7")
    try:
        data = base64.b32decode(plain + "=" * (-len(plain) % 8))
    except ValueError:
        raise cut(rule) from None
    if _letters(data) != plain:
        raise Refused(rule, "it is mistyped; ask for it again")
    return data


def cut(rule: str) -> Refused:
    """What is said of too few or strange letters."""
    return Refused(rule, "it is cut short or mistyped; ask for it again")


def pack(addresses: tuple[str, ...], room: int) -> bytes:
    """The addresses (/ip4/A/tcp/P, /ip6/A/tcp/P), 7 or 19 bytes each, as many as fit in `room`."""
    packed = b""
    for address in addresses:
        one = _pack_one(address)
        packed += one if len(packed) + len(one) <= room else b""
    return packed


def _pack_one(address: str) -> bytes:
    """Nothing for what is no address of this form."""
    match = _ADDRESS.match(address)
    if match is None or int(match[3]) >= 1 << 16:
        return b""
    try:
        host = ipaddress.ip_address(match[2])
    except ValueError:
        return b""
    if str(host.version) != match[1]:
        return b""
    return bytes([host.version]) + host.packed + int(match[3]).to_bytes(2, "big")


def unpack(data: bytes, rule: str) -> tuple[str, ...]:
    """The addresses in packed bytes. Raises Refused."""
    found = []
    while data:
        size = {4: 4, 6: 16}.get(data[0])
        if size is None or len(data) < 1 + size + 2:
            raise Refused(rule, "an address in it is cut short or mistyped")
        host = ipaddress.ip_address(data[1 : 1 + size])
        port = int.from_bytes(data[1 + size : 3 + size], "big")
        if host.is_multicast or host.is_unspecified or port == 0:
            raise Refused(rule, f"nobody can answer at {host}:{port}")
        found.append(f"/ip{data[0]}/{host}/tcp/{port}")
        data = data[3 + size :]
    return tuple(found)


def _letters(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=")
