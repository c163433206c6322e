"""Made-up ids for records that are not signed yet.

A record is folded before it is signed, and its id is a hash that is not there yet. Until then, a
made-up id stands for it. Nobody can guess this id. Otherwise a record could name the made-up id in a
field: then two records could name each other, and code that goes from record to record would never
end.
"""

import secrets

_START = b"\xff" * 8 + secrets.token_bytes(16)  # drawn once for each process; it never leaves it


def unsigned_id(number: int = 0) -> bytes:
    """Returns a made-up id of 32 bytes. For ids that are used side by side, give each another
    `number`.

    In the order of ids, a made-up id comes after the ids of signed records, and a higher number
    after a lower one.
    """
    return _START + number.to_bytes(8, "big")
