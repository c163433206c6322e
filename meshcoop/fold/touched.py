"""Describes what must be folded again after something has changed."""

from dataclasses import dataclass, field


@dataclass
class Touched:
    """Records that must be folded again, with everything that depends on them.

    `rows` are rows of records; the row of a root stands for its whole thread. `logs` are rows of
    logs. A log can have tens of thousands of records, so the row of a log stands for all its
    records.
    """

    rows: set[int] = field(default_factory=set)
    logs: set[int] = field(default_factory=set)

    def add(self, other: "Touched") -> None:
        """Adds everything that another change has touched."""
        self.rows |= other.rows
        self.logs |= other.logs
