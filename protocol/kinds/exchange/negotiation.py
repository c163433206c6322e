"""Two people find terms for an offer or a request, one response after another (specs/13).

The code calls the offer or request an intent, and calls these talks a parley.
"""

from typing import NamedTuple

from protocol.errors import Refused
from protocol.fold.thread import Entry, Thread

INTENTS = ("offer", "request")


class Parley(NamedTuple):
    """The talks about one offer or request, with one person who responded to it.

    The offer or request decides who gives and who receives. It does not matter who named the last
    terms.
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
        """Returns the party that is not `person`."""
        return self.responder if person == self.intent.person else self.intent.person


class _Parleys(dict[bytes, Parley | Refused]):
    """The parley of each response of a thread, or the reason if the response has no parley."""


def parley_of(thread: Thread, response: Entry) -> Parley:
    """Returns the parley of a response. Raises Refused if the response is part of no parley."""
    parleys = thread.index(_Parleys)
    # A loop instead of recursion: two hostile people can answer each other's responses very often.
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
    """Returns the parley of one response, or the refusal.

    If the response answers another response, the parley of that other response must be known.
    """
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
