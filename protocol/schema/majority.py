"""How many people must agree. Authority uses it, and screens that say how a vote stands."""

MIN_COUNCIL = 3  # the fewest moderators whose majority removes


def votes_needed(share: int, people: int) -> int:
    """Returns the fewest votes that exceed `share` percent of a number of people (R-03.26)."""
    return share * people // 100 + 1
