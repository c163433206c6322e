"""What a change of authority affects: whose records count otherwise, and what is decided otherwise."""

from protocol.authority.authority import Authority
from protocol.authority.records import Acts
from protocol.authority.terms import HIDDEN, MEASURE
from protocol.fold.proxies import Standing

_DECIDED = ("charter", "proposal", "renewal", "remove", "hide")  # kinds whose views authority makes

_OF_RECORDS = (HIDDEN, MEASURE)  # registers that say something of a record


def devices(before: Authority, after: Authority) -> list[bytes]:
    """The devices whose records may count otherwise."""
    known = {*before.devices, *after.devices}
    return [one for one in known if _facts(before, one) != _facts(after, one)]


def decided(before: Authority, after: Authority, acts: Acts) -> list[bytes]:
    """R-16.8: the records whose views say what is decided, where that may have changed."""
    if (before.chain, before.registers) != (after.chain, after.registers):
        held = {*before.registers, *after.registers}
        decided = [
            bytes(key) for what, key in held if what in _OF_RECORDS and isinstance(key, bytes)
        ]
        return [*(act.id for act in acts.of(*_DECIDED)), *decided]
    then = {**before.outcomes, **before.renewals}
    now = {**after.outcomes, **after.renewals}
    return [one for one in now if now[one] != then.get(one)]


def signers(before: Standing, after: Standing) -> set[bytes]:
    """The people whose signing for others may count otherwise: their proxies have changed."""
    changed = [key for key in {*before, *after} if before.get(key) != after.get(key)]
    return {one.by for key in changed for one in (before.get(key), after.get(key)) if one}


def _facts(known: Authority, device: bytes) -> object:
    one = known.devices.get(device)
    cuts = known.cuts.get(one.person) if one else None
    cut = None if cuts is None else cuts.get(device, 0)
    return known.signer(device), one and one.revoked, known.forks.get(device), cut
