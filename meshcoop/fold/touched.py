"""What must be folded again after something has changed."""

from dataclasses import dataclass, field


@dataclass
class Touched:
    """Threads that must be folded again: those with the given roots, and all threads that have a
    record of one of the given logs. Roots and logs are named by their rows.

    A log can have records in tens of thousands of threads, so these are not looked for at once.
    """

    roots: set[int] = field(default_factory=set)
    logs: set[int] = field(default_factory=set)

    def add(self, other: "Touched") -> None:
        """Adds what another change has touched."""
        self.roots |= other.roots
        self.logs |= other.logs
