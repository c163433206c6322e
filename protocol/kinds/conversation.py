"""Kinds that end something (specs/14-conversation.md)."""

from typing import Any

from protocol.errors import Refused
from protocol.fields import Choice, Text
from protocol.schema import Kind, kind
from protocol.thread import Entry, Thread

_CLOSABLE = ("offer", "request", "response", "agreement", "receipt", "proxy")


@kind("close", about=_CLOSABLE)
class Close(Kind):
    """Says that something is withdrawn, declined, cancelled or disputed, and by whom."""

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
        if word == "ended":
            _end(thread.views[target.id], entry.time)
        thread.marks[target.id].add(word)
        thread.marks[target.id].add(f"{word} by {entry.person.hex()}")


def _end(view: dict[str, Any], time: int) -> None:
    """R-12.5: what was signed before stays, whatever comes first here."""
    view["state"] = "ended"
    view["ended"] = time if view["ended"] is None else min(time, view["ended"])


def _who_may(thread: Thread, target: Entry, word: str) -> set[bytes]:
    view = thread.view_of(target.id, target.kind or "")
    if view is None:
        return set()
    own = {"withdrawn": {"offer", "request", "response"}, "ended": {"proxy"}}
    if target.kind in own.get(word, ()):
        return {target.person}
    if word == "declined" and target.kind == "response":
        return {thread.target(target).person}
    if word == "cancelled" and target.kind == "agreement":
        return {view["giver"], view["receiver"]}
    if word == "disputed" and target.kind == "receipt":
        return {view["giver"], view["receiver"]} - {target.person}
    return set()
