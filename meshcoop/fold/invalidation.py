"""Finds what must be folded again after authority or proxies have changed: the devices, decisions
and people whose records may count differently now.
"""

from collections.abc import Iterator

from protocol.authority.authority import Authority
from protocol.authority.record_index import AuthorityIndex
from protocol.fold.proxies import ProxiesById
from protocol.fold.registry import names_of
from protocol.kinds.decisions import Proposal, Remove, Renewal
from protocol.kinds.moderation import Hide
from protocol.kinds.neighbourhood import Charter
from protocol.schema.register_names import HIDDEN, MEASURE, TRIAL

_DECIDED = (Charter, Proposal, Renewal, Remove, Hide)  # authority makes their views

_OF_RECORDS = (HIDDEN, MEASURE, TRIAL)  # registers whose keys are record ids


def changed_devices(before: Authority, after: Authority) -> list[bytes]:
    """Returns the devices whose records may count differently under the new authority."""
    devices = {*before.devices, *after.devices}
    return [device for device in devices if _standing(before, device) != _standing(after, device)]


def changed_decisions(before: Authority, after: Authority, acts: AuthorityIndex) -> list[bytes]:
    """R-16.8: returns the ids of records whose views show a decision that may have changed."""
    if (before.chain, before.registers) != (after.chain, after.registers):
        subjects = _changed_subjects(before, after)
        return [*(act.id for act in acts.of_kinds(*names_of(*_DECIDED))), *subjects]
    earlier = {**before.outcomes, **before.renewals}
    later = {**after.outcomes, **after.renewals}
    return [decision for decision in later if later[decision] != earlier.get(decision)]


def changed_signers(before: ProxiesById, after: ProxiesById) -> set[bytes]:
    """Returns the deputies whose proxies have changed. With a proxy, a deputy signs for another
    person. The records that such a deputy signed may count differently now.
    """
    changed = [key for key in {*before, *after} if before.get(key) != after.get(key)]
    proxies = [proxy for key in changed for proxy in (before.get(key), after.get(key))]
    return {proxy.deputy for proxy in proxies if proxy is not None}


def _changed_subjects(before: Authority, after: Authority) -> Iterator[bytes]:
    """Yields the ids of the records about which a decision has changed. Also yields the ids of
    measures that a changed charter may allow or forbid.
    """
    has_new_charter = before.charter != after.charter
    for place in {*before.registers, *after.registers}:
        register, key = place
        is_changed = before.registers.get(place) != after.registers.get(place)
        is_bounded = register == MEASURE and has_new_charter
        if register in _OF_RECORDS and isinstance(key, bytes) and (is_changed or is_bounded):
            yield bytes(key)


def _standing(authority: Authority, key: bytes) -> object:
    """Returns everything in authority that decides whether the records of a device count. The
    caller compares the results of an earlier and a later authority.
    """
    device = authority.devices.get(key)
    cuts = authority.cuts.get(device.person) if device else None
    cut = None if cuts is None else cuts.get(key, 0)
    revoked = device and device.revoked_after
    person = authority.person_of_device(key)
    since = authority.belongs_from.get(person or b"")
    return person, since, revoked, authority.forks.get(key), cut
