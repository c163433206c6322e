"""Attacks on group keys, and the vectors 18 to 22, through real homes.

Attackers: a member who makes keys (M, Mal), an expelled one, the thief of a device. Assets: words,
that newcomers read them, and that homes can write.
"""

import pytest

from meshcoop.author import automatic, key_giving
from meshcoop.author.epoch_maker import MOST_A_DAY
from meshcoop.author.folding import fold_at_once
from meshcoop.fold.epoch_fold import SLOTS_AT_ONCE
from protocol.authority.epochs import digest_lists, name_gone
from protocol.kinds.neighbourhood import Epoch
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import DAY_MS
from protocol.record.key_bundle import MAX_KEYS_GIVEN
from tests.support.hostile_keys import key_by, key_of, post_epoch
from tests.support.street_in_memory import settle, street


def living(*homes):
    for home in homes:
        fold_at_once(home.state, automatic.accept_charter(home.author))
    settle(*homes)
    return homes


def box_of(home):
    return seal.device_box_key(home.me.device_seed).public


def make_epoch(home, *readers, names=(), wrong=(), key=None):
    """Lets a home post an epoch that its software would not make. Returns the id of the key."""
    right, garbage = map(box_of, readers), map(box_of, wrong)
    return post_epoch(home.author, right, wrong=garbage, names=names, key=key).id


def decide_standing(founder, home, n):
    """Lets the founder, who alone votes, remove (odd n) or restore (even n) the person of a home."""
    cuts = [[home.me.device, 10**6]] if n % 2 else None
    change = ["standing", home.me.person, n, cuts]
    proposal = founder.write("proposal", title="as decided", change=change, newcomers=[])
    founder.write("vote", proposal, choice="yes")
    assert (home.me.person in founder.state.authority.members) == (n % 2 == 0)


def ask(home, other):
    """Lets a home ask another for the keys that it lacks. Returns whether it got any."""
    ids = home.state.epochs.missing(MAX_KEYS_GIVEN)
    sealed = key_giving.seal_wanted(other.author, home.me.device, ids)
    if sealed is not None:
        key_giving.take_bundle(home.author, home.me.device, sealed)
    return sealed is not None


def test_vectors_18_and_19_a_key_made_by_one_who_leaves_and_who_is_restored():
    with street(homes=3) as (a, c, m):
        living(a, c, m)
        e1 = make_epoch(m, a, c, m, names=[m.me.person])
        e2 = key_of(a.post("offer", title="to all"))
        settle(a, c, m)
        decide_standing(a, m, 1)
        settle(a, c)
        third = a.post("offer", title="without M")
        e3 = key_of(third)
        assert e3 not in {e1, e2}
        settle(a, c, m)
        decide_standing(a, m, 2)
        settle(a, c, m)
        assert key_of(c.post("offer", title="M is back")) == e2
        settle(a, c, m)
        assert not ask(m, a)
        assert not ask(m, c)
        assert m.view(third) is None
        decide_standing(a, m, 3)
        settle(a, c)
        assert key_of(c.post("offer", title="M is out again")) == e3
        assert e3 not in m.state.ring


def test_vector_20_a_key_that_was_made_before_the_removal_was_known():
    with street(homes=4) as (a, b, c, m):
        living(a, b, c, m)
        decide_standing(a, m, 1)
        a.post("offer", title="without M")
        e3 = key_of(a.post("offer", title="still without M"))
        removal = [one for one in a.records() if one.header.device == a.me.device]
        c.write("device", statement=b.revocation(b.head.seq))  # C knows this, and no removal
        early = c.post("offer", title="M reads this")
        e4 = key_of(early)
        settle(c, m)
        assert m.view(early).title == "M reads this"
        c.take(*removal)
        settle(a, c)
        e5 = key_of(c.post("offer", title="without M and B's device"))
        assert e5 not in {e3, e4}
        settle(a, c, m, b)
        names = a.state.epochs.choose().epoch.names
        assert names == {name_gone(m.me.person), name_gone(b.me.device)}
        assert e5 not in m.state.ring
        assert e5 not in b.state.ring


