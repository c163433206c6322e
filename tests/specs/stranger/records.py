"""Reads and makes records and their content, by specs 01, 03 (statements) and 10. Opens content
that is sealed for a reader.
"""

import hashlib
import ipaddress
import re
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import nacl.bindings as na
import nacl.exceptions
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from tests.specs.stranger.codec import RefusedError, need, pack, unpack, unpack_framed, within

_MOST = 2**48
_SIGN, _NAME, _SAY = (
    b"meshcoop record 2 sign\0",
    b"meshcoop record 2 id\0",
    b"meshcoop statement 2\0",
)
_encrypt = na.crypto_aead_xchacha20poly1305_ietf_encrypt


class Record(NamedTuple):
    id: bytes
    header: list
    signature: bytes
    content: bytes | None
    wire: bytes

    device = property(lambda self: self.header[1])
    number = property(lambda self: self.header[2])


def sha(*parts):
    return hashlib.sha256(b"".join(parts)).digest()


def public(seed):
    return na.crypto_sign_seed_keypair(seed)[0]


def signed(seed, *message):
    return na.crypto_sign(b"".join(message), na.crypto_sign_seed_keypair(seed)[1])[:64]


def check_signature(rule, key, signature, *message):
    try:
        need(len(signature) == 64 and len(key) == 32, rule)
        na.crypto_sign_open(signature + b"".join(message), key)
    except nacl.exceptions.CryptoError:
        raise RefusedError(rule, "the signature does not hold") from None


# -- envelope (R-01.1 to) -----------------------------------------------------------------


def parse(wire):
    value = unpack_framed(wire, 16_384, 10)
    need(type(value) is list and len(value) == 3, "R-01.1")
    header, signature, content = value
    need(within(signature, bytes, 64), "R-01.1")
    need(content is None or type(content) is bytes, "R-01.1")
    need(within(header, list, 10), "R-01.2")
    version, device, number, before, time, expiry, parents, audience, size, digest = header
    need(within(version, int, 2, 2), "R-01.3")
    need(within(device, bytes, 32), "R-01.4")
    need(within(number, int, 1, _MOST), "R-01.5")
    need(before is None if number == 1 else within(before, bytes, 32), "R-01.5")
    need(within(time, int, 0, _MOST), "R-01.6")
    need(expiry is None or within(expiry, int, time + 1, _MOST), "R-01.6")
    need(within(parents, list, 0, 8) and all(within(one, bytes, 32) for one in parents), "R-01.7")
    need(len(set(parents)) == len(parents), "R-01.7")
    need(within(audience, int, 0, 14) and audience % 4 != 3, "R-01.8")
    need(audience % 8 < 4 or expiry is None, "R-01.8")
    packed = pack(header)
    need(within(size, int, 0, 16_384 - 70 - len(packed)) and within(digest, bytes, 32), "R-01.9")
    need(content is None or (len(content), sha(content)) == (size, digest), "R-01.9")
    return Record(sha(_NAME, packed, signature), header, signature, content, wire)


def verify(one, place):
    where = bytes(32) if one.id == place else place
    check_signature("R-01.10", one.device, one.signature, _SIGN, where, pack(one.header))


def sign(seed, place, number, before, time, content, *, expiry=None, parents=(), audience=0):
    place_in_log = [2, public(seed), number, before, time, expiry]
    header = [*place_in_log, list(parents), audience, len(content), sha(content)]
    return parse(pack([header, signed(seed, _SIGN, place, pack(header)), content]))


def follows(one, number, before, time):
    """Checks that a record comes directly after the newest record of its log. `number`, `before`
    and `time` are the number, id and time of that newest record.
    """
    need(one.number == number + 1 and one.header[3] == before, "R-01.12")
    need(one.header[4] >= time, "R-01.13")


# -- sealing (R-01.20 to) -----------------------------------------------------------------


def derive(secret, purpose, length=32):
    info = b"meshcoop 2 " + purpose
    return HKDF(algorithm=SHA256(), length=length, salt=None, info=info).derive(secret)


def box(seed):
    secret = derive(seed, b"box")
    return na.crypto_scalarmult_base(secret), secret


def key_origin(maker, lists):
    return sha(b"meshcoop origin 2\0", maker, lists)


def key_id(origin, key):
    return sha(b"meshcoop epoch 2\0", origin, key)


