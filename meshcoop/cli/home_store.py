"""Opens the store of a home for a command that reads the store without the node."""

from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.home.key_file import Keys
from meshcoop.repair import integrity
from meshcoop.store.store import Store


def open_home_store(home: Home, keys: Keys) -> Store:
    """Opens the store of a home. Raises Mistake if the store is lost. Otherwise a new, empty store
    would be made, as if the home had no records.
    """
    if integrity.is_lost(home.store_file, keys.store_key):
        raise Mistake(
            "The store of this home is lost; `meshcoop up` makes a new one, with what the"
            " neighbours' nodes hold."
        )
    return Store(home.store_file, keys.store_key)
