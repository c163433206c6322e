"""A second program, made from the specs alone, reads all vectors and talks to a real node.

The package `stranger` is this program. It has its own codec, records and sync. From meshcoop it
takes only the connection to other nodes (libp2p).
"""

import base64
import hashlib
import json
import os
import re
import time
from contextlib import contextmanager
from functools import partial

import pytest
import trio

from meshcoop.network.interface import Network
from meshcoop.network.libp2p.host import open_host  # the connection, see above
from tests.specs.stranger import authority, bundles, codec, records, sync, witnesses
from tests.specs.stranger.codec import RefusedError, need
from tests.support import forked_programs as warm
from tests.support.paths import ROOT

VECTORS = ROOT / "specs" / "vectors"
PATIENCE = 30  # seconds: the bound of every wait, never what a wait should take


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def value_of(written):
    if isinstance(written, dict):
        if written.keys() <= {"hex", "integer"} and written:
            return bytes.fromhex(written["hex"]) if "hex" in written else int(written["integer"])
        return {name: value_of(one) for name, one in written.items()}
    return [value_of(one) for one in written] if isinstance(written, list) else written


def unhex(case, *names):
    return [bytes.fromhex(case[name]) for name in names]


# -- vectors --------------------------------------------------------------------------------------


def read_sync(case):
    session = sync.Session(dict, lambda device: [])
    if case["met"]:
        session.met = True
        session.begin()
    session.receive(bytes.fromhex(case["hex"]))


def read_log(case):
    head = case["head"]
    one = records.parse(bytes.fromhex(case["hex"]))
    records.follows(one, head["seq"], bytes.fromhex(head["id"]), head["time"])


def read_street(case):
    """Returns the street of a case, the record in question, and the record that it is about."""
    place, wanted = unhex(case, "neighbourhood", "record")
    every = [records.parse(bytes.fromhex(wire)) for wire in case["wires"]]
    for one in every:
        records.verify(one, place)
    (one,) = [one for one in every if one.id == wanted]
    named = [other for other in every if other.id in one.header[6][:1]]
    return authority.Street(every), one, named[0] if named else None


def read_fold(case):
    street, one, named = read_street(case)
    street.check_stored(one, case["now"])
    street.check_folds(one, named, case["now"])


def read_stored(case):
    street, one, _ = read_street(case)
    street.check_stored(one, case["now"])


def read_seen(case):
    street, one, _ = read_street(case)
    street.acts = [act for act in street.acts if act.time <= case["now"] + authority.DAY]
    parties = [bytes.fromhex(party) for party in case["parties"]]
    author, claimed = street.devices[one.device], one.header[4]
    known = witnesses.Witnesses(street)
    _, _, stands = known.times(one.id, claimed, author, parties, case["now"])
    need(stands is not None, "R-24.7")
    need(stands == claimed, "R-24.6")


READERS = {
    "codec": lambda case: codec.unpack(*unhex(case, "hex")),
    "record": lambda case: records.parse(*unhex(case, "hex")),
    "signature": lambda case: records.verify(
        records.parse(*unhex(case, "hex")), *unhex(case, "neighbourhood")
    ),
    "log": read_log,
    "statement": lambda case: records.read_statement(*unhex(case, "hex")),
    "fold": read_fold,
    "store": read_stored,
    "seen": read_seen,
    "content": lambda case: records.read_content(*unhex(case, "hex")),
    "epoch": lambda case: records.open_epoch(
        records.key_origin(*unhex(case, "maker", "lists")), *unhex(case, "key", "hex", "context")
    ),
    "names": lambda case: records.names_of(
        *unhex(case, "maker"),
        {bytes.fromhex(case["key_id"]): bytes.fromhex(case["key"])},
        [value_of(fields) for fields in case["records"]],
    ),
    "slot": lambda case: records.open_slot(*unhex(case, "hex", "device_seed")),
    "seal_to": lambda case: records.slot_key(bytes(range(32)), *unhex(case, "hex"), b"", b""),
    "private": lambda case: records.open_private(
        records.private_key(*unhex(case, "hex", "device_seed")), *unhex(case, "hex", "context")
    ),
    "cover": lambda case: records.uncover(*unhex(case, "hex")),
    "inside": lambda case: records.read_private(*unhex(case, "hex")),
    "gossip": lambda case: sync.accept_gossip(
        *unhex(case, "hex"), unhex(case, "key"), *unhex(case, "neighbourhood")
    ),
    "frame": lambda case: list(codec.Frames().feed(*unhex(case, "hex"))),
    "bundle": lambda case: bundles.read(*unhex(case, "hex", "neighbourhood"), b"bundle"),
    "have": lambda case: bundles.read(*unhex(case, "hex", "neighbourhood"), b"have"),
    "sync": read_sync,
    "invitation": lambda case: read_invitation(case["text"]),
    "knock": lambda case: check_knock(
        codec.unpack(*unhex(case, "hex")), case["joiner"], case["inviter"]
    ),
}
NOT_ITS_TRADE = {"chain", "keys", "control", "ticket"}  # evidence, choice of keys, API, relays


