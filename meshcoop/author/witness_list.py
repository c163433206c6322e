"""Chooses the witnesses of a next term. The software puts the list of witnesses into the renewal
that it proposes (specs/24 R-24.1a).
"""

import hashlib
from collections.abc import Collection

from meshcoop.fold.state import State
from protocol.authority.authority import Authority
from protocol.authority.terms import MOST_WITNESSES
from protocol.record.envelope import DAY_MS

QUIET_MS = 28 * DAY_MS  # a home that has signed nothing by itself for so long sees nothing

_LOOKED_AT = 16  # records at the end of a log, read at once
_MOST_PAGES = 16
_TAG = b"meshcoop witness 1"


def choose_witnesses(state: State, roll: Collection[bytes], time: int) -> list[bytes]:
    """Returns the people of a new roll who become witnesses: their homes will say which records
    they have seen.

    `time` is the time (ms) of the renewal. Homes that hold the same records make the same list.
    """
    authority = state.authority
    assert authority is not None, "who renews is a member by it"
    span = range(time - QUIET_MS, time + 1)
    signing = [person for person in sorted(roll) if signs_by_itself(state, person, span)]
    if len(signing) <= MOST_WITNESSES:
        return signing
    return sorted(_draw(authority, [person for person in signing if person in authority.term.roll]))


def signs_by_itself(state: State, person: bytes, span: range) -> bool:
    """Returns whether the software of a person's home has signed for this person in a span of time
    (ms). For guests, software never signs by itself.
    """
    authority = state.authority
    assert authority is not None, "the person is a member by it"
    return any(_signs(state, device.key, span) for device in authority.devices_of(person))


def _signs(state: State, device: bytes, span: range) -> bool:
    log = state.store.logs.find(device)
    if log is None:
        return False
    last = log.head.seq
    for _ in range(_MOST_PAGES):
        first = max(1, last - _LOOKED_AT + 1)
        page = state.store.records.of_log(device, first, last - first + 1)
        headers = [record.header for record in page]
        if any(header.is_automatic and header.time in span for header in headers):
            return True
        if first == 1 or not page or headers[0].time < span.start:
            return False
        last = first - 1
    return False


def _draw(authority: Authority, people: Collection[bytes]) -> list[bytes]:
    """Draws witnesses: returns the people with the lowest hashes (R-24.1b)."""
    place = _TAG + authority.term.id
    drawn = sorted(people, key=lambda person: hashlib.sha256(place + person).digest())
    return drawn[:MOST_WITNESSES]
