"""A parley: two people find terms for an intent, one response after another (specs/13)."""

from typing import NamedTuple

from protocol.errors import Refused
from protocol.fold.thread import Entry, Thread

INTENTS = ("offer", "request")


class Parley(NamedTuple):
    """An intent and the person who responded to it.

    The intent decides who gives and who receives. It does not matter who named the last terms.
    """

    intent: Entry
    responder: bytes

    @property
    def parties(self) -> tuple[bytes, bytes]:
        """The giver and the receiver."""
        author = self.intent.person
        if self.intent.kind == "offer":
            return author, self.responder
        return self.responder, author

    def other_party(self, person: bytes) -> bytes:
        """Returns the other party: the one who answers `person`."""
        return self.responder if person == self.intent.person else self.intent.person


class _Parleys(dict[bytes, Parley | Refused]):
    """The parley of each response of a thread, or the refusal if the response is part of none."""


def parley_of(thread: Thread, response: Entry) -> Parley:
    """Returns the parley that a response is part of. Raises Refused if it is part of none."""
    parleys = thread.index(_Parleys)
    # A loop that keeps results, because two hostile people can answer each other without end.
    path: list[Entry] = []
    above: Entry | None = response
    while above is not None and above.kind == "response" and above.id not in parleys:
        path.append(above)
        above = thread.entries.get(above.about or b"")
    for answer in reversed(path):
        parleys[answer.id] = _join_parley(thread, answer)
    parley = parleys.get(response.id) or _gone()
    if isinstance(parley, Refused):
        raise parley
    return parley


def _join_parley(thread: Thread, answer: Entry) -> Parley | Refused:
    """Returns the parley of a response. The parley of the record above it must be known."""
    above = thread.entries.get(answer.about or b"")
    if above is not None and above.kind in INTENTS:
        if answer.person == above.person:
            return Refused("R-13.3", "a response comes from somebody else than the intent")
        return Parley(above, answer.person)
    if above is None or above.kind != "response":
        return _gone()
    parley = thread.index(_Parleys)[above.id]
    if isinstance(parley, Parley) and answer.person != parley.other_party(above.person):
        return Refused("R-13.16", "only the person whose turn it is proposes other terms")
    return parley


def _gone() -> Refused:
    return Refused("R-03.13", "the words that this answers are not here any more")
