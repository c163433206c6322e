"""A parley: the two who are finding terms about an intent, one answer after the other (specs/13)."""

from typing import NamedTuple

from protocol.errors import Refused
from protocol.fold.thread import Entry, Thread

INTENTS = ("offer", "request")


class Parley(NamedTuple):
    """An intent and who responded to it. Who gives and who receives is as the intent says,
    whoever named the terms last.
    """

    intent: Entry
    responder: bytes

    @property
    def parties(self) -> tuple[bytes, bytes]:
        """Giver and receiver."""
        two = self.intent.person, self.responder
        return two if self.intent.kind == "offer" else (two[1], two[0])

    def other_party(self, person: bytes) -> bytes:
        """The one of the two whom `person` speaks to."""
        return self.responder if person == self.intent.person else self.intent.person


def parley_of(thread: Thread, response: Entry) -> Parley:
    """The parley that a response is part of. Raises Refused where it is part of none."""
    path: list[Entry] = []
    one: Entry | None = response
    # A loop that remembers, because two hostile people answer each other without end.
    while one is not None and one.kind == "response" and one.id not in thread.memo:
        path.append(one)
        one = thread.entries.get(one.about or b"")
    for answer in reversed(path):
        thread.memo[answer.id] = _joined(thread, answer)
    found = thread.memo.get(response.id) or _gone()
    if isinstance(found, Refused):
        raise found
    return Parley(*found)


def _joined(thread: Thread, answer: Entry) -> Parley | Refused:
    above = thread.entries.get(answer.about or b"")
    if above is not None and above.kind in INTENTS:
        if answer.person == above.person:
            return Refused("R-13.3", "a response comes from somebody else than the intent")
        return Parley(above, answer.person)
    if above is None or above.kind != "response":
        return _gone()
    known: Parley | Refused = thread.memo[above.id]
    if isinstance(known, Parley) and answer.person != known.other_party(above.person):
        return Refused("R-13.16", "other terms come from the one of the two who is to answer")
    return known


def _gone() -> Refused:
    return Refused("R-03.13", "the words that this answers are not there any more")
