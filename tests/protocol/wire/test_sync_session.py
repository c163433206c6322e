"""The sync session alone. Its heads are made up, and its records are any bytes."""

import gc
import random
import tracemalloc
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.errors import Refused
from protocol.record.signature import public_key
from protocol.wire import frames, invitation
from protocol.wire import sync_session as sync
from protocol.wire.door import Ends
from protocol.wire.frames import Decoder, encode
from protocol.wire.have_map import LogHead, digest_heads
from protocol.wire.invitation import Invitation, Knock
from protocol.wire.sync_session import (
    BYE,
    CONTENT,
    CREDIT,
    DIGEST,
    END,
    HAVE,
    HEAD,
    HELLO,
    PEERS,
    RECORDS,
    WANT,
    WINDOW,
    DigestReceived,
    GoodbyeReceived,
    HelloReceived,
    PeerLacks,
    RecordsReceived,
    RoundSettled,
    SyncSession,
)

DEVICE = b"d" * 32
HELLO_FRAME = [HELLO, sync.VERSION, DEVICE, bytes(64), []]


def device(n):
    return bytes([n]) * 32


def heads(**more):
    return {device(n): LogHead(n, bytes([100 + n]) * 32) for n in range(1, 6)} | more


def met():
    session = SyncSession()
    list(session.receive(encode(HELLO_FRAME)))
    session.admit()
    return session


def in_round(ours=None):
    """Makes a session that has sent its digest and its have-map, and has received another
    digest.
    """
    session = met()
    ours = heads() if ours is None else ours
    session.begin_round(ours)
    assert list(session.receive(encode([DIGEST, b"other"]))) == [DigestReceived()]
    session.answer_digest(ours)
    return session


def hear(session, *told, ours=None):
    """Gives these frames to the session, and acts on its events as a driver would. Returns the
    events.
    """
    events = []
    for event in session.receive(b"".join(encode(one) for one in told)):
        events.append(event)
        if isinstance(event, HelloReceived):
            session.admit()
        if isinstance(event, DigestReceived):
            events += session.answer_digest(heads() if ours is None else ours)[1]
        if isinstance(event, PeerLacks):
            events += session.send_end()[1]
        if isinstance(event, RecordsReceived):
            session.credit_taken(event.size)
    return events


def have(**more):
    return [
        item
        for one, held in sorted(heads(**more).items())
        for item in (one[:8], held.seq, held.id[:8], b"")
    ]


def test_equal_digests_settle_the_round_at_once():
    session = met()
    session.begin_round(heads())
    assert session.is_round_open
    assert hear(session, [DIGEST, digest_heads(heads())]) == [
        DigestReceived(),
        RoundSettled(were_equal=True),
    ]
    assert not session.is_round_open


def test_a_digest_that_comes_first_is_answered_with_ours():
    session = met()
    (event,) = session.receive(encode([DIGEST, digest_heads(heads())]))
    assert event == DigestReceived()
    out, events = session.answer_digest(heads())
    assert events == [RoundSettled(were_equal=True)]
    assert out == encode([DIGEST, digest_heads(heads())])


def test_the_digest_depends_on_every_part_of_every_head():
    base = heads()
    ids = (b"f" * 32, b"g" * 32)
    others = [
        base | {device(1): LogHead(2, base[device(1)].id)},
        base | {device(1): LogHead(1, b"x" * 32)},
        base | {device(9): LogHead(1, b"x" * 32)},
        base | {device(1): LogHead(1, base[device(1)].id, ids)},
        base | {device(1): LogHead(1, base[device(1)].id, ids[:1])},
        {},
    ]
    assert len({digest_heads(one) for one in [base, *others]}) == 7
    turned = base | {device(1): LogHead(1, base[device(1)].id, ids[::-1])}
    assert digest_heads(turned) == digest_heads(others[3])
    assert digest_heads(dict(reversed(base.items()))) == digest_heads(base)


