"""Reads the files of specs/09 that people carry by hand: records, or a list of what a node
holds.
"""

from nacl import bindings as na
from nacl.exceptions import CryptoError

from tests.specs.stranger.codec import Frames, RefusedError, frame, need, pack, within
from tests.specs.stranger.records import derive

_encrypt = na.crypto_aead_xchacha20poly1305_ietf_encrypt
_decrypt = na.crypto_aead_xchacha20poly1305_ietf_decrypt
_MOST = {b"bundle": 1_073_741_824, b"have": 4_194_304}


def write(lists, place, salt, sort):
    count = sum(map(len, lists))
    inner = [*([1, one] for one in lists), [2, count]]
    key = derive(place + salt, b"bundle")
    sealed = [
        frame([1, _encrypt(pack(one), None, _nonce(n), key)]) for n, one in enumerate(inner, 1)
    ]
    return b"meshcoop " + sort + b"\n" + frame(_head(place, salt)) + b"".join(sealed)


def _head(place, salt):
    return [0, 2, salt, derive(place + salt, b"bundle check", 16)]


def _nonce(count):
    return count.to_bytes(24, "big")


def _open(sealed, count, key):
    try:
        body = _decrypt(sealed, None, _nonce(count), key)
    except (CryptoError, ValueError):
        raise RefusedError("R-09.11", "it does not open") from None
    (inner,) = Frames().feed(len(body).to_bytes(4, "big") + body)
    return inner


def read(data, place, sort):
    """Reads a file. Returns the entries of all its lists together."""
    mark = b"meshcoop " + sort + b"\n"
    need(data.startswith(mark), "R-09.1")
    need(len(data) <= _MOST[sort], "R-09.4")
    frames, found, said, ended = Frames(), [], [], False
    for one in frames.feed(data[len(mark) :]):
        need(not ended, "R-09.5")
        if not said:
            need(one[0] == 0 and len(one) > 1 and type(one[1]) is int, "R-09.1")
            need(one[1] == 2, "R-09.2")
            need(len(one) == 4 and within(one[2], bytes, 32), "R-09.3")
            need(one == _head(place, one[2]), "R-09.3")
            key = derive(place + one[2], b"bundle")
        else:
            need(one[0] == 1 and len(one) == 2 and type(one[1]) is bytes, "R-09.1")
            one = _open(one[1], len(said), key)  # noqa: PLW2901
            need(one[0] in {1, 2} and len(one) == 2, "R-09.1")
            ended = one[0] == 2
            need(type(one[1]) is (int if ended else list), "R-09.1")
            need(not ended or one[1] == len(found), "R-09.5")
            found += [] if ended else _items(one[1], sort)
        said.append(one)
    need(ended and not frames.rest, "R-09.5")
    return found


def _items(items, sort):
    if sort == b"bundle":
        need(items and all(type(one) is bytes for one in items), "R-09.1")
        return items
    need(len(items) % 4 == 0, "R-05.5")
    for at in range(0, len(items), 4):
        device, number, head, mark = items[at : at + 4]
        need(within(device, bytes, 8) and within(number, int, 0, 2**64), "R-05.5")
        need(within(head, bytes, 0, 8) and within(mark, bytes, 0, 8), "R-05.5")
    return items
