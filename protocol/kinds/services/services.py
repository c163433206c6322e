"""Kinds of service chains (specs/21-services.md): who promised what to another person.

To hand on a part of a service, a person offers a link to another person, who accepts it. No record
says who holds a service. The holder follows from the links that both people have signed.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from protocol.authority.kind_names import ACCEPT
from protocol.errors import Refused
from protocol.fold.facets import Awaited, FindView, Way
from protocol.fold.kind import SOMEBODY, By, Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Mark, Thread
from protocol.fold.view import States, View
from protocol.schema.declare import Person, PersonOrName, RecordId, Text
from protocol.schema.register_names import MEASURE
from protocol.schema.values import PersonId, PersonIdOrName, TimeMs

DEEPEST = 8  # the most links in a chain


def _members_without_author(view: View, thread: Thread) -> Iterable[bytes]:
    """Returns all members if the author of a service has left, so that the service can be ended.
    Otherwise returns nobody.
    """
    return thread.authority.members if view.author in thread.authority.left else ()


@dataclass
class ServiceIndex:
    """What the fold has learned so far from the thread of a service."""

    links: list["Link"] = field(default_factory=list)  # the links that count, in fold order
    closed_at: list[int] = field(default_factory=list)  # when people ended the service (ms)


class ChainPart(Kind):
    """The base class of services and links. A link can hand on a part of a service, or a part of
    another link.
    """

    @property
    def next_depth(self) -> int:
        """The depth of a link about this record. A link about a service has the depth 1."""
        raise NotImplementedError

    @property
    def people_who_hand_on(self) -> set[bytes]:
        """The people who can offer a link about this record."""
        raise NotImplementedError


class ServiceQuestion(Kind):
    """The base class of measures. A measure is a question about a service. The service cannot end
    before its measures have ended.
    """

    @property
    def ends_at(self) -> int:
        """The time (ms) at which the last window of the question is over."""
        raise NotImplementedError


@kind("service", lasting=True)
class Service(ChainPart):
    """Something that is done for the neighbourhood, by a member or by somebody outside."""

    class State(States):
        """The states of a service."""

        OPEN = "open", "Nobody has ended it."
        ENDED = (
            "ended",
            (
                "Its author or the member who provides it ended it (`close`), and no measure is in use. "
                "Also shown if another service goes on in its place (`service`)."
            ),
        )

    wording = Words(
        "Service",
        happened="{who} described the service",
        begin="Describe a service",
        before=(
            "Everybody sees who does what, and can say how it goes. Leave out who does it if "
            "it is you. You can ask others to do parts of it afterwards; they have to accept."
        ),
    )
    example = {"title": "The bins", "provider": SOMEBODY, "hours": "Mondays"}
    witnessed = True
    closing = {
        Mark.ENDED: By("author", "answers_for", _members_without_author, while_=(State.OPEN,)),
    }

    title: str | None = Text(required=True, min=1, max=120)
    text: str | None = Text(max=2000)
    provider: PersonIdOrName | None = PersonOrName(
        help="who provides it: @ and a member's name, or somebody outside; its author if left out"
    )
    area: str | None = Text(max=60, help="a coarse area")
    category: str | None = Text(max=60)
    contact: str | None = Text(max=200, help="how to reach who provides it, for everybody to read")
    hours: str | None = Text(max=200, help="when it is done or open")
    instead: bytes | None = RecordId(
        help="the service in whose place this one goes on, with its measures and its chain"
    )

    answers_for: PersonId = b""
    links: list[bytes]
    chain: list[bytes]  # the ids of the links from the top down to the holder
    holder: PersonId = b""
    held_since: TimeMs = 0
    parties: list[PersonId]

    @property
    def next_depth(self) -> int:
        """The depth of a link that is directly about the service."""
        return 1

    @property
    def people_who_hand_on(self) -> set[bytes]:
        """The author, and the person who answers for the service."""
        return {self.author, self.answers_for}

    def is_adopted(self, thread: Thread) -> bool:
        """Returns True if a decision has adopted a measure of the service (R-22.3).

        The service then counts even if it lies beyond a fork of its provider's log. So the provider
        cannot undo the decision by forking the log.
        """
        return any(number for _, number in self._adoptions(thread))

    def check_close(self, thread: Thread, person: bytes) -> None:
        """Raises Refused if the person who answers for the service is a member, and another person
        ends the service (R-21.1b).

        Also raises Refused while a measure of the service is in use (R-21.1c).
        """
        for measure in self._adopted_measures(thread):
            facts = thread.facts_of_measure(measure)
            if facts is None or not facts.is_over:
                raise Refused(
                    "R-21.1c",
                    "a measure of it is in use; a decision retires it, or another service goes on "
                    "(--instead)",
                )
        is_own = person in {self.author, self.answers_for}
        if not is_own and self.answers_for not in thread.authority.left:
            raise Refused("R-21.1b", "the person who answers for the service can end it")

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns the person who holds the service, while it is open."""
        del find
        if self.state != self.State.OPEN:
            return []
        provider = self.provider if isinstance(self.provider, bytes) else self.author
        return [self.holder or provider]

    def complete(self, thread: Thread) -> None:
        """If `instead` names a service that itself goes on in the place of another service, sets
        `instead` to the first of these services (R-21.8).
        """
        facts = thread.facts_of_service(self.instead) if self.instead is not None else None
        if facts is not None:
            self.instead = facts.first

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if this service could not go on in the place of the service that it names
        (R-21.8c).
        """
        if self.instead is None:
            return
        facts = thread.facts_of_service(self.instead)
        if facts is None:
            raise Refused(
                "R-21.8",
                "the service that this one takes over from must be at this home, and not have ended",
            )
        provider = self.provider if isinstance(self.provider, bytes) else self.author
        if self.author not in facts.may_go_on or provider not in {self.author, facts.answers_for}:
            raise Refused(
                "R-21.8",
                "only who described a service, or answers for it, goes on with another; nobody "
                "makes somebody else answer for it (offer a part to them instead)",
            )

    def fold_entry(self, thread: Thread) -> None:
        """Adds the service to the views, in the state "open".

        If no member provides the service, its author answers for it.
        """
        self.answers_for = self.provider if isinstance(self.provider, bytes) else self.author
        thread.add_view(self)

    def apply_close(self, thread: Thread, close: View) -> None:
        """Notes when somebody ended the service (R-21.1c)."""
        thread.index(ServiceIndex).closed_at.append(close.created)

    def settle(self, thread: Thread) -> None:
        """Sets the state, the chain and the holder of the service (R-21.1, R-21.5).

        The holder is the last person of the longest chain of accepted links.
        """
        if self._is_ended(thread):
            self.state = self.State.ENDED
        chain = _longest_chain(thread, self.id)
        self.chain = [link.id for link in chain]
        self.holder = chain[-1].to if chain else self.answers_for
        self.held_since = self.created
        if chain and chain[-1].since is not None:
            self.held_since = chain[-1].since
        self.links = [link.id for link in thread.index(ServiceIndex).links]
        self.parties = sorted(parties_of(thread, self))

    def _is_ended(self, thread: Thread) -> bool:
        """Returns True if somebody ended the service after each measure in use was over (R-21.1c)."""
        closed_at = thread.index(ServiceIndex).closed_at
        for measure in self._adopted_measures(thread):
            question = thread.find_view(measure, ServiceQuestion)
            if question is None:
                return False
            closed_at = [time for time in closed_at if time >= question.ends_at]
        return bool(closed_at)

    def _adopted_measures(self, thread: Thread) -> Iterable[bytes]:
        """Yields the measures of the service that are adopted and not retired since."""
        return (measure for measure, number in self._adoptions(thread) if number % 2)

    def _adoptions(self, thread: Thread) -> Iterable[tuple[bytes, int]]:
        """Yields each measure of the service, with the number that the measure's register holds."""
        for entry in thread.entries.values():
            if entry.kind == "measure" and entry.about == self.id:
                yield entry.id, thread.authority.holding((MEASURE, entry.id)).n


