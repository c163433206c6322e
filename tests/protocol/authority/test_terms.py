"""Examples 3 to 17 of specs/03-authority.md, and other cases in which the code must find the term
in force.
"""

import random

import pytest

from protocol.authority import authority
from protocol.authority.record_index import AuthorityIndex
from protocol.schema.register_names import HIDDEN, RULE, STANDING
from tests.support.authority_records import charter, ids, people, public


def passed(act, voters):
    """Returns the act, followed by a vote "yes" by each of the voters."""
    return [act, *(one.says("yes", act) for one in voters)]


def out(known, *some):
    return [one.key not in known.members for one in some]


def cut(known, person):
    return known.cuts[person.key].get(person.device, 0)


def test_vector_3_mutual_removals_both_stand():
    ada, ben, cho = people(*"ABC")
    first = charter(ada, ben, cho)
    acts = [ada.removes(cho), ben.removes(cho), ben.removes(ada), cho.removes(ada)]
    acts += [ada.removes(cho), cho.removes(ada)]
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == {ben.key}


def test_vectors_4_and_5_the_cut_is_the_kth_smallest_of_the_highest():
    ada, ben, cho, dan = people(*"ABCD")
    first = charter(ada, ben, cho)
    acts = [ada.admits(dan), ada.removes(dan, cut=10), ben.removes(dan, cut=20)]
    known = authority.fold_authority(first, acts, {})
    assert out(known, dan) == [True]
    assert cut(known, dan) == 20
    acts.append(cho.removes(dan, cut=5))
    assert cut(authority.fold_authority(first, acts, {}), dan) == 10
    acts.append(ada.removes(dan, cut=30))
    assert cut(authority.fold_authority(first, acts, {}), dan) == 20


def test_what_moderators_posted_is_known_before_a_majority_agrees():
    ada, ben, cho, dan = people(*"ABCD")
    first = charter(ada, ben, cho)
    acts = [ada.admits(dan), ada.removes(dan), dan.removes(ada)]

    known = authority.fold_authority(first, acts, {})

    assert known.has_posted(ada.key, (STANDING, dan.key), 1)
    assert not known.has_posted(ada.key, (STANDING, dan.key), 3)
    assert not known.has_posted(ben.key, (STANDING, dan.key), 1)
    assert not known.has_posted(dan.key, (STANDING, ada.key), 1)


def council_renewed():
    """Makes a term 1 with the new moderators E, F and G. This term also states that D is removed,
    with cut 10.
    """
    crowd = people(*"ABCDEFGX")
    ada, ben, cho, dan, *others, _ = crowd
    first = charter(ada, ben, cho, room=50)
    acts = [ada.admits(one) for one in crowd[3:]]
    acts += [ada.removes(dan, cut=10), ben.removes(dan, cut=10)]
    renewal = ada.renews(
        first,
        others,
        joining=others,
        holds=[[STANDING, dan.key, 1, [[dan.device, 10]]]],
    )
    return crowd, first, [*acts, *passed(renewal, [ada, ben])], renewal


def test_vectors_6_and_7_a_written_cut_is_fixed_and_a_former_council_decides_nothing():
    (ada, ben, cho, dan, *_, xia), first, acts, renewal = council_renewed()
    late = [*acts, cho.removes(dan, cut=0)]
    known = authority.fold_authority(first, late, {})
    assert known.term.id == renewal.id
    assert out(known, dan) == [True]
    assert cut(known, dan) == 10
    former = [*late, *(one.removes(xia) for one in (ada, ben, cho))]
    assert xia.key in authority.fold_authority(first, former, {}).members


def test_vector_8_a_removal_that_is_not_written_needs_the_new_lists():
    crowd = people(*"ABCDEF")
    ada, ben, cho, dan, eli, fay = crowd
    first = charter(ada, ben, cho)
    acts = [ada.admits(one) for one in (dan, eli, fay)]
    acts += [ada.removes(dan, cut=10), ben.removes(dan, cut=11)]
    assert out(authority.fold_authority(first, acts, {}), dan) == [True]
    renewal = ada.renews(first, [ada, ben, cho, eli, fay])
    acts += passed(renewal, [ada, ben])
    assert out(authority.fold_authority(first, acts, {}), dan) == [False]
    acts.append(fay.removes(dan, cut=12))
    known = authority.fold_authority(first, acts, {})
    assert out(known, dan) == [True]
    assert cut(known, dan) == 12


def test_vector_9_of_siblings_the_accepted_then_the_later_round_holds():
    crowd = people(*"ABCDE")
    ada, ben, cho, dan, eli = crowd
    first = charter(*crowd)
    one, two = ada.renews(first, [ada], round=1), eli.renews(first, [eli], round=2)
    acts = [*passed(one, [ada, ben, cho]), *passed(two, [cho, dan, eli])]
    assert authority.fold_authority(first, acts, {}).term.id == two.id
    acts.append(ada.accepts(one))
    assert authority.fold_authority(first, acts, {}).term.id == one.id
    acts += [voter.accepts(two) for voter in (cho, dan, eli)]
    known = authority.fold_authority(first, acts, {})
    assert known.term.id == two.id
    assert not known.chain.is_settled
    assert authority.fold_authority(first, [*acts, ben.accepts(two)], {}).chain.is_settled


def test_who_accepts_two_siblings_counts_for_neither():
    crowd = people(*"ABCDE")
    ada, ben, cho, dan, eli = crowd
    first = charter(*crowd)
    one, two = ada.renews(first, [ada], round=1), eli.renews(first, [eli], round=2)
    acts = [*passed(one, [ada, ben, cho]), *passed(two, [cho, dan, eli])]
    acts += [ada.accepts(one), cho.accepts(one), cho.accepts(two)]
    assert authority.fold_authority(first, acts, {}).term.id == one.id
    assert authority.fold_authority(first, acts, {}).renewals[one.id].accepted == {ada.key, cho.key}


def old_founders():
    """Makes a neighbourhood with the founders A, B and C. The present roll has seven people. All
    founders have accepted term 1.
    """
    crowd = people(*"ABCDEFG")
    ada, ben, cho = founders = crowd[:3]
    first = charter(*founders, room=50)
    acts = [ada.admits(one) for one in crowd[3:]]
    renewal = ada.renews(first, founders, joining=crowd[3:])
    acts += [*passed(renewal, [ada, ben, cho]), *(one.accepts(renewal) for one in founders)]
    return crowd, first, acts, renewal


def test_vector_10_an_old_list_of_their_own_decides_nothing():
    (ada, ben, *_, gus), first, acts, renewal = old_founders()
    acts += passed(ada.proposes(STANDING, gus.key, 1, [], newcomers=[]), [ada, ben])
    acts += [ada.removes(gus), ben.removes(gus, n=3)]
    known = authority.fold_authority(first, acts, {})
    assert known.term.id == renewal.id
    assert out(known, gus) == [False]


def test_vector_11_a_rival_to_an_accepted_term_does_not_hold():
    (ada, ben, *_), first, acts, renewal = old_founders()
    rival = ada.renews(first, [ada], round=9)
    acts += [*passed(rival, [ada, ben]), ada.accepts(rival), ben.accepts(rival)]
    known = authority.fold_authority(first, acts, {})
    assert rival.id in known.terms
    assert known.term.id == renewal.id


@pytest.mark.parametrize(("share", "needed"), [(50, 3), (74, 3), (75, 4)])
def test_vector_12_a_decision_exceeds_the_share(share, needed):
    crowd = people(*"ABCD")
    first = charter(*crowd, share=share)
    change = crowd[0].proposes(RULE, "smallest_group", 1, 9)
    for count in range(5):
        known = authority.fold_authority(first, passed(change, crowd[:count]), {})
        assert known.outcomes[change.id].passed == (count >= needed)
        assert known.charter["smallest_group"] == (9 if count >= needed else 3)


def test_vector_13_the_highest_number_then_the_lowest_id():
    crowd = people(*"ABC")
    ada, ben, cho = crowd
    first = charter(*crowd)
    one, two = (
        ada.proposes(RULE, "smallest_group", 1, 5),
        ben.proposes(RULE, "smallest_group", 1, 6),
    )
    lower = min(one, two, key=lambda act: act.id)
    acts = [*passed(one, crowd), *passed(two, crowd)]
    known = authority.fold_authority(first, acts, {})
    assert known.charter["smallest_group"] == lower.fields["change"][3]
    acts += passed(cho.proposes(RULE, "smallest_group", 2, 7), crowd[:2])
    assert authority.fold_authority(first, acts, {}).charter["smallest_group"] == 7


