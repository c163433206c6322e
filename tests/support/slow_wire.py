"""A slow wire that loses packets, between two network namespaces. It is for kernels without netem.

    python slow_wire.py NAMESPACE INTERFACE NAMESPACE INTERFACE SECONDS SHARE

SECONDS is the delay of each packet, SHARE the probability that the wire loses it. The program runs
until somebody stops it.
"""

import ctypes
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time
from contextlib import suppress

_CLONE_NEWNET, _TUNSETIFF, _TAP, _NO_PI = 0x40000000, 0x400454CA, 0x0002, 0x1000
_LONGEST = 65_600


def tap(network, name):
    """Makes one end of the wire: an interface in the network namespace."""
    where = os.open(f"/var/run/netns/{network}", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(where, _CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), f"cannot enter {network}")
    end = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(end, _TUNSETIFF, struct.pack("16sH22x", name.encode(), _TAP | _NO_PI))
    return end


def main(one, other, seconds, share):
    dice, waiting, count = random.Random(1), [], 0
    there = {one: other, other: one}
    while True:
        due = max(0.0, waiting[0][0] - time.monotonic()) if waiting else None
        ready, _, _ = select.select([one, other], [], [], due)
        for end in ready:
            packet = os.read(end, _LONGEST)
            if dice.random() >= share:
                count += 1
                heapq.heappush(waiting, (time.monotonic() + seconds, count, there[end], packet))
        while waiting and waiting[0][0] <= time.monotonic():
            _, _, end, packet = heapq.heappop(waiting)
            # If the other end is down or full, the packet is lost, as on any wire.
            with suppress(OSError):
                os.write(end, packet)


if __name__ == "__main__":
    ends = [tap(*sys.argv[at : at + 2]) for at in (1, 3)]
    main(*ends, float(sys.argv[5]), float(sys.argv[6]))