@kind("link", about=("service", "link"), lasting=True)
class Link(ChainPart):
    """One step of a chain: a part of a service, offered to somebody who accepts or declines it."""

    class State(States):
        """The states of a link."""

        OFFERED = "offered", "Its recipient has not answered."
        ACCEPTED = "accepted", "Its recipient accepted it (`accept`), and it has not ended."
        DECLINED = "declined", "Its recipient declined it (`close`), and has not accepted it."
        ENDED = (
            "ended",
            "One of its ends ended it (`close`), or another took its place (`link`).",
        )

    wording = Words("Part of a service", happened="{who} asked somebody to do a part", submit="Ask")
    example = {"to": SOMEBODY, "title": "The south side"}
    accept = By(
        "to",
        while_=(State.OFFERED,),
        rule="R-21.3",
        otherwise="only the person to whom a link is offered accepts it",
    )
    closing = {
        Mark.WITHDRAWN: By(
            "author",
            while_=(State.OFFERED,),
            instead={State.ACCEPTED: "end it instead (as ended)"},
        ),
        Mark.DECLINED: By(
            "to",
            while_=(State.OFFERED,),
            instead={State.ACCEPTED: "end it instead (as ended)"},
        ),
        Mark.ENDED: By(
            "author",
            "to",
            while_=(State.ACCEPTED,),
            instead={State.OFFERED: "withdraw or decline it instead"},
        ),
    }

    to: PersonId = Person(required=True, help="who is to do it")
    title: str | None = Text(required=True, min=1, max=120, help="what is handed on")
    text: str | None = Text(max=2000)
    instead: bytes | None = RecordId(
        help="the link that this one takes over from, once it is accepted"
    )

    depth: int = 0
    since: TimeMs | None = None  # when its recipient accepted it
    accepted_in: bytes | None = None  # the id of that `accept`

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields one way to hand on a further part of `target`, with a new link.

        For each accepted link about `target`, yields a way to replace it by a link to a different
        person.
        """
        others = set(thread.authority.members) - {person}
        asked = ("to", "title", "text")
        yield Way(ask=asked, among=frozenset(others))
        for link in thread.linked_views(Link, "about", target.id):
            if link.state == cls.State.ACCEPTED:
                yield Way({"instead": link.id}, ask=asked, among=frozenset(others - {link.to}))

    @property
    def next_depth(self) -> int:
        """The depth of the links about this link."""
        return self.depth + 1

    @property
    def people_who_hand_on(self) -> set[bytes]:
        """The recipient of the link, and nobody else."""
        return {self.to}

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if the link is about another link that is not accepted (R-21.3)."""
        above = thread.find_view(self.about, Link)
        if above is not None and above.state != self.State.ACCEPTED:
            raise Refused(
                "R-21.3", "that link is {state}; only what is accepted goes on", state=above.state
            )

    def fold_entry(self, thread: Thread) -> None:
        """Adds the link to the views, in the state "offered" (R-21.2, R-21.4).

        Usually, the author must hold the part that the link hands on. If the link takes over from
        an old link, the author may also be one of the two people of the old link. If the author is
        anybody else, raises Refused.
        """
        above = thread.find_view(self.about, ChainPart)
        if above is None:
            raise Refused("R-03.13", "the record that it hands on does not count")
        check_first(thread, above)
        if above.next_depth > DEEPEST:
            raise Refused(
                "R-21.2", "a chain has at most {deepest} links under one another", deepest=DEEPEST
            )
        holders = above.people_who_hand_on
        if self.instead is not None:
            holders |= _ends_of_old_link(thread, self)
        if self.author not in holders:
            raise Refused("R-21.2", "only who holds something hands it on")
        if self.to == self.author:
            raise Refused("R-21.2", "a link is offered to somebody else than yourself")
        self.depth = above.next_depth
        thread.add_view(self)
        thread.index(ServiceIndex).links.append(self)

    def apply_accept(self, thread: Thread, accept: View) -> None:
        """Notes when the recipient accepted the link (R-21.3)."""
        del thread
        if self.since is None or accept.order < (self.since, self.accepted_in or b""):
            self.since = accept.created
            self.accepted_in = accept.id

    def settle(self, thread: Thread) -> None:
        """Sets the state of the link (R-21.3, R-21.4).

        A link is accepted once both people have signed it. It is ended once one of them ends it, or
        once another link has taken its place.
        """
        is_closed = thread.is_marked(self.id, Mark.ENDED, Mark.WITHDRAWN)
        if is_closed or _is_taken_over(thread, self):
            self.state = self.State.ENDED
        elif self.since is not None:
            self.state = self.State.ACCEPTED
        elif thread.is_marked(self.id, Mark.DECLINED):
            self.state = self.State.DECLINED

    def relies_on(self, find: FindView) -> Iterable[bytes]:
        """Returns the recipient, while the link is offered or accepted. Returns also the author,
        while the link is offered.
        """
        del find
        if self.state == self.State.OFFERED:
            return [self.author, self.to]
        return [self.to] if self.state == self.State.ACCEPTED else []

    def awaits(self, thread: Thread) -> Iterable[Awaited]:
        """A link that is offered waits for its recipient to accept it."""
        del thread
        if self.state == self.State.OFFERED:
            yield Awaited(self.to, ACCEPT, self.id)