def test_vector_21_a_key_for_all_but_one_and_a_key_with_a_wrong_slot():
    with street(homes=4) as (a, b, c, m):
        living(a, b, c, m)
        fifth = make_epoch(m, a, b, m)
        settle(a, b, m)
        said = m.post("offer", title="not for C")
        assert key_of(said) == fifth
        sixth = make_epoch(m, a, b, c, m)
        seventh = make_epoch(m, a, b, m, wrong=[c])
        settle(a, b, c, m)
        assert {fifth, sixth, seventh} <= {one.id for one in a.state.ring.all()}
        for home in (a, b, c):
            assert key_of(home.post("offer", title="to all")) == sixth
        assert c.view(said) is None
        settle(a, b, c, m)
        assert ask(c, b)
        assert c.view(said).title == "not for C"


@pytest.mark.parametrize("rounds", [10, pytest.param(40, marks=pytest.mark.long)])
def test_vector_22_revocations_by_one_member_keep_nobody_from_writing(rounds):
    with street(homes=4) as (a, b, c, mal):
        living(a, b, c, mal)
        a.street.clock = (a.street.clock // DAY_MS + 1) * DAY_MS
        before = {act.id for act in a.state.authority_fold.records_of(Epoch)}
        for n in range(rounds):
            spare = a.street.person()
            place = a.street.place
            ended = statement.revoke_device(mal.me.root_seed, spare.device, 0, place)
            mal.write("device", statement=mal.certificate(spare))
            mal.write("device", statement=ended)
            settle(a, b, c, mal)
            for home in (a, b, c):
                assert home.post("offer", title=f"round {n}")
        made = [act for act in a.state.authority_fold.records_of(Epoch) if act.id not in before]
        for home in (a, b, c):
            mine = {act.fields["key_id"] for act in made if act.device == home.me.device}
            assert len(mine) <= MOST_A_DAY
            assert not home.state.epochs.choose().departed.people


def test_a_member_who_names_a_newcomer_in_advance_hides_nothing_from_them():
    """The history that the rule "names everybody gone and nobody who belongs" does not stop: at
    homes that do not know the newcomer yet, such an epoch would fit.
    """
    with street(homes=3) as (a, b, mal):
        living(a, b, mal)
        newcomer = a.street.person()
        trap = make_epoch(mal, a, b, mal, names=[newcomer.person])
        settle(a, b, mal)
        posts = [home.post("offer", title="before they came") for home in (a, b)]
        assert trap not in {key_of(post) for post in posts}
        settle(a, b, mal)
        a.admit(newcomer)
        late = a.street.home(a, newcomer)
        settle(a, b, mal, late)
        living(a, late)
        settle(a, b, late)
        assert ask(late, b)
        assert [late.view(post).title for post in posts] == ["before they came"] * 2


def test_records_for_a_key_of_somebody_else_name_nobody_and_seal_nothing():
    """Mal names a member in records for A's key, so that nobody would hand A's key to this member,
    and seals it to whom A has left out.
    """
    with street(homes=3) as (a, b, mal):
        living(a, b, mal)
        said = a.post("offer", title="bread")
        settle(a, b, mal)
        key = a.state.ring.get(key_of(said))
        newcomer = a.street.person()
        a.admit(newcomer)
        c = a.street.home(a, newcomer)
        make_epoch(mal, a, b, names=[newcomer.person], key=key)
        settle(a, b, c, mal)
        living(a, b, c, mal)
        assert c.view(said) is None
        assert ask(c, b)
        assert c.view(said).title == "bread"
        decide_standing(a, c, 1)
        settle(a, b, c, mal)
        assert key_of(b.post("offer", title="without C")) != key.id


def test_a_maker_who_names_a_newcomer_later_hides_nothing_from_them():
    """Mal's key names nobody, and others write with it. Then Mal's home writes further records for
    this key. They name a newcomer, in each way in which a record can.
    """
    with street(homes=3) as (a, b, mal):
        living(a, b, mal)
        key_id = make_epoch(mal, a, b, mal)
        key = mal.state.ring.get(key_id)
        settle(a, b, mal)
        said = b.post("offer", title="bread")
        assert key_of(said) == key_id
        settle(a, b, mal)
        newcomer = a.street.person()
        name = name_gone(newcomer.person)
        of_key, of_name = digest_lists([b""]), digest_lists([name])
        a.admit(newcomer)
        c = a.street.home(a, newcomer)
        for lists in (of_key, of_name, of_key + of_name):
            mal.write("epoch", key_id=key.id, seals=[], gone=name, lists=lists)
        settle(a, b, c, mal)
        living(a, b, c, mal)
        assert c.view(said) is None
        assert ask(c, b)
        assert c.view(said).title == "bread"


def test_thirty_foreign_key_records_make_nobody_write():
    """A member, and an expelled one, write epochs: no home signs anything in answer."""
    with street(homes=4) as (a, b, c, mal):
        living(a, b, c, mal)
        for home in (a, b, c):
            home.post("offer", title="bread")
        settle(a, b, c, mal)
        before = [len(home.records()) for home in (a, b, c)]
        for n in range(30):
            make_epoch(mal, *((a, b, c, mal) if n % 2 else (mal,)), wrong=(a,) if n % 3 else ())
        settle(a, b, c, mal)
        for _ in range(2):
            for home in (a, b, c):
                fold_at_once(home.state, automatic.accept_charter(home.author))
                key_giving.answer_requests(home.author)
            settle(a, b, c, mal)
        assert [len(home.records()) - 30 for home in (a, b, c)] == before


def test_a_stolen_unlocked_laptop_reads_nothing_once_a_writer_knows_of_its_revocation():
    with street(homes=3) as (a, b, thief):
        living(a, b, thief)
        known = a.post("offer", title="before")
        settle(a, b, thief)
        assert thief.view(known).title == "before"
        a.write("device", statement=thief.revocation(thief.head.seq))
        said = a.post("offer", title="after")
        settle(a, b, thief)  # the thief's home gets every byte
        assert thief.view(said) is None
        assert not ask(thief, a)
        assert not ask(thief, b)


def test_many_slots_cost_bounded_steps(monkeypatch):
    """A peer's epochs of many slots are checked a few at a time, and each slot once."""
    checked = []
    real = seal.is_right_slot
    monkeypatch.setattr(
        "meshcoop.fold.epoch_fold.is_right_slot",
        lambda *slot: checked.append(slot) or real(*slot),
    )
    with street(homes=2) as (a, mal):
        living(a, mal)
        key = key_by(mal.author, bytes(31) + b"k")
        strangers = [seal.device_box_key(bytes([n, 1]) * 16).public for n in range(63)]
        boxes = [box_of(a), *strangers]
        seals = [box + seal.seal_key(key.key, box) for box in boxes]
        for _ in range(12):
            mal.write("epoch", key_id=key.id, seals=seals, gone=b"", lists=b"")
        settle(a, mal)
        steps = []
        while a.state.epochs.check_slots():
            steps.append(len(checked))
        most = max(after - before for before, after in zip([0, *steps], steps, strict=False))
        assert most <= SLOTS_AT_ONCE + 64
        of_mal = [slot for slot in checked if slot[1] == key.key]
        total = len(checked)
        assert len(of_mal) == 12 * 64
        assert total == len(of_mal) + 1  # the founder's own key has one slot
        a.state.epochs.check_slots()
        assert len(checked) == total


@pytest.mark.parametrize("has_record", [True, False])
def test_many_made_up_keys_hide_no_key_from_a_newcomer(has_record):
    """Mal writes under so many keys that nobody can give that a device cannot ask for all at
    once.
    """
    with street(homes=3, quota_records=1000) as (a, b, mal):
        living(a, b, mal)
        newcomer = a.street.person()
        said = b.post("offer", title="bread")
        settle(a, b, mal)
        for number in range(MAX_KEYS_GIVEN + 20):
            made_up = key_by(mal.author, bytes(32))._replace(id=number.to_bytes(32, "big"))
            if has_record:
                mal.write("epoch", key_id=made_up.id, seals=[], gone=b"", lists=b"")
            mal.put(mal.forge("offer", title="x", sealing_key=made_up))
        settle(a, mal)
        a.admit(newcomer)
        late = a.street.home(a, newcomer)
        settle(a, late)
        living(a, late)
        settle(a, late)
        asked = 0
        while late.view(said) is None:
            ask(late, a)
            asked += 1
            assert asked <= 2
