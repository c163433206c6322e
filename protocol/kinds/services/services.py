"""Kinds of service chains (specs/21-services.md): who promised what to another person.

To hand on a part of a service, a person offers a link to another person, who accepts it. No record
says who holds a service. This follows from the links that both people have signed.
"""

from dataclasses import dataclass, field

from protocol.errors import Refused
from protocol.fold.kind import Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.schema.fields import Person, PersonOrName, RecordId, Text
from protocol.schema.register_names import MEASURE

DEEPEST = 8  # the most links in a chain
_ACCEPTED = "accepted"


@dataclass
class ServiceIndex:
    """What the fold of the thread of a service has learned so far."""

    links: list[View] = field(default_factory=list)  # the links that count, in fold order


@kind("service", lasting=True)
class Service(Kind):
    """Something that is done for the neighbourhood, by a member or by somebody outside."""

    states = States(
        {
            "open": "Nobody has ended it.",
            "ended": "Its author, or the member who provides it, ended it (`close`).",
        }
    )
    extra_people_fields = ("holder", "answers_for", "parties")
    extra_time_fields = ("held_since",)
    title = Text(required=True, min=1, max=120)
    text = Text(max=2000)
    provider = PersonOrName(help="who provides it; its author if left out")
    area = Text(max=60, help="a coarse area")
    category = Text(max=60)
    contact = Text(max=200, help="how to reach who provides it, for everybody to read")
    hours = Text(max=200, help="when it is done or open")

    def is_adopted(self, thread: Thread, entry: Entry) -> bool:
        """Returns True if a decision has adopted a measure of the service (R-22.3).

        So the provider cannot undo the decision by forking their log.
        """
        measures = (
            measure.id
            for measure in thread.entries.values()
            if measure.kind == "measure" and measure.about == entry.id
        )
        return any(thread.authority.holding((MEASURE, measure)).n for measure in measures)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the service to the views, in the state "open".

        If no member provides the service, its author answers for it.
        """
        provider = entry.fields.get("provider")
        top = provider if type(provider) is bytes else entry.person
        thread.make_view(entry, state="open", answers_for=top, links=[])

    def settle_view(self, thread: Thread, view: View) -> None:
        """Sets the state, the chain and the holder of the service (R-21.1, R-21.5).

        The holder is the last person of the longest chain of accepted links.
        """
        if "ended" in thread.marks[view["id"]]:
            view["state"] = "ended"
        chain = _longest_chain(thread, view["id"])
        end = chain[-1] if chain else None
        view["chain"] = [link["id"] for link in chain]
        view["holder"] = end["to"] if end else view["answers_for"]
        view["held_since"] = end["since"] if end else view["created"]
        view["links"] = [link["id"] for link in thread.index(ServiceIndex).links]
        view["parties"] = sorted(parties_of(thread, view))


@kind("link", about=("service", "link"), lasting=True)
class Link(Kind):
    """One step of a chain: a part of a service, offered to somebody who accepts or declines it."""

    states = States(
        {
            "offered": "Its recipient has not answered.",
            "accepted": "Its recipient accepted it (`accept`), and it has not ended.",
            "declined": "Its recipient declined it (`close`), and has not accepted it.",
            "ended": "One of its ends ended it (`close`), or another took its place (`link`).",
        }
    )
    extra_time_fields = ("since",)
    to = Person(required=True, help="who is to do it")
    title = Text(required=True, min=1, max=120, help="what is handed on")
    text = Text(max=2000)
    instead = RecordId(help="the link that this one takes over from, once it is accepted")

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused if the link is about another link that is not accepted (R-21.3)."""
        above = thread.views.get(entry.about or b"")
        if above is not None and above["kind"] == "link" and above["state"] != _ACCEPTED:
            raise Refused("R-21.3", f"that link is {above['state']}; only what is accepted goes on")

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the link to the views, in the state "offered" (R-21.2, R-21.4).

        Raises Refused unless its author holds the part that the link hands on. If the link takes
        over from an old link, its author may also be one of the two people of the old link.
        """
        above = thread.views.get(entry.about or b"")
        if above is None:
            raise Refused("R-03.13", "the record that it hands on does not count")
        depth = above.get("depth", 0) + 1
        if depth > DEEPEST:
            raise Refused("R-21.2", f"a chain has at most {DEEPEST} links under one another")
        holders = {above["author"], above["answers_for"]} if depth == 1 else {above["to"]}
        if entry.fields.get("instead") is not None:
            holders |= _ends_of_old_link(thread, entry)
        if entry.person not in holders:
            raise Refused("R-21.2", "only who holds something hands it on")
        if entry.fields["to"] == entry.person:
            raise Refused("R-21.2", "a link is offered to somebody else than yourself")
        link = thread.make_view(entry, state="offered", depth=depth, since=None)
        thread.index(ServiceIndex).links.append(link)

    def check_before_accept(self, thread: Thread, entry: Entry) -> None:
        """Raises Refused unless the link is still offered (R-21.3)."""
        view = thread.find_view(entry.about, "link")
        if view is not None and view["state"] != "offered":
            raise Refused("R-21.3", f"the link is {view['state']} already")

    def apply_accept(self, thread: Thread, entry: Entry) -> None:
        """Notes when the recipient accepted the link (R-21.3).

        Raises Refused if anybody else accepts it.
        """
        view = thread.find_view(entry.about, "link")
        if view is None or entry.person != view["to"]:
            raise Refused("R-21.3", "only the person to whom a link is offered accepts it")
        view["since"] = min(view["since"] or entry.time, entry.time)

    def settle_view(self, thread: Thread, view: View) -> None:
        """Sets the state of the link (R-21.3, R-21.4).

        A link is accepted once both people have signed it. It is ended once one of them ends it, or
        once another link has taken its place.
        """
        marks = thread.marks[view["id"]]
        if marks & {"ended", "withdrawn"} or _is_taken_over(thread, view):
            view["state"] = "ended"
        elif view["since"] is not None:
            view["state"] = _ACCEPTED
        elif "declined" in marks:
            view["state"] = "declined"


def parties_of(thread: Thread, service: View) -> set[bytes]:
    """Returns the people who answer for a service or a part of it.

    These are the provider, or else the author, and everybody who accepted a link.
    """
    links = thread.index(ServiceIndex).links
    return {service["answers_for"], *(link["to"] for link in links if link["since"])}


def _ends_of_old_link(thread: Thread, entry: Entry) -> set[bytes]:
    """Returns the two people of the link that the new link `entry` takes over from (R-21.4).

    Raises Refused unless both links are about the same record.
    """
    old = thread.entries.get(entry.fields["instead"])
    if old is None or old.kind != "link" or old.about != entry.about:
        raise Refused("R-21.4", "a link takes over from one at the same place of the chain")
    return {old.person, old.fields["to"]}


def _is_taken_over(thread: Thread, link: View) -> bool:
    """Returns True if another link has the place of this link in the chain (R-21.4).

    Several accepted links may take over from one link. Then the first of them has the place. If
    other links take over from that first link, the same rule decides again.
    """
    # Goes back to the first link at this place, then forward to the link that is there now.
    current = link
    while (old := thread.find_view(current["instead"], "link")) is not None:
        current = old
    siblings = thread.linked_views("link", "about", link["about"])
    accepted = [sibling for sibling in siblings if sibling["since"]]
    while takeovers := [other for other in accepted if other["instead"] == current["id"]]:
        current = min(takeovers, key=_order)
    is_waiting = link["since"] is None and link["instead"] == current["id"]
    return current["id"] != link["id"] and not is_waiting


def _longest_chain(thread: Thread, above: bytes) -> list[View]:
    """Returns the longest chain of accepted links below a record.

    If several chains are equally long, the one with the earliest first link is returned.
    """
    chains = (
        [link, *_longest_chain(thread, link["id"])]
        for link in thread.linked_views("link", "about", above)
        if link["state"] == _ACCEPTED
    )
    return min(chains, key=lambda chain: (-len(chain), _order(chain[0])), default=[])


def _order(view: View) -> tuple[int, bytes]:
    return view["created"], view["id"]
