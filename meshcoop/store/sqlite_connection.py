"""Opens database files, which SQLCipher encrypts (R-01.28). No other module opens such files.

A page is encrypted before it is written to the file or to its write-ahead log. SQLite keeps
temporary data in memory only. So no file shows what is in the store.
"""

from pathlib import Path
from typing import TYPE_CHECKING

from sqlcipher3 import dbapi2

from meshcoop.store.disk_errors import raise_disk_errors

# The driver ships no types. It has the interface of sqlite3.
if TYPE_CHECKING:
    from sqlite3 import Connection as Connection  # noqa: PLC0414  # for other modules too
else:
    Connection = dbapi2.Connection

KEY_SIZE = 32  # bytes
SALT_SIZE = 16
STORE_KEY_SIZE = KEY_SIZE + SALT_SIZE
IN_MEMORY = ":memory:"

# Ids are random, so new ids change pages all over the index. If SQLite writes more changes at once,
# it writes fewer pages twice.
_WAL_PAGES = 4000  # about 16 MB
# A page that falls out of the cache is decrypted when it is read again.
_CACHE_KIB = 32 * 1024

_READING = 0x00000001  # flags of SQLite
_WRITING = 0x00000002 | 0x00000004  # creates the file if it is missing
_FULL_CODES = 0x02000000  # errors have the codes that say more


def open_to_write(path: Path | str, key: bytes | None) -> Connection:
    """Opens the store at `path` with the store's key. Creates the file if it is missing. Raises
    Obstacle or Damaged if the store cannot be opened.

    The path `:memory:` means a store in memory, which needs no key.
    """
    with raise_disk_errors():
        connection = _connect(str(path), _WRITING)
        if key is not None:
            _set_key(connection, key)
        else:
            assert path == IN_MEMORY, "the file of a store is encrypted"
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {_WAL_PAGES}")
        connection.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
        # Erased content leaves no trace in free pages, for those who have the key.
        connection.execute("PRAGMA secure_delete = ON")
    return connection


def open_to_read(path: Path, key: bytes) -> Connection:
    """Opens an existing store for reading only. Raises StoreError if that fails."""
    connection = _connect(str(path), _READING)
    _set_key(connection, key)
    return connection


def run_statements(connection: Connection, script: str) -> None:
    """Runs the statements of a script inside the open transaction. In the script, `;` separates the
    statements.

    The method `executescript` of a connection would end the transaction.
    """
    for statement in script.split(";"):
        connection.execute(statement)


def _connect(path: str, flags: int) -> Connection:
    connection: Connection = dbapi2.connect(
        path,
        isolation_level=None,
        check_same_thread=False,
        flags=flags | _FULL_CODES,
    )
    # SQLCipher would write its own log to standard error.
    connection.execute("PRAGMA cipher_log_level = NONE")
    return connection


def _set_key(connection: Connection, key: bytes) -> None:
    """Gives SQLCipher the raw key and the salt. So SQLCipher need not derive a key from a
    passphrase.

    SQLCipher also keeps the salt at the beginning of the file. If that part of the file is lost,
    the other pages can still be read, because meshcoop has the salt from elsewhere.
    """
    assert len(key) == STORE_KEY_SIZE, "a store's key is a key and a salt"
    connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
