"""A thread as its page needs it: the root view and the lists that go with it."""

from dataclasses import dataclass, field
from typing import Any

Shown = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """A thread as far as its acts need it."""

    root: Shown
    agreements: list[Shown]
    receipts: list[Shown]
    history: list[Shown] = field(default_factory=list)
    answers: list[Shown] = field(default_factory=list)  # messages, revisions; oldest first
    corrections: list[Shown] = field(default_factory=list)
    flags: list[Shown] = field(default_factory=list)  # what people say of words in it
    hides: list[Shown] = field(default_factory=list)
    term: Shown = field(default_factory=dict)  # who decides
    rules: Shown = field(default_factory=dict)  # the charter as it holds