def check_first(thread: Thread, target: View | Entry) -> None:
    """Raises Refused if a record is about a service that goes on in the place of another service
    (R-21.8a). New links, measures and reports belong to that other service.
    """
    service = thread.find_draft(target.id, Service)
    if service is not None and service.instead is not None:
        raise Refused("R-21.8", "it goes on from another service; say it about that one")


def parties_of(thread: Thread, service: Service) -> set[bytes]:
    """Returns the people who answer for a service or a part of it.

    These are the provider and everybody who accepted a link. If no member is the provider, the
    author of the service takes the place of the provider.
    """
    links = thread.index(ServiceIndex).links
    return {service.answers_for, *(link.to for link in links if link.since)}


def _ends_of_old_link(thread: Thread, link: Link) -> set[bytes]:
    """Returns the two people of the link that a new link takes over from (R-21.4).

    Raises Refused if the two links are not about the same record.
    """
    old = thread.find_draft(link.instead, Link)
    if old is None or old.about != link.about:
        raise Refused("R-21.4", "a link takes over from one at the same place of the chain")
    return {old.author, old.to}


def _is_taken_over(thread: Thread, link: Link) -> bool:
    """Returns True if another link has the place of this link in the chain (R-21.4).

    If several accepted links replace this link, the first of them has the place. If other links
    replace that first link, the same rule decides again.
    """
    # Goes back to the first link at this place, then forward to the link that is there now.
    current = link
    while (old := thread.find_view(current.instead, Link)) is not None:
        current = old
    siblings = thread.linked_views(Link, "about", link.about or b"")
    accepted = [sibling for sibling in siblings if sibling.since]
    while takeovers := [other for other in accepted if other.instead == current.id]:
        current = min(takeovers, key=lambda other: other.order)
    is_waiting = link.since is None and link.instead == current.id
    return current.id != link.id and not is_waiting


def _longest_chain(thread: Thread, above: bytes) -> list[Link]:
    """Returns the longest chain of accepted links that begins at a record.

    If several chains are equally long, returns the chain with the earliest first link.
    """
    chains = (
        [link, *_longest_chain(thread, link.id)]
        for link in thread.linked_views(Link, "about", above)
        if link.state == Link.State.ACCEPTED
    )
    return min(chains, key=lambda chain: (-len(chain), chain[0].order), default=[])
