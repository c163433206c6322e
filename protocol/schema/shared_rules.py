"""Rules for forms on the screen. They belong to no field of any kind of record."""

from protocol.schema.fields import Text

# A street address goes directly from home to home. It is never in a record.
ADDRESS = Text(
    required=True, min=1, max=500, help="street, number, floor, and how to find the door"
)
MERGEABLE_DAYS = 14  # days between two reports of one incident, at most