def test_a_have_map_tells_what_the_peer_lacks():
    theirs = have()
    theirs[0 * 4 + 1] = 2  # the peer has more of the first log than we have
    theirs[2 * 4 + 1] = 1  # the peer has less of the third log
    theirs[3 * 4 + 2] = b"z" * 8  # the peer has another head of the fourth log
    (lacks,) = in_round().receive(encode([HAVE, theirs[: 4 * 4], False]))
    assert lacks == PeerLacks(
        [
            (device(3), 1, theirs[2 * 4 + 2]),
            (device(4), 4, b"z" * 8),
            (device(5), 0, b""),
        ],
        [],
    )


def test_a_fork_is_told_until_both_know_the_same_of_it():
    forked = {device(2): LogHead(1, b"x" * 32, (b"a" * 32, b"b" * 32))}
    (lacks,) = in_round(heads() | forked).receive(encode([HAVE, have(), False]))
    assert lacks == PeerLacks([], [device(2)])
    other = [device(2)[:8], 1, b"x" * 8, b"q" * 8]
    (lacks,) = in_round(forked).receive(encode([HAVE, other, False]))
    assert lacks == PeerLacks([], [device(2)])


def test_claims_of_endless_logs_ask_for_nothing_and_are_kept_nowhere():
    session = in_round()
    for _ in range(200):
        flat = [item for one in sorted(heads()) for item in (one[:8], 2**40, b"z" * 8, b"")]
        assert hear(session, [HAVE, flat, True]) == []
    assert hear(session, [HAVE, flat, False]) == [PeerLacks([], [])]


def test_a_have_map_that_never_ends_costs_no_memory():
    session, dice = in_round(), random.Random(3)
    tracemalloc.start()
    try:
        for _ in range(65):
            flat = [x for _ in range(1000) for x in (dice.randbytes(8), 2**40, b"z" * 8, b"")]
            assert hear(session, [HAVE, flat, True]) == []
        del flat
        gc.collect()
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < 256 * 1024  # keeping all claims would take about 14 MB
    assert hear(session, [HAVE, have(), False]) == [PeerLacks([], [])]


def test_millions_of_claims_are_cut_off():
    session = in_round()
    dice = random.Random(3)
    rules = []
    while rules[-1:] != ["R-05.5"]:
        flat = [x for _ in range(1000) for x in (dice.randbytes(8), 2**40, b"z" * 8, b"")]
        rules.append(refused(lambda one: hear(session, one), [HAVE, flat, True]))
    assert len(rules) == 66  # frames for 65,536 logs, and one more


@pytest.mark.parametrize(
    "row",
    [
        [b"d" * 8, -1, b"z" * 8, b""],
        [b"d" * 8, True, b"z" * 8, b""],
        [b"d" * 8, 1, b"z" * 8],
        ["d" * 8, 1, b"z" * 8, b""],
        [b"d" * 8, 1, None, b""],
        [b"d" * 60_000, 1, b"z" * 8, b""],
        [b"d" * 8, 1, b"z" * 60_000, b""],
        [b"d" * 8, 1, b"z" * 8, b"m" * 60_000],
        [b"", 1, b"z" * 8, b""],
    ],
)
def test_a_row_of_a_have_map_has_its_shape_and_its_size(row):
    with pytest.raises(Refused, match=r"R-05\.5"):
        hear(in_round(), [HAVE, row, True])


def test_a_have_map_of_many_logs_comes_in_frames_and_is_put_together():
    many = {random.Random(n).randbytes(32): LogHead(n + 1, b"h" * 32) for n in range(5000)}
    one, other = met(), met()
    one.begin_round(many)
    other.begin_round({})
    list(one.receive(encode([DIGEST, digest_heads({})])))
    out, _ = one.answer_digest(many)
    assert len(out) > frames.MAX_FRAME
    list(other.receive(encode([DIGEST, digest_heads(many)])))
    other.answer_digest({})
    assert list(other.receive(out)) == [PeerLacks([], [])]
    (lacks,) = one.receive(encode([HAVE, [], False]))
    assert len(lacks.logs) == 5000