def test_hostile_bytes_are_refused_by_name():
    cases = load("hostile")
    assert {case["read"] for case in cases} == READERS.keys() | NOT_ITS_TRADE
    for case in cases:
        if case["read"] in READERS:
            with pytest.raises(RefusedError) as refused:
                READERS[case["read"]](case)
            assert refused.value.rule == case["rule"], case["name"]


def test_it_knows_nothing_of_the_code():
    text = "".join(path.read_text() for path in (ROOT / "tests/specs/stranger").glob("*.py"))
    assert not re.findall(r"^\s*(?:from|import) (?:protocol|meshcoop|msgpack)", text, re.MULTILINE)


def test_who_belongs():
    for case in load("authority"):
        every = [records.parse(bytes.fromhex(one["wire"])) for one in case["records"]]
        street = authority.Street(every)
        assert {
            "members": [
                {"person": who.hex(), "since": since, "admits": [{"hex": one.hex()} for one in ids]}
                for who, (since, ids) in sorted(street.members.items())
            ],
            "waiting": [
                {"person": who.hex(), "vouched": sorted(one.hex() for one in by)}
                for who, by in sorted(street.waiting.items())
            ],
            "devices": [
                {"device": one.hex(), "person": who.hex(), "revoked": street.ends.get(one)}
                for one, who in sorted(street.devices.items())
            ],
        } == case["authority"], case["name"]


def test_when_witnesses_saw_a_record():
    for case in load("witnesses"):
        every = [records.parse(bytes.fromhex(one["wire"])) for one in case["records"]]
        known = witnesses.Witnesses(authority.Street(every))
        for asked in case["asked"]:
            author = asked["author"] and bytes.fromhex(asked["author"])
            parties = [bytes.fromhex(party) for party in asked["parties"]]
            record, claimed = bytes.fromhex(asked["record"]), asked["claimed"]
            assert known.times(record, claimed, author, parties, case["now"]) == (
                asked["seen"],
                asked["unwitnessed"],
                asked["stands"],
            ), case["name"]


def test_values_and_contents():
    for case in load("codec"):
        packed, value = bytes.fromhex(case["hex"]), value_of(case["value"])
        assert (codec.unpack(packed), codec.pack(value)) == (value, packed)
    for case in load("kinds"):
        packed, fields = bytes.fromhex(case["content"]), value_of(case["fields"])
        said = [case["kind"], fields]
        if "about" in case:
            said.append(value_of(case["about"]))
        read = records.read_private if "about" in case else records.read_content
        assert (read(packed), codec.pack(said)) == (said, packed)


def test_records():
    for case in load("records"):
        wire, place, seed = unhex(case, "wire", "neighbourhood", "device_seed")
        one = records.parse(wire)
        assert (one.id.hex(), one.signature.hex()) == (case["id"], case["signature"])
        assert one.header == list(value_of(case["fields"]).values())
        records.check_signature(
            "R-01.10", one.header[1], one.signature, b"meshcoop record 2 sign\0", place,
            codec.pack(one.header),
        )  # fmt: skip
        if one.content is not None:
            _, _, number, before, when, expiry, parents, audience, *_ = one.header
            more = {"expiry": expiry, "parents": parents, "audience": audience}
            again = records.sign(seed, place, number, before, when, one.content, **more)
            assert again == one


