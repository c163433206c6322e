"""The kinds of records, one file for each family. Importing this package registers all kinds.

`meshcoop kinds` and all other lists show the kinds in the order of these imports.
"""

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
from protocol.kinds import closing as conversation  # by another name, to stay behind these
from protocol.kinds.activities import activities
from protocol.kinds.exchange import corrections_and_gifts, exchange
from protocol.kinds.services import actions, measures, services

__all__ = [
    "actions",
    "activities",
    "circles",
    "conversation",
    "corrections_and_gifts",
    "decisions",
    "exchange",
    "matching",
    "measures",
    "moderation",
    "neighbourhood",
    "pacts",
    "pages",
    "people",
    "services",
]
