"""Decides how much sealed content a store keeps. A home keeps everything, a relay only a part."""

from typing import Protocol


class Retention(Protocol):
    """The limits of the sealed content that a store keeps."""

    @property
    def is_full(self) -> bool:
        """Whether there is no room for more records with sealed content."""

    @property
    def released_row(self) -> int:
        """The highest row whose sealed content has been deleted."""


class KeepEverything:
    """The retention of a home, which keeps all sealed content."""

    is_full = False
    released_row = 0
