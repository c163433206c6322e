"""Every vector holds for the public functions of `protocol` and for the inbox of a home."""

import json

import pytest

from meshcoop.api.methods.status import hash_record_ids
from meshcoop.author.author import Author
from meshcoop.author.founding import open_state
from meshcoop.dev.specs import authority_vectors as vectors_authority
from meshcoop.dev.specs.vectors import MINUTE_MS, START_MS, from_json, keys_of, seed_of, to_json
from meshcoop.fold import witness_fold
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.store import Store
from protocol.authority import authority
from protocol.authority.epochs import gather_names, origin_of
from protocol.authority.record_index import AuthorityRecord
from protocol.authority.witnesses import WitnessIndex
from protocol.errors import Refused
from protocol.fold import content as schema
from protocol.fold.registry import KINDS
from protocol.kinds.people import Profile
from protocol.record import codec, log
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.wire import bundle_file, door, frames, gossip, invitation
from protocol.wire import local_rpc as control
from protocol.wire import membership_proof as hello
from protocol.wire import relay_ticket as ticket
from protocol.wire import sync_events as events
from protocol.wire import sync_session as sync
from protocol.wire.door import Ends
from protocol.wire.have_map import HaveMap, LogHead, digest_heads, have_map_lists
from tests.support.paths import VECTORS


def load(name):
    return json.loads((VECTORS / f"{name}.json").read_text())


def named(cases):
    return pytest.mark.parametrize("case", cases, ids=[case["name"] for case in cases])


# -- hostile bytes --------------------------------------------------------------------------------


def read_signature(case):
    record.verify(record.parse(data(case)), bytes.fromhex(case["neighbourhood"]))


def read_log(case):
    head = case["head"]
    log.check_follows(
        log.Head(head["seq"], bytes.fromhex(head["id"]), head["time"]), record.parse(data(case))
    )


def read_epoch(case):
    key = epoch_key(*(bytes.fromhex(case[part]) for part in ("maker", "lists", "key")))
    seal.open_epoch_content(key, data(case), bytes.fromhex(case["context"]))


def epoch_key(maker, lists, key):
    return seal.EpochKey.from_key(seal.key_origin(maker, lists), key)


def read_slot(case):
    seal.open_key(data(case), seal.device_box_key(bytes.fromhex(case["device_seed"])))


def read_private(case):
    mine = seal.device_box_key(bytes.fromhex(case["device_seed"]))
    seal.open_private_content(data(case), [mine], bytes.fromhex(case["context"]))


def read_gossip(case):
    key = bytes.fromhex(case["key"])
    keys = {gossip.name_gossip_key(key): key}
    gossip.accept_frame(data(case), keys, bytes.fromhex(case["neighbourhood"]))


def read_sync(case):
    session = sync.SyncSession()
    if case["met"]:
        session.admit()
        session.begin_round({})
    list(session.receive(data(case)))


def read_file(sort):
    """Returns a function that reads a file to its end. The function reads a have-map as a node
    would that has no records.
    """

    def read(case):
        theirs = HaveMap({})
        decoder = bundle_file.Decoder(sort, bytes.fromhex(case["neighbourhood"]))
        for some in decoder.feed(data(case)):
            if sort is bundle_file.HAVE_FILE:
                theirs.read(some)
        decoder.close()

    return read


def read_chain(case):
    device = bytes.fromhex(case["device"])
    hello.member_in_chain(wires(case), bytes.fromhex(case["neighbourhood"]), device)


def read_keys(case):
    """Lets a home take the records. Fails with Refused if the home then must not write with the key
    that the case names.
    """
    device_seed = bytes.fromhex(case["device_seed"])
    place, store = bytes.fromhex(case["neighbourhood"]), Store(":memory:")
    devices = {record.device_key(device_seed): device_seed}
    Inbox(open_state(store, place, devices, lambda: 2 * START_MS)).ingest_wires(wires(case))
    assert store.records.count() == len(case["wires"])
    state = open_state(store, place, devices, lambda: 2 * START_MS)  # the state from these records
    choice = state.epochs.choose()
    if not choice.fits or choice.epoch.key_id != bytes.fromhex(case["key_id"]):
        raise Refused("R-03.8", "the key is passed over")


