"""What must be folded again after something has changed."""

from dataclasses import dataclass, field


@dataclass
class Touched:
    """Threads that must be folded again. They are the threads with the given roots, and all threads
    with a record from the given logs. Both roots and logs are given as rows.

    A log can have records in tens of thousands of threads. So this class does not list the threads
    of a log.
    """

    roots: set[int] = field(default_factory=set)
    logs: set[int] = field(default_factory=set)

    def add(self, other: "Touched") -> None:
        """Adds everything that another change has touched."""
        self.roots |= other.roots
        self.logs |= other.logs
