import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.authority import authority
from protocol.authority.evidence import collect_evidence
from protocol.authority.record_index import AuthorityIndex
from protocol.errors import Refused
from protocol.record import codec
from protocol.record import root_statement as statement
from tests.support.authority_records import BOX, HERE, START, charter, people, public


def waiting(known):
    return {person for person in known.candidates if person not in known.members}


def renewed(parent, *voters, **lists):
    """Returns a renewal that the voters pass, with their votes."""
    proposer = voters[0]
    renewal = proposer.renews(parent, [proposer], **{"vouchers": 2, **lists})
    return [renewal, *(voter.says("yes", renewal) for voter in voters)]


def test_vector_1_two_founders_with_two_vouchers():
    ada, ben, xia, yan = people("A", "B", "X", "Y")
    first = charter(ada, ben, vouchers=2)
    acts = [ada.admits(xia)]
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == {ada.key, ben.key}
    assert known.candidates == {xia.key: frozenset({ada.key})}

    acts.append(ben.admits(xia))
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == {ada.key, ben.key, xia.key}
    assert not known.candidates
    assert known.member_of_device(xia.device) == xia.key

    acts += [xia.admits(yan), ada.admits(yan)]
    assert waiting(authority.fold_authority(first, acts, {})) == {yan.key}

    acts += renewed(first, ada, ben, joining=[xia])
    assert yan.key in authority.fold_authority(first, acts, {}).members


def test_vector_2_a_founder_alone_suffices_until_there_are_enough():
    fay, xia, yan, wim = people("F", "X", "Y", "W")
    first = charter(fay, vouchers=2)
    acts = [fay.admits(xia), xia.admits(yan)]
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == {fay.key, xia.key}
    assert known.candidates == {yan.key: frozenset({xia.key})}

    acts.append(fay.admits(yan))
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == {fay.key, xia.key, yan.key}
    assert known.vouchers_of(yan.key) == {fay.key}

    acts += [fay.admits(wim), *renewed(first, fay, joining=[xia])]
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == {fay.key, xia.key, yan.key}
    assert waiting(known) == {wim.key}


def test_vector_23_a_voucher_has_room_for_so_many_until_a_term_lists_them():
    ada, xia, yan, zoe, quy = people("A", "X", "Y", "Z", "Q")
    first = charter(ada, vouchers=1, room=2)
    acts = [ada.admits(xia), ada.admits(yan), ada.admits(zoe)]
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == {ada.key, xia.key, yan.key}
    assert waiting(known) == {zoe.key}
    assert not known.has_room(ada.key)

    listed = [*acts, *renewed(first, ada, joining=[xia], vouchers=1)]
    known = authority.fold_authority(first, listed, {})
    assert set(known.members) == {ada.key, xia.key, yan.key, zoe.key}

    backdated = ada.admits(quy, time=acts[0].time - 1)
    known = authority.fold_authority(first, [*listed, backdated], {})
    assert set(known.members) == {ada.key, xia.key, yan.key, quy.key}
    assert waiting(known) == {zoe.key}


def test_room_comes_back_when_a_term_lists_somebody_as_removed():
    ada, xia, yan = people("A", "X", "Y")
    first = charter(ada, vouchers=1, room=1)
    acts = [ada.admits(xia), ada.admits(yan)]
    removal = ada.proposes("standing", xia.key, 1, [[xia.device, 4]], newcomers=[])
    acts += [removal, ada.says("yes", removal)]
    assert yan.key not in authority.fold_authority(first, acts, {}).members

    holds = [["standing", xia.key, 1, [[xia.device, 4]]]]
    acts += renewed(first, ada, holds=holds, vouchers=1)
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == {ada.key, yan.key}
    assert known.stands(xia.device, 4)


def test_an_admit_takes_room_only_of_the_vouchers_that_are_needed():
    ada, ben, cho, *crowd = people(*"ABCVWXYZ")
    first = charter(ada, ben, cho, vouchers=2, room=1)
    waits, second, third, *_ = crowd
    acts = [ada.admits(waits)]  # nobody else vouches
    acts += [who.admits(second, time=START + 9000 + n) for n, who in enumerate((ada, ben, cho))]
    known = authority.fold_authority(first, acts, {})
    assert known.newcomers == {ada.key: {second.key}, ben.key: {second.key}}

    acts += [who.admits(third, time=START + 10_000) for who in (ada, cho)]
    known = authority.fold_authority(first, acts, {})
    assert waiting(known) == {waits.key, third.key}


