"""What a node does about damaged stores before it starts."""

from collections.abc import Callable

from meshcoop.author import founding
from meshcoop.fold.state import State
from meshcoop.home.folder import Home
from meshcoop.home.key_file import Keys
from meshcoop.ingest.inbox import Inbox
from meshcoop.repair import rebuild as mending
from meshcoop.store.store import Store
from protocol.record.envelope import device_key


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
        from meshcoop.relay.tenant import HandedKeys

        def of_relay(store: Store, place: bytes = bytes.fromhex(path.stem)) -> Inbox:
            return Inbox(State(store, place, HandedKeys(store), now))

        said.append(mending.mend(path, of_relay))
    return [one for one in said if one is not None]
