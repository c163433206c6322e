"""Dial rules: which addresses a node dials. The same rules hold no matter where an address comes
from (R-05.9d, R-05.9e).
"""

import ipaddress
import re
from collections.abc import Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network

Subnet = IPv4Network | IPv6Network

_HTTPS = 443
_FIRST_PORT = 1024
_LAST_PORT = 65_535
_PLACE = re.compile(r"/ip[46]/([0-9a-fA-F.:]{2,45})/tcp/([0-9]{1,5})(?:/|$)")
_PRIVATE = [
    ipaddress.ip_network(written)
    for written in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"),
        *("fc00::/7", "fe80::/10"),
    )
]


def may_dial(address: str, subnets: Sequence[Subnet], *, is_on_machine: bool = False) -> bool:
    """Returns whether a node may dial an address. If the address leads through a relay, returns
    whether the node may dial the relay.

    `subnets` are the networks to which this machine belongs. `is_on_machine` says whether the peer
    was met on this same machine.
    """
    ip = find_ip(address)
    if ip is None:
        return False
    if ip.is_loopback:
        return is_on_machine or _is_inside(ip, subnets)
    if ip.is_multicast or ip.is_unspecified or ip.is_reserved:
        return False
    return not _is_inside(ip, _PRIVATE) or _is_inside(ip, subnets)


def is_on_link(address: str, subnets: Sequence[Subnet]) -> bool:
    """Returns whether an address is in a network to which this machine belongs."""
    ip = find_ip(address)
    return ip is not None and _is_inside(ip, subnets)


def find_ip(address: str) -> IPv4Address | IPv6Address | None:
    """Returns the IP address that a node reaches if it dials an address. Returns None if there is
    no IP address, or if the port is one at which no node listens (R-05.9f).
    """
    place = _PLACE.match(address)
    if place is None:
        return None
    port = int(place[2])
    if port != _HTTPS and not _FIRST_PORT <= port <= _LAST_PORT:
        return None
    try:
        ip = ipaddress.ip_address(place[1])
    except ValueError:
        return None
    # An IPv6 address can be another way to write an IPv4 address.
    return getattr(ip, "ipv4_mapped", None) or ip


def _is_inside(ip: IPv4Address | IPv6Address, subnets: Sequence[Subnet]) -> bool:
    return any(ip in subnet for subnet in subnets)
