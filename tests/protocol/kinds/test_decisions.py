"""Votes and the records of moderators. If such a record would change nothing, it is refused before
it is signed.
"""

import pytest

from protocol import kinds
from protocol.authority.admission import Member
from protocol.authority.authority import Authority
from protocol.authority.registers import Outcome
from protocol.authority.terms import Ballot, Chain, Holding, Term
from protocol.errors import Refused
from protocol.fold.facets import Awaited, Crowd
from protocol.fold.fold import fold_thread
from protocol.fold.registry import KINDS
from protocol.fold.thread import Entry
from protocol.kinds.decisions import check_renewal
from protocol.schema.register_names import HIDDEN, STANDING
from tests.support.clocks import clock_at

assert kinds  # registers every kind
ADA, BEN, CHO, DAN = (name * 32 for name in (b"a", b"b", b"c", b"d"))
ROLL = frozenset({ADA, BEN, CHO})
NOBODY = frozenset()
CHARTER = b"n" * 32
ROOT = b"r" * 32
DRAFT = b"z" * 32


def authority(**more):
    term = Term(CHARTER, None, 0, 0, ROLL, ROLL, 1, 50)
    people = {person: Member(person, 0, ()) for person in (*ROLL, DAN)}
    chain = Chain((term,), ())
    return Authority(neighbourhood=CHARTER, chain=chain, people=people, members=people, **more)


def entry(record_id, author, kind, about=None, **fields):
    return Entry(record_id, author, 1, 1, about, author, kind, fields, lasting=True)


def renewal(parent=CHARTER):
    return entry(
        ROOT, ADA, "renewal", parent=parent, round=1, moderators=[ADA], vouchers=1, share=50
    )


def check(root, known, kind, author, **fields):
    """Completes and checks a draft as its author's software does."""
    thread = fold_thread([root], known)
    about = None if KINDS[kind].is_root else ROOT
    thread.entries[DRAFT] = entry(DRAFT, author, kind, about, **fields)
    draft = KINDS[kind].draft(thread.entries[DRAFT])
    thread.clock = clock_at("2026-11-23T10:00")
    draft.complete(thread)
    draft.check_before_signing(thread)
    return draft


def awaited(root, known):
    thread = fold_thread([root], known)
    return list(thread.views[ROOT].awaits(thread))


def test_only_a_yes_after_a_no_changes_a_vote():
    root = entry(ROOT, ADA, "proposal")
    known = authority(outcomes={ROOT: Outcome(False, frozenset({ADA}), frozenset({BEN}))})

    assert check(root, known, "vote", BEN, choice="yes")
    assert check(root, known, "vote", CHO, choice="no")
    for person, choice in ((BEN, "no"), (ADA, "yes"), (ADA, "no")):
        with pytest.raises(Refused, match=r"R-16\.4"):
            check(root, known, "vote", person, choice=choice)


def test_a_vote_on_a_renewal_is_not_repeated_and_not_late():
    ballot = Ballot(CHARTER, 1, frozenset({ADA}), NOBODY, NOBODY, 3, authority().term)
    known = authority(renewals={ROOT: ballot})

    assert check(renewal(), known, "vote", BEN, choice="yes")
    with pytest.raises(Refused, match="cannot be taken back"):
        check(renewal(), known, "vote", ADA, choice="no")
    with pytest.raises(Refused, match="a term that is over"):
        check(renewal(parent=bytes(32)), known, "vote", BEN, choice="no")


class WalkedRenewals(dict):
    """Counts how often somebody walks through all renewals."""

    walks = 0

    def items(self):
        self.walks += 1
        return super().items()


def test_checks_of_many_renewals_walk_through_all_of_them_once():
    term = authority().term
    ids = [bytes([number]) * 32 for number in range(30)]
    renewals = WalkedRenewals(
        (record_id, Ballot(CHARTER, 1, frozenset({ADA}), NOBODY, frozenset({DAN}), 3, term))
        for record_id in ids
    )
    elsewhere = Ballot(bytes(32), 1, frozenset({BEN}), NOBODY, frozenset({BEN}), 3, term)
    renewals[ROOT] = elsewhere
    known = authority(renewals=renewals)
    for record_id in ids:
        check_renewal(known, BEN, record_id)  # a renewal of another term is no rival
        for person, refusal in ((ADA, "said yes to another"), (DAN, "accepted another")):
            with pytest.raises(Refused, match=refusal):
                check_renewal(known, person, record_id)

    assert renewals.walks == 1


def test_a_moderator_asks_for_each_number_once():
    offer = entry(ROOT, DAN, "offer", title="Unkind")
    known = authority(
        council_posts={
            (HIDDEN, ROOT): {1: frozenset({ADA})},
            (STANDING, DAN): {1: frozenset({ADA})},
        }
    )

    assert check(offer, known, "hide", BEN, hidden="yes").n == 1
    assert check(offer, known, "remove", BEN, person=DAN).n == 1
    with pytest.raises(Refused, match=r"you have asked .*R-14\.5"):
        check(offer, known, "hide", ADA)
    with pytest.raises(Refused, match=r"you have asked .*R-16\.7"):
        check(offer, known, "remove", ADA, person=DAN)


@pytest.mark.parametrize(("number", "changes"), [(0, "yes"), (1, "no"), (2, "yes")])
def test_words_are_hidden_only_if_shown_and_shown_only_if_hidden(number, changes):
    offer = entry(ROOT, DAN, "offer", title="Unkind")
    known = authority(registers={(HIDDEN, ROOT): Holding(number, None)})
    other = "no" if changes == "yes" else "yes"

    assert check(offer, known, "hide", BEN, hidden=changes).n == number + 1
    with pytest.raises(Refused, match=r"its words are .* already .R-14\.5"):
        check(offer, known, "hide", BEN, hidden=other)


def test_decisions_wait_for_those_who_decide():
    votes = [Awaited(Crowd.VOTERS, "vote", ROOT)]
    removal = entry(ROOT, ADA, "remove", person=DAN, n=1, cuts=[])
    removed = authority(registers={(STANDING, DAN): Holding(1, [])})

    assert awaited(entry(ROOT, ADA, "proposal"), authority()) == votes
    assert awaited(renewal(), authority()) == votes
    assert awaited(renewal(parent=bytes(32)), authority()) == []
    assert awaited(removal, authority()) == [Awaited(Crowd.MODERATORS, "remove", ROOT)]
    assert awaited(removal, removed) == []
