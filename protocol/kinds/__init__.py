"""The kinds of records, one file a family. Importing this package registers them all."""

from protocol.kinds import (
    actions,
    circles,
    conversation,
    decisions,
    exchange,
    hours,
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
    "circles",
    "conversation",
    "decisions",
    "exchange",
    "hours",
    "measures",
    "moderation",
    "neighbourhood",
    "pacts",
    "pages",
    "people",
    "services",
]
