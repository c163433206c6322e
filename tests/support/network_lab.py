"""A lab of network namespaces: two homes, each behind its own NAT, and two public relays.

The lab needs root, iproute2 and iptables. The homes A and B are at 10.81.1.10 and 10.81.2.10. Their
public addresses are 10.80.0.2 and 10.80.0.3. The relays R and S are at 10.80.0.11 and 10.80.0.12.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.support.real_homes import Place, eventually

PUBLIC = {"A": "10.80.0.2", "B": "10.80.0.3", "R": "10.80.0.11", "S": "10.80.0.12"}
HOMES = {"A": "10.81.1.10", "B": "10.81.2.10"}
_GATEWAYS = {"A": "10.81.1.1", "B": "10.81.2.1"}


class Lab:
    """The hosts of the lab; each is named by a letter. `place` tells where a home or a relay of the
    tests runs.
    """

    def __init__(self, prefix: str) -> None:
        self._prefix = prefix
        self.names: list[str] = []
        self._wires: list[subprocess.Popen[bytes]] = []

    def place(self, host: str) -> Place:
        return Place(HOMES.get(host) or PUBLIC[host], self._name(host))

    def cut(self, host: str) -> None:
        """Unplugs a host from the public network."""
        _do("ip", "-n", self._name("net"), "link", "set", f"to{host}", "down")

    def heal(self, host: str) -> None:
        _do("ip", "-n", self._name("net"), "link", "set", f"to{host}", "up")

    def part(self, *hosts: str) -> None:
        """Divides the hosts into two groups: `hosts`, and all others. Hosts hear only hosts of
        their own group.
        """
        for host in hosts:
            self._ip("net", "link", "set", f"to{host}", "master", "apart")

    def join(self) -> None:
        """Lets all hosts hear each other again."""
        for host in PUBLIC:
            self._ip("net", "link", "set", f"to{host}", "master", "bridge")

    def weather(self, host: str) -> None:
        """Loses one packet in twenty to and from a host, and delays each packet by 100 ms.

        Call this before anything runs on the host.
        """
        where, device = (f"nat{host}", "wan") if host in HOMES else (host, "eth0")
        netem = ("root", "netem", "delay", "100ms", "loss", "5%")
        try:
            _do("tc", "-n", self._name(where), "qdisc", "add", "dev", device, *netem)
            _do("tc", "-n", self._name("net"), "qdisc", "add", "dev", f"to{host}", *netem)
        except subprocess.CalledProcessError:
            self._slow_wire(host, where, device)  # this kernel has no netem

    def _slow_wire(self, host: str, where: str, device: str) -> None:
        self._ip("net", "link", "delete", f"to{host}")
        ends = (self._name("net"), f"to{host}", self._name(where), device)
        program = Path(__file__).with_name("slow_wire.py")
        self._wires.append(subprocess.Popen([sys.executable, str(program), *ends, "0.1", "0.05"]))
        for network, name in (ends[:2], ends[2:]):
            eventually(lambda n=network, i=name: _is_there(n, i), "the slow wire does not come up")
        self._ip(where, "address", "add", f"{PUBLIC[host]}/24", "dev", device)
        self._ip(where, "link", "set", device, "up")
        self._ip("net", "link", "set", f"to{host}", "up")
        self._ip("net", "link", "set", f"to{host}", "master", "bridge")

    def move(self, host: str, address: str) -> None:
        """Changes a home's own address, as happens with a new router."""
        for what, which in (("del", HOMES[host]), ("add", address)):
            self._ip(host, "address", what, f"{which}/24", "dev", "eth0")
        self._ip(host, "route", "replace", "default", "via", _GATEWAYS[host])

    def _name(self, host: str) -> str:
        return f"{self._prefix}{host}"

    def make(self, *, keeps_ports: bool) -> None:
        for host in ("net", "R", "S", "natA", "natB", "A", "B"):
            _do("ip", "netns", "add", self._name(host))
            self.names.append(self._name(host))
            self._ip(host, "link", "set", "lo", "up")
        for bridge in ("bridge", "apart"):
            self._ip("net", "link", "add", bridge, "type", "bridge")
            self._ip("net", "link", "set", bridge, "up")
        for relay in ("R", "S"):
            self._wire("net", f"to{relay}", relay, "eth0")
            self._ip(relay, "address", "add", f"{PUBLIC[relay]}/24", "dev", "eth0")
        for home in ("A", "B"):
            self._wire("net", f"to{home}", f"nat{home}", "wan")
            self._wire(f"nat{home}", "lan", home, "eth0")
            self._nat(home, keeps_ports=keeps_ports)
        self.join()

    def _nat(self, home: str, *, keeps_ports: bool) -> None:
        nat = f"nat{home}"
        self._ip(nat, "address", "add", f"{PUBLIC[home]}/24", "dev", "wan")
        self._ip(nat, "address", "add", f"{_GATEWAYS[home]}/24", "dev", "lan")
        self._ip(home, "address", "add", f"{HOMES[home]}/24", "dev", "eth0")
        self._ip(home, "route", "add", "default", "via", _GATEWAYS[home])
        self._in(nat, "sysctl", "-qw", "net.ipv4.ip_forward=1")
        shuffle = () if keeps_ports else ("--random-fully",)
        masquerade = ("-t", "nat", "-A", "POSTROUTING", "-o", "wan", "-j", "MASQUERADE")
        self._in(nat, "iptables", *masquerade, *shuffle)
        answers = ("-m", "conntrack", "--ctstate", "ESTABLISHED,RELATED", "-j", "ACCEPT")
        for chain in ("FORWARD", "INPUT"):
            self._in(nat, "iptables", "-A", chain, "-i", "wan", *answers)
            self._in(nat, "iptables", "-A", chain, "-i", "wan", "-j", "DROP")

    def _wire(self, one: str, end: str, other: str, other_end: str) -> None:
        ends = ("netns", self._name(one)), ("netns", self._name(other))
        _do("ip", "link", "add", end, *ends[0], "type", "veth", "peer", "name", other_end, *ends[1])
        self._ip(one, "link", "set", end, "up")
        self._ip(other, "link", "set", other_end, "up")

    def _ip(self, host: str, *words: str) -> None:
        _do("ip", "-n", self._name(host), *words)

    def _in(self, host: str, *words: str) -> None:
        _do("ip", "netns", "exec", self._name(host), *words)

    def take_away(self) -> None:
        for wire in self._wires:
            wire.kill()
            wire.wait()
        for name in self.names:
            with suppress(OSError, subprocess.CalledProcessError):
                _do("ip", "netns", "delete", name)


@contextmanager
def lab(*, keeps_ports: bool = True) -> Iterator[Lab | str]:
    """Yields the lab. If this machine cannot make a lab, yields a sentence that says why."""
    one = Lab(f"mc{os.getpid()}")
    try:
        try:
            one.make(keeps_ports=keeps_ports)
        except (OSError, subprocess.CalledProcessError) as error:
            said = getattr(error, "stderr", b"") or str(error).encode()
            yield f"no network namespaces with NAT here: {said.decode().strip()}"
            return
        yield one
    finally:
        one.take_away()


def _do(*words: str) -> None:
    subprocess.run(words, capture_output=True, check=True)


def _is_there(network: str, interface: str) -> bool:
    looked = subprocess.run(
        ["ip", "-n", network, "link", "show", interface], capture_output=True, check=False
    )
    return looked.returncode == 0
