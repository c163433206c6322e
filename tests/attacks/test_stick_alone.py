"""Two halves of a street that only a stick connects, every three days, follow what was decided."""

import pytest

from meshcoop.author import departure
from meshcoop.export import bundle
from protocol.record import root_statement, sealing
from protocol.wire.bundle_file import BUNDLE
from tests.support.council import by_software, members, renew, vote
from tests.support.street_in_memory import HOUR, settle, street

THREE_DAYS = 72 * HOUR


@pytest.fixture
def carry(tmp_path):
    """Carries everything that one home holds to another home, as a bundle file on a stick."""

    def carry_bundle(giver, taker):
        path, place = tmp_path / "bundle", giver.state.neighbourhood
        wires = bundle.missing_wires(giver.store, [], 0)
        bundle.write_file(path, BUNDLE, place, ([wire] for wire in wires))
        with bundle.open_file(path) as file:
            for wires in bundle.BundleReader(file, BUNDLE, place).read_lists():
                taker.feed(wires)

    return carry_bundle


def key_of(record):
    return sealing.read_epoch_key_id(record.content)


def leave(home):
    plan = departure.plan_leave(home.author, home.me.person)
    place = home.state.neighbourhood[: root_statement.PLACE_SIZE]
    statement = root_statement.state_leave(home.me.root_seed, plan.n, plan.cuts, place)
    home.write("device", statement=statement)


def test_two_homes_on_a_stick_alone_follow_a_removal_a_new_key_and_a_leave(carry):
    """Attacker: an expelled member near one half. Assets: who belongs, everywhere (R-03.35), and
    words that the expelled member must not read (R-03.8c).
    """
    with street(homes=6) as homes:
        by_software(*homes)
        ada, ben, cho, far, pat, eve = homes
        moderators = sorted(home.me.person for home in (ada, ben, cho))
        renewal = renew(ada.author, moderators=moderators)
        settle(*homes)
        vote(renewal, [ben, cho, eve], homes)
        by_software(*homes)
        near = (ada, ben, cho, eve)
        for home in (ada, ben):
            home.post("remove", person=pat.me.person.hex())
        spam = pat.put(pat.forge("offer", title="still here"))
        far.feed(pat.wires())  # Pat lives beside the far home
        assert far.view(spam)
        settle(*near)
        said = ada.post("offer", title="without Pat")
        assert key_of(said) != key_of(spam)

        ada.street.clock += THREE_DAYS
        settle(*near)
        carry(ada, far)
        assert far.view(said).title == "without Pat"
        answer = far.post("offer", title="not for Pat either")
        assert key_of(answer) == key_of(said)
        pat.feed(far.wires())
        assert key_of(said) not in pat.state.ring
        assert pat.view(said) is pat.view(answer) is None
        assert pat.me.person not in members(far)
        assert far.view(spam) is None
        assert far.store.records.has(spam.id)

        leave(eve)
        settle(*near)
        written = renew(ada.author)
        settle(*near)
        vote(written, [ben, cho], near)
        carry(ada, far)
        by_software(far)
        ada.street.clock += THREE_DAYS
        carry(far, ada)
        assert ada.view(answer).title == "not for Pat either"
        by_software(*near)
        ada.street.clock += THREE_DAYS
        carry(ada, far)
        carry(far, ada)
        assert members(far) == members(ada) == {home.me.person for home in (ada, ben, cho, far)}
        assert far.state.authority.term == ada.state.authority.term
        assert far.ids() == ada.ids()
        assert far.state_hash() == ada.state_hash()
