"""Encodes values, each in the only way that specs/02 allows. Also reads the frames of specs 05 and
07 (R-05.1).
"""

import struct
from types import NoneType

_FIXED = {0xC0: None, 0xC2: False, 0xC3: True}
_NUMBERS = "fdBHIQbhiq"  # for the first bytes from 0xCA on
_HEADS = {  # the short form, how many it holds, the forms with a length of 1, 2 and 4 bytes
    bytes: (0, 0, (0xC4, 0xC5, 0xC6)),
    str: (0xA0, 32, (0xD9, 0xDA, 0xDB)),
    list: (0x90, 16, (None, 0xDC, 0xDD)),
    dict: (0x80, 16, (None, 0xDE, 0xDF)),
}


class RefusedError(Exception):
    def __init__(self, rule, reason):
        super().__init__(f"{reason} ({rule})")
        self.rule = rule


def need(holds, rule, reason="not as the rule says"):
    if not holds:
        raise RefusedError(rule, reason)


def within(value, kind, least, most=None):
    """Returns whether a value has exactly the type `kind` and its size lies between `least` and
    `most`.

    For an integer, the value itself must lie between the two.
    """
    most = least if most is None else most
    return type(value) is kind and least <= (value if kind is int else len(value)) <= most


def pack(value, *, ordered=True):
    """Encodes a value in the one allowed way.

    If `ordered` is false, keeps the entries of a map in their order, and allows floats. A reader
    encodes in this way what it has decoded, and compares the result with the bytes that it
    received.
    """
    kind = type(value)
    if kind in {NoneType, bool}:
        return bytes([{None: 0xC0, False: 0xC2, True: 0xC3}[value]])
    if kind is float:
        return b"\xcb" + struct.pack(">d", value)
    if kind is int:
        return _integer(value)
    if kind in {bytes, str}:
        data = value if kind is bytes else value.encode()
        return _head(kind, len(data)) + data
    out, parts = _head(kind, len(value)), value
    if kind is dict:
        pairs = sorted(value.items(), key=lambda one: one[0].encode()) if ordered else value.items()
        parts = [part for pair in pairs for part in pair]
    for one in parts:
        out += pack(one, ordered=ordered)
    return out


def _integer(value):
    if -32 <= value < 128:
        return struct.pack("b", value)
    forms = "BHIQ" if value > 0 else "bhiq"
    size = next(n for n in range(4) if -(1 << (8 << n) - 1) <= value < 1 << (8 << n))
    code = 0xCA + _NUMBERS.index(forms[size])
    return bytes([code]) + struct.pack(">" + forms[size], value)


def _head(kind, length):
    short, below, codes = _HEADS[kind]
    if length < below:
        return bytes([short + length])
    size = next(n for n in range(3) if codes[n] and length < 1 << (8 << n))
    return bytes([codes[size]]) + struct.pack(">" + "BHI"[size], length)


def unpack(data):
    """Decodes a value of a record: the content, a statement or a field."""
    value = unpack_framed(data, 16_384, 64)
    _walk(value, 6)
    return value


def unpack_framed(data, most, items):
    """Decodes a value of a frame or an envelope. The caller checks the rest (R-02.1 to R-02.3)."""
    need(len(data) <= most, "R-02.1")
    try:
        value, end = _read(data, 0, items)
    except (struct.error, IndexError, UnicodeDecodeError):
        raise RefusedError("R-02.2", "no value of this protocol") from None
    need(end == len(data), "R-02.2", "bytes after the value")
    need(pack(value, ordered=False) == data, "R-02.3")
    return value


def _read(data, at, items, depth=0):
    code, at = data[at], at + 1
    if code < 0x80 or code >= 0xE0:
        return code - 256 * (code >= 0xE0), at
    if code in _FIXED:
        return _FIXED[code], at
    if 0xCA <= code <= 0xD3:
        form = ">" + _NUMBERS[code - 0xCA]
        return struct.unpack_from(form, data, at)[0], at + struct.calcsize(form)
    kind, length, at = _read_head(data, code, at)
    if kind in {bytes, str}:
        need(at + length <= len(data) and (kind is bytes or length <= 8000), "R-02.2")
        part = data[at : at + length]
        return part if kind is bytes else part.decode(), at + length
    need(length <= items and depth < 511, "R-02.2", "too many items, or too deep")
    found = []
    for _ in range(length if kind is list else 2 * length):
        one, at = _read(data, at, items, depth + 1)
        found.append(one)
    keys = found[::2] if kind is dict else []
    need(all(type(key) in {str, bytes} for key in keys), "R-02.2", "keys are texts")
    return dict(zip(keys, found[1::2], strict=True)) if kind is dict else found, at


def _read_head(data, code, at):
    for kind, (short, below, codes) in _HEADS.items():
        if short <= code < short + below:
            return kind, code - short, at
        if code in codes:
            size = codes.index(code)
            return kind, struct.unpack_from(">" + "BHI"[size], data, at)[0], at + (1 << size)
    raise RefusedError("R-02.2", "an extension, or the byte c1")


def _walk(value, room):
    need(type(value) is not float, "R-02.4")
    need(type(value) is not str or len(value) <= 2000, "R-02.5")
    if type(value) in {list, dict}:
        need(room, "R-02.5", "too deep")
        keys = list(value) if type(value) is dict else []
        need(all(type(key) is str for key in keys), "R-02.4")
        need(keys == sorted(keys, key=str.encode), "R-02.6")
        for one in value.values() if keys else value:
            _walk(one, room - 1)


def frame(value):
    body = pack(value)
    return struct.pack(">I", len(body)) + body


class Frames:
    def __init__(self):
        self._buffer = b""

    def feed(self, data):
        self._buffer += data
        while len(self._buffer) >= 4:
            (length,) = struct.unpack_from(">I", self._buffer)
            need(length <= 65_536, "R-05.1")
            if len(self._buffer) < 4 + length:
                return
            body, self._buffer = self._buffer[4 : 4 + length], self._buffer[4 + length :]
            value = unpack_framed(body, 65_536, 4096)
            need(type(value) is list and value and type(value[0]) is int, "R-05.1")
            yield value

    @property
    def rest(self):
        """Returns the received bytes of a frame that is not complete yet."""
        return self._buffer
