"""How many people must agree before something passes.

The fold of authority uses the numbers in this module, and so do screens that show a vote.
"""

MIN_COUNCIL = 3  # fewer moderators than this cannot remove or hide


def votes_needed(share: int, people: int) -> int:
    """Returns the lowest number of votes that is above `share` percent of `people` (R-03.26)."""
    return share * people // 100 + 1
