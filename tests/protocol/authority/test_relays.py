"""Who may enrol a relay, who may end the relay's enrolment, and how a relay proves that it is
enrolled.
"""

from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocol.authority import authority
from protocol.authority.evidence import collect_evidence
from protocol.authority.record_index import AuthorityIndex
from protocol.authority.relays import ENDED, MAX_PER_PERSON, SERVING
from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.record.packed_addresses import pack_addresses, unpack_addresses
from protocol.wire import frames, invitation
from protocol.wire import relay_ticket as ticket
from protocol.wire import sync_events as events
from protocol.wire import sync_session as sync
from tests.support.authority_records import START, charter, people, seed

KEY = seed("a relay")
WHERE = ("/ip4/192.0.2.7/tcp/4001", "/ip6/2001:db8::7/tcp/4001")


def enrols(who, key=KEY, state=SERVING, where=WHERE, **more):
    packed = pack_addresses(where, 152)
    return who.act("relay", {"key": key, "addresses": packed, "state": state}, **more)


def relays(first, *acts, forks=None):
    return authority.fold_authority(first, acts, forks or {}).relays


def test_a_relay_serves_from_a_members_word_until_its_end():
    ada, eve = people("A", "E")
    first = charter(ada)
    assert not relays(first, enrols(eve))
    said = enrols(ada)
    known = relays(first, said)
    assert known[KEY].addresses == WHERE
    assert (known[KEY].people, known[KEY].carrier.id) == ((ada.key,), said.id)
    assert not relays(first, said, enrols(ada, state=ENDED))
    again = enrols(ada, where=WHERE[:1])
    assert (
        relays(first, said, enrols(ada, state=ENDED, time=START), again)[KEY].addresses == WHERE[:1]
    )


def test_it_serves_as_long_as_some_member_enrols_it():
    ada, ben = people("A", "B")
    first = charter(ada, ben)
    both = [enrols(ada), enrols(ben)]
    assert relays(first, *both)[KEY].people == tuple(sorted((ada.key, ben.key)))
    ended = relays(first, *both, enrols(ada, state=ENDED))
    assert ended[KEY].people == (ben.key,)


def test_what_a_removed_member_enrolled_falls():
    ada, ben, cho, dan = people("A", "B", "C", "D")
    first = charter(ada, ben, cho)
    acts = [ada.admits(dan), enrols(dan, seq=2)]
    assert KEY in relays(first, *acts)
    out = [one.removes(dan, cut=50) for one in (ada, ben)]
    assert KEY not in relays(first, *acts, *out)
    assert relays(first, *acts, *out, enrols(ada))[KEY].people == (ada.key,)


def test_what_lies_beyond_a_revocation_or_a_fork_enrols_nothing():
    ada, ben = people("A", "B")
    first = charter(ada, ben)
    late = enrols(ada, seq=9)
    assert KEY not in relays(first, late, ben.carries(ada.revokes(ada.device, 8)))
    assert KEY in relays(first, late, ben.carries(ada.revokes(ada.device, 9)))
    assert KEY not in relays(first, late, forks={ada.device: 9})


def test_one_member_enrols_four_at_most():
    (ada,) = people("A")
    first = charter(ada)
    acts = [enrols(ada, seed("relay", n)) for n in range(MAX_PER_PERSON + 3)]
    kept = relays(first, *acts)
    assert set(kept) == {act.fields["key"] for act in acts[:MAX_PER_PERSON]}
    assert len(relays(first, *acts, enrols(ada, acts[0].fields["key"], ENDED))) == MAX_PER_PERSON


def test_nobody_makes_a_relay_of_a_neighbours_device():
    ada, ben = people("A", "B")
    first = charter(ada, ben)
    index = AuthorityIndex([enrols(ada, ben.device)])
    known = authority.fold_authority(first, index, {})
    assert not known.relays
    assert known.member_of_device(ben.device) == ben.key
    assert collect_evidence(known, index, ben.device) == [first.id]


def test_a_relay_shows_its_enrolment_and_then_who_enrolled_it():
    ada, ben = people("A", "B")
    first, admit, said = charter(ada), ada.admits(ben), enrols(ben)
    index = AuthorityIndex([admit, said])
    shown = collect_evidence(authority.fold_authority(first, index, {}), index, KEY)
    assert shown[0] == first.id
    assert shown[1] == said.id
    assert set(shown) == {first.id, admit.id, said.id}