def take_wires(case):
    """Returns the state of a home that has taken the records of a case, by the clock of the case."""
    device_seed = bytes.fromhex(case["device_seed"])
    place, store = bytes.fromhex(case["neighbourhood"]), Store(":memory:")
    devices = {record.device_key(device_seed): device_seed}
    state = open_state(store, place, devices, lambda: case["now"])
    Inbox(state).ingest_wires(wires(case))
    return state


def read_fold(case):
    """Fails with the refusal for which the thread passes the record over, if the thread gives one."""
    state, record_id = take_wires(case), bytes.fromhex(case["record"])
    row = state.store.records.find(record_id)
    assert row is not None
    thread = state.thread_fold.fold_thread(row.root)
    for told in thread.history:
        if told.entry.id == record_id and told.refusal:
            raise told.refusal
    if state.views.find(record_id) is None:
        raise Refused(case["rule"], "the record does not fold yet, or no more")


def read_stored(case):
    """Fails with Refused if the home does not store the record."""
    if not take_wires(case).store.records.has(bytes.fromhex(case["record"])):
        raise Refused(case["rule"], "the record waits outside the store, or is let go of")


def read_seen(case):
    """Fails with Refused if the record does not stand at its claimed time, as witnesses saw it."""
    state = take_wires(case)
    wanted = bytes.fromhex(case["record"])
    row = state.store.records.find(wanted)
    assert row is not None
    person = state.authority.person_of_device(row.record.header.device)
    parties = [bytes.fromhex(party) for party in case["parties"]]
    known = state.authority_fold.witnesses.witnesses(state.authority)
    times = known.times_of(wanted, row.record.header.time, person, parties)
    stands = times.stands_at(case["now"])
    if stands is None:
        raise Refused("R-24.7", "the record stands nowhere")
    if stands != times.claimed:
        raise Refused("R-24.6", "the record stands where it was seen")


def read_names(case):
    """Fails with Refused if the records lack the names to which the key commits."""
    maker, key_id, key = (bytes.fromhex(case[part]) for part in ("maker", "key_id", "key"))
    acts = [
        AuthorityRecord(bytes(32), maker, 1, 1, "epoch", from_json(fields))
        for fields in case["records"]
    ]
    of_key = [act for act in acts if seal.EpochKey.from_key(origin_of(act), key).id == key_id]
    if not of_key or gather_names(of_key) is None:
        raise Refused("R-03.8h", "a list of names is missing")


def read_knock(case):
    knock = invitation.Knock.read(codec.unpack(data(case)))
    said = statement.read_statement(knock.statement)
    if not isinstance(said, statement.Certificate):
        raise Refused("R-07.2", "a knock certifies a device")
    knock.check(Ends(case["joiner"], case["inviter"]), said.device)


def read_control(case):
    decoder = control.Decoder()
    decoder.feed(data(case))
    list(decoder)


READERS = {
    "codec": lambda case: codec.unpack(data(case)),
    "record": lambda case: record.parse(data(case)),
    "signature": read_signature,
    "log": read_log,
    "statement": lambda case: statement.read_statement(data(case)),
    "chain": read_chain,
    "keys": read_keys,
    "names": read_names,
    "fold": read_fold,
    "store": read_stored,
    "seen": read_seen,
    "content": lambda case: schema.read_content(data(case)),
    "epoch": read_epoch,
    "slot": read_slot,
    "seal_to": lambda case: seal.seal_key(bytes(32), data(case)),
    "private": read_private,
    "cover": lambda case: seal.unpad(data(case)),
    "inside": lambda case: schema.read_private_content(data(case)),
    "gossip": read_gossip,
    "frame": lambda case: frames.Decoder().feed(data(case)),
    "bundle": read_file(bundle_file.BUNDLE),
    "have": read_file(bundle_file.HAVE_FILE),
    "sync": read_sync,
    "invitation": lambda case: invitation.decode(case["text"]),
    "ticket": lambda case: ticket.decode(case["text"]),
    "knock": read_knock,
    "control": read_control,
}


def data(case):
    return bytes.fromhex(case["hex"])


def wires(case):
    return [bytes.fromhex(one) for one in case["wires"]]


@named(load("hostile"))
def test_hostile_bytes_are_refused_by_name(case):
    with pytest.raises(Refused) as refused:
        READERS[case["read"]](case)
    assert refused.value.rule == case["rule"]


