"""What the loops read: a measure, and the records that people wrote about it.

Each class stands for one sort of record, and lists the attributes that the loops need. The views of
such records have these attributes. The loops know nothing else about the views.
"""

from typing import Protocol


class MeasureView(Protocol):
    """A measure in use."""

    @property
    def id(self) -> bytes:
        """The id of the measure's record."""

    @property
    def scale(self) -> str:
        """The scale of the answers. It is `count` if people report incidents."""

    @property
    def better(self) -> str | None:
        """Which answers are good: `higher` or `lower`."""

    @property
    def target(self) -> int | None:
        """The worst answer that is still good. If incidents are counted, the most incidents that a
        window may have.
        """

    @property
    def share(self) -> int | None:
        """How many percent of the answers should be good. None if incidents are counted."""

    @property
    def min_answers(self) -> int | None:
        """How many people must answer before their answers count. None means 1."""


class StatementView(Protocol):
    """A record about another record, at a time in ms."""

    @property
    def id(self) -> bytes:
        """The id of the record."""

    @property
    def kind(self) -> str:
        """The name of the record's kind. It decides the order of records with the same time."""

    @property
    def author(self) -> bytes:
        """The person who wrote the record."""

    @property
    def created(self) -> int:
        """The time (ms) at which the author wrote the record."""

    @property
    def about(self) -> bytes | None:
        """The id of the record that this record is about."""


class ReportView(StatementView, Protocol):
    """Feedback on a measure."""

    @property
    def value(self) -> int | None:
        """The answer. None if the feedback has words only."""

    @property
    def on(self) -> str | None:
        """The day that the feedback is about, as YYYY-MM-DD. Never None if the feedback counts."""

    @property
    def by(self) -> bytes | None:
        """The deputy who gave the answer for its author, or None (R-12.4)."""


class MergeView(StatementView, Protocol):
    """Says that its author's own report, in `about`, and an earlier report are about one
    incident.
    """

    @property
    def other(self) -> bytes | None:
        """The id of the earlier report. None if the author's own report is an incident by
        itself.
        """


class ActionView(StatementView, Protocol):
    """Something that its author will do about a matter."""

    @property
    def window(self) -> int | None:
        """The window that opened the matter. None if the action names no window."""


class VerdictView(StatementView, Protocol):
    """Says whether an action has solved the problem."""

    @property
    def fixed(self) -> str:
        """One of `yes`, `partly` and `no`."""


def stands_at(view: StatementView) -> int:
    """Returns the time (ms) at which the loops count a statement."""
    return view.created
