"""The thread of one exchange, for tests. Three people write the entries of the thread. Tests fold
these entries without making signed records.
"""

import hashlib

from protocol import kinds
from protocol.authority.admission import Device, Member
from protocol.authority.authority import Authority
from protocol.authority.terms import Chain
from protocol.fold import fold as thread
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS
from protocol.fold.thread import Entry

assert kinds  # registers every kind

ADA, BEN, CHO = (name * 32 for name in (b"a", b"b", b"c"))
PEOPLE = (ADA, BEN, CHO)


def authority(*, forks=None, revoked=None):
    people = {one: Member(one, 0, ()) for one in PEOPLE}
    devices = {one: Device(one, one, one, (revoked or {}).get(one), b"n" * 32) for one in PEOPLE}
    return Authority(
        neighbourhood=b"n" * 32,
        chain=Chain((), ()),
        members=people,
        people=people,
        devices=devices,
        forks=forks or {},
    )


class Story:
    """The entries of one thread. Each person has one device. The clock advances by one at each
    entry.
    """

    def __init__(self):
        self.entries = []
        self.seqs = dict.fromkeys(PEOPLE, 0)

    def says(self, who, kind, about=None, /, *, time=None, **fields):
        self.seqs[who] += 1
        n = len(self.entries) + 1
        one = Entry(
            hashlib.sha256(str(n).encode()).digest(),
            who,
            self.seqs[who],
            n if time is None else time,
            about and about.id,
            who,
            kind,
            fields,
            lasting=kind in KINDS and KINDS[kind].lasting,
        )
        self.entries.append(one)
        return one

    def fold(self, **more):
        return thread.fold_thread(self.entries, authority(**more))

    def view(self, one, **more):
        return self.fold(**more).views.get(one.id)

    def values(self, **more):
        """Maps the id of each view to the values of the view. Tests compare this map with the map
        of another fold.
        """
        return values_of(self.fold(**more))

    def state(self, one, **more):
        view = self.view(one, **more)
        return view and view.state

    def told(self, one, **more):
        history = self.fold(**more).history
        return next((t.refusal and t.refusal.rule for t in history if t.entry.id == one.id), "?")

    def counted(self, **more):
        return {credit.id: credit.minutes for credit in credits_of(self.fold(**more))}


def values_of(folded):
    """Maps the id of each view of a folded thread to the values of the view."""
    return {record_id: vars(view) for record_id, view in folded.views.items()}


def credits_of(folded):
    """Returns the minutes that the views of a folded thread move from one person to another."""
    return [
        credit
        for view in folded.views.values()
        if isinstance(view, Kind)
        for credit in view.credits()
    ]


def agreed(kind="offer", **intent):
    """Makes a story with Ada's request or offer, Ben's response and Ada's agreement.

    Returns the story, these three entries, and the terms of the agreement.
    """
    story = Story()
    root = story.says(ADA, kind, title="x", **intent)
    response = story.says(BEN, "response", root, minutes=60, when="2026-12-01")
    giver, receiver = (ADA, BEN) if kind == "offer" else (BEN, ADA)
    terms = {"minutes": 60, "when": "2026-12-01", "giver": giver, "receiver": receiver}
    terms |= {name: one for name, one in intent.items() if name == "repeats"}
    agreement = story.says(ADA, "agreement", response, **terms)
    return story, root, response, agreement, terms


def receipt_of(story, agreement, terms, who=BEN, **more):
    fields = {name: terms[name] for name in ("giver", "receiver", "minutes")}
    return story.says(who, "receipt", agreement, **(fields | {"on": "2026-12-01"} | more))
