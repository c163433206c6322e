"""Proposes and accepts new terms. Either a person asks for this, or the home's software decides it
alone.

A record of the kind `renewal` begins the next term. `term_draft` drafts this record. This module
signs it.
"""

import logging
from collections.abc import Mapping

from meshcoop.author import newcomers
from meshcoop.author.author import Author
from meshcoop.author.folding import Folding
from meshcoop.author.term_draft import Draft, draft_renewal
from meshcoop.author.witness_list import choose_witnesses
from protocol.authority.additions import find_additions
from protocol.authority.authority import Authority
from protocol.authority.terms import Term
from protocol.errors import Refused
from protocol.fold.registry import declared_of
from protocol.fold.view import View
from protocol.kinds.accept_and_close import Accept
from protocol.kinds.decisions import Part, Renewal, Vote, check_renewal
from protocol.record.envelope import DAY_MS, Record

_LOG = logging.getLogger(__name__)

# A turn is no even part of a day. So each person's turn falls on every hour, day by day, also at a
# home that runs for one hour a day.
_TURN_MS = 61 * 60_000
_PATIENCE_MS = 7 * DAY_MS  # how long software waits for answers to a proposal that adds others too


def sign_draft(author: Author, draft: Draft, *, is_automatic: bool = False) -> Record:
    """Signs a renewal and its parts, and then a yes vote of the person who proposes the renewal."""
    signer = author.signer_of(draft.person)
    # The renewal is checked before the first part is signed. Its title goes into a second record.
    declared_of(Renewal).check_fields(
        {name: value for name, value in draft.fields.items() if name != "title"}
    )
    for page in draft.pages:
        author.write(declared_of(Part), page, signer=signer, is_automatic=is_automatic)
    renewal = author.write(
        declared_of(Renewal), draft.fields, signer=signer, is_automatic=is_automatic
    )
    author.write(
        declared_of(Vote),
        {"choice": "yes"},
        about=renewal.id,
        signer=signer,
        is_automatic=is_automatic,
    )
    return renewal


def decide(author: Author) -> Folding[None]:
    """Decides about terms, as far as software may decide alone. Does this for each person of this
    home (R-16.5).
    """
    if author.state.authority is None:
        return
    for person in sorted(author.people):
        yield from _accept_term(author, person)
        yield from _agree_to_newcomers(author, person)
        _propose_newcomers(author, person)


def _accept_term(author: Author, person: bytes) -> Folding[None]:
    """R-16.5: accepts the term that the person has to accept next, if there is one."""
    term = _authority(author).term_to_accept(person)
    if term is not None:
        signer = author.signer_of(person)
        yield from author.writing(
            declared_of(Accept), {}, about=term, signer=signer, is_automatic=True
        )


def _agree_to_newcomers(author: Author, person: bytes) -> Folding[None]:
    """R-16.5e: votes yes on renewals that only add members for whom the person vouched.

    Votes once for each set of people. The person's own renewals come first, so that other people's
    renewals cannot use up the votes of a day.
    """
    authority = _authority(author)
    if person not in authority.term.roll:
        return
    vouched_for = newcomers.vouched_for_by(author.state, person)
    additions = find_additions(authority)
    views = author.state.views.find_several(list(additions))
    answered = {
        added for renewal, added in additions.items() if _has_answered(authority, renewal, person)
    }
    own_first = sorted(
        additions, key=lambda renewal: (_author_of(views, renewal) != person, renewal)
    )
    for renewal in own_first:
        if not additions[renewal] <= vouched_for or additions[renewal] in answered:
            continue
        if not _has_own_list(author, authority.renewals[renewal].term):
            _LOG.info("software does not say yes: it would have listed other witnesses")
            continue
        try:
            check_renewal(authority, person, renewal)
            yield from author.writing(
                declared_of(Vote),
                {"choice": "yes"},
                about=renewal,
                signer=author.signer_of(person),
                is_automatic=True,
            )
        except Refused as refusal:
            _LOG.info("software does not say yes: %s", refusal)
        else:
            answered.add(additions[renewal])


def _has_own_list(author: Author, term: Term | None) -> bool:
    """R-24.1c: returns whether a next term has the same witnesses that this home would choose."""
    if term is None:
        return False
    return term.witnesses == frozenset(choose_witnesses(author.state, term.roll, term.since))


def _propose_newcomers(author: Author, person: bytes) -> None:
    """R-16.5f: once a day, proposes that newcomers join the roll: those for whom the person
    vouched, and who wrote on at least two days.

    A proposal has at most half as many newcomers as the roll has people, so that others can agree
    with one key press.

    If the person is alone on the roll, the software asks this person instead (R-16.5g). The reason
    is that a roll of two people can never decide again once one of them has gone.
    """
    authority = _authority(author)
    roll = authority.term.roll
    if person not in roll or len(roll) == 1 or _has_proposed_today(author, person):
        return
    vouched_for = newcomers.vouched_for_by(author.state, person)
    waiting = vouched_for - _find_proposed(author, person, vouched_for)
    in_turn = {
        newcomer for newcomer in waiting if has_turn(authority, person, newcomer, author.now())
    }
    joining = newcomers.ready(author.state, in_turn)[: len(roll) // 2]
    if joining:
        draft = draft_renewal(author, person=person, joining=joining)
        sign_draft(author, draft, is_automatic=True)


def _find_proposed(author: Author, person: bytes, vouched_for: set[bytes]) -> set[bytes]:
    """Returns the newcomers that open renewals would add. Looks only at renewals for which the
    person has voted yes.

    If a renewal also adds others, for whom the person did not vouch, it counts here only for a
    week. If the renewal is still open after this week, software proposes the person's own newcomers
    again.
    """
    authority = _authority(author)
    additions = {
        renewal: added
        for renewal, added in find_additions(authority).items()
        if person in authority.renewals[renewal].yes
    }
    views = author.state.views.find_several(list(additions))
    oldest = author.now() - _PATIENCE_MS
    return {
        newcomer
        for renewal, added in additions.items()
        if added <= vouched_for or (renewal in views and views[renewal].created > oldest)
        for newcomer in added
    }


def has_turn(authority: Authority, person: bytes, newcomer: bytes, now: int) -> bool:
    """R-16.5l: returns whether this person's home proposes a newcomer now. If not, it is the turn
    of another voucher's home.

    The homes of all vouchers hear at once that the newcomer is ready. If all of them proposed at
    once, the proposals would be rivals, and the votes would be split.
    """
    vouchers = sorted(authority.vouchers_of(newcomer) & authority.term.roll)
    return not vouchers or vouchers[now // _TURN_MS % len(vouchers)] == person


def _has_proposed_today(author: Author, person: bytes) -> bool:
    today = author.now() // DAY_MS
    views = author.state.views.find_several(list(_authority(author).renewals))
    return any(view.author == person and view.created // DAY_MS >= today for view in views.values())


def _has_answered(authority: Authority, renewal: bytes, person: bytes) -> bool:
    ballot = authority.renewals[renewal]
    return person in ballot.yes | ballot.no


def _author_of(views: Mapping[bytes, View], record_id: bytes) -> bytes | None:
    view = views.get(record_id)
    return view.author if view is not None else None


def _authority(author: Author) -> Authority:
    assert author.state.authority is not None, "the author is a member by it"
    return author.state.authority
