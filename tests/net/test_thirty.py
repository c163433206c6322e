"""Thirty homes run as thirty processes, and the tests measure what each record costs them. Another
test has two homes on a line that loses packets.
"""

import re
import time
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.nat_homes import relay
from tests.support.network_lab import lab
from tests.support.real_homes import ROOMY, agree, eventually, folder, request, together

HOMES, POSTS = 30, 10
_TICKS = 100  # ticks in a second of processor time


def processor(pid):
    """Returns how many seconds of processor time a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def sent(network):
    """Returns how many bytes have been sent over loopback."""
    found = re.search(r"^\s*lo:\s*(\d+)", Path("/proc/net/dev").read_text(), re.MULTILINE)
    return int(found[1])


@pytest.mark.long
def test_thirty_homes_and_a_relay():
    with folder() as one:
        surgery = one.home("surgery")
        surgery("relay", "found", "Surgery", "--listen", one.listen())
        surgery("up")
        ada = one.founder("Ada", *ROOMY, "--room", "100")
        ada("relay", "enrol", surgery("relay", "ticket")["ticket"])
        homes = [ada, *(one.newcomer(ada, f"Home {n}") for n in range(1, HOMES))]
        agree(*homes)
        pids = [home("status")["pid"] for home in (surgery, *homes)]
        before = agree(*homes)["records"]
        used, wire, began = sum(map(processor, pids)), sent("lo"), time.monotonic()
        for home in homes:
            with home.lines() as lines:
                lines.post(*(request(f"Wish {n}") for n in range(POSTS)))
        status = agree(*homes)
        count = status["records"] - before
        assert count >= HOMES * POSTS
        eventually(
            lambda: surgery("status")["served"][0]["set_hash"] == status["set_hash"],
            "a relay lacks",
        )
        copies = count * (HOMES + 1)
        print(  # noqa: T201 -- the figures that are asked for
            f"\n{count} records at {HOMES} homes and a relay after {time.monotonic() - began:.0f} s:"
            f" {1000 * (sum(map(processor, pids)) - used) / copies:.1f} ms of processor and"
            f" {(sent('lo') - wire) / copies:.0f} bytes on the wire for each at each"
        )


@pytest.mark.long
def test_a_line_that_loses_one_packet_in_twenty():
    """Two homes are behind NATs. The line between them loses 5 % of all packets, and delays each
    packet by 200 ms. All records arrive.
    """
    with ExitStack() as stack:
        made = stack.enter_context(lab(keeps_ports=False))
        if isinstance(made, str):
            pytest.skip(made)
        folders = {host: stack.enter_context(folder(made.place(host))) for host in ("A", "B", "R")}
        made.weather("R")  # all traffic goes through the relay
        surgery = relay(folders)
        ada = folders["A"].founder("Ada", *ROOMY)
        ada("relay", "enrol", surgery("relay", "ticket")["ticket"])
        eventually(lambda: ada("list", "relays")[0]["state"] == "connected", "no relay")
        ben = folders["B"].newcomer(ada, "Ben")
        began = time.monotonic()
        with ada.lines() as one, ben.lines() as other:
            together(
                lambda: one.post(*(request(f"Wish {n}") for n in range(200))),
                lambda: other.post(*(request(f"Hope {n}") for n in range(200))),
            )
        agree(ada, ben)
        print(f"\n400 records over the bad line in {time.monotonic() - began:.0f} s")  # noqa: T201
