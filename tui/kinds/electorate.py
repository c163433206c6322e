"""Who decides: the people who may vote, the moderators, and how many of them are enough. Pure."""

from protocol.schema.majority import MIN_COUNCIL, votes_needed
from tui.format.phrases import Shown

MAJORITY = 50  # percent that a renewal exceeds of the roll, and moderators of themselves


def can_be_voted_on(view: Shown, term: Shown) -> bool:
    """Whether a decision is open; a renewal only while the term that it renews holds."""
    return bool(view["state"] == "open" and view.get("parent") in {None, term.get("id")})


def may_vote(view: Shown, term: Shown, me: str | None) -> bool:
    """Whether `me` is on the roll, or a newcomer whom the decision names as a voter."""
    return me in ids(term.get("roll")) | ids(view.get("newcomers"))


def vote_of(view: Shown, me: str | None) -> str | None:
    """The vote of `me` on a decision, "yes" or "no"; None without one."""
    votes = (choice for choice in ("yes", "no") if me in ids(view["voted"][choice]))
    return next(votes, None)


def is_vote_due(view: Shown, term: Shown, me: str | None) -> bool:
    """Whether a decision is open and `me` may vote on it and has not."""
    if not can_be_voted_on(view, term) or not may_vote(view, term, me):
        return False
    return vote_of(view, me) is None


def yes_votes_needed(view: Shown, term: Shown) -> tuple[int, int]:
    """The number of yes votes that pass a decision, and the number of its voters."""
    roll = ids(term.get("roll"))
    if view["kind"] == "renewal":
        return votes_needed(MAJORITY, len(roll)), len(roll)
    voters = len(roll | ids(view.get("newcomers")))
    return votes_needed(term.get("share", MAJORITY), voters), voters


def is_on_council(term: Shown, me: str | None) -> bool:
    """Whether `me` is one of three or more moderators, who act together."""
    moderators = ids(term.get("moderators"))
    return me in moderators and len(moderators) >= MIN_COUNCIL


def moderators_needed(term: Shown) -> int:
    """The number of moderators who have to say the same before it holds."""
    return votes_needed(MAJORITY, len(ids(term.get("moderators"))))


def ids(people: list[Shown] | None) -> frozenset[str]:
    """The ids of the people in a list."""
    return frozenset(person["id"] for person in people or ())