def key_of(device, fields, slot, seed):
    """Returns the key that a slot of an epoch record gives to the device with this seed (R-03.8d).
    `device` signed the record.
    """
    key = open_slot(slot, seed)
    need(key_id(key_origin(device, fields["lists"]), key) == fields["key_id"], "R-11.3b")
    return key


def names_of(device, key_of_id, records):
    """Returns the names of the gone to which the id of a key commits (R-03.8h). `records` are the
    fields of all epoch records of the device. `key_of_id` has the key by its id.
    """
    lists = {sha(fields["gone"]): fields["gone"] for fields in records}
    for fields in records:
        digests = fields["lists"]
        key = key_of_id.get(fields["key_id"])
        if key and key_id(key_origin(device, digests), key) == fields["key_id"]:
            wanted = [digests[at : at + 32] for at in range(0, len(digests), 32)]
            need(all(digest in lists for digest in wanted), "R-03.8h")
            joined = b"".join(lists[digest] for digest in wanted)
            return {joined[at : at + 16] for at in range(0, len(joined), 16)}
    raise RefusedError("R-03.8h", "no record has the lists of this key")


def context(place, device, number):
    return place + device + number.to_bytes(8, "big")


def open_keys(sealed, place, seed):
    """Returns the keys that were given to the device with this seed, by id (R-03.39d)."""
    where = b"meshcoop keys 2\0" + place + box(seed)[0]
    given = open_private(private_key(sealed, seed), sealed, where)
    need(len(given) % 64 == 0, "R-03.39d")
    pairs = [(given[at : at + 32], given[at + 32 : at + 64]) for at in range(0, len(given), 64)]
    return {key_id(origin, key): (origin, key) for origin, key in pairs}


# -- private words and records (R-01.24 to) -----------------------------------------------


def seal_private(boxes, plain, where, seed):
    key, secret = derive(seed, b"private key"), derive(derive(seed, b"private lock"), b"ephemeral")
    point = na.crypto_scalarmult_base(secret)
    locks = [
        _encrypt(key, None, bytes(24), slot_key(secret, to, point, to)) for to in sorted(boxes)
    ]
    sealed = _encrypt(plain, where, bytes(24), key)
    return bytes([len(locks)]) + point + b"".join(locks) + _private_name(key) + sealed


def private_key(sealed, seed):
    end, (mine, secret) = _locks(sealed), box(seed)
    shared = slot_key(secret, sealed[1:33], sealed[1:33], mine)
    for at in range(33, end, 48):
        try:
            return _decrypt("R-01.24", sealed[at : at + 48], None, bytes(24), shared)
        except RefusedError:
            continue
    return None


def open_private(key, sealed, where):
    end = _locks(sealed)
    need(key is not None and sealed[end : end + 32] == _private_name(key), "R-01.24")
    return _decrypt("R-01.24", sealed[end + 32 :], where, bytes(24), key)


def decoys(count, seed):
    crowd = max(8, 1 << (count - 1).bit_length())
    return [box(derive(seed, b"decoy %d" % n))[0] for n in range(crowd - count)]


def cover(plain):
    length = len(plain) + 2
    whole = 256 if length <= 256 else 512 if length <= 512 else (length + 1023) // 1024 * 1024
    return (len(plain).to_bytes(2, "big") + plain).ljust(whole, b"\0")


def uncover(covered):
    plain = covered[2 : 2 + int.from_bytes(covered[:2], "big")]
    need(cover(plain) == covered, "R-01.26")
    return plain


def _private_name(key):
    return sha(b"meshcoop private 2\0", key)


def _locks(sealed):
    need(len(sealed) > 0 and 1 <= sealed[0] <= 128, "R-01.24")
    end = 33 + sealed[0] * 48
    need(len(sealed) >= end + 48, "R-01.24")
    return end


def seal_epoch(origin, key, plain, where, seed):
    nonce = derive(seed, b"epoch nonce", 24)
    return key_id(origin, key) + nonce + _encrypt(plain, where, nonce, key)


def open_epoch(origin, key, content, where):
    need(len(content) >= 72 and content[:32] == key_id(origin, key), "R-01.22")
    return _decrypt("R-01.22", content[56:], where, content[32:56], key)


