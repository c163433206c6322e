"""A person's further devices: each device introduces itself and can read everything, until it is
revoked.
"""

import itertools
import random

import pytest

from meshcoop.author import automatic as duties
from meshcoop.author import founding, key_giving
from meshcoop.author.folding import fold_at_once
from meshcoop.author.founding import Identity
from protocol.authority.epochs import MAX_SEALS
from protocol.errors import Refused
from protocol.kinds.neighbourhood import Epoch
from protocol.record import sealing as seal
from tests.support.street_in_memory import HOUR, Street, exchange, settle, street


def back(home, like=None):
    """Makes a new machine for the person of `home`.

    The machine has only the root key and copies of the records that a neighbour holds.
    """
    here = home.street
    identity = Identity.of(home.me.root_seed, here.dice.randbytes, here.place)
    fresh = here.home(home, identity)
    fresh.take(introduction(home, identity))
    fresh.feed((like or home).wires())
    return fresh


def introduction(home, identity):
    return founding.sign_introduction(
        identity.device_seed, identity.statement, home.state.neighbourhood, home.street.clock
    )


def keys_for(by, newcomer):
    """Gives the new device the group keys that it lacks, as a neighbour's home does when it meets
    the device.
    """
    device = newcomer.me.device
    sealed = key_giving.seal_wanted(by.author, device, newcomer.state.epochs.missing(400))
    key_giving.take_bundle(newcomer.author, device, sealed)


def revoke(by, home, after=None):
    last = home.head.seq if after is None else after
    return by.write("device", statement=home.revocation(last))


def test_somebody_who_lost_everything_is_back_with_balance_and_history():
    with street(homes=3) as (ada, ben, cho):
        exchange(ada, ben)
        settle(ada, ben, cho)
        new = back(ben, like=cho)
        assert new.head.seq == 1
        settle(cho, ada, new)
        assert new.state.epochs.current_key() is None
        keys_for(cho, new)  # any neighbour may do this, not only the voucher
        settle(cho, ada, new)
        assert new.balances() == ada.balances() == {ada.me.person: 90, ben.me.person: -90}
        assert new.state_hash() == ada.state_hash()
        offer = new.post("offer", title="I am back")
        settle(cho, ada, new)
        assert ada.view(offer).author == ben.me.person


def test_in_any_order_a_device_that_brings_itself_is_stored_alike():
    with street() as (ada, ben):
        new = back(ben)
        settle(ada, ben, new)
        keys_for(ada, new)
        settle(ada, ben, new)
        posts = [new.post("offer", title=f"offer {n}") for n in range(3)]
        settle(ada, ben, new)
        wires = ada.wires()
        for seed in range(6):
            other = ada.street.home(ada, ada.street.person())
            shuffled = random.Random(seed).sample(wires, len(wires))
            for one in shuffled:
                other.feed([one])
            assert other.ids() == ada.ids()
        assert all(ada.view(one) for one in posts)


def test_a_device_of_somebody_who_does_not_belong_brings_nothing():
    with street() as (ada, _):
        stranger = ada.street.person()
        forged = ada.street.home(ada, stranger)
        forged.feed(ada.wires())
        one = forged.forge("device", statement=stranger.statement)
        assert ada.take(one).stored == []


def test_nobody_brings_another_device_than_the_one_that_signs():
    with street() as (ada, ben):
        new = Identity.of(ben.me.root_seed, ada.street.dice.randbytes, ada.street.place)
        other = Identity.of(ben.me.root_seed, ada.street.dice.randbytes, ada.street.place)
        home = ada.street.home(ada, new)
        home.feed(ada.wires())
        assert ada.take(home.forge("device", statement=other.statement)).stored == []
        assert ada.take(home.forge("device", statement=new.statement)).stored != []


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_a_fork_at_its_first_record_leaves_every_home_alike(order):
    with street() as (ada, ben):
        new = back(ben)
        first = introduction(ben, new.me)
        again = new.forge("device", seq=1, statement=new.me.statement, time=first.header.time + 1)
        junk = [
            new.forge("accept", ada.records()[0], seq=1, time=first.header.time + n) for n in (2, 3)
        ]
        for at in order:
            ada.take((first, again, *junk)[at])
        ben.take(first, again, *junk)
        settle(ada, ben)
        assert ada.ids() == ben.ids()
        assert {first.id, again.id} <= set(ada.ids())
        assert not {one.id for one in junk} & set(ada.ids())


def test_a_fifth_live_device_does_not_count_until_one_is_revoked():
    with street() as (ada, ben):
        homes = [ben]
        for _ in range(4):
            homes.append(back(ben))
            ada.street.clock += 1000
            settle(ada, *homes)
        fifth = homes[-1].me.device
        assert not ada.state.authority.is_live(fifth)
        revoke(ada, homes[1])  # a neighbour may carry what the root key has signed
        assert ada.state.authority.is_live(fifth)


def test_a_revoked_device_signs_nothing_and_reads_nothing_posted_after():
    with street(homes=3) as (ada, ben, cho):
        new = back(ben)
        settle(ada, ben, cho, new)
        keys_for(ada, new)
        fold_at_once(cho.state, duties.accept_charter(cho.author))
        settle(ada, ben, cho, new)
        before = ada.post("offer", title="before")
        settle(ada, ben, cho, new)
        revoke(new, ben)
        settle(ada, cho, new)
        after = ada.post("offer", title="after")
        settle(ada, cho, new, ben)  # the thief's home gets every byte
        assert ben.view(before).title == "before"
        assert ben.view(after) is None
        assert cho.view(after).title == new.view(after).title == "after"
        with pytest.raises(Refused, match=r"has been revoked.*R-03\.32"):
            ben.post("offer", title="a thief")
        assert seal.read_epoch_key_id(after.content) not in ben.state.ring