def test_there_are_many_hostile_cases_each_with_its_name():
    cases = load("hostile")
    assert len({case["name"] for case in cases}) == len(cases) >= 60


# -- the other vectors ----------------------------------------------------------------------------


def test_codec_vectors():
    for case in load("codec"):
        value, packed = from_json(case["value"]), bytes.fromhex(case["hex"])
        assert codec.unpack(packed) == value
        assert codec.pack(value) == packed


@named(load("records"))
def test_record_vectors(case):
    one = record.parse(bytes.fromhex(case["wire"]))
    place = bytes.fromhex(case["neighbourhood"])
    record.verify(one, place)
    assert to_json(one.header._asdict()) == case["fields"]
    assert (one.header_bytes.hex(), one.signature.hex()) == (case["header"], case["signature"])
    assert (one.id.hex(), one.wire.hex()) == (case["id"], case["wire"])
    if one.content is not None:
        signed = record.sign(one.header, one.content, place, bytes.fromhex(case["device_seed"]))
        assert signed == one


def test_erasing_content_changes_neither_id_nor_signature():
    whole, erased = load("records")[2:4]
    for part in ("id", "signature", "header"):
        assert whole[part] == erased[part]


def test_sealing_vectors():
    case = load("sealing")
    boxes = [seal.device_box_key(bytes.fromhex(one["device_seed"])) for one in case["devices"]]
    assert [one.public.hex() for one in boxes] == [one["box"] for one in case["devices"]]
    assert [one.secret.hex() for one in boxes] == [one["box_secret"] for one in case["devices"]]
    part = {name: unhex(case[name]) for name in ("epoch", "slot", "private", "record")}
    epoch = epoch_key(*(part["epoch"][name] for name in ("maker", "lists", "key")))
    assert epoch.id == part["epoch"]["key_id"]
    sealed = part["epoch"]["sealed"]
    assert (
        seal.open_epoch_content(epoch, sealed, part["epoch"]["context"]) == part["epoch"]["plain"]
    )
    again = seal.seal_epoch_content(
        epoch, part["epoch"]["plain"], part["epoch"]["context"], part["epoch"]["seed"]
    )
    assert again == sealed
    assert seal.open_key(part["slot"]["slot"], boxes[1]) == part["slot"]["key"]
    for box in boxes:
        told = part["private"]
        assert seal.open_private_content(told["sealed"], [box], told["context"]) == told["plain"]
    told = part["record"]
    for box in boxes:
        assert seal.find_content_key(told["sealed"], [box]) == told["key"]
    covered = seal.open_with_content_key(told["key"], told["sealed"], told["context"])
    assert seal.unpad(covered) == told["plain"]
    stranger = seal.device_box_key(seed_of("stranger"))
    told = part["private"]
    assert seal.open_private_content(told["sealed"], [stranger], told["context"]) is None


def unhex(part):
    return {
        name: bytes.fromhex(value) if isinstance(value, str) else value
        for name, value in part.items()
    }


@named(load("statements"))
def test_statement_vectors(case):
    what, *says = from_json(case["says"])
    if what == "leave":
        says[-1] = tuple((device, last) for device, last in says[-1])
    classes = (statement.Certificate, statement.Revocation, statement.Leave)
    expected = dict(zip(("certify", "revoke", "leave"), classes, strict=True))[what](*says)
    assert statement.read_statement(bytes.fromhex(case["statement"])) == expected


def test_gossip_vector():
    case = unhex({k: v for k, v in load("gossip").items() if k != "topic"})
    epoch = epoch_key(case["maker"], b"", case["epoch_key"])
    assert gossip.topic_name(case["neighbourhood"]) == load("gossip")["topic"]
    assert gossip.gossip_key(epoch) == case["gossip_key"]
    keys = {gossip.name_gossip_key(case["gossip_key"]): case["gossip_key"]}
    one = gossip.accept_frame(case["frame"], keys, case["neighbourhood"])
    assert one.wire == case["wire"]
    assert gossip.encode_frame(one.wire, case["gossip_key"]) == case["frame"]


