"""Kinds of service chains (specs/21-services.md): who promised what to whom, signed by both ends.

A link is offered by who delegates and accepted by who takes it on. Who holds a service is worked out
from the links that both ends have signed, never said by anybody.
"""

from protocol.authority.terms import MEASURE
from protocol.errors import Refused
from protocol.fold.kind import Kind, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.schema.fields import Named, Person, Record, Text

DEEPEST = 8  # links under one another
_ACCEPTED = "accepted"


@kind("service", relied_on=True)
class Service(Kind):
    """Something that is done for the neighbourhood, by a member or by somebody outside."""

    states = ("open", "ended")
    naming = ("holder", "answers_for", "parties")
    timing = ("held_since",)
    title = Text(required=True, min=1, max=120)
    text = Text(max=2000)
    provider = Named(help="who provides it; its author if left out")
    area = Text(max=60, help="a coarse area")
    category = Text(max=60)
    contact = Text(max=200, help="how to reach who provides it, for everybody to read")
    hours = Text(max=200, help="when it is done or open")

    def is_adopted(self, thread: Thread, entry: Entry) -> bool:
        """R-22.3: a decision has adopted a measure of it, which its provider cannot undo."""
        asked = (
            one.id
            for one in thread.entries.values()
            if one.kind == "measure" and one.about == entry.id
        )
        return any(thread.authority.holding((MEASURE, one)).n for one in asked)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """A new service is open; its author answers for it where no member provides it."""
        provider = entry.fields.get("provider")
        top = provider if type(provider) is bytes else entry.person
        thread.make_view(entry, state="open", answers_for=top, links=[])

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-21.1, R-21.5: who holds it: the end of the longest chain of accepted links."""
        if "ended" in thread.marks[view["id"]]:
            view["state"] = "ended"
        chain = _longest(thread, view["id"])
        end = chain[-1] if chain else None
        view["chain"] = [one["id"] for one in chain]
        view["holder"] = end["to"] if end else view["answers_for"]
        view["held_since"] = end["since"] if end else view["created"]
        links = links_of(thread)
        view["links"] = [one["id"] for one in links]
        view["parties"] = sorted(
            {view["answers_for"], *(one["to"] for one in links if one["since"])}
        )


@kind("link", about=("service", "link"), relied_on=True)
class Link(Kind):
    """One step of a chain: a part of a service, offered to somebody who accepts or declines it."""

    states = ("offered", "accepted", "declined", "ended")
    timing = ("since",)
    to = Person(required=True, help="who is to do it")
    title = Text(required=True, min=1, max=120, help="what is handed on")
    text = Text(max=2000)
    instead = Record(help="the link that this one takes over from, once it is accepted")

    def guard(self, thread: Thread, entry: Entry) -> None:
        """R-21.3: software hands on what its person holds."""
        above = thread.views.get(entry.about or b"")
        if above is not None and above["kind"] == "link" and above["state"] != _ACCEPTED:
            raise Refused("R-21.3", f"that link is {above['state']}; only what is accepted goes on")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """R-21.2, R-21.4: by who holds what is handed on; a takeover by either end of the old link."""
        above = thread.views.get(entry.about or b"")
        if above is None:
            raise Refused("R-03.13", "what it hands on does not count")
        depth = above.get("depth", 0) + 1
        if depth > DEEPEST:
            raise Refused("R-21.2", f"a chain has at most {DEEPEST} links under one another")
        theirs = {above["author"], above["answers_for"]} if depth == 1 else {above["to"]}
        if entry.fields.get("instead") is not None:
            theirs |= _ends_of(thread, entry)
        if entry.person not in theirs:
            raise Refused("R-21.2", "only who holds something hands it on")
        if entry.fields["to"] == entry.person:
            raise Refused("R-21.2", "one hands on to somebody else")
        links_of(thread).append(thread.make_view(entry, state="offered", depth=depth, since=None))

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """R-21.3: software accepts a link once, while it is offered."""
        view = thread.find_view(entry.about, "link")
        if view is not None and view["state"] != "offered":
            raise Refused("R-21.3", f"the link is {view['state']} already")

    def apply_accept(self, thread: Thread, entry: Entry) -> None:
        """R-21.3: by whom it is offered to."""
        view = thread.find_view(entry.about, "link")
        if view is None or entry.person != view["to"]:
            raise Refused("R-21.3", "a link is accepted by whom it is offered to")
        view["since"] = min(view["since"] or entry.time, entry.time)

    def settle_view(self, thread: Thread, view: View) -> None:
        """R-21.3, R-21.4: accepted once both have signed; over when either ends it or another link
        has taken over.
        """
        marks = thread.marks[view["id"]]
        if marks & {"ended", "withdrawn"} or _is_over(thread, view):
            view["state"] = "ended"
        elif view["since"] is not None:
            view["state"] = _ACCEPTED
        elif "declined" in marks:
            view["state"] = "declined"


def links_of(thread: Thread) -> list[View]:
    """The links of a service that count, in the order of folding."""
    found: list[View] = thread.memo.setdefault(b"links", [])
    return found


def _ends_of(thread: Thread, entry: Entry) -> set[bytes]:
    """R-21.4: both ends of the link that this one is to take over from, at the same place."""
    old = thread.entries.get(entry.fields["instead"])
    if old is None or old.kind != "link" or old.about != entry.about:
        raise Refused("R-21.4", "a link takes over from one at the same place of the chain")
    return {old.person, old.fields["to"]}


def _is_over(thread: Thread, view: View) -> bool:
    """R-21.4: whether another link holds this one's place: of several accepted takeovers of one
    link the first, and so on from there.
    """
    place = view
    while (old := thread.find_view(place["instead"], "link")) is not None:
        place = old
    beside = [one for one in thread.linked_views("link", "about", view["about"]) if one["since"]]
    while takeovers := [one for one in beside if one["instead"] == place["id"]]:
        place = min(takeovers, key=_order)
    waits = view["since"] is None and view["instead"] == place["id"]
    return place["id"] != view["id"] and not waits


def _longest(thread: Thread, above: bytes) -> list[View]:
    """The longest chain of accepted links below a record; of equal ones the earliest."""
    chains = (
        [one, *_longest(thread, one["id"])]
        for one in thread.linked_views("link", "about", above)
        if one["state"] == _ACCEPTED
    )
    return min(chains, key=lambda chain: (-len(chain), _order(chain[0])), default=[])


def _order(view: View) -> tuple[int, bytes]:
    return view["created"], view["id"]
