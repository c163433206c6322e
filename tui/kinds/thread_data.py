"""Holds all data that the page of a thread needs: the view of the thread's first record (its root),
and lists of other records.
"""

from dataclasses import dataclass, field

from tui.format.phrases import Shown


@dataclass(frozen=True)
class ThreadData:
    """A thread, with everything from which the screen makes its text and its next steps."""

    root: Shown
    agreements: list[Shown]
    receipts: list[Shown]
    history: list[Shown] = field(default_factory=list)
    answers: list[Shown] = field(default_factory=list)  # such as messages; oldest first
    corrections: list[Shown] = field(default_factory=list)
    flags: list[Shown] = field(default_factory=list)  # requests to the moderators
    hides: list[Shown] = field(default_factory=list)
    term: Shown = field(default_factory=dict)  # the term: who votes and who moderates
    rules: Shown = field(default_factory=dict)  # the charter in force
