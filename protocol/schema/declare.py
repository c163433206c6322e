"""The field types, for declarations such as `minutes: int | None = Minutes(min=1)`.

The annotation is the type of the value in a view, and the field is its rule. So these constructors
are typed as Any, as `dataclasses.field` is. `protocol.fold.kind` checks at import that annotation
and field fit each other.
"""

from collections.abc import Callable
from typing import Any

from protocol.schema import fields

Bytes: Callable[..., Any] = fields.Bytes
Choice: Callable[..., Any] = fields.Choice
Integer: Callable[..., Any] = fields.Integer
Many: Callable[..., Any] = fields.Many
Map: Callable[..., Any] = fields.Map
Minutes: Callable[..., Any] = fields.Minutes
Moment: Callable[..., Any] = fields.Moment
Person: Callable[..., Any] = fields.Person
PersonOrName: Callable[..., Any] = fields.PersonOrName
RecordId: Callable[..., Any] = fields.RecordId
Text: Callable[..., Any] = fields.Text


def declare(field: fields.Field) -> Any:
    """Returns a field of a type that has no constructor here, for a declaration."""
    return field
