"""Finds traces of a person's address in the files of a home, unencrypted or sealed."""

import base64

from tests.support.stores import files_and_rows


def disguises(text):
    """Returns the text in the forms in which a file could hold it: plain, hex, UTF-16, and base64
    at each of its three offsets.
    """
    assert len(text) >= 12, "a part of a shorter text is met in a large memory by chance"
    plain = text.encode()
    found = [plain, plain.hex().encode(), plain.hex().upper().encode(), text.encode("utf-16-le")]
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + plain)[shift + 1 if shift else 0 :]
        # Leaves out the digits that depend on the bytes before and after the text.
        found.append(coded[: len(coded) // 4 * 4 - 4])
    return found


def in_files(home, wanted):
    written = files_and_rows(home.path, home.store_key)
    return [name for name, data in written.items() if any(each in data for each in wanted)]


def sealed_in(home):
    """Returns the sealed addresses in a home's store."""
    with home.database() as db:
        return [row[0] for row in db.execute("SELECT sealed FROM gifts ORDER BY time")]