def test_two_homes_that_make_a_key_at_once_agree_on_one_and_read_both():
    with street(homes=4) as (ada, ben, cho, dan):
        for home in (cho, dan):
            home.post("offer", title="before")
        settle(ada, ben, cho, dan)
        revoke(ada, ben)
        settle(ada, cho, dan)
        posts = [home.post("offer", title=home.me.device.hex()) for home in (cho, dan)]
        settle(ada, cho, dan)
        for home in (ada, cho, dan):
            assert all(home.view(one) for one in posts)
        assert len({home.state.epochs.current_key() for home in (ada, cho, dan)}) == 1


def test_more_devices_than_a_record_holds_take_several():
    with Street() as here:
        ada = here.found(room=100)
        people = [here.person() for _ in range(70)]
        for one in people:
            ada.admit(one)
        homes = [here.home(ada, one) for one in people]
        for home in homes:
            home.feed(ada.wires())
            (accepted,) = accept(home)
            ada.take(accepted)
        ada.write("device", statement=homes[0].revocation(1))
        before = ada.state.authority_fold.records_of(Epoch)
        ada.post("offer", title="bread")
        new = [act for act in ada.state.authority_fold.records_of(Epoch) if act not in before]
        assert sorted(len(act.fields["seals"]) for act in new) == [6, MAX_SEALS]


def accept(home):
    fold_at_once(home.state, duties.accept_charter(home.author))
    return [one for one in home.records() if one.header.device == home.me.device]


def test_what_was_written_with_a_thiefs_key_stays_readable_and_the_key_is_given_on():
    """A key made by somebody who leaves: words of others are sealed with it."""
    with street(homes=3) as (ada, ben, cho):
        settle(ada, ben, cho)
        for home in (ada, ben, cho):
            fold_at_once(home.state, duties.accept_charter(home.author))
        last = ben.head.seq
        settle(ada, ben, cho)
        thiefs = thief_makes_a_key(ben, ada, ben, cho)
        settle(ada, ben, cho)
        innocent = cho.post("offer", title="bread")
        assert seal.read_epoch_key_id(innocent.content) == thiefs.id
        settle(ada, ben, cho)
        revoke(ada, ben, last)
        settle(ada, cho)
        assert ada.view(innocent).title == cho.view(innocent).title == "bread"
        after = cho.post("offer", title="rolls")
        assert seal.read_epoch_key_id(after.content) != thiefs.id
        newcomer = ada.street.person()
        ada.admit(newcomer)
        late = ada.street.home(ada, newcomer)
        settle(ada, cho, late)
        fold_at_once(late.state, duties.accept_charter(late.author))
        settle(ada, cho, late)
        keys_for(cho, late)
        assert late.view(innocent).title == "bread"
        settle(ada, cho, late)
        assert late.state_hash() == ada.state_hash()


def thief_makes_a_key(thief, *homes):
    """Lets a thief make a key with slots for more devices than any other key has."""
    key = seal.EpochKey.from_key(seal.key_origin(thief.me.device, b""), b"t" * 32)
    boxes = [seal.device_box_key(home.me.device_seed).public for home in homes]
    seals = [box + seal.seal_key(key.key, box) for box in boxes]
    thief.write("epoch", key_id=key.id, seals=seals, gone=b"", lists=b"")
    return key


@pytest.mark.parametrize(
    ("spoil", "found"),
    [
        (lambda home: home.author.elsewhere.add(home.me.device), "copied or moved"),
        (lambda home: setattr(home, "skew", -2 * HOUR), "if it is right, wait until"),
        (lambda home: home.take(*forks(home)), "signed twice with one number"),
    ],
)
def test_a_home_that_finds_itself_spoilt_says_so_and_signs_nothing(spoil, found):
    with street() as (_, ben):
        ben.post("offer", title="before")
        spoil(ben)
        head = ben.head
        assert not ben.author.can_sign
        with pytest.raises(Refused, match=found) as caught:
            ben.post("offer", title="after")
        assert "meshcoop certify" in caught.value.reason
        assert ben.head == head


def forks(home):
    head = home.head
    return [
        home.forge("offer", seq=head.seq + 1, prev=head.id, title=title) for title in ("a", "b")
    ]


def test_a_new_device_in_the_same_home_reads_what_the_old_one_could_and_signs():
    with street() as (ada, ben):
        *_, receipt, _ = exchange(ada, ben)
        ben.author.elsewhere.add(ben.me.device)
        new = Identity.of(ben.me.root_seed, ada.street.dice.randbytes, ada.street.place)
        ben.take(introduction(ben, new))
        moved = ada.street.home(ben, new, ben.me)
        moved.feed(ben.wires())
        moved.author.elsewhere.add(ben.me.device)
        assert moved.view(receipt).state == "confirmed"
        post = moved.post("offer", title="from here on")
        assert post.header.device == new.device
        settle(ada, moved)
        assert ada.view(post).author == ben.me.person
        assert seal.read_epoch_key_id(post.content) in moved.state.ring