def test_invitation_vector():
    case = load("invitation")
    one = invitation.decode(case["text"])
    assert [one.peer.hex(), one.secret.hex()] == [case["peer"], case["secret"]]
    assert list(one.addresses) == case["addresses"]
    assert invitation.encode(one) == case["text"]
    told = case["knock"]
    knock = invitation.Knock.read(codec.unpack(bytes.fromhex(told["frame"])))
    ends = Ends(told["joiner"], told["inviter"])
    seed = bytes.fromhex(told["device_seed"])
    assert knock == invitation.Knock.sign(ends, seed, knock.statement, "Ana")
    assert knock.signature.hex() == told["signature"]
    said = statement.read_statement(knock.statement)
    place = invitation.read_place(codec.unpack(bytes.fromhex(case["place"])))
    assert bytes.fromhex(told["neighbourhood"]).startswith(place)
    assert (said.place, said.person.hex()) == (place, told["person"])
    knock.check(ends, said.device)


def test_door_vector():
    case = load("door")
    key, ends = door.door_key(bytes.fromhex(case["secret"])), Ends(case["opener"], case["answerer"])
    challenge, proof = bytes.fromhex(case["answerer_sends"]), bytes.fromhex(case["opener_sends"])
    assert key.hex() == case["key"]
    assert door.prove_opener(key, ends, challenge, proof[: door.NONCE_SIZE]) == proof
    assert door.find_key([bytes(32), key], ends, challenge, proof) == key
    mac = bytes.fromhex(case["then_answerer_sends"])
    assert door.prove_answerer(key, ends, challenge, proof) == mac
    assert door.is_answerer(key, ends, challenge, proof, mac)


def test_ticket_vector():
    case = load("ticket")
    one = ticket.decode(case["text"])
    assert [one.peer.hex(), one.secret.hex()] == [case["peer"], case["secret"]]
    assert list(one.addresses) == case["addresses"]
    assert ticket.encode(one) == case["text"]
    told = case["request"]
    request = ticket.EnrolRequest.read(codec.unpack(bytes.fromhex(told["frame"])))
    place = bytes.fromhex(told["neighbourhood"])
    assert request.neighbourhood == place
    assert request.device == record.device_key(bytes.fromhex(told["device_seed"]))
    signed = hello.prove_membership(
        bytes.fromhex(told["device_seed"]),
        place,
        told["member"],
        told["relay"],
        ticket.HELLO_DOMAIN,
    )
    assert request.signature == signed == bytes.fromhex(told["signature"])


def test_kind_vectors():
    cases = load("kinds")
    assert {case["kind"] for case in cases} == KINDS.keys()
    for case in cases:
        packed, fields = bytes.fromhex(case["content"]), from_json(case["fields"])
        if "about" in case:
            about = from_json(case["about"])
            assert schema.read_private_content(packed) == (case["kind"], fields, about)
            assert schema.pack_private_content(case["kind"], fields, about) == packed
        else:
            assert schema.read_content(packed) == (case["kind"], fields)
            assert schema.pack_content(case["kind"], fields) == packed


# -- authority and the story ----------------------------------------------------------------------


def known(of):
    return vectors_authority.describe_authority(of)


@named(load("authority"))
def test_authority_vectors(case):
    place = bytes.fromhex(case["neighbourhood"])
    records = [record.parse(bytes.fromhex(one["wire"])) for one in case["records"]]
    for one in records:
        record.verify(one, record.FOUNDING_ID if one.id == place else place)
    charter, *acts = [vectors_authority.read_authority_record(one) for one in records]
    for order in (acts, acts[::-1]):
        assert known(authority.fold_authority(charter, order, {})) == case["authority"]


@named(load("witnesses"))
def test_witness_vectors(case):
    records = [record.parse(bytes.fromhex(one["wire"])) for one in case["records"]]
    charter, *acts = map(vectors_authority.read_authority_record, records)
    for order in (records, records[::-1]):
        read = [witness_fold.read_witness_record(one) for one in order]
        index = WitnessIndex(one for one in read if one)
        witnesses = witness_fold.find_witnesses(authority.fold_authority(charter, acts, {}), index)
        for asked in case["asked"]:
            times = witnesses.times_of(
                bytes.fromhex(asked["record"]),
                asked["claimed"],
                asked["author"] and bytes.fromhex(asked["author"]),
                [bytes.fromhex(party) for party in asked["parties"]],
            )
            assert (times.seen, times.is_unwitnessed) == (asked["seen"], asked["unwitnessed"])
            assert times.stands_at(case["now"]) == asked["stands"]


