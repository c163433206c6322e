"""Finds renewals that add members to the roll and change nothing else (specs/16 R-16.5e)."""

from protocol.authority import register_change
from protocol.authority.authority import Authority
from protocol.authority.terms import Term


def find_additions(authority: Authority) -> dict[bytes, frozenset[bytes]]:
    """Maps the id of each open renewal to the people that it adds to the roll. Leaves out renewals
    that add nobody, and renewals that change anything else.
    """
    holds = register_change.holdings_to_write(authority)
    added = {
        renewal: _added(authority, ballot.term, holds)
        for renewal, ballot in authority.renewals.items()
        if ballot.term is not None and ballot.parent == authority.term.id
    }
    return {renewal: people for renewal, people in added.items() if people}


def find_added(authority: Authority, term: Term) -> frozenset[bytes]:
    """Returns the people that a next term adds to the roll. If the term changes anything else,
    returns nobody.
    """
    return _added(authority, term, register_change.holdings_to_write(authority))


def is_typed(authority: Authority, term: Term) -> bool:
    """R-16.5m: returns True if a person agrees to a next term by typing the size of the new roll.

    If the term only adds members, and their number is at most half the number of people who vote
    now, pressing one key is enough (R-16.5r).
    """
    added = find_added(authority, term)
    return not added or 2 * len(added) > len(authority.term.roll)


def _added(authority: Authority, term: Term, holds: list[list[object]]) -> frozenset[bytes]:
    """Returns the members that a term adds to the roll. If the term changes anything else, returns
    nobody.
    """
    present = authority.term
    rules = (present.moderators, present.vouchers, present.share)
    written = [[what, key, entry.n, entry.value] for (what, key), entry in term.written.items()]
    written.sort(key=lambda hold: (hold[0], repr(hold[1])))
    is_same = (term.moderators, term.vouchers, term.share) == rules and written == holds
    added = term.roll - present.roll
    if is_same and present.roll <= term.roll and added <= authority.members.keys():
        return added
    return frozenset()
