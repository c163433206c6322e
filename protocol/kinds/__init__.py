"""The kinds of records, one file a family. Importing this package registers them all."""

from protocol.kinds import (
    activities,
    circles,
    conversation,
    decisions,
    exchange,
    hours,
    matching,
    moderation,
    neighbourhood,
    pacts,
    pages,
    people,
)

__all__ = [
    "activities",
    "circles",
    "conversation",
    "decisions",
    "exchange",
    "hours",
    "matching",
    "moderation",
    "neighbourhood",
    "pacts",
    "pages",
    "people",
]