def test_enough_voters_with_room_admit():
    """Checks by plain numbers what vectors 1, 2 and 23 of the rules of authority show (R-11.2)."""
    members = [len(case["authority"]["members"]) for case in load("authority")]
    waiting = [len(case["authority"]["waiting"]) for case in load("authority")]
    assert members[:10] == [2, 3, 3, 4, 2, 2, 3, 3, 3, 4]
    assert waiting[:10] == [1, 0, 1, 0, 0, 1, 0, 1, 1, 0]


def test_a_statement_for_elsewhere_certifies_nothing():
    """R-03.5: if the statement of an admitted person is for another neighbourhood, the person is a
    member without a device.
    """
    told = load("authority")[-1]["authority"]
    owners = {one["person"] for one in told["devices"]}
    assert len(owners) == 1 < len(told["members"])


class Home:
    """A home with every device of the story. The test moves the home's clock."""

    def __init__(self, case):
        self.now = case["now"]
        self.wires = [bytes.fromhex(one["wire"]) for one in case["records"]]
        seeds = [bytes.fromhex(one["device_seed"]) for one in case["devices"].values()]
        self.devices = dict(zip(map(record.device_key, seeds), seeds, strict=True))
        place = bytes.fromhex(case["neighbourhood"])
        self.store = Store(":memory:")
        self.state = open_state(self.store, place, self.devices, lambda: self.now)
        self.inbox = Inbox(self.state)

    def take(self, wires):
        assert self.inbox.ingest_wires(wires).refused == []


def check_story(home, case):
    state, store = home.state, home.store
    assert known(state.authority) == case["authority"]
    assert hash_record_ids(store.records.ids()).hex() == case["set_hash"]
    ids = sorted(bytes.fromhex(one["id"]) for one in case["records"])
    assert list(store.records.ids()) == ids
    assert [to_json(vars(view)) for one in ids if (view := state.views.find(one))] == case["views"]
    assert state.views.state_hash().hex() == case["state_hash"]
    assert [
        {"person": person.hex(), "given": one.given, "received": one.received}
        for person, one in sorted(state.views.balances().items())
    ] == case["balances"]


@pytest.mark.parametrize("order", ["as written", "backwards"])
def test_the_story_folds_alike_in_any_order(order):
    """R-03.16 and R-03.17: equal records give equal views and hashes."""
    case = load("story")
    home = Home(case)
    home.take(home.wires if order == "as written" else [home.wires[0], *home.wires[:0:-1]])
    check_story(home, case)


def test_what_is_ahead_of_the_clock_is_held_and_folds_when_due():
    """R-03.18: a home refuses no record because of its time."""
    case = load("story")
    home = Home(case)
    home.now = START_MS - 6 * MINUTE_MS  # ten minutes later than this, half of the story is past
    home.take(home.wires)
    assert home.store.records.count() == len(home.wires)
    folded = [view for one in home.store.records.ids() if (view := home.state.views.find(one))]
    assert 0 < len(folded) < len(case["views"])
    assert max(view.created for view in folded) <= home.now + 10 * MINUTE_MS
    home.now = case["now"]
    home.state.fold_due()
    check_story(home, case)


def test_an_epoch_key_reaches_only_those_to_whom_it_is_sealed():
    """R-11.3 and R-01.21: opening a slot gives the key that the record names."""
    case = load("story")
    home = Home(case)
    home.take(home.wires)
    keys_known = [
        {"key_id": one.id.hex(), "origin": one.origin.hex(), "key": one.key.hex()}
        for one in home.state.ring.all()
    ]
    assert keys_known == case["epoch_keys"]
    stranger = Home({**case, "devices": {}})
    stranger.take(stranger.wires)
    assert stranger.state.ring.all() == []
    assert hash_record_ids(stranger.store.records.ids()).hex() == case["set_hash"]


def test_a_persons_latest_profile_is_shown_whole():
    """R-12.1: the profile with the highest (time, id) counts, and no field comes from an earlier
    profile.
    """
    case = load("story")
    home = Home(case)
    home.take(home.wires)
    home.now += MINUTE_MS
    ben = keys_of("Ben")
    author = Author(home.inbox, home.devices, lambda: home.now, seed_of_length)
    assert home.state.views.latest_by_author(Profile)[ben.person].assets == ["bicycles"]
    author.write(KINDS["profile"], {"name": "Ben B."}, signer=author.signer_of(ben.person))
    latest = home.state.views.latest_by_author(Profile)[ben.person]
    assert (latest.name, latest.assets) == ("Ben B.", None)


