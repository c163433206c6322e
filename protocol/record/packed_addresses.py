"""IP addresses with TCP ports in few bytes, for invitations, tickets and relays (R-07.1, R-08.1).

An address has three parts: the IP version (1 byte: 4 or 6), the IP address (4 or 16 bytes) and the
port (2 bytes). Together these are 7 or 19 bytes. Several addresses follow each other without a
separator.
"""

import ipaddress
import re

from protocol.errors import Refused

_ADDRESS = re.compile(r"/ip([46])/([0-9a-fA-F.:]+)/tcp/([0-9]{1,5})")
_IP_SIZES = {4: 4, 6: 16}  # IP version → bytes of an IP address
_PORT_SIZE = 2
_PORTS = 1 << 16


def pack_addresses(addresses: tuple[str, ...], room: int) -> bytes:
    """Packs as many multiaddrs (/ip4/A/tcp/P or /ip6/A/tcp/P) as fit in `room` bytes.

    It leaves out every address of another form, and every address that does not fit any more.
    """
    packed = b""
    for address in addresses:
        address_bytes = _pack_address(address)
        if len(packed) + len(address_bytes) <= room:
            packed += address_bytes
    return packed


def unpack_addresses(data: bytes, rule: str) -> tuple[str, ...]:
    """Returns the multiaddrs that were packed into these bytes.

    If the bytes are malformed, raises Refused with the rule number `rule`.
    """
    addresses = []
    while data:
        ip_size = _IP_SIZES.get(data[0])
        if ip_size is None or len(data) < 1 + ip_size + _PORT_SIZE:
            raise Refused(rule, "an address in it is cut short or mistyped")
        port_at = 1 + ip_size
        end = port_at + _PORT_SIZE
        host = ipaddress.ip_address(data[1:port_at])
        port = int.from_bytes(data[port_at:end], "big")
        if host.is_multicast or host.is_unspecified or port == 0:
            raise Refused(rule, "nobody can answer at {host}:{port}", host=host, port=port)
        addresses.append(f"/ip{data[0]}/{host}/tcp/{port}")
        data = data[end:]
    return tuple(addresses)


def _pack_address(address: str) -> bytes:
    """Packs one address. If the address is not an IP address with a TCP port, returns no bytes."""
    match = _ADDRESS.match(address)
    if match is None or int(match[3]) >= _PORTS:
        return b""
    try:
        host = ipaddress.ip_address(match[2])
    except ValueError:
        return b""
    if str(host.version) != match[1]:
        return b""
    return bytes([host.version]) + host.packed + int(match[3]).to_bytes(_PORT_SIZE, "big")
