"""A thread, with everything that the screen needs to show its text and its next steps."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from protocol.local_clock import LocalClock
from tui.node.shown import Shown


@dataclass(frozen=True)
class Reader:
    """Who looks at the screen, and when. `me` is None before the person is a member."""

    me: str | None
    clock: LocalClock
    term: Shown = field(default_factory=lambda: Shown({}))  # who votes and who moderates


@dataclass(frozen=True)
class ThreadData:
    """A thread: the view of its root, all views in it, what happened, and what can be done."""

    root: Shown
    views: list[Shown] = field(default_factory=list)  # oldest first, with the root
    history: list[Shown] = field(default_factory=list)
    steps: list[Shown] = field(default_factory=list)  # rows of `next_steps`
    charter: Shown = field(default_factory=lambda: Shown({}))
    beside: Mapping[str, Shown] = field(default_factory=dict)  # what a face fetched, by record id

    @property
    def is_readable(self) -> bool:
        """True if this home can read the root and knows its kind."""
        return self.root.has("state")

    def of_kind(self, *kinds: str) -> list[Shown]:
        """Returns the views of these kinds, oldest first."""
        return [view for view in self.views if view.kind in kinds]

    def find(self, record_id: str | None) -> Shown | None:
        """Returns the view of a record, or None."""
        return next((view for view in self.views if view.id == record_id), None)
