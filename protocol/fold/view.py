"""A view: what a thread shows of one record.

A view has the fields of its record, and what the fold works out from the other records of the
thread. Each kind of record has its own class of views, with a typed attribute for each value.
"""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from typing import Any, ClassVar, Self

from protocol.schema.fields import Field
from protocol.schema.values import PersonId, TimeMs

Order = tuple[int, bytes]  # a time in ms, then an id

# Values of every view that have no words of a person
WORDLESS = frozenset(("id", "kind", "state", "author", "created", "about", "by", "hidden"))


class States(StrEnum):
    """The states of a kind's views, in order. The state in which a view usually begins comes first.

    Each state is a word with a sentence that says when a view has this state. In the sentence,
    backticks mark the kinds of the records that bring a view into the state.
    """

    sentence: str

    def __new__(cls, word: str, sentence: str) -> Self:
        """Makes a state from its word and its sentence."""
        state = str.__new__(cls, word)
        state._value_ = word
        state.sentence = sentence
        return state


class NoStates(States):
    """No states: for a kind whose records have no views of their own."""


class View:
    """The view of one record. Its values are its attributes, and it has no other attributes.

    So `vars(view)` is what the codec packs and what the state hash covers.
    """

    id: bytes
    kind: str
    author: PersonId
    created: TimeMs
    about: bytes | None
    state: str
    by: PersonId | None = None  # who signed for the author by proxy; absent if nobody did
    hidden: bool = False  # true if its words are hidden; absent if they are shown

    # When a kind is registered, these are filled in for its class.
    record_fields: ClassVar[Mapping[str, Field]] = {}
    blank: ClassVar[Mapping[str, object]] = {}  # the first value of each field and derived value
    fresh: ClassVar[Mapping[str, Callable[[], object]]] = {}  # the same for values that are lists
    wordless: ClassVar[frozenset[str]] = WORDLESS  # values that have no words for everybody

    @property
    def order(self) -> Order:
        """The sort key among views that are about the same record: time, then id."""
        return self.created, self.id

    @classmethod
    def people_named_in(cls, fields: Mapping[str, Any]) -> set[bytes]:
        """Returns the people that the fields of a record of this kind name."""
        people: set[bytes] = set()
        for name, field in cls.record_fields.items():
            value = fields.get(name)
            if field.names_people and value is not None:
                people |= field.people(value)
        return people

    def texts(self) -> Iterable[str]:
        """Returns the texts in the view that people wrote for everybody to read. Search looks
        through these texts (R-06.13b).

        Usually, the texts are values of the view. A kind overrides this method if its views keep
        such texts elsewhere.
        """
        for name, value in vars(self).items():
            if value is None or name in self.wordless:
                continue
            field = self.record_fields.get(name)
            if field is not None:
                yield from field.texts(value)
            elif isinstance(value, str):
                yield value

    def hide_words(self) -> None:
        """Removes the fields with free words from the view. Counted values stay (R-14.6)."""
        values = vars(self)
        values.update(
            {name: None for name, field in self.record_fields.items() if field.is_wording}
        )
        values["hidden"] = True

    @classmethod
    def of_values(cls, values: dict[str, Any]) -> Self:
        """Makes a view from its values, in the form in which they were packed."""
        view = cls.__new__(cls)
        view.__dict__ = values
        return view


class Tombstone(View):
    """What is left in place of a record that its author has retracted."""

    KIND: ClassVar[str] = "retracted"
