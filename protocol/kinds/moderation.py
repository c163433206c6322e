"""Kinds that take words back (specs/14-conversation.md)."""

from protocol.errors import Refused
from protocol.record import OPEN
from protocol.schema import Kind, kind
from protocol.thread import Entry, Thread, retracts


@kind("retract", about=("*",), audience=OPEN, relied_on=True)
class Retract(Kind):
    """Erases the content of one's own record everywhere; the log still verifies."""

    alone = True

    def fold(self, thread: Thread, entry: Entry) -> None:
        """Thread folding has dropped what is retracted; what reaches here erases nothing."""
        target = thread.target(entry)
        if not retracts(entry, target):
            raise Refused(
                "R-01.17",
                "only one's own words can be retracted, and not what others rely on; "
                "a correction or a close says that something has changed",
            )
