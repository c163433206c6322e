"""Views are shown as plain values. How each value is shown follows from its annotation in the class
of the view (R-06.10).
"""

from typing import Annotated, Any, NotRequired, TypedDict

import pytest

from meshcoop.api import plain_values
from protocol.fold.facets import Subject
from protocol.fold.view import Tombstone
from protocol.schema.values import PersonId, PersonIdOrName, TimeMs

ADA = b"a" * 32
BEN = b"b" * 32


class Names:
    """A source of names that gives every person the name Ada."""

    def show_person(self, person):
        return {"id": person.hex(), "name": "Ada"}

    def show_named(self, name):
        return {"id": None, "name": name}

    def show_subject(self, subject):
        return {"id": subject.id.hex(), "person": subject.is_person}


class Line(TypedDict):
    people: list[PersonId]
    since: TimeMs
    hidden: NotRequired[bytes]


def shown(hint, value):
    def give(given: object) -> Annotated[Any, hint]:
        return {"value": given}

    give.__annotations__["return"] = TypedDict("Given", {"value": hint})
    return plain_values.show_result(give, value, naming=Names())["value"]


@pytest.mark.parametrize(
    ("hint", "value", "plain"),
    [
        (PersonId, ADA, {"id": ADA.hex(), "name": "Ada"}),
        (PersonId | None, None, None),
        (PersonIdOrName, "Grandma", {"id": None, "name": "Grandma"}),
        (TimeMs, 0, "1970-01-01T00:00:00.000Z"),
        (bytes, ADA, ADA.hex()),
        (bytes | None, None, None),
        (list[bytes], [ADA, BEN], [ADA.hex(), BEN.hex()]),
        (dict[str, list[PersonId]], {"cook": [ADA]}, {"cook": [{"id": ADA.hex(), "name": "Ada"}]}),
        (list[Any], ["hidden", ADA, 1, None], ["hidden", ADA.hex(), 1, None]),
        (Subject | None, Subject(ADA, is_person=True), {"id": ADA.hex(), "person": True}),
        (
            list[Line],
            [{"people": [ADA], "since": 0}],
            [
                {
                    "people": [{"id": ADA.hex(), "name": "Ada"}],
                    "since": "1970-01-01T00:00:00.000Z",
                }
            ],
        ),
    ],
)
def test_a_value_is_shown_as_its_annotation_says(hint, value, plain):
    assert shown(hint, value) == plain


def test_a_view_of_no_kind_is_shown_with_what_all_views_have():
    values = {"id": ADA, "kind": "retracted", "author": BEN, "created": 0, "about": None}
    view = Tombstone.of_values({**values, "state": "retracted"})

    assert plain_values.show_values(view, Names()) == {
        "id": ADA.hex(),
        "kind": "retracted",
        "author": {"id": BEN.hex(), "name": "Ada"},
        "created": "1970-01-01T00:00:00.000Z",
        "about": None,
        "state": "retracted",
    }