def slot_key(secret, point, ephemeral, to):
    try:
        need(len(point) == 32, "R-01.23")
        return derive(na.crypto_scalarmult(secret, point) + ephemeral + to, b"slot")
    except (RuntimeError, nacl.exceptions.CryptoError):  # a low-order point
        raise RefusedError("R-01.23", "nothing can be sealed to this key") from None


def seal_slot(key, to):
    secret = derive(key + to, b"ephemeral")
    point = na.crypto_scalarmult_base(secret)
    return point + _encrypt(key, None, bytes(24), slot_key(secret, to, point, to))


def open_slot(slot, seed):
    mine, secret = box(seed)
    need(len(slot) == 80, "R-01.23")
    key = slot_key(secret, slot[:32], slot[:32], mine)
    return _decrypt("R-01.23", slot[32:], None, bytes(24), key)


def _decrypt(rule, *sealed):
    try:
        return na.crypto_aead_xchacha20poly1305_ietf_decrypt(*sealed)
    except (nacl.exceptions.CryptoError, ValueError):
        raise RefusedError(rule, "not sealed with this key for this place") from None


# -- statements (R-03.1 to) --------------------------------------------------------


def read_statement(data):
    value = unpack(data)
    need(type(value) is list and value and within(value[0], list, 5), "R-03.1")
    what, place, person, device, last = body = value[0]
    if what == "leave":
        return _read_leave(value)
    signers = {"certify": [person, device], "revoke": [person]}.get(what)
    need(signers and len(value) == 1 + len(signers), "R-03.1")
    sizes = [(place, 16), (person, 32), (device, 32), *((one, 64) for one in value[1:])]
    need(all(within(one, bytes, size) for one, size in sizes), "R-03.1")
    need(what == "revoke" or within(last, bytes, 32), "R-03.1")
    need(what == "certify" or within(last, int, 0, 2**64), "R-03.3")
    for key, signature in zip(signers, value[1:], strict=True):
        check_signature("R-03.2", key, signature, _SAY, pack(body))
    if what == "certify":
        slot_key(bytes(range(32)), last, b"", b"")
    return body


def _read_leave(value):
    (_, place, person, n, cuts), *signatures = value
    need(len(signatures) == 1 and within(signatures[0], bytes, 64), "R-03.1")
    need(within(place, bytes, 16) and within(person, bytes, 32), "R-03.1")
    need(type(cuts) is list and len(cuts) <= 32, "R-03.34")
    for pair in cuts:
        need(type(pair) is list and [type(part) for part in pair] == [bytes, int], "R-03.34")
        need(len(pair[0]) == 32, "R-03.1")
        need(pair[1] >= 0, "R-03.34")
    devices = [device for device, _ in cuts]
    need(devices == sorted(set(devices)), "R-03.34")
    need(type(n) is int and n >= 1 and n % 2 == 1, "R-03.34")
    check_signature("R-03.2", person, signatures[0], _SAY, pack(value[0]))
    return value[0]


def certify(root, seed, place):
    body = ["certify", place, public(root), public(seed), box(seed)[0]]
    return pack([body, *(signed(one, _SAY, pack(body)) for one in (root, seed))])


# -- contents, by the tables of all specs --------------------------------------


def _tables():
    folder = Path(__file__).parents[3] / "specs"
    text = "".join(path.read_text() for path in sorted(folder.glob("[0-9][0-9]-*.md")))
    tables = re.findall(r"<!-- generated: kind (\w+) -->(.*?)<!-- end", text, re.DOTALL)
    row = re.compile(r"\| `(\w+)` \| (.*?) \| (.*?) \| (.*?) \|")
    return {name: {one: rest for one, *rest in row.findall(table)} for name, table in tables}


KINDS = _tables()


def read_private(plain):
    value = unpack(plain)
    need(type(value) is list and len(value) == 3, "R-10.10")
    need([type(one) for one in value[:2]] == [str, dict], "R-10.10")
    need(value[2] is None or within(value[2], bytes, 32), "R-10.10")
    _check_fields(value)
    return value


def read_content(plain):
    value = unpack(plain)
    need(type(value) is list and [type(one) for one in value] == [str, dict], "R-10.1")
    _check_fields(value)
    return value


def _check_fields(value):
    for name, (kind, bounds, duties) in KINDS.get(value[0], {}).items():
        field = value[1].get(name)
        if "beside" in duties:
            need(field is None, "R-10.11")
            continue
        need(field is not None or "required" not in duties, "R-10.2")
        if "private" in duties:
            need(field is None or type(field) is bytes, "R-10.6")
        elif field is not None:
            need(_may_hold(kind, bounds, field), "R-10.3")


