"""Types which say that bytes stand for a person, or that a number stands for a time.

A view declares its values with these types. The code that shows a view reads the types: it shows a
person by name, and a time as a date.
"""

from enum import Enum
from typing import Annotated


class Meaning(Enum):
    """Says that bytes stand for a person, or that a number stands for a time."""

    PERSON = "person"
    TIME = "time"


PersonId = Annotated[bytes, Meaning.PERSON]  # the person's root key
PersonIdOrName = Annotated[bytes | str, Meaning.PERSON]  # a member, or the name of somebody outside
TimeMs = Annotated[int, Meaning.TIME]  # milliseconds since 1970
