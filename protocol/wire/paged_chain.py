"""Chains that are too long for one frame: their records come in pages (specs/05, R-05.3g).

A chain has the records that show that somebody belongs. Each page is a frame of its own. The pages
come before the frame to which the chain belongs, and this frame has the last records.
"""

from collections.abc import Sequence
from typing import Any

from protocol.errors import Refused
from protocol.wire.frames import batch_records

PAGE = 4  # with records
MAX_CHAIN_RECORDS = 4096


def split_chain(chain: Sequence[bytes]) -> tuple[list[list[Any]], list[bytes]]:
    """Splits a chain into pages and its last records. Returns the frames of the pages, and the last
    records.

    The frame that follows the pages has room for these last records.
    """
    *earlier, last = list(batch_records(chain)) or [[]]
    return [[PAGE, wires] for wires in earlier], last


class PageReader:
    """Collects the pages of a chain."""

    def __init__(self) -> None:
        self.wires: list[bytes] = []

    def take(self, frame: list[Any]) -> bool:
        """Takes a frame and returns True, if the frame is a page of the chain. Returns False for
        any other frame.

        Raises Refused (R-05.3g).
        """
        if frame[0] != PAGE:
            return False
        wires: list[Any] = frame[1] if [type(part) for part in frame] == [int, list] else [None]
        if not all(type(wire) is bytes for wire in wires):
            raise Refused("R-05.3g", "a page has a list of records")
        self.wires += wires
        if len(self.wires) > MAX_CHAIN_RECORDS:
            raise Refused("R-05.3g", "a chain has {most} records at most", most=MAX_CHAIN_RECORDS)
        return True
