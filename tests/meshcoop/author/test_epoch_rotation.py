import pytest

from meshcoop.fold.key_ring import KeyRing
from protocol.authority.record_index import AuthorityRecord
from protocol.kinds.people import Profile
from protocol.record import sealing as seal
from protocol.record.envelope import OPEN
from protocol.record.sealing import EpochKey
from protocol.wire import gossip
from tests.support.street_in_memory import Street, settle, street

DEVICES = [bytes([n]) * 32 for n in (1, 2)]
BOXES = [seal.device_box_key(one) for one in DEVICES]
KEYS = [EpochKey.from_key(n, bytes([n + 10]) * 32) for n in range(1, 4)]


def offer(epoch, to=0, *, number=None, key_id=None, act_id=None):
    sealed = DEVICES[to] + seal.seal_key(epoch.key, BOXES[to].public, b"s" * 32)
    fields = {
        "number": epoch.number if number is None else number,
        "key_id": epoch.id if key_id is None else key_id,
        "seals": [sealed],
    }
    name = act_id or repr(fields).encode()[:32]
    return AuthorityRecord(name, b"d" * 32, 1, 1, "epoch", fields)


def ring(*acts):
    found = KeyRing([(DEVICES[0], BOXES[0])])
    found.learn(acts)
    return found


def test_a_key_sealed_to_this_home_is_learnt_once():
    found = KeyRing([(DEVICES[0], BOXES[0])])
    act = offer(KEYS[0])
    assert found.learn([act])
    assert not found.learn([act])
    assert found.all() == [KEYS[0]]
    assert found.get(KEYS[0].id) == KEYS[0]
    assert found.gossip_keys == [gossip.gossip_key(KEYS[0])]


def test_a_key_sealed_to_somebody_else_stays_closed():
    found = ring(offer(KEYS[0], to=1))
    assert found.all() == []
    assert found.current() is None
    found.add_box(DEVICES[1], BOXES[1])
    assert found.learn([offer(KEYS[0], to=1)])
    assert found.current() == KEYS[0]


def test_writers_use_the_highest_number_then_the_lowest_id():
    rivals = sorted(
        (EpochKey.from_key(7, bytes([n]) * 32) for n in (1, 2, 3)), key=lambda one: one.id
    )
    found = ring(offer(KEYS[1]), *(offer(one) for one in reversed(rivals)), offer(KEYS[0]))
    assert found.current() == rivals[0]
    assert found.all() == [*rivals, KEYS[1], KEYS[0]]


@pytest.mark.parametrize("order", [(2, 9), (9, 2)])
def test_nobody_raises_the_number_of_a_key(order):
    found = ring(*(offer(KEYS[0], number=n) for n in order))
    assert found.current().number == 2


def test_a_key_under_another_keys_name_is_not_believed():
    assert ring(offer(KEYS[0], key_id=KEYS[1].id)).all() == []


def test_garbage_in_a_seal_is_passed_over():
    wrong = offer(KEYS[0])
    wrong.fields["seals"] = [DEVICES[0] + bytes(80), *offer(KEYS[0]).fields["seals"]]
    assert ring(wrong).all() == [KEYS[0]]


def test_a_newcomer_reads_what_was_said_before_they_came():
    with Street() as here:
        ada = here.found()
        offers = [ada.post("offer", title=f"offer {n}") for n in range(3)]
        ben = here.neighbour(ada)
        assert [ben.view(one).title for one in offers] == ["offer 0", "offer 1", "offer 2"]
        assert ben.state_hash() == ada.state_hash()


def test_words_wait_for_the_key_that_opens_them():
    with Street() as here:
        ada = here.found()
        newcomer = here.person()
        ada.admit(newcomer)
        post = ada.post("offer", title="Bread")
        ben = here.home(ada, newcomer)
        ben.feed(ada.wires())
        assert ben.view(post) is None
        sealed = seal.seal_key(
            ada.state.ring.current().key,
            ada.state.authority.devices[newcomer.device].box,
            b"s" * 32,
        )
        epoch = ada.state.ring.current()
        ada.write("epoch", number=1, key_id=epoch.id, seals=[newcomer.device + sealed])
        ben.feed(ada.wires())
        assert ben.view(post).title == "Bread"
        assert ben.state_hash() == ada.state_hash()


def test_a_stranger_who_holds_every_byte_reads_open_records_only():
    with street() as (ada, ben):
        offer = ada.post("offer", title="quincunx")
        settle(ada, ben)
        stranger = ada.street.home(ada, ada.street.person())
        stranger.feed(ada.wires())
        assert stranger.ids() == ada.ids()
        assert stranger.view(offer) is None
        assert stranger.state.views.of_kind(Profile) == []
        held = b"".join(one.content for one in stranger.records() if one.header.audience != OPEN)
        assert b"quincunx" not in held
        assert stranger.state.ring.gossip_keys == []


def test_a_non_members_epoch_is_no_epoch():
    with street() as (ada, ben):
        rogue = EpochKey.from_key(99, b"r" * 32)
        box = ada.state.authority.devices[ada.me.device].box
        fields = {
            "number": 99,
            "key_id": rogue.id,
            "seals": [ada.me.device + seal.seal_key(rogue.key, box, b"s" * 32)],
        }
        stranger = ada.street.home(ada, ada.street.person())
        stranger.feed(ada.wires())
        one = stranger.forge("epoch", **fields)
        assert ada.take(one).stored == []
        assert ada.state.ring.current().number == 1
        assert ben.state.ring.current() == ada.state.ring.current()
