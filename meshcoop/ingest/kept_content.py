"""The sealed content that a store keeps: everything at a home, a part of it at a relay."""

from typing import Protocol


class Retention(Protocol):
    """How much sealed content a store keeps."""

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more records with sealed content."""

    @property
    def released_row(self) -> int:
        """The last row whose sealed content is not kept any more."""


class KeepEverything:
    """The retention of a home."""

    is_full = False
    released_row = 0
