"""Which group key a home writes with, and when it makes one (R-03.8, R-03.33)."""

import pytest

from meshcoop.author import automatic, epoch_maker, key_giving
from meshcoop.author.epoch_maker import MOST_A_DAY
from meshcoop.author.folding import fold_at_once
from meshcoop.fold import epoch_fold
from protocol.authority.epochs import name_gone
from protocol.errors import Refused
from protocol.kinds.neighbourhood import Epoch, GivenKeys, WantKeys
from protocol.kinds.people import Profile
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import DAY_MS, OPEN
from tests.support.street_in_memory import Street, settle, street


def living_in(*homes):
    """Lets every home write something, as software does when somebody joins, and settles."""
    for home in homes:
        fold_at_once(home.state, automatic.accept_charter(home.author))
    settle(*homes)


def key_of(record):
    return seal.read_epoch_key_id(record.content)


def epochs(home):
    return {act.fields["key_id"] for act in home.state.authority_fold.records_of(Epoch)}


def test_the_first_words_make_the_first_key_and_the_next_use_it():
    with Street() as here:
        ada = here.found()
        first, second = (ada.post("offer", title=title) for title in ("a", "b"))
        assert epochs(ada) == {key_of(first)} == {key_of(second)}


def test_a_newcomer_reads_what_was_said_before_they_came():
    with Street() as here:
        ada = here.found()
        offers = [ada.post("offer", title=f"offer {n}") for n in range(3)]
        ben = here.neighbour(ada)
        assert [ben.view(one).title for one in offers] == ["offer 0", "offer 1", "offer 2"]
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
        assert stranger.state.ring.gossip_keys == {}


def test_nobody_makes_a_key_while_one_fits():
    with street(homes=3) as homes:
        living_in(*homes)
        for home in homes:
            home.post("offer", title="bread")
            settle(*homes)
        assert len(epochs(homes[0])) == 1


@pytest.mark.parametrize("way", ["device", "person"])
def test_each_departure_makes_a_key_that_the_departed_does_not_hold(way):
    with street(homes=3, moderators=None) as (ada, ben, cho):
        living_in(ada, ben, cho)
        before = cho.post("offer", title="before")
        settle(ada, ben, cho)
        leave(ada, ben, way)
        settle(ada, cho)
        after = cho.post("offer", title="after")
        settle(ada, cho, ben)  # the departed home gets every byte
        assert key_of(after) != key_of(before)
        assert key_of(after) not in ben.state.ring
        assert ada.view(after).title == "after"
        assert ben.view(after) is None


@pytest.mark.parametrize(("lists", "named"), [(3, 3), (2, 2)])
def test_an_epoch_has_several_lists_of_names_and_people_stand_in_the_first(
    monkeypatch, lists, named
):
    monkeypatch.setattr(epoch_maker, "MAX_NAMED", 1)
    monkeypatch.setattr(epoch_maker, "MAX_LISTS", lists)
    with street(homes=5) as (ada, ben, cho, dan, eve):
        living_in(ada, ben, cho, dan, eve)
        ada.write("device", statement=ben.revocation(ben.head.seq))
        ada.write("device", statement=cho.revocation(cho.head.seq))
        leave(ada, dan, "person")
        said = ada.post("offer", title="bread")
        settle(ada, eve)
        assert eve.view(said).title == "bread"
        choice = eve.state.epochs.choose()
        assert choice.epoch.key_id == key_of(said)
        assert len(choice.epoch.names) == named
        assert name_gone(dan.me.person) in choice.epoch.names


def revocation_of(home, device):
    place = home.street.place
    return statement.revoke_device(home.me.root_seed, device.device, 0, place)


def leave(ada, ben, way):
    if way == "device":
        ada.write("device", statement=ben.revocation(ben.head.seq))
    else:
        proposal = ada.write(
            "proposal", title="out", change=["standing", ben.me.person, 1, []], newcomers=[]
        )
        ada.write("vote", proposal, choice="yes")
        assert ben.me.person not in ada.state.authority.members