def out_of_turn():
    return {
        "an end without a round": (met(), [END]),
        "an end before the peer's digest": (_begun(), [END]),
        "an end before the have-map": (in_round(), [END]),
        "an end amid the have-map": (_after(in_round(), [HAVE, have(), True]), [END]),
        "a have-map without a round": (met(), [HAVE, have(), False]),
        "a have-map before the digest": (_begun(), [HAVE, have(), False]),
        "a second have-map": (_after(in_round(), [HAVE, have(), False]), [HAVE, have(), False]),
        "a have-map after equal digests": (
            _after(met(), [DIGEST, digest_heads(heads())]),
            [HAVE, have(), False],
        ),
        "a second digest": (_after(met(), [DIGEST, b"other"]), [DIGEST, b"other"]),
        "a second hello": (met(), HELLO_FRAME),
        "credit for nothing": (met(), [CREDIT, 1]),
        "negative credit": (met(), [CREDIT, -1]),
        "credit beyond the window": (met(), [CREDIT, WINDOW + 1]),
    }


def _begun():
    session = met()
    session.begin_round(heads())
    return session


def _after(session, frame):
    hear(session, frame)
    return session


@pytest.mark.parametrize("name", out_of_turn())
def test_out_of_turn_is_refused(name):
    session, frame = out_of_turn()[name]
    with pytest.raises(Refused, match=r"R-05\."):
        hear(session, frame)


@pytest.mark.parametrize("kind", [DIGEST, HAVE, RECORDS, END, CREDIT, HEAD, WANT, CONTENT, PEERS])
def test_nothing_comes_before_the_hello(kind):
    with pytest.raises(Refused, match=r"R-05\.2"):
        list(SyncSession().receive(encode([kind])))


def test_another_version_or_a_long_chain_is_refused():
    long = [*HELLO_FRAME[:4], [b""] * (sync.MAX_CHAIN + 1)]
    for hello in ([HELLO, 0, *HELLO_FRAME[2:]], long, HELLO_FRAME[:4], [*HELLO_FRAME[:4], [1]]):
        with pytest.raises(Refused, match=r"R-05\."):
            list(SyncSession().receive(encode(hello)))


def test_a_peer_may_say_goodbye_before_anything_else():
    assert list(SyncSession().receive(encode([BYE, "R-05.2", "no"]))) == [
        GoodbyeReceived("R-05.2", "no")
    ]


def test_sending_over_the_window_is_refused():
    sender, receiver = met(), met()
    wires = [bytes(16_000)] * 50
    with pytest.raises(Refused, match=r"R-05\.7"):
        list(receiver.receive(sender.send_records(wires)))


def test_credit_opens_the_window_again():
    sender, receiver = met(), met()
    for _ in range(200):
        for event in receiver.receive(sender.send_records([bytes(16_000)] * 3)):
            list(sender.receive(receiver.credit_taken(event.size)))
        assert sender.send_window == WINDOW


def test_a_peer_that_gives_no_credit_gets_no_more_than_the_window():
    sender = met()
    sent = 0
    while sender.send_window > 0:
        sent += len(sender.send_records([bytes(16_000)]))
    assert sent < WINDOW + frames.MAX_FRAME


def test_what_a_later_version_adds_is_passed_over():
    assert hear(met(), [99, "new"], [1000], [-5]) == []


def test_begin_during_a_round_says_nothing():
    session = met()
    assert session.begin_round(heads())
    assert session.begin_round({}) == b""


# Frames and other readers ------------------------------------------------------------------------