def test_one_voucher_with_two_devices_is_one_voucher():
    ada, ben, cho, xia = people("A", "B", "C", "X")
    first = charter(ada, ben, cho, vouchers=2)
    second = public(ada.devices[1])
    acts = [
        ada.carries(ada.certify(1)),
        ada.admits(xia),
        ada.admits(xia, device=second, seq=1),
    ]
    assert xia.key in authority.fold_authority(first, acts, {}).candidates


def test_strangers_vouch_for_nobody():
    ada, eve, mob = people("A", "E", "M")
    known = authority.fold_authority(charter(ada), [eve.admits(mob), mob.admits(eve)], {})
    assert set(known.members) == {ada.key}
    assert not known.candidates


def test_a_charter_that_no_founder_signed_founds_nothing():
    ada, eve = people("A", "E")
    forged = eve.act("charter", {"name": "Lane", "founders": [ada.founding]})
    with pytest.raises(Refused, match=r"R-03\.4"):
        authority.read_charter(forged)
    for wrong in ([], [b"nonsense"], [ada.revokes(ada.device, 3)]):
        with pytest.raises(Refused):
            authority.read_charter(ada.act("charter", {"name": "Lane", "founders": wrong}, seq=1))
    with pytest.raises(Refused, match=r"R-03\.4"):
        authority.read_charter(charter(ada)._replace(seq=2))
    with pytest.raises(Refused, match=r"R-03\.4"):
        authority.read_charter(charter(ada)._replace(kind="admit"))


def test_a_charter_field_left_empty_takes_its_default():
    ada, ben = people("A", "B")
    first = charter(ada, vouchers=None, room=None, quota_records=None)
    known = authority.fold_authority(first, [ada.admits(ben)], {})
    assert (known.charter["vouchers"], known.charter["quota_records"]) == (2, 250)
    assert ben.key in known.members


def test_the_lowest_revocation_holds():
    ada, ben = people("A", "B")
    first, numbers = charter(ada, ben), [9, 4, 7]
    acts = [ada.carries(ada.revokes(ada.device, n)) for n in numbers]
    for order in (acts, acts[::-1]):
        known = authority.fold_authority(first, order, {})
        assert known.devices[ada.device].revoked_after == 4
        assert known.stands(ada.device, 4)
        assert not known.stands(ada.device, 5)
        assert known.box_keys_of([ada.key]) == []


def test_only_the_root_of_a_device_revokes_it():
    ada, ben = people("A", "B")
    theft = ben.carries(ben.revokes(ada.device, 0))
    known = authority.fold_authority(charter(ada, ben), [theft], {})
    assert known.devices[ada.device].revoked_after is None


def test_anybody_may_carry_anybodys_revocation():
    ada, ben = people("A", "B")
    act = ben.carries(ada.revokes(ada.device, 3))
    assert (
        authority.fold_authority(charter(ada, ben), [act], {}).devices[ada.device].revoked_after
        == 3
    )


@pytest.mark.parametrize("time", [0, 2 * START])
def test_a_device_of_two_people_signs_nothing_that_counts_but_its_votes_stay(time):
    """Attacker: a member who takes back what was decided with their vote (R-03.5e)."""
    ada, mal, cho, dan, eve = people("A", "M", "C", "D", "E")
    first = charter(ada, mal, cho)
    renewal = ada.renews(first, [ada], joining=[dan])
    acts = [renewal, ada.says("yes", renewal), mal.says("yes", renewal), mal.admits(eve)]
    assert eve.key in authority.fold_authority(first, acts, {}).members
    for ally in (eve, cho):
        shared = ada.carries(mal.certify_for(ally, 0), time=time)
        index = AuthorityIndex([*acts, shared])
        known = authority.fold_authority(first, index, {})
        assert known.devices[mal.device].revoked_after == 0
        assert not known.is_live(mal.device)
        assert mal.key in known.members
        assert eve.key not in known.members
        assert known.term.id == renewal.id
        assert dan.key in known.members
        shown = [index.get(one) for one in collect_evidence(known, index, cho.device)]
        proof = [*map(index.get, collect_evidence(known, index, ada.device)), *shown]
        stranger = authority.fold_authority(first, filter(None, proof), {})
        assert stranger.member_of_device(ada.device) == ada.key


