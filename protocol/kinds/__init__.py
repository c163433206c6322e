"""The kinds of records, one file a family. Importing this package registers them all."""

from protocol.kinds import (
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
