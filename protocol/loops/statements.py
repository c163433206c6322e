"""What the loops read: a measure, and the records that people wrote about it.

Each class lists the attributes that the loops need of one sort of record. Views of the records have
these attributes, and the loops know nothing else about them.
"""

from typing import Protocol


class MeasureView(Protocol):
    """A measure in use."""

    @property
    def id(self) -> bytes:
        """The id of its record."""

    @property
    def scale(self) -> str:
        """What people answer; `count` if incidents are counted."""

    @property
    def better(self) -> str | None:
        """Which answers are good: `higher` or `lower`."""

    @property
    def target(self) -> int | None:
        """The worst good answer. If incidents are counted, the most that a window may have."""

    @property
    def share(self) -> int | None:
        """How many percent of the answers should be good. None if incidents are counted."""

    @property
    def min_answers(self) -> int | None:
        """The fewest people whose answers count together; 1 if left out."""


class StatementView(Protocol):
    """A record about another record, at a time in ms."""

    @property
    def id(self) -> bytes:
        """The id of the record."""

    @property
    def kind(self) -> str:
        """The name of the record's kind. It decides which of two events of one time comes first."""

    @property
    def author(self) -> bytes:
        """The person who wrote the record."""

    @property
    def created(self) -> int:
        """The time (ms) at which the author wrote it."""

    @property
    def about(self) -> bytes | None:
        """The id of the record that it is about."""


class ReportView(StatementView, Protocol):
    """Feedback on a measure."""

    @property
    def value(self) -> int | None:
        """The answer. None if the feedback has words only."""

    @property
    def on(self) -> str | None:
        """The day that it is about, as YYYY-MM-DD. Never None if the feedback counts."""

    @property
    def link(self) -> bytes | None:
        """The link of the service that it is about, if the author knows it."""

    @property
    def by(self) -> bytes | None:
        """The deputy who gave the answer for its author, or None (R-12.4)."""


class MergeView(StatementView, Protocol):
    """Says that two reports are about the same incident. No reporter has denied it."""

    @property
    def other(self) -> bytes:
        """The id of one of the two reports. The record is about the other one."""


class ActionView(StatementView, Protocol):
    """Something that its author will do about a matter."""

    @property
    def window(self) -> int | None:
        """The window that opened the matter, if the action names one."""


class VerdictView(StatementView, Protocol):
    """Says whether an action has solved the problem."""

    @property
    def fixed(self) -> str:
        """One of `yes`, `partly` and `no`."""