@pytest.mark.parametrize(
    "change",
    [
        ("smallest_group", "many"),
        ("answer_days", 0),
        ("answer_days", 8),
        ("share", 60),
        ("founders", []),
    ],
)
def test_what_a_rule_may_not_hold_is_passed_over(change):
    name, value = change
    crowd = people(*"AB")
    ada, ben = crowd
    first = charter(*crowd)
    before = authority.fold_authority(first, [], {}).charter
    good, bad = ada.proposes(RULE, "smallest_group", 1, 9), ben.proposes(RULE, name, 2, value)
    acts = [*passed(good, crowd), *passed(bad, crowd)]
    known = authority.fold_authority(first, acts, {})
    assert known.outcomes[bad.id].passed
    assert known.charter == before | {"smallest_group": 9}
    assert (RULE, "share") not in known.registers


def test_vector_14_a_late_remove_of_an_old_number_changes_nothing():
    crowd = people(*"ABCD")
    ada, ben, cho, dan = crowd
    first = charter(*crowd, moderators=ids([ada, ben, cho]))
    acts = [ada.removes(dan), ben.removes(dan)]
    assert out(authority.fold_authority(first, acts, {}), dan) == [True]
    acts += passed(cho.proposes(STANDING, dan.key, 2), [ada, cho, dan])
    assert out(authority.fold_authority(first, acts, {}), dan) == [False]
    acts.append(cho.removes(dan))
    assert out(authority.fold_authority(first, acts, {}), dan) == [False]


def test_vector_15_a_vote_of_a_revoked_device_falls():
    crowd = people(*"ABC")
    ada, ben, _ = crowd
    first = charter(*crowd)
    change = ada.proposes(RULE, "smallest_group", 1, 9)
    acts = [change, ada.says("yes", change), ben.says("yes", change, seq=7)]
    assert authority.fold_authority(first, acts, {}).outcomes[change.id].passed
    acts.append(ben.carries(ben.revokes(ben.device, 5), device=public(ben.devices[1])))
    assert not authority.fold_authority(first, acts, {}).outcomes[change.id].passed


def test_a_yes_to_a_renewal_stands_though_its_device_is_revoked():
    crowd = people(*"ABC")
    ada, ben, _ = crowd
    first = charter(*crowd)
    renewal = ada.renews(first, crowd)
    acts = [renewal, ada.says("yes", renewal), ben.says("yes", renewal, seq=7)]
    acts.append(ben.carries(ben.revokes(ben.device, 5)))
    assert authority.fold_authority(first, acts, {}).term.id == renewal.id


@pytest.mark.parametrize("vouchers", [1, 2])
def test_vector_16_an_admit_within_the_cut_stands(vouchers):
    ada, ben, cho, xia, yan = people(*"ABCXY")
    first = charter(ada, ben, cho, vouchers=vouchers)
    change = ada.proposes(RULE, "smallest_group", 1, 9)
    acts = [cho.admits(xia, seq=2), cho.admits(yan, seq=5), change, ada.says("yes", change)]
    acts += [cho.says("yes", change, seq=6)]
    acts += [ben.carries(ben.certify(1)), cho.carries(ben.revokes(ben.device, 9), seq=7)]
    acts += [ada.removes(cho, cut=3), ben.removes(cho, cut=3)]
    if vouchers == 2:
        acts += [ada.admits(xia), ada.admits(yan)]
    known = authority.fold_authority(first, acts, {})
    assert out(known, cho, xia, yan) == [True, False, True]
    assert (yan.key in known.candidates) == (vouchers == 2)
    assert known.outcomes[change.id].passed
    assert known.devices[ben.device].revoked_after == 9


def test_vector_17_beyond_the_cut_and_the_fork_a_log_does_not_stand():
    crowd = people(*"ABCD")
    ada, ben, cho, dan = crowd
    first = charter(ada, ben, cho)
    acts = [ada.admits(dan), ada.removes(dan, cut=3), ben.removes(dan, cut=3)]
    known = authority.fold_authority(first, acts, {})
    assert [known.stands(dan.device, n) for n in (3, 4)] == [True, False]
    assert known.person_of_device(dan.device) == dan.key
    assert known.member_of_device(dan.device) is None
    known = authority.fold_authority(first, acts, {dan.device: 2})
    assert [known.stands(dan.device, n) for n in (1, 2)] == [True, False]


