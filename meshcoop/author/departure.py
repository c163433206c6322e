"""Plans the statement by which a person leaves the neighbourhood (specs/03, R-03.34). The person's
root key must sign this statement. No node has the root key.
"""

from typing import NamedTuple

from meshcoop.author.author import Author
from protocol.errors import AlreadySo
from protocol.record.root_statement import MAX_LOGS
from protocol.schema.register_names import STANDING


class PlannedLeave(NamedTuple):
    """What a person's root key has to sign so that the person leaves.

    Statements about a person's standing are numbered, and `n` is the next number. `cuts` maps each
    device to the number of the last record in its log that still counts.
    """

    n: int
    cuts: dict[bytes, int]


def plan_leave(author: Author, person: bytes) -> PlannedLeave:
    """Returns what a person's root key has to sign so that the person leaves. A device of this home
    will carry the signed statement in a record.

    All of the person's records at this home still count. If the carrying device is the person's
    own, the record with the statement counts too. Raises AlreadySo if the person is no member any
    more.
    """
    state = author.state
    assert state.authority is not None, "the home that carries it has a member"
    held = state.authority.holding((STANDING, person))
    if held.n % 2 == 1:
        raise AlreadySo("R-03.34", "you have left, or were removed, already")
    carrier = author.signer_of().device
    cuts = {}
    for device in state.authority.devices_of(person):
        log = state.store.logs.find(device.key)
        last = log.head.seq if log is not None else 0
        cuts[device.key] = last + 1 if device.key == carrier else last
    # A device that is left out is cut at 0. So the devices that wrote most are named.
    kept = sorted(cuts, key=lambda key: cuts[key], reverse=True)[:MAX_LOGS]
    return PlannedLeave(held.n + 1, {key: cuts[key] for key in kept})