def test_a_certificate_of_somebody_else_takes_a_device_from_nobody():
    """Attacker: a member without the device's key. The device has to sign its certificate."""
    ada, ben = people("A", "B")
    body, *signatures = codec.unpack(ada.certify(0))
    body = [*body[:2], ben.key, *body[3:]]
    stolen = ben.carries(codec.pack([body, *signatures]))
    known = authority.fold_authority(charter(ada, ben), [stolen], {})
    assert known.member_of_device(ada.device) == ada.key


def test_statements_of_another_neighbourhood_say_nothing_here():
    ada, ben = people("A", "B")
    first = charter(ada)
    there = b"t" * statement.PLACE_SIZE
    acts = [
        ada.admits(ben, certificate=ben.certify(0, there)),
        ada.carries(ada.certify(1, there)),
        ada.carries(ada.revokes(ada.device, 0, there)),
        ben.carries(ben.founding),
    ]
    known = authority.fold_authority(first, acts, {})
    assert known.member_of_device(public(ada.devices[1])) is None
    assert known.devices[ada.device].revoked_after is None
    assert known.member_of_device(ben.device) is None


def test_a_claim_without_the_devices_signature_is_none():
    ada, ben = people("A", "B")
    forged = ben.carries(ada.certify(1)[:-1] + b"\0")
    known = authority.fold_authority(charter(ada, ben), [forged], {})
    assert known.member_of_device(public(ada.devices[1])) is None


def test_at_most_four_live_devices_and_a_revoked_one_makes_room():
    ada, ben = people("A", "B")
    first = charter(ada, ben)
    more = [ada.carries(ada.certify(n)) for n in range(1, 6)]
    known = authority.fold_authority(first, more, {})
    assert [known.member_of_device(public(one)) for one in ada.devices[:6]] == [ada.key] * 4 + [
        None
    ] * 2
    assert len(known.box_keys_of([ada.key])) == 4
    lost = ada.carries(ada.revokes(public(ada.devices[1]), 5))
    known = authority.fold_authority(first, [*more, lost], {})
    mine = [known.member_of_device(public(one)) for one in ada.devices[:6]]
    assert mine == [ada.key] * 5 + [None]
    assert len(known.box_keys_of([ada.key])) == 4


def test_colluders_add_at_most_their_room():
    ada, bad, *crowd = people("A", "B", *(f"sock {n}" for n in range(12)))
    first = charter(ada, bad, vouchers=1, room=2)
    acts = [one.admits(other) for one in (bad, *crowd) for other in crowd if one is not other]
    known = authority.fold_authority(first, acts, {})
    assert len(known.members) == 2 + 2


def test_an_admit_beyond_a_revocation_or_a_fork_admits_nobody():
    ada, ben, xia = people("A", "B", "X")
    first = charter(ada, ben)
    admit = ben.admits(xia, seq=5)
    assert xia.key in authority.fold_authority(first, [admit], {}).members
    assert xia.key not in authority.fold_authority(first, [admit], {ben.device: 5}).members
    assert xia.key in authority.fold_authority(first, [admit], {ben.device: 6}).members
    gone = ada.carries(ben.revokes(ben.device, 4))
    assert xia.key not in authority.fold_authority(first, [admit, gone], {}).members


def story():
    """Tells the story of a neighbourhood with two founders. The story has a chain of admissions,
    some devices and revocations, records that make no sense, and a fork.
    """
    ada, ben, cho, dia, eli, fay = people("A", "B", "C", "D", "E", "F")
    first = charter(ada, ben, vouchers=2, room=3)
    acts = [
        ada.admits(cho),
        ben.admits(cho),
        cho.admits(dia),
        ada.admits(dia),
        dia.admits(eli),
        cho.admits(eli),
        ben.admits(fay),
        eli.admits(fay),
        ada.admits(fay),
        cho.carries(cho.certify(1)),
        cho.carries(cho.certify(2)),
        dia.carries(dia.revokes(dia.device, 9)),
        dia.carries(dia.revokes(dia.device, 2)),
        ben.carries(cho.revokes(cho.device, 8)),
        ben.carries(b"nonsense"),
        ben.admits(ben, certificate=b"nonsense"),
        eli.carries(statement.certify_device(eli.root, cho.devices[2], BOX, HERE)),
    ]
    return first, acts, {eli.device: 7}


