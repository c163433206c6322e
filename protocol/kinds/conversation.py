"""Kinds that end something (specs/14-conversation.md)."""

from collections.abc import Callable

from protocol.errors import Refused
from protocol.fields import Choice, Text
from protocol.kinds.circles import roster_of
from protocol.schema import KINDS, Kind, kind
from protocol.thread import Entry, Thread, View

_CLOSABLE = (
    *("offer", "request", "response", "agreement", "receipt", "proxy", "circle", "pact"),
    *("activity", "signup"),
)


@kind("close", about=_CLOSABLE)
class Close(Kind):
    """Says that something is withdrawn, declined, cancelled, disputed or ended, and by whom."""

    as_state = Choice(
        required=True, words=("withdrawn", "declined", "cancelled", "disputed", "ended")
    )
    why = Text(max=500)

    def fold(self, thread: Thread, entry: Entry) -> None:
        """R-14.2: each word only from those whose it is to say."""
        target = thread.target(entry)
        word = entry.fields["as_state"]
        if entry.person not in _who_may(thread, target, word):
            raise Refused("R-14.2", f"this {target.kind} is not theirs to call {word}")
        KINDS[target.kind or ""].closed(thread, entry)
        thread.marks[target.id].add(word)
        thread.marks[target.id].add(f"{word} by {entry.person.hex()}")


def _who_may(thread: Thread, target: Entry, word: str) -> set[bytes]:
    view = thread.view_of(target.id, target.kind or "")
    who = _WHO_MAY.get((word, target.kind or ""))
    return who(thread, target, view) if who is not None and view is not None else set()


def _author(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del thread, view
    return {target.person}


def _author_of_the_intent(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del view
    return {thread.target(target).person}


def _giver_and_receiver(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del thread, target
    return {view["giver"], view["receiver"]}


def _who_did_not_write_it(thread: Thread, target: Entry, view: View) -> set[bytes]:
    return _giver_and_receiver(thread, target, view) - {target.person}


def _parties(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del thread, target
    return set(view["parties"])


def _other_parties(thread: Thread, target: Entry, view: View) -> set[bytes]:
    return _parties(thread, target, view) - {target.person}


def _who_was_in_it(thread: Thread, target: Entry, view: View) -> set[bytes]:
    del view
    return roster_of(thread, target.id).ever


_WHO_MAY: dict[tuple[str, str], Callable[[Thread, Entry, View], set[bytes]]] = {
    ("withdrawn", "offer"): _author,
    ("withdrawn", "request"): _author,
    ("withdrawn", "response"): _author,
    ("declined", "response"): _author_of_the_intent,
    ("cancelled", "agreement"): _giver_and_receiver,
    ("disputed", "receipt"): _who_did_not_write_it,
    ("withdrawn", "circle"): _who_was_in_it,
    ("withdrawn", "pact"): _author,
    ("declined", "pact"): _other_parties,
    ("ended", "pact"): _parties,
    ("ended", "proxy"): _author,
    ("cancelled", "activity"): _author,
    ("withdrawn", "signup"): _author,
}
