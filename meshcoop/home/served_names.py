"""The names of the stores at a relay. A store is named after its neighbourhood, but the
neighbourhood's id is sealed in the name. So a file name tells nothing to people without the relay's
keys (R-01.28c).
"""

import base64
import hashlib
import re
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

_ENDING = ".db"
_ID_SIZE = 32  # bytes of a neighbourhood's id
_SEALED_SIZE = SecretBox.NONCE_SIZE + _ID_SIZE + SecretBox.MACBYTES
_LENGTH = -(-_SEALED_SIZE * 8 // 5)  # a letter stands for 5 bits
# Some file systems do not tell capital letters from small ones. So the names are in base 32.
_STORE = re.compile(rf"[a-z2-7]{{{_LENGTH}}}{re.escape(_ENDING)}")
# Until version 2 of the stores, the files and folders had the id itself in their names.
_OLDER = re.compile(rf"([0-9a-f]{{{_ID_SIZE * 2}}})\.")


class ServedNames:
    """The names of the stores in a folder of a relay. The names are sealed with keys that are
    derived from the relay's store key. The same neighbourhood always gets the same name.
    """

    def __init__(self, folder: Path, store_key: bytes) -> None:
        self._folder = folder
        self._nonce_key = _derive_key(store_key, b"served nonce")
        self._box = SecretBox(_derive_key(store_key, b"served"))

    def path_of(self, neighbourhood: bytes) -> Path:
        """Returns the path of the store of a neighbourhood."""
        return self._folder / f"{self._seal(neighbourhood)}{_ENDING}"

    def neighbourhood_of(self, path: Path) -> bytes | None:
        """Returns the id of the neighbourhood to which a store belongs. Returns None if the file's
        name is from another relay.
        """
        letters = path.name.removesuffix(_ENDING).upper()
        try:
            sealed = base64.b32decode(letters + "=" * (-len(letters) % 8))
            return bytes(self._box.decrypt(sealed))
        except (ValueError, CryptoError):
            return None

    def files_of(self, neighbourhood: bytes) -> list[Path]:
        """Returns the paths of all files and folders of a neighbourhood. Damaged copies are
        included. The store itself is the last.
        """
        store = self.path_of(neighbourhood)
        return sorted(self._folder.glob(f"{store.stem}.*"), key=lambda path: path == store)

    def rename_older(self) -> None:
        """Gives new names to files and folders whose names contain the id of a neighbourhood.

        If the process is killed, the next call goes on. The store itself gets its new name last,
        and nobody opens it before. So SQLite never finds a store without its write-ahead log.
        """
        # What is deeper in the folder comes first: a renamed folder would change its path.
        paths = sorted(
            self._folder.rglob("*"), key=lambda path: (-len(path.parts), _is_store(path))
        )
        for path in paths:
            older = _OLDER.match(path.name)
            if older is not None:
                name = self._seal(bytes.fromhex(older[1])) + path.name.removeprefix(older[1])
                path.rename(path.with_name(name))

    def _seal(self, neighbourhood: bytes) -> str:
        size = SecretBox.NONCE_SIZE
        # The nonce is made of the id. So one id has one name, and no other id has the same nonce.
        nonce = hashlib.blake2b(neighbourhood, key=self._nonce_key, digest_size=size).digest()
        sealed = bytes(self._box.encrypt(neighbourhood, nonce))
        return base64.b32encode(sealed).decode().rstrip("=").lower()


def find_served_stores(folder: Path) -> list[Path]:
    """Returns the paths of the stores in the folder of a relay."""
    return sorted(path for path in folder.glob(f"*{_ENDING}") if _STORE.fullmatch(path.name))


def _derive_key(store_key: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(purpose, key=store_key, digest_size=SecretBox.KEY_SIZE).digest()


def _is_store(path: Path) -> bool:
    return path.name.endswith(_ENDING)
