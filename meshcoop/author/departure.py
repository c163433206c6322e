"""Makes and posts the statement by which a person leaves the neighbourhood (specs/03, R-03.34)."""

from typing import NamedTuple

from meshcoop.author.author import Author
from protocol.errors import AlreadySo
from protocol.fold.registry import declared_of
from protocol.kinds.neighbourhood import Device
from protocol.record import root_statement
from protocol.record.envelope import Record
from protocol.record.root_statement import MAX_LOGS
from protocol.schema.register_names import STANDING


class PlannedLeave(NamedTuple):
    """What a person's root key has to sign, so that the person leaves.

    `n` is the next number of their standing. `cuts` maps each device to the last number of its log
    that counts.
    """

    n: int
    cuts: dict[bytes, int]


def plan_leave(author: Author, person: bytes) -> PlannedLeave:
    """Returns what a person of this home has to sign to leave.

    Everything that this home has of the person counts, and the next record too: it carries the
    statement. Raises AlreadySo if the person does not belong any more.
    """
    state = author.state
    assert state.authority is not None, "the person is a member by it"
    held = state.authority.holding((STANDING, person))
    if held.n % 2 == 1:
        raise AlreadySo("R-03.34", "you have left, or were removed, already")
    carrier = author.signer_of(person).device
    cuts = {}
    for device in state.authority.devices_of(person):
        log = state.store.logs.find(device.key)
        last = log.head.seq if log is not None else 0
        cuts[device.key] = last + 1 if device.key == carrier else last
    # A device that is left out is cut at 0. So the devices that wrote most are named.
    kept = sorted(cuts, key=lambda key: cuts[key], reverse=True)[:MAX_LOGS]
    return PlannedLeave(held.n + 1, {key: cuts[key] for key in kept})


def leave(author: Author, root_seed: bytes, person: bytes) -> Record:
    """Signs with the person's root key that the person leaves, and posts this statement."""
    plan = plan_leave(author, person)
    place = author.state.neighbourhood[: root_statement.PLACE_SIZE]
    statement = root_statement.state_leave(root_seed, plan.n, plan.cuts, place)
    signer = author.signer_of(person)
    return author.write(declared_of(Device), {"statement": statement}, signer=signer)