@settings(deadline=None, max_examples=100)
@given(
    st.lists(
        st.lists(st.integers(-5, 300) | st.binary(max_size=300), max_size=5).map(lambda x: [7, *x]),
        max_size=6,
    ),
    st.randoms(use_true_random=False),
)
def test_frames_come_out_as_they_went_in_whatever_the_pieces(told, dice):
    data = b"".join(encode(one) for one in told)
    decoder, found = Decoder(), []
    while data:
        cut = dice.randint(1, 40)
        found += decoder.feed(data[:cut])
        data = data[cut:]
    assert found == told


@pytest.mark.parametrize(
    "data",
    [
        b"\xff\xff\xff\xff",
        (64 * 1024 + 1).to_bytes(4, "big"),
        b"\0\0\0\0",
        b"\0\0\0\1\xc1",
        b"\0\0\0\1\x90",
        b"\0\0\0\2\x91\xc0",
        b"\0\0\0\2\x91\xc3",
        b"\0\0\0\3\x91\xcc\x01",
        b"\0\0\0\1\x80",
    ],
)
def test_what_is_no_frame_is_refused(data):
    with pytest.raises(Refused):
        Decoder().feed(data)


ITEMS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**64 - 1)
    | st.binary(max_size=40)
    | st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=10),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=6,
)
HONEST = st.sampled_from(
    [
        [DIGEST, digest_heads(heads())],
        [DIGEST, b"other"],
        [HAVE, have(), False],
        [HAVE, have(), True],
        [RECORDS, [b"wire", b"wire"]],
        [END],
        [CREDIT, 0],
        [HEAD, DEVICE, 7],
        [WANT, [b"i" * 32]],
        [CONTENT, b"i" * 32, b"words"],
        [PEERS, ["/ip4/127.0.0.1/tcp/1"]],
        [BYE, "R-05.1", "no"],
    ]
)
WILD = st.lists(ITEMS, max_size=5).flatmap(lambda x: st.integers(0, 11).map(lambda k: [k, *x]))


@settings(deadline=None, max_examples=100)
@given(st.lists(HONEST | WILD, max_size=8), st.booleans(), st.booleans())
def test_a_session_meets_any_frames_with_events_or_a_refusal(told, greeted, begun):
    session = met() if greeted else SyncSession()
    if begun and greeted:
        session.begin_round(heads())
    try:
        hear(session, *told)
    except Refused:
        return
    assert 0 <= session.send_window <= WINDOW


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=200), st.booleans())
def test_a_session_meets_any_bytes_with_events_or_a_refusal(data, framed):
    session = met()
    try:
        list(session.receive(len(data).to_bytes(4, "big") + data if framed else data))
    except Refused:
        return


def refused(read, what):
    """Returns the rule by which `read` refuses `what`, or None if `read` accepts it."""
    try:
        read(what)
    except Refused as refusal:
        return refusal.rule
    return None


PAPER = Invitation(b"p" * 32, b"s" * 16, ("/ip4/192.168.1.7/tcp/4001", "/ip4/10.0.0.1/tcp/65535"))


def test_an_invitation_survives_being_read_aloud():
    typed = invitation.encode(PAPER)
    assert len(typed) <= 150
    assert invitation.decode(typed) == PAPER
    assert invitation.decode(" -\n".join(typed.lower())) == PAPER


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=200) | st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", max_size=170), st.data())
def test_any_typed_text_is_an_invitation_or_refused(typed, data):
    valid = list(invitation.encode(PAPER))
    valid[data.draw(st.integers(0, len(valid) - 1))] = data.draw(st.characters())
    for text in (typed, "".join(valid)):
        assert refused(invitation.decode, text) in {None, "R-07.1"}


@settings(deadline=None, max_examples=75)
@given(st.lists(ITEMS, max_size=7))
def test_any_frame_is_a_knock_or_refused(frame):
    for told in (frame, [0, *frame], [0, b"g" * 64, b"s", *frame]):
        assert refused(Knock.read, told) in {None, "R-07.2"}


def test_a_knock_comes_back_as_it_went():
    knock = Knock(b"g" * 64, b"s" * 80, "Ben")
    assert Knock.read(knock.frame()) == knock


