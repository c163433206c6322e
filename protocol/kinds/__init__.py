"""The kinds of records, one file a family. Importing this package registers them all."""

from protocol.kinds import (
    actions,
    activities,
    circles,
    conversation,
    decisions,
    exchange,
    hours,
    matching,
    measures,
    moderation,
    neighbourhood,
    pacts,
    pages,
    people,
    services,
)

__all__ = [
    "actions",
    "activities",
    "circles",
    "conversation",
    "decisions",
    "exchange",
    "hours",
    "matching",
    "measures",
    "moderation",
    "neighbourhood",
    "pacts",
    "pages",
    "people",
    "services",
]
