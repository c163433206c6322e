"""How many people must agree before something passes.

The fold of authority uses these numbers, and so do screens that show a vote.
"""

MIN_COUNCIL = 3  # with fewer moderators, no majority of them removes or hides


def votes_needed(share: int, people: int) -> int:
    """Returns the lowest number of votes that is above `share` percent of `people` (R-03.26)."""
    return share * people // 100 + 1
