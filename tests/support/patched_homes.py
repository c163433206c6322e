"""Members whose software signs what they like. It works on the store of a stopped node of theirs.
When the node is up again, other real homes get everything that was written.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from meshcoop import clock
from meshcoop.author.author import Author
from meshcoop.author.founding import Identity, open_state
from meshcoop.home.key_file import Keys, unlock_key_file
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.store import Store
from protocol import kinds
from protocol.record.envelope import device_key
from protocol.record.root_statement import PLACE_SIZE
from tests.support.real_homes import PASSPHRASE
from tests.support.real_homes import Home as RealHome
from tests.support.street_in_memory import Home, Street

assert kinds  # registers every kind

_AHEAD = 25 * 60_000  # ms: what is written here claims times up to now, a minute apart


@contextmanager
def patched(home: RealHome, *, ahead: int = 0, path: str | None = None) -> Iterator[Home]:
    """Opens a stopped home. Everything in it can sign. `ahead` says how many hours its clock goes
    ahead. With `path`, works on another store than the home's, for example a copy.
    """
    keys = unlock_key_file(home.path / "keys", PASSPHRASE).keys
    with Street() as street:
        street.clock = clock.now() + ahead * 3_600_000 - _AHEAD
        assert keys.neighbourhood is not None, "the home belongs to a neighbourhood"
        street.place = keys.neighbourhood[:PLACE_SIZE]
        seeds = {device_key(device.seed): device.seed for device in keys.devices}
        store = Store(path or home.store, keys.store_key)
        state = open_state(store, keys.neighbourhood, seeds, lambda: street.clock, keys.boxes)
        author = Author(Inbox(state), seeds, lambda: street.clock, os.urandom)
        yield Home(street, keys.neighbourhood, (_owner(keys),), author=author)


def _owner(keys: Keys) -> Identity:
    """Returns all keys of the person who lives in a home."""
    device = keys.devices[0]
    assert keys.recovery_seed is not None, "the words are not written down yet"
    return Identity(
        keys.recovery_seed, device.seed, device.person, device_key(device.seed), device.statement
    )