def test_seals_and_statements():
    case = load("sealing")
    for one in case["devices"]:
        public, secret = records.box(bytes.fromhex(one["device_seed"]))
        assert (public.hex(), secret.hex()) == (one["box"], one["box_secret"])
    epoch, slot = case["epoch"], case["slot"]
    maker, lists, key, name, sealed, where, plain, seed = unhex(
        epoch, "maker", "lists", "key", "key_id", "sealed", "context", "plain", "seed"
    )
    origin = records.key_origin(maker, lists)
    assert records.key_id(origin, key) == name
    assert records.open_epoch(origin, key, sealed, where) == plain
    assert records.seal_epoch(origin, key, plain, where, seed) == sealed
    key, sealed, to = unhex(slot, "key", "slot", "to")
    assert records.open_slot(sealed, bytes.fromhex(case["devices"][1]["device_seed"])) == key
    assert records.seal_slot(key, to) == sealed
    seeds = [bytes.fromhex(one["device_seed"]) for one in case["devices"]]
    boxes = [records.box(one)[0] for one in seeds]
    for told, crowd in (
        (case["private"], []),
        (case["record"], records.decoys(2, bytes.fromhex(case["record"]["decoy_seed"]))),
    ):
        sealed, where, plain, seed = unhex(told, "sealed", "context", "plain", "seed")
        words = records.cover(plain) if crowd else plain
        assert records.seal_private([*boxes, *crowd], words, where, seed) == sealed
        for one in seeds:
            assert records.open_private(records.private_key(sealed, one), sealed, where) == words
    assert records.uncover(words) == plain
    for case in load("statements"):
        said = bytes.fromhex(case["statement"])
        assert records.read_statement(said) == value_of(case["says"])
        if "device_seed" in case:
            seeds = unhex(case, "root_seed", "device_seed")
            assert records.certify(*seeds, records.read_statement(said)[1]) == said


def test_gossip_and_invitation():
    case = load("gossip")
    frame, epoch, place, wire = unhex(case, "frame", "epoch_key", "neighbourhood", "wire")
    key = sync.gossip_key(epoch)
    assert key.hex() == case["gossip_key"]
    assert sync.accept_gossip(frame, [key], place).wire == wire
    assert sync.gossip_frame(wire, key) == frame
    case = load("invitation")
    peer, secret, addresses = read_invitation(case["text"])
    assert [peer, secret] == unhex(case, "peer", "secret")
    assert addresses == case["addresses"]
    told = case["knock"]
    ends = told["joiner"], told["inviter"]
    frame, seed = unhex(told, "frame", "device_seed")
    check_knock(codec.unpack(frame), *ends)
    *_, statement, name = codec.unpack(frame)
    assert codec.pack(knock(*ends, statement, seed, name)) == frame


def test_a_door():
    case = load("door")
    secret, key, challenge, proof, mac = unhex(
        case, "secret", "key", "answerer_sends", "opener_sends", "then_answerer_sends"
    )
    assert sync.door_key(secret) == key
    ends = case["opener"], case["answerer"], challenge, proof[:32]
    assert sync.door_mac(key, b"opener", *ends) == proof[32:]
    assert sync.door_mac(key, b"answerer", *ends) == mac


def test_rounds():
    case = load("sync")
    place, peers = bytes.fromhex(case["neighbourhood"]), case["peers"]
    session = sync.Session(dict, lambda device: [])
    session.receive(bytes.fromhex(case["hello"]["frame"]))
    sync.check_hello(session.hello, place, *peers)
    with pytest.raises(RefusedError):
        sync.check_hello(session.hello, place, *reversed(peers))
    for one in case["rounds"]:
        heads, log = [
            {
                bytes.fromhex(row["device"]): (
                    row["seq"], bytes.fromhex(row["id"]), list(map(bytes.fromhex, row["fork"])),
                )
                for row in side
            }
            for side in one["heads"]
        ], [records.parse(bytes.fromhex(wire)) for wire in one["records"][1]]  # fmt: skip
        assert [sync.digest(side).hex() for side in heads] == one["digests"]
        session = sync.Session(partial(heads.__getitem__, 1), lambda device, log=log: log)
        session.met = True
        said = {
            side: "".join(s["sends"] for s in one["steps"] if s["side"] == side) for side in "ab"
        }
        sent = b"".join(session.receive(bytes([byte])) for byte in bytes.fromhex(said["a"]))
        assert (sent.hex(), session.rounds) == (said["b"], 1)


def test_bundles():
    case = load("bundle")
    place, written, have = unhex(case, "neighbourhood", "bundle", "have")
    wires = [bytes.fromhex(one) for one in case["records"]]
    assert bundles.read(written, place, b"bundle") == wires
    assert bundles.write([wires], place, bytes.fromhex(case["salt"]), b"bundle") == written
    rows = bundles.read(have, place, b"have")
    heads = {one["device"]: one for one in case["heads"]}
    told = [heads[device] for device in sorted(heads)]
    assert rows == [
        part
        for one in told
        for part in (*(bytes.fromhex(one[key])[:8] for key in ("device",)), one["seq"],
                     bytes.fromhex(one["id"])[:8], b"")
    ]  # fmt: skip
    assert bundles.write([rows], place, bytes.fromhex(case["salt"]), b"have") == have


