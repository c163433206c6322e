"""Says how much sealed content a store keeps. A home keeps all sealed content. A relay keeps only a
part.
"""

from typing import Protocol


class Retention(Protocol):
    """The limits on the sealed content that a store keeps."""

    @property
    def is_full(self) -> bool:
        """Whether the store has no room left for records with sealed content."""

    @property
    def released_row(self) -> int:
        """The highest row whose sealed content was deleted to make room, or 0 if there is none."""


class KeepEverything:
    """The limits of a home: there are none, because a home keeps all sealed content."""

    is_full = False
    released_row = 0