def test_votes_removes_and_accepts_stand_beyond_forks_and_cuts():
    crowd = people(*"ABCD")
    ada, ben, cho, dan = crowd
    first = charter(*crowd)
    change = dan.proposes(RULE, "smallest_group", 1, 9, seq=50)
    acts = [*passed(change, [ada, ben]), dan.says("yes", change, seq=60)]
    acts += [ada.removes(dan), ben.removes(dan), cho.removes(dan)]
    known = authority.fold_authority(first, acts, {dan.device: 1, ben.device: 1})
    assert out(known, dan) == [True]
    assert known.outcomes[change.id].passed


def test_a_vote_beyond_a_fork_is_not_kept_by_what_it_alone_keeps():
    """A vote names a proposal, and both records come after a fork. Neither of the two records keeps
    the other.

    Otherwise only homes that had both records before they heard of the fork would keep the records.
    """
    ada, ben, cho = people(*"ABC")
    change = ada.proposes(RULE, "smallest_group", 1, 9, seq=4)
    own, other = ada.says("yes", change, seq=5), ben.says("yes", change, seq=7)
    forks = {ada.device: 2}

    def no_statement(*_):
        return False

    assert AuthorityIndex([change, own]).kept_beyond_forks(forks, no_statement) == set()
    assert AuthorityIndex([change, own, other]).kept_beyond_forks(forks, no_statement) == {own.id}
    assert AuthorityIndex([change, own, other]).kept_beyond_forks(
        {**forks, ben.device: 7}, no_statement
    ) == {other.id}
    before = ada.proposes(RULE, "smallest_group", 1, 8, seq=1)
    about_it = ada.says("no", before, seq=6)
    assert AuthorityIndex([before, about_it]).kept_beyond_forks(forks, no_statement) == {
        about_it.id
    }
    theirs = cho.proposes(RULE, "smallest_group", 1, 7, seq=3)
    about_theirs = ada.says("no", theirs, seq=7)
    assert AuthorityIndex([theirs, about_theirs]).kept_beyond_forks(forks, no_statement) == {
        about_theirs.id
    }


def test_newcomers_who_are_named_vote_beside_the_roll():
    crowd = people(*"ABCXYZ")
    ada, ben, cho, *late = crowd
    first = charter(ada, ben, cho)
    acts = [ada.admits(one) for one in late]
    change = ada.proposes(RULE, "smallest_group", 1, 9, newcomers=late)
    acts += passed(change, [ada, ben])
    assert not authority.fold_authority(first, acts, {}).outcomes[change.id].passed
    acts += [one.says("yes", change) for one in late[:2]]
    assert authority.fold_authority(first, acts, {}).outcomes[change.id].passed
    unnamed = ada.proposes(RULE, "smallest_group", 1, 8)
    acts += passed(unnamed, late)
    assert not authority.fold_authority(first, acts, {}).outcomes[unnamed.id].passed


def test_a_term_waits_for_its_parts():
    crowd = people(*"ABCD")
    ada, ben, cho, dan = crowd
    first = charter(ada, ben, cho)
    part = ben.act("part", {"joining": [dan.key], "holds": [[RULE, "smallest_group", 4, 9]]})
    renewal = ada.renews(first, [ada], parts=[part.digest])
    acts = passed(renewal, [ada, ben])
    assert authority.fold_authority(first, acts, {}).term.id == first.id
    known = authority.fold_authority(first, [*acts, part], {})
    assert known.term.id == renewal.id
    assert known.term.roll == set(ids(crowd))
    assert known.charter["smallest_group"] == 9
    assert dan.key in known.members


def test_a_renewal_that_leaves_nobody_is_no_term():
    ada, ben = people(*"AB")
    first = charter(ada, ben)
    acts = passed(ada.renews(first, [ada], leaving=[ada, ben]), [ada, ben])
    assert authority.fold_authority(first, acts, {}).term.id == first.id


