"""Rules that a form on the screen needs but that belong to no field of a kind."""

from protocol.schema.fields import Text

# An address goes straight from home to home. Nobody posts it, so no kind declares it.
ADDRESS = Text(
    required=True, min=1, max=500, help="street, number, floor, and how to find the door"
)
MERGEABLE_DAYS = 14  # two reports further apart are never one incident