def _may_hold(kind, bounds, value):
    if kind.startswith("map of "):
        named = type(value) is dict and all(len(name) <= 40 for name in value)
        kind, value = kind.replace("map", "list", 1), list(value.values()) if named else None
    if kind.startswith("list of "):
        many, _, each = bounds.partition(", each ")
        items = value if within(value, list, *map(int, many.split(" to "))) else [None]
        return all(_may_hold(kind.removeprefix("list of "), each, one) for one in items)
    if kind == "choice":
        return value in bounds.split(", ")
    if kind == "moment":
        return _is_moment(value, bounds.startswith("a day"))
    shapes = {"cuts": _are_cuts, "change": _may_change, "bound": _is_bound}
    if kind in shapes:
        return shapes[kind](value)
    if kind == "person or name":
        kind, bounds = ("text", "1 to 80") if type(value) is str else ("person", "")
    if kind == "record or text":
        kind, bounds = ("text", bounds) if type(value) is str else ("record", "")
    if kind == "addresses":
        return within(value, bytes, *map(int, bounds.split(" to "))) and _are_addresses(value)
    types = {
        "person": bytes,
        "record": bytes,
        "text": str,
        "time zone": str,
        "language": str,
        "kind": str,
        "bytes": bytes,
        "integer": int,
        "minutes": int,
    }
    return within(value, types[kind], *map(int, (bounds or "32 to 32").split(" to ")))


def _are_addresses(value):
    try:
        read_addresses(value)
    except RefusedError:
        return False
    return True


def read_addresses(rest):
    """Reads addresses that follow each other (R-07.1)."""
    addresses = []
    while rest:
        end = {4: 5, 6: 17}.get(rest[0], 0)
        need(end and len(rest) >= end + 2, "R-07.1")
        host = ipaddress.ip_address(rest[1:end])
        port = int.from_bytes(rest[end : end + 2], "big")
        need(port and not host.is_multicast and not host.is_unspecified, "R-07.1")
        addresses.append(f"/ip{rest[0]}/{host}/tcp/{port}")
        rest = rest[end + 2 :]
    return addresses


def _is_bound(value):
    shape = type(value) is list and [type(one) for one in value] == [str, int, int]
    return shape and value[0] in _PARTS and 0 <= value[1] <= value[2]


_PARTS = {"one_to_five", "minutes", "count", "share", "window", "min_answers"}


def _is_moment(value, day_only):
    form = r"\d{4}-\d\d-\d\d" + ("" if day_only else r"(T\d\d:\d\d(:\d\d)?Z?)?")
    try:
        return bool(re.fullmatch(form, value, re.ASCII) and datetime.fromisoformat(value))
    except (TypeError, ValueError):
        return False


def _are_cuts(value):
    if type(value) is not list or any(type(one) is not list or len(one) != 2 for one in value):
        return False
    if not all(within(device, bytes, 32, 32) and type(n) is int and n >= 0 for device, n in value):
        return False
    devices = [device for device, _ in value]
    return devices == sorted(set(devices))


def _may_change(value):
    if type(value) is not list or len(value) != 4 or type(value[0]) is not str:
        return False
    what, key, n, new = value
    if type(key) not in {bytes, str} or type(n) is not int or not 1 <= n <= 2147483648:
        return False
    if what == "standing":
        return within(key, bytes, 32, 32) and (_are_cuts(new) if n % 2 else new is None)
    if what in {"measure", "trial"}:
        fits = _may_be_trial(n, new) if what == "trial" else _may_be_measure(n, new)
        return within(key, bytes, 32, 32) and fits
    if what == "hidden" and new is not None:
        shape = type(new) is list and len(new) == 2 and type(new[0]) is int
        return shape and type(new[1]) is list and all(type(one) is bytes for one in new[1])
    return True


def _may_be_measure(n, new):
    if n % 2 == 0:
        return new is None
    shape = type(new) is list and len(new) == 2
    return shape and within(new[0], int, -1080, 1080) and within(new[1], int, 1, 1000)


def _may_be_trial(n, new):
    ends = {"adopted", "adapted", "dropped", "stopped"}
    return new is None if n == 1 else type(new) is str and new in ends
