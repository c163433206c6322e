"""IP addresses and TCP ports in few bytes, for invitations, tickets and relays (R-07.1, R-08.1)."""

import ipaddress
import re

from protocol.errors import Refused

_ADDRESS = re.compile(r"/ip([46])/([0-9a-fA-F.:]+)/tcp/([0-9]{1,5})")


def pack_addresses(addresses: tuple[str, ...], room: int) -> bytes:
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


def unpack_addresses(data: bytes, rule: str) -> tuple[str, ...]:
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