# -- joining (07) ---------------------------------------------------------------------------------


def peer_id(key):
    """Writes the key of a node as a peer id in base58 (R-07.1)."""
    number, out = int.from_bytes(bytes.fromhex("002408011220") + key, "big"), ""
    while number:
        number, digit = divmod(number, 58)
        out = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"[digit] + out
    return "1" + out


def read_invitation(text):
    """Reads an invitation. Returns the key of the peer, the secret and the addresses."""
    text = "".join(text.split()).replace("-", "").upper()
    need(len(text) <= 150, "R-07.1")
    try:
        data = base64.b32decode(text + "=" * (-len(text) % 8))
    except ValueError:
        data = b""
    need(base64.b32encode(data).decode().rstrip("=") == text, "R-07.1")
    data, checksum = data[:-4], data[-4:]
    need(checksum == hashlib.sha256(data).digest()[:4], "R-07.1")
    need(len(data) >= 49 and data[0] == 2, "R-07.1")
    return data[1:33], data[33:49], records.read_addresses(data[49:])


def knock(joiner, inviter, statement, seed, name):
    ends = f"{joiner}\0{inviter}".encode()
    return [0, records.signed(seed, b"meshcoop knock 2 sign\0", ends), statement, name]


def check_knock(frame, joiner, inviter):
    need([type(one) for one in frame] == [int, bytes, bytes, str] and frame[0] == 0, "R-07.2")
    need(frame[3].strip() and len(frame[3]) <= 80, "R-07.2")
    said = records.read_statement(frame[2])
    need(said[0] == "certify", "R-07.2")
    ends = f"{joiner}\0{inviter}".encode()
    records.check_signature("R-07.3", said[3], frame[1], b"meshcoop knock 2 sign\0", ends)


# -- a real node ----------------------------------------------------------------------------------


class Home:
    """A home that the test uses through the command line."""

    def __init__(self, path):
        (path / "passphrase").write_text("brass kettle sings\n")
        self.path = path / "ada"
        self.env = {
            **os.environ,
            "MESHCOOP_MDNS": "0",
            "MESHCOOP_PASSPHRASE_FILE": str(path / "passphrase"),
        }

    def __call__(self, *words):
        command = [*warm.PROGRAM, "--home", str(self.path), "--json", *words]
        done = warm.run(command, env=self.env, timeout=PATIENCE)
        assert done.returncode == 0, f"{words}: {done.stderr}"
        return json.loads(done.stdout)


@pytest.fixture
def home(tmp_path_factory):
    with street(tmp_path_factory.mktemp("s")) as one:
        yield one


@contextmanager
def street(path):
    one = Home(path)
    one("found", "Rushey Lane", "--as", "Ada", "--listen", "/ip4/127.0.0.1/tcp/0")
    one("up")
    try:
        yield one
    finally:
        one("down")


class Store:
    """The records that the stranger holds. It checks every record and keeps every log in order."""

    def __init__(self, place):
        self.place, self.logs = place, {}

    def take(self, one):
        log = self.logs.setdefault(one.device, [])
        if one not in log:
            records.verify(one, self.place)
            head = (log[-1].number, log[-1].id, log[-1].header[4]) if log else (0, None, 0)
            records.follows(one, *head)
            log.append(one)

    def heads(self):
        return {device: (log[-1].number, log[-1].id, ()) for device, log in self.logs.items()}

    def log(self, device):
        return self.logs.get(device, [])

    def all(self):
        return [one for log in self.logs.values() for one in log]


async def passed(stream, secret, opener, answerer):
    """Opens the door at the node's end of a stream."""
    key, nonce = sync.door_key(secret), os.urandom(32)
    challenge = await stream.read()
    assert len(challenge) == 32
    ends = opener, answerer, challenge, nonce
    await stream.write(nonce + sync.door_mac(key, b"opener", *ends))
    mac, said = b"", sync.door_mac(key, b"answerer", *ends)
    while len(mac) < len(said):
        data = await stream.read()
        assert data, "the door stays shut"
        mac += data
    assert mac[:32] == said
    return mac[32:]


async def one_frame(stream, data=b""):
    frames = codec.Frames()
    for one in frames.feed(data):
        return one
    while data := await stream.read():
        for one in frames.feed(data):
            return one
    raise AssertionError("the node hung up")