def test_the_limit_for_devices_is_eight_keys_a_day_and_then_the_best_is_used(monkeypatch):
    with street(homes=2) as (ada, ben):
        living_in(ada, ben)
        monkeypatch.setattr(ada.street, "clock", (ada.street.clock // DAY_MS + 1) * DAY_MS)
        made = set()
        for _ in range(MOST_A_DAY + 4):
            spare = ada.street.person()
            ben.write("device", statement=ben.certificate(spare))
            ben.write("device", statement=revocation_of(ben, spare))
            settle(ada, ben)
            made.add(key_of(ada.post("offer", title="bread")))
        assert len(made) == MOST_A_DAY
        choice = ada.state.epochs.choose()
        assert not choice.fits
        assert len(choice.departed.all - choice.epoch.names) == 4
        assert ada.author.epoch_maker.gone_with_key == 4
        ada.street.clock += DAY_MS
        assert key_of(ada.post("offer", title="next day")) not in made
        assert ada.state.epochs.choose().fits
        assert ada.author.epoch_maker.gone_with_key == 0


def test_a_key_for_many_devices_is_made_in_steps(monkeypatch):
    monkeypatch.setattr(epoch_fold, "SLOTS_AT_ONCE", 2)
    monkeypatch.setattr("meshcoop.author.epoch_maker.SLOTS_AT_ONCE", 2)
    with street(homes=6) as homes:
        living_in(*homes)
        ada, ben, *others = homes
        ada.write("device", statement=ben.revocation(ben.head.seq))
        post = ada.post("offer", title="bread")
        while ada.author.epoch_maker.complete():
            pass
        settle(ada, *others)
        for home in others:
            while home.state.epochs.check_slots():
                pass
            assert home.view(post).title == "bread"
            assert home.state.epochs.choose().epoch.key_id == key_of(post)


def test_a_home_opens_again_with_all_its_keys(tmp_path):
    with Street() as here:
        ada = here.found()
        ben = here.neighbour(ada)
        post = ada.post("offer", title="bread")
        device = here.home(ben, ben.me)
        device.feed(ada.wires())
        assert key_of(post) in device.state.ring


def test_keys_are_asked_for_by_record_and_given_once():
    with street(homes=5) as homes:
        living_in(*homes)
        ada = homes[0]
        newcomer = ada.street.person()
        ada.admit(newcomer)
        late = ada.street.home(ada, newcomer)
        settle(late, *homes)
        fold_at_once(late.state, automatic.accept_charter(late.author))
        post = ada.post("offer", title="bread")
        settle(late, *homes)
        assert late.view(post) is None
        key_giving.ask_by_record(late.author)
        key_giving.ask_by_record(late.author)  # once a day
        settle(late, *homes)
        assert len(late.state.authority_fold.records_of(WantKeys)) == 1
        for _ in range(2):
            for home in homes:
                key_giving.answer_requests(home.author)
            settle(late, *homes)
        answers = ada.state.authority_fold.records_of(GivenKeys)
        mine = [act for act in answers if act.fields["receiver"] == newcomer.device]
        assert len(mine) == 3
        assert late.view(post).title == "bread"
        assert late.state_hash() == ada.state_hash()


def test_others_answer_a_record_after_six_hours_if_nobody_has():
    with street(homes=6) as homes:
        living_in(*homes)
        ada, *_ = homes
        newcomer = ada.street.person()
        ada.admit(newcomer)
        late = ada.street.home(ada, newcomer)
        settle(late, *homes)
        fold_at_once(late.state, automatic.accept_charter(late.author))
        post = ada.post("offer", title="bread")
        settle(late, *homes)
        key_giving.ask_by_record(late.author)
        settle(late, *homes)
        (want,) = ada.state.authority_fold.records_of(WantKeys)
        first = key_giving.first_to_answer(ada.state.authority, want)
        other = next(home for home in homes if home.me.person not in first)
        key_giving.answer_requests(other.author)
        settle(late, other)
        assert late.view(post) is None
        ada.street.clock += 6 * 3_600_000
        key_giving.answer_requests(other.author)
        settle(late, other)
        assert late.view(post).title == "bread"


def test_a_bundle_for_somebody_else_is_refused():
    with street() as (ada, ben):
        living_in(ada, ben)
        post = ada.post("offer", title="bread")
        settle(ada, ben)
        sealed = key_giving.seal_wanted(ada.author, ben.me.device, [key_of(post)])
        with pytest.raises(Refused, match=r"R-03\.39d"):
            key_giving.take_bundle(ada.author, ada.me.device, sealed)
        key_giving.take_bundle(ben.author, ben.me.device, sealed)
