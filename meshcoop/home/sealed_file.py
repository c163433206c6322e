"""A small file that only the home's keys open. The file lies beside the store. If the store is
lost, the file may still be there.
"""

import hashlib
from pathlib import Path

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from meshcoop.home.private_files import write_private_file


class SealedFile:
    """A sealed file. The key of the file is derived from the key of the home's stores."""

    def __init__(self, path: Path, store_key: bytes) -> None:
        self._path = path
        name = path.name.encode()
        self._box = SecretBox(hashlib.blake2b(name, key=store_key, digest_size=32).digest())

    def read(self) -> bytes:
        """Returns the content of the file. If the file is missing or damaged, returns no bytes."""
        try:
            return bytes(self._box.decrypt(self._path.read_bytes()))
        except (OSError, ValueError, CryptoError):
            return b""

    def write(self, content: bytes) -> None:
        """Replaces the file. Writes either the whole file or nothing. Raises Mistake if the file
        cannot be written.
        """
        write_private_file(self._path, bytes(self._box.encrypt(content)))
