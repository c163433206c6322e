"""Gives the answers of the local API as typed values.

A newer node may send more values, or other values. A value that is missing or has another type
reads as None, as empty or as False. So no answer of a node can break a screen.
"""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Person:
    """A person. `id` is None for somebody outside the neighbourhood. `mark` tells the person apart
    from others with a name that is alike. If there are no such others, `mark` is None. `left` is
    True if the person has left the neighbourhood.
    """

    id: str | None
    name: str
    mark: str | None = None
    left: bool = False


class Shown:
    """A view, or another answer of the local API that has named values."""

    def __init__(self, values: Mapping[str, object]) -> None:
        self._values = values

    @property
    def id(self) -> str:
        """The id of the record, or of the row."""
        return self.text("id") or ""

    @property
    def kind(self) -> str:
        """The kind of the record. If the home cannot read the record, this is an empty text."""
        return self.text("kind") or ""

    @property
    def author(self) -> Person | None:
        """The author of this record."""
        return self.person("author")

    @property
    def created(self) -> str:
        """The time when the record was made, in UTC."""
        return self.text("created") or ""

    @property
    def about(self) -> str | None:
        """The id of the record that this record answers. For a profile, this is a text that the
        person wrote about themselves.
        """
        return self.text("about")

    @property
    def state(self) -> str:
        """The state of the view. If there is no view, this is an empty text."""
        return self.text("state") or ""

    @property
    def names(self) -> list[str]:
        """The names of all values, in the order in which the node shows them."""
        return list(self._values)

    def value(self, name: str) -> object:
        """Returns the value called `name`, of any type. Pages that do not know the kind of the
        record use this.
        """
        return self._values.get(name)

    def has(self, name: str) -> bool:
        """Returns True if there is a value that is not None."""
        return self._values.get(name) is not None

    def is_by(self, person_id: str | None) -> bool:
        """Returns True if this person is the author of the record."""
        author = self.author
        return author is not None and person_id is not None and author.id == person_id

    def text(self, name: str) -> str | None:
        """Returns the value with this name if it is a text. If not, returns None."""
        value = self._values.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> int | None:
        """Returns the value with this name if it is a whole number. If not, returns None."""
        value = self._values.get(name)
        return value if isinstance(value, int) and not isinstance(value, bool) else None

    def flag(self, name: str) -> bool:
        """Returns True if the value with this name is True."""
        return self._values.get(name) is True

    def person(self, name: str) -> Person | None:
        """Returns the value with this name if it is a person. If not, returns None."""
        return read_person(self._values.get(name))

    def as_person(self) -> Person:
        """Returns the person that this row of the list of people shows."""
        return read_person(self._values) or Person(self.id, "")

    def people(self, name: str) -> list[Person]:
        """Returns the people in a list. `name` is the name of this list."""
        read = (read_person(value) for value in _items(self._values.get(name)))
        return [person for person in read if person is not None]

    def all_people(self) -> list[Person]:
        """Returns all people that this view names, as values or in lists. Leaves out people in
        maps.
        """
        values = [part for value in self._values.values() for part in _items(value) or [value]]
        read = (read_person(value) for value in values)
        return [person for person in read if person is not None]

    def overlaid_with(self, other: "Shown") -> "Shown":
        """Returns a view with the values of both views. If both have a value of the same name,
        takes the value of `other`.
        """
        return Shown({**self._values, **{name: other.value(name) for name in other.names}})

    def row(self, name: str) -> "Shown | None":
        """Returns the value with this name if it is a map of further values. If not, returns
        None.
        """
        value = self._values.get(name)
        return Shown(value) if isinstance(value, dict) else None

    def rows(self, name: str) -> list["Shown"]:
        """Returns the maps in a list. `name` is the name of this list."""
        return [Shown(value) for value in _items(self._values.get(name)) if isinstance(value, dict)]

    def texts(self, name: str) -> list[str]:
        """Returns the texts in the list with this name."""
        return [value for value in _items(self._values.get(name)) if isinstance(value, str)]

    def numbers(self, name: str) -> dict[str, int]:
        """Returns the numbers in the map with this name. The result maps the name of each number to
        the number.
        """
        value = self._values.get(name)
        named = value.items() if isinstance(value, dict) else ()
        return {str(key): number for key, number in named if isinstance(number, int)}


def read_person(value: object) -> Person | None:
    """Reads a person from the form in which the local API shows people."""
    if not isinstance(value, dict) or not isinstance(value.get("name"), str):
        return None
    person = Shown(value)
    return Person(person.text("id"), value["name"], person.text("mark"), person.flag("left"))


@dataclass(frozen=True)
class Page:
    """The first rows of a list, and how many rows the list has."""

    rows: list[Shown]
    total: int

    @property
    def left_out(self) -> int:
        """How many rows of the list are not on this page."""
        return self.total - len(self.rows)


def read_rows(answer: object) -> list[Shown]:
    """Reads the rows of a list."""
    return [Shown(value) for value in _items(answer) if isinstance(value, dict)]


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []
