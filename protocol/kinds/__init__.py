"""The kinds of records, one file a family. Importing this package registers them all."""

from protocol.kinds import (
    circles,
    decisions,
    matching,
    moderation,
    neighbourhood,
    pacts,
    pages,
    people,
)
from protocol.kinds import closing as conversation
from protocol.kinds.activities import activities
from protocol.kinds.exchange import corrections_and_gifts as hours
from protocol.kinds.exchange import exchange
from protocol.kinds.services import actions, measures, services

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
