"""A thread as its page needs it: the root's view and the lists that go with it."""

from dataclasses import dataclass, field

from tui.format.phrases import Shown


@dataclass(frozen=True)
class ThreadData:
    """A thread: all that its story and its next steps are made from."""

    root: Shown
    agreements: list[Shown]
    receipts: list[Shown]
    history: list[Shown] = field(default_factory=list)
    answers: list[Shown] = field(default_factory=list)  # such as messages; oldest first
    corrections: list[Shown] = field(default_factory=list)
    flags: list[Shown] = field(default_factory=list)  # asking moderators to look at words in it
    hides: list[Shown] = field(default_factory=list)
    term: Shown = field(default_factory=dict)  # who decides
    rules: Shown = field(default_factory=dict)  # the charter as it holds
