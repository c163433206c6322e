"""The kinds of records, one file for each family. Importing this package registers all kinds."""

from importlib import import_module

# `meshcoop kinds` and all other lists show the kinds in this order, so a new family goes to the end.
FAMILIES = (
    "services.actions",
    "activities.activities",
    "circles",
    "closing",
    "decisions",
    "exchange.exchange",
    "exchange.corrections_and_gifts",
    "matching",
    "services.services",
    "services.measures",
    "moderation",
    "neighbourhood",
    "pacts",
    "pages",
    "people",
)

for _family in FAMILIES:
    import_module(f"{__name__}.{_family}")
