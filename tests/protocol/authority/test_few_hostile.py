"""What a few hostile people cannot do. Each test is one plain case."""

import pytest

from protocol.authority import authority
from protocol.schema.register_names import RULE, STANDING
from tests.support.authority_records import START, charter, ids, people, public


def test_no_home_is_led_to_accept_two_rivals():
    """A home has accepted a term. Other people then show the home only the accepts of a rival term.
    The home still accepts no other term.

    Otherwise a term that two thirds had accepted could fall, although fewer than a third are
    hostile.
    """
    crowd = people(*"HIJKLXY")
    hal, ida, jon, kim, leo, xan, yin = crowd
    first = charter(*crowd)
    one, two = hal.renews(first, crowd, round=1), kim.renews(first, crowd, round=2)
    both = [one, two, *(who.says("yes", one) for who in (hal, ida, jon, kim))]
    both += [who.says("yes", two) for who in (kim, leo, xan, yin)]
    firm = [who.accepts(one) for who in (hal, ida, jon, xan, yin)]
    assert authority.fold_authority(first, both + firm, {}).chain.is_settled
    child = kim.renews(two, crowd)
    rival = [who.accepts(two) for who in (kim, leo, xan, yin)]
    rival += [child, *(who.says("yes", child) for who in (kim, leo, xan, yin))]
    for who, accept in ((hal, firm[0]), (ida, firm[1])):
        shown = authority.fold_authority(first, [*both, *rival, accept], {})
        assert shown.term.id == child.id
        assert shown.term_to_accept(who.key) is None
    assert shown.term_to_accept(jon.key) == child.id
    assert authority.fold_authority(first, both + rival + firm, {}).term.id == one.id


MONTH_MS = 30 * 86_400_000


def false_people(colluders, room):
    """Returns the false people who become members although only `colluders` of five founders admit
    them.

    Each of these founders admits as many people as possible, with four devices, and claims dates in
    many months.
    """
    crowd = people(*"ABCDE")
    first = charter(*crowd, vouchers=1, room=room)
    acts, false = [], people(*(f"false {n}" for n in range(colluders * 8 * room)))
    for n, one in enumerate(false):
        who = crowd[n % colluders]
        time = START + (n // colluders) * MONTH_MS
        acts.append(who.admits(one, device=public(who.devices[n % 4]), time=time))
    acts += [who.carries(who.certify(n)) for who in crowd for n in (1, 2, 3)]
    return set(authority.fold_authority(first, acts, {}).members) & set(ids(false))


@pytest.mark.parametrize("colluders", [1, 2, 4])
@pytest.mark.parametrize("room", [1, 3])
def test_colluders_admit_no_more_than_each_has_room_for(colluders, room):
    assert len(false_people(colluders, room)) == colluders * room


def council():
    """Makes five people, three of them moderators. The first moderator is hostile and may post
    anything.
    """
    crowd = people(*"XABCD")
    return crowd, charter(*crowd, moderators=ids(crowd[:3]))


def test_one_moderator_of_three_alone_removes_nobody():
    (xan, *others), first = council()
    second = public(xan.devices[1])
    acts = [xan.carries(xan.certify(1))]
    for victim in others:
        acts += [xan.removes(victim, n, cut=n) for n in (1, 1, 3, 2)]
        acts += [xan.removes(victim, n, device=second, seq=n) for n in (1, 3)]
        change = xan.proposes(STANDING, victim.key, 1, [], newcomers=people("false"))
        acts += [change, xan.says("yes", change), xan.says("yes", change, device=second, seq=9)]
    known = authority.fold_authority(first, acts, {})
    assert set(known.members) == set(ids([xan, *others]))
    assert not known.cuts


def test_one_moderator_of_three_alone_changes_no_rule_and_no_list():
    (xan, *others), first = council()
    change = xan.proposes(RULE, "smallest_group", 9, 99)
    renewal = xan.renews(first, [xan], leaving=others, round=9)
    acts = [change, xan.says("yes", change), renewal, xan.says("yes", renewal)]
    acts.append(xan.accepts(renewal))
    known = authority.fold_authority(first, acts, {})
    assert known.term.id == first.id
    assert known.charter == authority.fold_authority(first, [], {}).charter
    assert known.term.moderators == set(ids([xan, *others[:2]]))


def test_one_moderator_of_three_shifts_no_cut_beyond_what_the_others_say():
    (xan, ada, ben, cho, _), first = council()
    acts = [ada.removes(cho, cut=10), ben.removes(cho, cut=20)]
    for cut in (0, 5, 15, 99):
        shown = authority.fold_authority(first, [*acts, xan.removes(cho, cut=cut)], {})
        assert 10 <= shown.cuts[cho.key][cho.device] <= 20
