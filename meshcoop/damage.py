"""What a node does about damaged stores before it starts."""

from collections.abc import Callable

from meshcoop import founding, mending
from meshcoop.config import Home
from meshcoop.inbox import Inbox
from meshcoop.keystore import Keys
from meshcoop.state import State
from meshcoop.store import Store
from protocol.record import device_key


def mend(home: Home, keys: Keys, now: Callable[[], int]) -> list[str]:
    """Mends the stores of a home whose lock is held; what was wrong and done, a sentence each."""
    settings = home.read_settings()
    neighbourhood = bytes.fromhex(settings.neighbourhood or "")

    def of_home(store: Store) -> Inbox | None:
        if not neighbourhood:
            return None
        devices = {device_key(one.seed): one.seed for one in keys.devices}
        return Inbox(founding.open_state(store, neighbourhood, devices, now, keys.boxes))

    said = [mending.mend(home.store, of_home)]
    for path in sorted((home.path / "served").glob("*[0-9a-f].db")):
        from meshcoop.relay.served import HandedKeys

        def of_relay(store: Store, place: bytes = bytes.fromhex(path.stem)) -> Inbox:
            return Inbox(State(store, place, HandedKeys(store.db), now))

        said.append(mending.mend(path, of_relay))
    return [one for one in said if one is not None]
