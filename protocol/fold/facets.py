"""What a view gives to the parts of the program that treat all kinds of records alike.

Each of these parts asks a view for one thing. The diary asks for an entry, and the balances ask for
minutes. The list Today asks for the answers that the view waits for. Matching asks for the needs
and offers in the view. The local API asks for further values that are shown beside the view.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple, get_type_hints

from protocol.fold.view import View

COMMON_POT = bytes(32)  # stands for the common pot in place of a person; it is nobody's root key

_LARGEST = 2**53  # of the numbers that a home stores and adds up

FindView = Callable[[bytes | None], View | None]  # record id → its view, if there is one


class Credit(NamedTuple):
    """Minutes that one person gave and another received.

    `id` is the id of the record that moved the minutes.
    """

    id: bytes
    kind: str
    created: int
    on: str | None
    giver: bytes
    receiver: bytes
    minutes: int
    is_gift: bool = False  # a gift changes no balance


class Certainty(StrEnum):
    """How sure an entry of a diary is, in the words of iCalendar."""

    TENTATIVE = "tentative"
    CONFIRMED = "confirmed"
    CANCELLED = "cancelled"


class DiaryEntry(NamedTuple):
    """An entry of one person's diary. Its moments are local times, by the clock of the
    neighbourhood.
    """

    title: str | None
    starts: str
    minutes: int | None = None
    repeats: str | None = None  # an iCalendar RRULE
    area: str | None = None
    other: bytes | None = None  # the other person, if there is exactly one
    role: str | None = None  # what the diary's owner does there
    certainty: Certainty = Certainty.CONFIRMED


class Crowd(StrEnum):
    """A group of people for whose answer a view can wait. No record names these people."""

    VOTERS = "voters"
    MODERATORS = "moderators"


@dataclass(frozen=True)
class Awaited:
    """An answer that a view waits for.

    `who` should answer the record `about` with a record of the kind `kind`. The view waits from the
    local moment `since` to the local moment `until`.
    """

    who: bytes | Crowd
    kind: str
    about: bytes
    since: str | None = None
    until: str | None = None


def check_facts(facts: Sequence[Credit | Awaited]) -> None:
    """Raises TypeError if a value is not of its declared type. No home could store such a value.

    Also raises TypeError if a number is too large for the tables of a home.
    """
    for fact in facts:
        for name, hint in _HINTS[type(fact)].items():
            value = getattr(fact, name)
            is_large = isinstance(value, int) and abs(value) > _LARGEST
            if is_large or not isinstance(value, hint):
                raise TypeError(f"{type(fact).__name__}.{name} cannot be {value!r}")


_HINTS = {fact_type: get_type_hints(fact_type) for fact_type in (Credit, Awaited)}


@dataclass(frozen=True)
class Way:
    """A way in which a person could answer a record, such as with a yes or with a no.

    `given` are the fields that this way fixes. `ask` are the fields that the person may fill in. If
    `ask` is `None`, the person may fill in every field that people fill in. `among` are the people
    or records to choose from. If `among` is `None`, everybody may be chosen. Before software shows
    the way, it tries whether such an answer would count. For this test, `trial` has values for some
    of the fields in `ask`.
    """

    given: Mapping[str, object] = field(default_factory=dict)
    ask: tuple[str, ...] | None = None
    among: frozenset[bytes] | None = None
    trial: Mapping[str, object] = field(default_factory=dict)


class ActionFacts(NamedTuple):
    """What a home knows of an action now. These facts depend on the clock and on the answers of
    people.
    """

    state: str
    done_at: int | None  # when it was last reported done (ms)
    raisers: frozenset[bytes]  # the people who judge it


class MeasureFacts(NamedTuple):
    """What a home knows of a measure in use now. These facts depend on the clock and on people's
    answers.
    """

    last_day: str  # the last day of its last window
    has_matter: bool  # a matter is open, so the measure goes on
    is_over: bool  # the measure has ended


class ServiceFacts(NamedTuple):
    """What a home knows of a service now. It depends on other threads (R-21.8)."""

    first: bytes  # the service in whose place it goes on, or itself
    answers_for: bytes  # the person who answers for it now
    may_go_on: frozenset[bytes]  # the people who can let another service go on in its place


class TrialFacts(NamedTuple):
    """What a home knows of a trial now. These facts depend on the clock and on the answers of
    people.
    """

    state: str  # as it is shown
    starts: str  # the first day
    settles: str  # the day on which the last answers are in
    is_settled: bool
    is_harmful: bool  # there is an urgent report, or a measure got worse


class Subject(NamedTuple):
    """The person or the record that a view asks people to judge."""

    id: bytes
    is_person: bool


# -- for matching ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Post:
    """Something that one person needs or offers, and the time during which the person needs or
    offers it.
    """

    is_need: bool
    title: str
    tags: tuple[str, ...] = ()
    text: str | None = None
    lang: str | None = None
    starts: str | None = None
    until: str | None = None
    repeats: str | None = None
    minutes: int | None = None
    area: str | None = None


@dataclass(frozen=True)
class Portrait:
    """What people say about themselves, such as what they can give and what they would like."""

    name: str | None
    about: str | None
    assets: tuple[str, ...] = ()
    wants: tuple[str, ...] = ()
    languages: tuple[str, ...] = ()
    area: str | None = None
    minutes_a_month: int | None = None


@dataclass(frozen=True)
class Answered:
    """Says that the author of a view has answered a post.

    So software stops suggesting the post to this author.
    """

    post: bytes | None  # the id of the record that has the post


@dataclass(frozen=True)
class Promise:
    """Time that one person has promised to another person, and has not given yet."""

    giver: bytes
    receiver: bytes
    minutes: int
    when: str | None


@dataclass(frozen=True)
class Recommendation:
    """Says that the author of a view recommends a person."""

    person: bytes


@dataclass(frozen=True)
class SameWords:
    """Words that mean the same in this neighbourhood."""

    words: tuple[str, ...]


MatchingFact = Post | Portrait | Answered | Promise | Recommendation | SameWords
