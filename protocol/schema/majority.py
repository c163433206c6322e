"""How many must agree, for authority and for screens that say how a vote stands."""

MIN_COUNCIL = 3  # the fewest moderators whose majority removes


def votes_needed(share: int, people: int) -> int:
    """How many votes exceed a share, in percent, of a number of people (R-03.26)."""
    return share * people // 100 + 1