def test_two_moderators_remove_nobody_and_the_roll_does():
    crowd = people(*"ABCD")
    ada, ben, cho, dan = crowd
    first = charter(*crowd, moderators=ids([ada, ben]))
    acts = [ada.removes(dan), ben.removes(dan)]
    assert out(authority.fold_authority(first, acts, {}), dan) == [False]
    acts += passed(ada.proposes(STANDING, dan.key, 1, [[dan.device, 4]]), [ada, ben, cho])
    known = authority.fold_authority(first, acts, {})
    assert out(known, dan) == [True]
    assert cut(known, dan) == 4


def test_a_decision_and_the_council_under_one_number_cut_at_the_higher():
    crowd = people(*"ABCD")
    ada, ben, cho, dan = crowd
    first = charter(*crowd, moderators=ids([ada, ben, cho]))
    acts = passed(ada.proposes(STANDING, dan.key, 1, [[dan.device, 4]]), [ada, ben, cho])
    acts += [ada.removes(dan, cut=9), ben.removes(dan, cut=2)]
    assert cut(authority.fold_authority(first, acts, {}), dan) == 9
    assert cut(authority.fold_authority(first, acts[:-2], {}), dan) == 4


def test_a_removed_person_comes_back_by_decision_only():
    crowd = people(*"ABCD")
    ada, ben, cho, dan = crowd
    first = charter(ada, ben, cho)
    acts = [ada.admits(dan), ada.removes(dan), ben.removes(dan)]
    again = [*acts, ada.admits(dan), cho.admits(dan)]
    assert out(authority.fold_authority(first, again, {}), dan) == [True]
    back = [*acts, *passed(ada.proposes(STANDING, dan.key, 2), [ada, ben])]
    known = authority.fold_authority(first, back, {})
    assert out(known, dan) == [False]
    assert known.stands(dan.device, 99)


def test_what_the_rules_of_a_later_version_say_is_carried_unread():
    ada, ben = people(*"AB")
    first = charter(ada)
    renewal = ada.renews(
        first,
        [ada, ben],
        holds=[["weather", "rain", 3, ["wet"]], [RULE, "hats", 1, "red"], [RULE, "share", 5, 99]],
    )
    known = authority.fold_authority(first, passed(renewal, [ada]), {})
    assert known.term.id == renewal.id
    assert "hats" not in known.charter
    assert known.charter["share"] == 50


def test_a_long_line_of_terms_is_walked():
    (ada,) = people("A")
    first = parent = charter(ada)
    acts = []
    for _ in range(1500):
        parent = ada.renews(parent, [ada])
        acts += passed(parent, [ada])
    assert authority.fold_authority(first, acts, {}).term.id == parent.id


def test_vector_24_of_a_leave_and_a_removal_the_lowest_cut_holds():
    crowd = people(*"ABCP")
    ada, ben, cho, pia = crowd
    first = charter(ada, ben, cho)
    acts = [ada.admits(pia), pia.carries(pia.leaves(1, 10**9))]
    known = authority.fold_authority(first, acts, {})
    assert out(known, pia) == [True]
    assert cut(known, pia) == 10**9
    acts += [who.removes(pia, 1, cut=last) for who, last in zip(crowd, (5, 7, 9), strict=False)]
    assert cut(authority.fold_authority(first, acts, {}), pia) == 7


def test_only_a_restoration_brings_back_who_left():
    crowd = people(*"ABCP")
    ada, ben, _, pia = crowd
    first = charter(*crowd[:3])
    left = ada.carries(pia.leaves(1, 9))  # anybody may carry the statement
    acts = [ada.admits(pia), left, ben.admits(pia)]
    assert out(authority.fold_authority(first, acts, {}), pia) == [True]
    acts += passed(ada.proposes(STANDING, pia.key, 2), [ada, ben])
    assert out(authority.fold_authority(first, acts, {}), pia) == [False]
    assert out(authority.fold_authority(first, [*acts, pia.carries(pia.leaves(3, 9))], {}), pia)


