"""Constructors of fields, for declarations such as `minutes: int | None = Minutes(min=1)`.

In this example, the annotation `int | None` is the type of the value in a view. The constructor
`Minutes` makes a field, which says what values are allowed. The field does not have the annotated
type. So all constructors here are typed as Any, as `dataclasses.field` is. At import,
`protocol.fold.registry` checks that each annotation fits its field.
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
Name: Callable[..., Any] = fields.Name
Person: Callable[..., Any] = fields.Person
PersonName: Callable[..., Any] = fields.PersonName
PersonOrName: Callable[..., Any] = fields.PersonOrName
RecordOrText: Callable[..., Any] = fields.RecordOrText
RecordId: Callable[..., Any] = fields.RecordId
ScaleNumber: Callable[..., Any] = fields.ScaleNumber
Text: Callable[..., Any] = fields.Text


def declare(field: fields.Field) -> Any:
    """Returns `field` itself, typed as Any, so that a declaration can use it.

    Declarations need this for the types of fields that have no constructor in this module.
    """
    return field