async def admitted(network: Network, home, root, seed):
    """Joins by an invitation. Returns the records that admit the person, the node's peer id and the
    neighbourhood's id.
    """
    told = await trio.to_thread.run_sync(partial(home, "invite", "--approve"))
    key, secret, addresses = read_invitation(told["invitation"])
    inviter = peer_id(key)
    await network.connect(f"{addresses[0]}/p2p/{inviter}")
    stream = await network.open_stream(inviter, "/meshcoop/join/2")
    after = await passed(stream, secret, network.peer_id, inviter)
    kind, place = await one_frame(stream, after)
    assert (kind, len(place)) == (3, 16)
    statement = records.certify(root, seed, place)
    request = knock(network.peer_id, inviter, statement, seed, "Stranger")
    await stream.write(codec.frame(request))
    answer = await one_frame(stream)
    await stream.close()
    assert answer[:2] == [1, 1], answer  # a short chain has no pages (R-05.3g)
    charter = records.parse(answer[2][0])
    assert charter.id.startswith(place)
    return answer[2], inviter, charter.id


async def rounds(session, stream, count):
    """Talks to the peer until `count` rounds are over and the peer has acknowledged everything that
    was sent (R-05.7).
    """
    while session.rounds < count or session.owed:
        data = await stream.read()
        assert data, "the node hung up"
        await stream.write(session.receive(data))


def accept_of(chain, place, person, seed):
    """Accepts the charter, as the first record of the device (R-03.20)."""
    read = [(records.parse(wire), records.parse(wire).content) for wire in chain]
    admits = [
        one.id
        for one, content in read
        if (said := records.read_content(content))[0] == "admit" and said[1]["person"] == person
    ]
    now = max(time.time_ns() // 10**6, *(one.header[4] for one, _ in read))
    plain = codec.pack(["accept", {}])
    return records.sign(seed, place, 1, None, now, plain, parents=[place, *admits], audience=12)


async def keys_from(session, stream, store, seed):
    """Asks the node for the keys of all that is sealed for the neighbourhood (R-03.39)."""
    wanted = {one.content[:32] for one in store.all() if one.header[7] in {1, 5}}
    await stream.write(codec.frame([12, b"".join(sorted(wanted))]))
    while not session.keys:
        await stream.write(session.receive(await stream.read()))
    keys = records.open_keys(session.keys[0], store.place, seed)
    assert keys.keys() == wanted
    return keys


async def test_it_joins_reads_what_a_node_holds_and_posts(home):
    root, seed = os.urandom(32), os.urandom(32)
    device = records.public(seed)
    post = partial(home, "post", "request", "--title", "A ladder for a day", "--minutes", "30")
    asked = (await trio.to_thread.run_sync(post))["id"]
    with trio.fail_after(PATIENCE):
        async with open_host(os.urandom(32), [], log=None, mdns=False) as network:
            chain, node, place = await admitted(network, home, root, seed)
            store = Store(place)
            stream = await network.open_stream(node, "/meshcoop/sync/2")
            ends = node, network.peer_id
            session = sync.Session(
                store.heads, store.log, lambda hello: sync.check_hello(hello, place, *ends)
            )
            assert await passed(stream, place, network.peer_id, node) == b""
            await stream.write(sync.hello(seed, place, device, chain, network.peer_id, node))
            await rounds(session, stream, 1)
            for one in session.received:
                store.take(one)
            assert {records.parse(wire).id for wire in chain} <= {one.id for one in store.all()}

            accepted = accept_of(chain, place, records.public(root), seed)
            store.take(accepted)
            await stream.write(session.begin())
            await rounds(session, stream, 2)
            keys = await keys_from(session, stream, store, seed)
            (ladder,) = [one for one in store.all() if one.id.hex() == asked]
            where = records.context(place, ladder.device, ladder.number)
            opened = records.read_content(
                records.open_epoch(*keys[ladder.content[:32]], ladder.content, where)
            )
            assert opened[0] == "request"
            assert (opened[1]["title"], opened[1]["minutes"]) == ("A ladder for a day", 30)

            plain = codec.pack(["request", {"title": "A lift on Friday", "minutes": 45}])
            where = records.context(place, device, 2)
            sealed = records.seal_epoch(*keys[ladder.content[:32]], plain, where, os.urandom(32))
            now = max(time.time_ns() // 10**6, ladder.header[4])
            store.take(records.sign(seed, place, 2, accepted.id, now, sealed, audience=1))
            before = session.rounds
            await stream.write(session.begin())
            await rounds(session, stream, before + 1)
            await stream.close()
            listed = await trio.to_thread.run_sync(partial(home, "list", "requests"))
    assert sorted(one["title"] for one in listed) == ["A ladder for a day", "A lift on Friday"]
