"""A small file that only the home's keys open. It lies beside the store, and outlives it."""

import hashlib
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from meshcoop.home.private_files import write_private_file


class SealedFile:
    """A file that is sealed with a key of its own, derived from the key of the home's stores."""

    def __init__(self, path: Path, store_key: bytes) -> None:
        self._path = path
        name = path.name.encode()
        self._box = SecretBox(hashlib.blake2b(name, key=store_key, digest_size=32).digest())

    def read(self) -> bytes:
        """Returns the content. If there is no such file, or it is damaged, returns no bytes."""
        try:
            return bytes(self._box.decrypt(self._path.read_bytes()))
        except (OSError, ValueError, CryptoError):
            return b""

    def write(self, content: bytes) -> None:
        """Replaces the file, as a whole or not at all. Raises Mistake if it cannot be written."""
        write_private_file(self._path, bytes(self._box.encrypt(content)))