@given(st.permutations(range(6)))
def test_the_order_in_which_records_come_leaves_no_trace(order):
    ada, ben = people("A", "B")
    first = charter(ada, ben)
    other = seed("another relay")
    acts = [
        enrols(ada),
        enrols(ben),
        enrols(ada, other),
        enrols(ada, state=ENDED),
        enrols(ben, other, where=WHERE[1:]),
        enrols(ben, other, ENDED),
    ]
    found = relays(first, *(acts[n] for n in order))
    assert found == relays(first, *acts)
    assert {key: one.people for key, one in found.items()} == {KEY: (ben.key,), other: (ada.key,)}


@pytest.mark.parametrize(
    "addresses",
    [b"meet me at the surgery", pack_addresses(WHERE, 152)[:-1], b"\x04" + bytes(6), b"\x07" * 7],
)
def test_an_enrolment_holds_addresses_and_no_words(addresses):
    with pytest.raises(Refused, match=r"R-08\.1"):
        KINDS["relay"].check_fields({"key": KEY, "addresses": addresses, "state": SERVING})


# -- tickets and keys -----------------------------------------------------------------------------


@given(
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=16, max_size=16),
    st.lists(st.sampled_from(WHERE), max_size=3).map(tuple),
)
def test_a_ticket_comes_back_as_it_was(peer, secret, addresses):
    text = ticket.encode(ticket.Ticket(peer, secret, addresses))
    assert len(text) <= 150
    one = ticket.decode(f" {text[:20].lower()}- {text[20:]}")
    assert (one.peer, one.secret) == (peer, secret)
    assert one.addresses == addresses[: len(one.addresses)]
    with pytest.raises(Refused, match="relay enrol"):
        invitation.decode(text)


@given(st.text(max_size=160))
def test_any_text_is_a_ticket_or_a_refusal(text):
    with suppress(Refused):
        ticket.decode(text)


def test_an_invitation_is_no_ticket():
    text = invitation.encode(invitation.Invitation(KEY, bytes(16), WHERE))
    with pytest.raises(Refused, match=r"R-08\.5"):
        ticket.decode(text)


@pytest.mark.parametrize(
    "frame",
    [
        [0],
        [1, KEY, KEY, b"", []],
        [0, KEY, KEY, b"", [1]],
        [0, KEY, KEY, b"", b""],
        [0, "", KEY, b"", []],
        [0, KEY, KEY, b"", [], 1],
    ],
)
def test_a_request_of_another_shape_is_refused(frame):
    with pytest.raises(Refused, match=r"R-08\.6"):
        ticket.EnrolRequest.read(frame)


def met():
    one = sync.SyncSession()
    one.admit()
    return one


def test_keys_come_as_they_were_handed():
    keys = [bytes([n]) * 32 for n in range(70)]
    (event,) = met().receive(sync.SyncSession().send_gossip_keys(keys))
    assert event == events.GossipKeysReceived(keys[: sync.MAX_KEYS])


@pytest.mark.parametrize("said", [[b"short"], ["x" * 32], [bytes(32)] * 65, [bytes(33)]])
def test_keys_of_another_shape_are_refused(said):
    with pytest.raises(Refused, match=r"R-08\.4"):
        list(met().receive(frames.encode([sync.KEYS, said])))


def test_keys_before_the_hello_are_refused():
    with pytest.raises(Refused, match=r"R-05\.2"):
        list(sync.SyncSession().receive(frames.encode([sync.KEYS, []])))


@given(
    st.from_regex(r"/ip[46]/[0-9a-f.:]{2,20}/tcp/[0-9]{1,6}", fullmatch=True) | st.text(max_size=40)
)
def test_what_is_packed_comes_back_or_was_no_address(address):
    packed = pack_addresses((address,), 152)
    assert len(packed) in {0, 7, 19}
    with suppress(Refused):  # nobody can answer there
        for one in unpack_addresses(packed, "R-08.1"):
            assert pack_addresses((one,), 152) == packed
