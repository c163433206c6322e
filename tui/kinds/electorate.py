"""Says who decides: who may vote, who moderates, and how many of them must agree. All functions
here are pure.
"""

from protocol.schema.majority import MIN_COUNCIL, votes_needed
from tui.format.phrases import Shown

# Percent. More than this share of the roll passes a renewal. More than this share of the moderators
# removes a person or hides words.
MAJORITY = 50


def can_be_voted_on(view: Shown, term: Shown) -> bool:
    """Returns whether people can vote on a decision now. The decision must be open. For a renewal,
    the term that it renews must also be the current one.
    """
    return bool(view["state"] == "open" and view.get("parent") in {None, term.get("id")})


def may_vote(view: Shown, term: Shown, me: str | None) -> bool:
    """Returns whether `me` may vote: `me` is on the roll, or the decision lists `me` among its
    newcomers.
    """
    return me in ids(term.get("roll")) | ids(view.get("newcomers"))


def vote_of(view: Shown, me: str | None) -> str | None:
    """Returns how `me` voted on a decision, "yes" or "no". Without a vote, returns None."""
    votes = (choice for choice in ("yes", "no") if me in ids(view["voted"][choice]))
    return next(votes, None)


def is_vote_due(view: Shown, term: Shown, me: str | None) -> bool:
    """Returns whether `me` may still vote on a decision and has not voted yet."""
    if not can_be_voted_on(view, term) or not may_vote(view, term, me):
        return False
    return vote_of(view, me) is None


def yes_votes_needed(view: Shown, term: Shown) -> tuple[int, int]:
    """Returns two numbers: how many yes votes pass a decision, and how many people may vote."""
    roll = ids(term.get("roll"))
    if view["kind"] == "renewal":
        return votes_needed(MAJORITY, len(roll)), len(roll)
    voters = len(roll | ids(view.get("newcomers")))
    return votes_needed(term.get("share", MAJORITY), voters), voters


def is_on_council(term: Shown, me: str | None) -> bool:
    """Returns whether `me` is a moderator and there are at least three moderators. Only then can
    they decide together.
    """
    moderators = ids(term.get("moderators"))
    return me in moderators and len(moderators) >= MIN_COUNCIL


def moderators_needed(term: Shown) -> int:
    """Returns how many moderators must agree before a removal or a hide takes effect."""
    return votes_needed(MAJORITY, len(ids(term.get("moderators"))))


def ids(people: list[Shown] | None) -> frozenset[str]:
    """Returns the ids of the people in a list."""
    return frozenset(person["id"] for person in people or ())
