"""Homes in memory that decide together: people propose and vote, and their software posts the
rest.
"""

from meshcoop.author import renewal as deciding
from meshcoop.author.folding import fold_at_once
from meshcoop.author.term_draft import draft_renewal
from tests.support.street_in_memory import settle


def renew(author, **next_term):
    """Proposes the next term, and votes yes. See `draft_renewal`."""
    return deciding.sign_draft(author, draft_renewal(author, **next_term))


def by_software(*homes):
    """Lets the software of every home act, until it has nothing left to do. Who is alone on the roll
    renews, so that all vote.
    """
    before = None
    while before != (before := [home.ids() for home in homes]):
        settle(*homes)
        for home in homes:
            authority = home.state.authority
            if authority.term.roll == {home.me.person} and len(authority.members) > 1:
                renew(home.author)
            fold_at_once(home.state, deciding.decide(home.author))
        settle(*homes)


def propose(home, change, **more):
    return home.post("proposal", title="What shall we do?", change=change, **more)


def vote(act, voters, homes):
    for home in voters:
        home.post("vote", act, choice="yes")
    settle(*homes)


def members(home):
    return set(home.state.authority.members)


def alike(*homes):
    settle(*homes)
    for home in homes:
        before = home.state_hash()
        home.state.rebuild()
        assert home.state_hash() == before
        fresh = home.street.home(home, *home.who)
        fresh.feed(home.wires()[::-1])
        settle(home, fresh)
        assert (fresh.ids(), fresh.state_hash()) == (home.ids(), before)
    assert len({home.state_hash() for home in homes}) == 1


def council(*homes):
    """Makes the people of the first three homes the moderators of their street."""
    by_software(*homes)
    ada, ben, cho, *_ = homes
    renewal = renew(ada.author, moderators=sorted(one.me.person for one in (ada, ben, cho)))
    settle(*homes)
    vote(renewal, [ben, cho], homes)
    by_software(*homes)
    assert len(ada.state.authority.term.moderators) == 3