def seed_of_length(count):
    return seed_of("random")[:count]


# -- sync -----------------------------------------------------------------------------------------


def test_hello_vector():
    case = load("sync")
    device, signature = bytes.fromhex(case["hello"]["device"]), case["hello"]["signature"]
    sender, receiver = case["peers"]
    place = bytes.fromhex(case["neighbourhood"])
    hello.check_proof(device, bytes.fromhex(signature), place, sender=sender, receiver=receiver)
    with pytest.raises(Refused, match=r"R-05\.2"):
        hello.check_proof(device, bytes.fromhex(signature), place, sender=receiver, receiver=sender)
    (event,) = sync.SyncSession().receive(bytes.fromhex(case["hello"]["frame"]))
    assert (event.device, event.signature.hex()) == (device, signature)


@named(load("sync")["rounds"])
def test_sync_rounds(case):
    """What the second side sends depends only on the bytes that the first side sends. It does not
    matter into which pieces these bytes are cut.
    """
    heads = [
        {
            bytes.fromhex(one["device"]): LogHead(
                one["seq"], bytes.fromhex(one["id"]), tuple(map(bytes.fromhex, one["fork"]))
            )
            for one in side
        }
        for side in case["heads"]
    ]
    assert [digest_heads(side).hex() for side in heads] == case["digests"]
    sent, settled = replay(case, heads[1])
    assert sent == b"".join(said(case, "b"))
    assert settled == [events.RoundSettled(were_equal=case["digests"][0] == case["digests"][1])]


def said(case, side):
    return [bytes.fromhex(step["sends"]) for step in case["steps"] if step["side"] == side]


def replay(case, heads):
    """Plays the first side of a round to a home that has the records of the second side. Returns
    what the home sends in answer, and the rounds that the home sees settled.
    """
    store = [record.parse(bytes.fromhex(wire)) for wire in case["records"][1]]
    session = sync.SyncSession()
    session.admit()
    sent, settled = b"", []

    def answer(result):
        nonlocal sent
        sent += result[0]
        settled.extend(result[1])

    for byte in b"".join(said(case, "a")):
        for event in session.receive(bytes([byte])):
            if isinstance(event, events.DigestReceived):
                answer(session.answer_digest(heads))
            elif isinstance(event, events.PeerLacks):
                wires = [one.wire for gap in event.logs for one in beyond(gap, store)]
                answer((session.send_records(wires), []))
                answer(session.send_end())
            elif isinstance(event, events.RecordsReceived):
                answer((session.credit_taken(event.size), []))
            elif isinstance(event, events.RoundSettled):
                settled.append(event)
    return sent, settled


def beyond(gap, store):
    device, seq, short = gap
    log_ = [one for one in store if one.header.device == device]
    if any(one.header.seq == seq and one.id.startswith(short) for one in log_):
        return [one for one in log_ if one.header.seq > seq]
    return log_


# -- bundles --------------------------------------------------------------------------------------


def test_bundle_vector():
    case = load("bundle")
    place = bytes.fromhex(case["neighbourhood"])
    wires = [bytes.fromhex(one) for one in case["records"]]
    held = {
        bytes.fromhex(one["device"]): LogHead(one["seq"], bytes.fromhex(one["id"]))
        for one in case["heads"]
    }
    lists = {"bundle": frames.batch_records(wires), "have": have_map_lists(held)}
    for name, sort in (("bundle", bundle_file.BUNDLE), ("have", bundle_file.HAVE_FILE)):
        written = bytes.fromhex(case[name])
        decoder = bundle_file.Decoder(sort, place)
        found = [item for byte in written for some in decoder.feed(bytes([byte])) for item in some]
        decoder.close()
        assert (
            b"".join(bundle_file.encode_file(sort, place, bytes.fromhex(case["salt"]), lists[name]))
            == written
        )
        if sort is bundle_file.BUNDLE:
            assert found == wires
        else:
            theirs = HaveMap(held)
            theirs.read(found)
            assert theirs.find_missing() == ([], [])
    assert [record.parse(wire).content is None for wire in wires] == [False, True, False, False]