@settings(deadline=None, max_examples=150)
@given(st.permutations(story()[1]), st.lists(st.integers(0, 16), max_size=6))
def test_authority_is_a_function_of_the_set(acts, again):
    first, _, forks = story()
    known = authority.fold_authority(first, story()[1], forks)
    assert len(known.members) == 4
    other = authority.fold_authority(first, [*acts, *(acts[n] for n in again)], forks)
    assert other == known
    assert list(other.members) == list(known.members)


@settings(deadline=None, max_examples=100)
@given(st.permutations(range(7)), st.integers(1, 3), st.data())
def test_the_evidence_of_a_device_is_enough_for_a_stranger(order, vouchers, data):
    crowd = people(*"ABCDEFG")
    first = parent = charter(*crowd[:2], vouchers=vouchers)
    roll, acts = crowd[:2], [crowd[3].carries(crowd[3].certify(1))]
    for n in order:
        some = data.draw(st.lists(st.sampled_from(crowd), max_size=4, unique_by=id))
        acts += [voucher.admits(crowd[n]) for voucher in some]
        if data.draw(st.booleans()) and crowd[n] not in roll:
            voters = data.draw(st.permutations(roll))[: len(roll) // 2 + 1]
            acts += [crowd[n].carries(crowd[n].statement)]
            acts += renewed(parent, *voters, joining=[crowd[n]], vouchers=vouchers)
            parent = next(act for act in acts[::-1] if act.kind == "renewal")
            roll = [*roll, crowd[n]]
    index = AuthorityIndex(acts)
    known = authority.fold_authority(first, index, {})
    by_id = {act.id: act for act in acts}
    for device, one in known.devices.items():
        if one.person not in known.members:
            continue
        charter_id, *ids = collect_evidence(known, index, device)
        assert charter_id == first.id
        stranger = authority.fold_authority(first, [by_id[one] for one in ids], {})
        assert stranger.member_of_device(device) == one.person


def test_a_stranger_has_no_proof_but_the_charter():
    ada, eve = people("A", "E")
    first = charter(ada)
    known = authority.fold_authority(first, [], {})
    assert collect_evidence(known, AuthorityIndex(), eve.device) == [first.id]
    assert not known.stands(eve.device, 1)


def test_a_device_too_many_of_a_voucher_stops_nobody():
    """A voucher admits somebody with a device beyond the limit. The admission does not count, but a
    renewal can still put the admitted person on the roll.
    """
    ada, xia = people("A", "X")
    first = charter(ada)
    acts = [ada.carries(ada.certify(n)) for n in range(1, 5)]
    acts.append(ada.admits(xia, device=public(ada.devices[4]), seq=1))
    assert xia.key not in authority.fold_authority(first, acts, {}).members
    renewal = ada.renews(first, [ada], joining=[xia])
    index = AuthorityIndex([*acts, renewal, ada.says("yes", renewal)])
    known = authority.fold_authority(first, index, {})
    assert xia.key in known.members
    assert known.vouchers_of(xia.key) == set()
    assert renewal.id in collect_evidence(known, index, xia.device)


def test_an_accept_within_no_cut_still_keeps_its_authors_admission():
    ada, ben, cho, xia = people("A", "B", "C", "X")
    first = charter(ada, ben, cho, vouchers=1)
    by_ada = ada.admits(xia, seq=9)
    acts = [by_ada, xia.accepts(first, by_ada, seq=2)]
    acts += [ben.removes(xia, cut=1), cho.removes(xia, cut=1)]
    known = authority.fold_authority(first, acts, {ada.device: 9})
    assert xia.key in known.people
    assert set(known.members) == {ada.key, ben.key, cho.key}


def test_only_an_accept_of_the_charter_keeps_an_admit_beyond_a_fork():
    ada, xia = people("A", "X")
    first = charter(ada)
    by_ada, renewal = ada.admits(xia, seq=9), ada.renews(first, [ada])
    acts = [by_ada, renewal, xia.accepts(renewal, by_ada)]
    assert xia.key not in authority.fold_authority(first, acts, {ada.device: 9}).members
    acts.append(xia.accepts(first, by_ada))
    assert xia.key in authority.fold_authority(first, acts, {ada.device: 9}).members


def test_a_charters_fields_of_a_later_version_are_no_rules():
    (ada,) = people("A")
    known = authority.fold_authority(charter(ada, colour="blue"), [], {})
    assert "colour" not in known.charter
