"""Begins the next epoch after somebody has left. The new epoch's key is not given to the person who
left (R-03.33).
"""

import logging
from collections.abc import Callable

from meshcoop.author.author import Author
from meshcoop.author.automatic import offer_epochs
from protocol.errors import Refused
from protocol.record.envelope import OPEN, Record
from protocol.record.sealing import EpochKey

_LOG = logging.getLogger(__name__)

_WAIT_MS = 30_000  # the home whose record made the epoch due gets this long to begin it
_SPREAD_MS = 60_000  # then other homes each wait a random time, so as not to begin all at once


class Rotation:
    """Begins the next epoch when a device that has the current epoch key may no longer read.

    If two homes begin an epoch at the same time, no harm is done. Homes can read with both keys,
    and all write with the same key.
    """

    def __init__(self, author: Author, now: Callable[[], int]) -> None:
        self._author = author
        self._now = now
        self._checked_authority: object = None  # the last authority under which no epoch was needed
        self._has_acted = False  # this home has just signed an open record
        self._due: int | None = None  # when this home begins the epoch, if no other home has (ms)
        author.signed.append(self._on_signed)

    def run(self) -> None:
        """Begins the next epoch if the time for it has come."""
        has_acted = self._has_acted
        self._has_acted = False
        authority = self._author.state.authority
        if authority is self._checked_authority:
            return
        if not self._is_needed():
            self._due = None
            self._checked_authority = authority
            return
        if self._due is None:
            spread = int.from_bytes(self._author.random(4), "big") % _SPREAD_MS
            self._due = self._now() + (0 if has_acted else _WAIT_MS + spread)
        if self._now() >= self._due:
            self._begin()

    def _is_needed(self) -> bool:
        """Returns whether the current epoch key was sealed to a device that may no longer read."""
        state = self._author.state
        authority = state.authority
        current = state.ring.current()
        if authority is None or current is None:
            return False
        return any(
            not authority.is_live(device)
            for device, key_id in state.authority_fold.seals()
            if key_id == current.id and device in authority.devices
        )

    def _begin(self) -> None:
        state = self._author.state
        authority = state.authority
        current = state.ring.current()
        assert authority is not None, "a new epoch is needed"
        assert current is not None, "a new epoch is needed"
        live = [device for device in sorted(authority.devices) if authority.is_live(device)]
        key = EpochKey.from_key(current.number + 1, self._author.random(32))
        try:
            with state.store.transaction():
                offer_epochs(self._author, [key], *live)
        except Refused as refusal:
            _LOG.warning("cannot begin the next epoch yet: %s", refusal)
        else:
            _LOG.info("epoch %d begins, for %d devices", key.number, len(live))

    def _on_signed(self, signed: Record) -> None:
        self._has_acted = self._has_acted or signed.header.base_audience == OPEN