def test_a_knock_holds_for_its_two_ends_only():
    seed = b"k" * 32
    knock = Knock.sign(Ends("joiner", "inviter"), seed, b"s" * 80, "Ben")
    knock.check(Ends("joiner", "inviter"), public_key(seed))
    for ends in (Ends("other", "inviter"), Ends("joiner", "other"), Ends("inviter", "joiner")):
        assert refused(partial(knock.check, ends), public_key(seed)) == "R-07.3"


class Later(SyncSession):
    """A session of the next version. Its hello has more parts, and it sends unknown frames in
    between.
    """

    def send_hello(self, device, signature, chain):
        said = [HELLO, sync.VERSION + 1, device, signature, chain, {"new": [1, 2]}]
        return encode(said)

    def begin(self, heads):
        return encode([77, "how do you do", b"x" * 99]) + super().begin_round(heads) + encode([99])


@pytest.mark.parametrize("later", [0, 1])
def test_a_node_one_version_older_syncs_with_a_newer_one(later):
    """The two sides greet, find out what each lacks, and settle. Only one of them sends unknown
    frames.
    """
    sides = [SyncSession(), SyncSession()]
    sides[later] = Later()
    held = [heads(), heads()]
    del held[0][device(5)], held[1][device(1)]
    waiting, events = [b"", b""], [[], []]
    for at, side in enumerate(sides):
        waiting[1 - at] += side.send_hello(DEVICE, bytes(64), [])
    for at, side in enumerate(sides):
        for event in side.receive(waiting[at]):
            assert isinstance(event, HelloReceived)
            side.admit()
        waiting[at] = b""
    waiting[1] += sides[0].begin_round(held[0])
    while any(waiting):
        for at, side in enumerate(sides):
            data, waiting[at] = waiting[at], b""
            for event in side.receive(data):
                events[at].append(event)
                if isinstance(event, DigestReceived):
                    out, more = side.answer_digest(held[at])
                    waiting[1 - at] += out
                    events[at] += more
                if isinstance(event, PeerLacks):
                    wires = [b"record of " + one[0] for one in event.logs]
                    out, more = side.send_end()
                    waiting[1 - at] += side.send_records(wires) + out
                    events[at] += more
    for at in (0, 1):
        (received,) = [one for one in events[at] if isinstance(one, RecordsReceived)]
        assert len(received.wires) == 1
        assert RoundSettled(were_equal=False) in events[at]


@pytest.mark.parametrize("version", [0, -1, "1", None, b"\x01", True])
def test_a_hello_of_no_version_that_is_spoken_is_refused(version):
    with pytest.raises(Refused, match=r"R-05\.10"):
        list(SyncSession().receive(encode([HELLO, version, DEVICE, bytes(64), []])))


def test_pages_come_before_a_hello_only_to_the_side_that_opened_the_session():
    """Attacker: whoever passes the door. Asset: everybody's processor (R-05.3l)."""
    sender = SyncSession()
    hello = sender.send_hello(DEVICE, bytes(64), [b"first"])
    data = sender.send_pages([b"second", b"third"]) + hello
    opener = SyncSession()
    opener.take_pages()

    (event,) = opener.receive(data)

    assert event.chain == [b"first", b"second", b"third"]
    with pytest.raises(Refused) as refused:
        list(SyncSession().receive(data))
    assert refused.value.rule == "R-05.2"


@pytest.mark.parametrize(("count", "size"), [(4097, 1), (200, 11_000)])
def test_pages_before_a_hello_have_a_limit(count, size):
    """Attacker: a home that was dialled. Asset: the dialler's processor and memory (R-05.3l)."""
    opener = SyncSession()
    opener.take_pages()

    with pytest.raises(Refused) as refused:
        list(opener.receive(SyncSession().send_pages([bytes(size)] * count)))

    assert refused.value.rule == "R-05.3l"
