"""Late records can change earlier results only in the ways that specs/03 lists."""

import pytest

from protocol.authority import authority
from protocol.schema.register_names import RULE, STANDING
from tests.support.authority_records import charter, people
from tests.support.hostile_members import Hostility
from tests.support.random_town import Town


def reverts_only_as_listed(town, before, after):
    """Checks that a home's later view reverts an earlier view only as specs/03 lists.

    The later view has more records. The numbers in comments are those of the list.
    """
    assert before.terms.keys() <= after.terms.keys()
    unnamed = before.signers.keys() - after.settled.named(before.signers).keys()  # R-03.35c
    assert before.storable_devices <= after.storable_devices | unnamed
    assert all(after.devices[one].revoked_after is not None for one in revoked(before))
    chain, now = before.chain.terms, after.chain.terms
    for place, term in enumerate(chain[: len(now)]):
        if now[place] != term:
            siblings = {one.id for one in after.terms.values() if one.parent == term.parent}
            assert {now[place].id, term.id} <= siblings  # 5
            return  # 5 covers everything that the lists of this term decide
    if chain != now:
        return  # 6
    same_votes = revoked(before) == revoked(after)  # 9
    for one, outcome in before.outcomes.items():
        assert outcome.passed <= after.outcomes[one].passed or not same_votes
    for register, held in before.registers.items():
        later = after.holding(register)
        assert later.n >= held.n or not same_votes
        if later.n == held.n and later != held and same_votes:
            written = before.term.written.get(register)
            assert written is None or written.n < held.n, "what a term wrote is fixed"
            if register[0] == STANDING and held.n % 2:
                # A leave with this number may lower the cuts: it is the person's own word.
                if register[1] in after.leavers:
                    continue  # 7, R-03.34c
                assert all(least(town, after, register[1], later)), "7"
            else:
                assert register[0] == RULE  # 8
    for person in before.people.keys() - after.people.keys():
        assert fell(before, after, before.people[person])


def revoked(known):
    return {
        one.key: one.revoked_after
        for one in known.devices.values()
        if one.revoked_after is not None
    }


def least(town, known, person, held):
    """A removal sets a cut for each device: the number of the last record that counts. Yields one
    truth value for each device: whether this cut is at least the lowest cut that an honest person
    proposed for the device.
    """
    for device, last in held.value:
        said = [
            dict(cuts).get(device, 0)
            for act in town.acts
            if act.device in town.honest_devices
            for cuts in [cuts_in(act, person)]
            if cuts is not None
        ]
        yield not said or last >= min(said)


def cuts_in(act, person):
    if act.kind == "remove" and act.fields["person"] == person:
        return act.fields["cuts"]
    change = act.fields.get("change") or [None, None, 0, None]
    return change[3] if change[:2] == [STANDING, person] and change[2] % 2 else None


def fell(before, after, member):
    """Returns whether item 2 or item 10 of the list in specs/03 explains why somebody is no longer
    a member.

    An admission may be lost by a fork, a revocation, a cut or a voucher's lack of room. The lost
    admission may be that of the member, or that of the member's voucher.
    """
    for admit in member.admits:
        device = before.voucher_devices[admit]
        voucher = before.devices[device].person
        if voucher not in after.people:
            return True
        if not after.has_room(voucher):
            return True
        if revoked(after) != revoked(before) or after.forks != before.forks:
            return True
        if after.cuts.get(voucher) != before.cuts.get(voucher):
            return True
    return after.charter["room"] != before.charter["room"]


@pytest.mark.parametrize("number", range(15))
def test_nothing_reverts_but_what_is_listed(number):
    town = Town(f"reverting {number}")
    hostility = Hostility(town)
    views = {home.who.key: home.known() for home in town.homes}
    for _ in range(25):
        town.now += 60_000
        if town.random.random() < 0.2:
            town.part()
        hostility.move()
        town.random.choice(town.homes).idea()
        town.spread()
        for home in town.homes:
            home.duties()
            known = home.known()
            reverts_only_as_listed(town, views[home.who.key], known)
            views[home.who.key] = known
    town.heal()
    for home in town.homes:
        reverts_only_as_listed(town, views[home.who.key], home.known())


def test_a_vouchers_earlier_admits_that_come_late_push_a_newcomer_out_until_the_roll_has_them():
    ada, xia, yan = people("A", "X", "Y")
    first = charter(ada, room=1)
    admit = ada.admits(xia)
    assert xia.key in authority.fold_authority(first, [admit], {}).members
    late = ada.admits(yan, time=admit.time - 1)
    assert xia.key not in authority.fold_authority(first, [admit, late], {}).members
    renewal = ada.renews(first, [ada], joining=[xia])
    seated = [admit, late, renewal, ada.says("yes", renewal)]
    assert xia.key in authority.fold_authority(first, seated, {}).members
