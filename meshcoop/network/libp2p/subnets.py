"""The networks to which this machine belongs. A node dials private addresses only in these
networks.
"""

import ipaddress
from collections.abc import Iterable
from functools import lru_cache

import ifaddr

from meshcoop.network.dial_rules import Subnet, find_ip


def find_subnets(listening: Iterable[str]) -> list[Subnet]:
    """Returns the networks of this machine. `listening` are the addresses at which the node
    listens.

    If the node listens only on loopback, all its peers are on this machine. So the machine itself
    counts as a network.
    """
    ips = {find_ip(address) for address in listening} - {None}
    is_alone = bool(ips) and all(ip is not None and ip.is_loopback for ip in ips)
    subnets = _subnets_of_machine(frozenset(map(str, ips)))
    return [subnet for subnet in subnets if is_alone or not subnet.is_loopback]


@lru_cache(maxsize=8)
def _subnets_of_machine(ips: frozenset[str]) -> list[Subnet]:
    """Asks the operating system for the networks. Asks again only if `ips`, the node's addresses,
    have changed.
    """
    del ips
    places = [
        f"{address.ip if address.is_IPv4 else address.ip[0]}/{address.network_prefix}"
        for adapter in ifaddr.get_adapters()
        for address in adapter.ips
    ]
    return [ipaddress.ip_network(place, strict=False) for place in places]