def test_who_is_removed_cannot_leave_to_undo_the_cut():
    crowd = people(*"ABCP")
    ada, ben, cho, pia = crowd
    first = charter(ada, ben, cho)
    acts = [ada.admits(pia), ada.removes(pia, 1, cut=5), ben.removes(pia, 1, cut=5)]
    acts += [cho.carries(pia.leaves(n, 10**9)) for n in (1, 3, 5, 999)]
    assert cut(authority.fold_authority(first, acts, {}), pia) == 5
    holds = [[STANDING, pia.key, 1, [[pia.device, 5]]]]
    acts += passed(ada.renews(first, crowd[:3], holds=holds), [ada, ben])
    assert cut(authority.fold_authority(first, acts, {}), pia) == 5


def test_who_leaves_keeps_the_seat_and_the_votes_until_the_renewal():
    crowd = people(*"ABC")
    ada, _, cho = crowd
    first = charter(*crowd)
    change = ada.proposes(RULE, "smallest_group", 1, 9)
    acts = [*passed(change, [ada, cho]), cho.carries(cho.leaves(1, 0))]
    known = authority.fold_authority(first, acts, {})
    assert known.charter["smallest_group"] == 9
    assert cho.key in known.term.roll
    assert cho.key not in known.members


def test_a_leave_for_elsewhere_or_by_another_root_is_none():
    ada, ben = people("A", "B")
    first = charter(ada, ben)
    acts = [ben.carries(ben.leaves(1, 0, b"t" * 16)), ada.carries(ada.leaves(1, 0)[:-1] + b"x")]
    assert not authority.fold_authority(first, acts, {}).cuts


def test_vector_25_a_removal_after_a_restoration_counts_without_the_first():
    crowd = people(*"ABCP")
    ada, ben, cho, pia = crowd
    first = charter(ada, ben, cho)
    acts = [ada.admits(pia), ada.removes(pia, 1, cut=4), ben.removes(pia, 1, cut=5)]
    acts += passed(ben.proposes(STANDING, pia.key, 2), [ben, cho])
    assert out(authority.fold_authority(first, acts, {}), pia) == [False]
    acts += [ben.removes(pia, 3, cut=7), cho.removes(pia, 3, cut=8)]
    assert cut(authority.fold_authority(first, acts, {}), pia) == 8

    # The revocation makes Ada's remove stop counting, but not the admit before it.
    acts.append(cho.carries(ada.revokes(ada.device, acts[1].seq - 1)))
    known = authority.fold_authority(first, acts, {})
    assert out(known, pia) == [True]
    assert cut(known, pia) == 8


@pytest.mark.parametrize(("n", "counts"), [(999, True), (1001, False), (2**31 - 1, False)])
def test_a_change_numbered_far_above_the_term_changes_nothing(n, counts):
    crowd = people(*"ABCP")
    ada, ben, cho, pia = crowd
    first = charter(ada, ben, cho)
    hidden = b"h" * 32
    acts = [ada.admits(pia), *(who.removes(pia, n) for who in crowd[:3])]
    acts += passed(ada.proposes(RULE, "smallest_group", n, 9), crowd[:3])
    acts += [who.act("hide", {"n": n}, parents=[hidden]) for who in crowd[:3]]
    known = authority.fold_authority(first, acts, {})
    assert out(known, pia) == [counts]
    assert (known.charter["smallest_group"] == 9) == counts
    assert ((HIDDEN, hidden) in known.registers) == counts

    holds = [[RULE, "smallest_group", 600, 5], [STANDING, pia.key, 600, None]]
    acts += passed(ada.renews(first, crowd[:3], holds=holds), crowd[:3])
    known = authority.fold_authority(first, acts, {})
    assert out(known, pia) == [n < 1601]


@pytest.mark.parametrize("seed", range(5))
def test_vector_26_no_clock_takes_back_a_vote_on_a_renewal(seed):
    crowd = people(*"AXYV")
    ada, xia, yan, val = crowd
    first = charter(ada, val, vouchers=1)
    admit = val.admits(xia)
    acts = [admit, ada.admits(yan)]
    term = ada.renews(first, [ada], joining=[xia, yan], leaving=[val])
    acts += passed(term, [ada, val])
    removed = [[STANDING, val.key, 1, [[val.device, 0]]]]
    renewal = ada.renews(term, [ada], round=1, holds=removed)
    acts += [renewal, ada.says("yes", renewal)]
    acts.append(xia.says("yes", renewal, time=admit.time - 86_400_000))
    random.Random(seed).shuffle(acts)
    assert authority.fold_authority(first, acts, {}).term.id == renewal.id
