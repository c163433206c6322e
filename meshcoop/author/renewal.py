"""Proposes and accepts new terms, for a person or by the home's software alone.

A renewal, which begins the next term, lists all decisions in force (specs/03 R-03.22). If one
record is too small for the lists, the rest goes into further records, called parts. The renewal
names each part by the hash of its content.
"""

from collections.abc import Iterator
from typing import Any

from meshcoop.author.author import Author
from meshcoop.author.folding import Folding
from protocol.authority import register_change
from protocol.authority.authority import Authority
from protocol.authority.terms import Term
from protocol.errors import AlreadySo, Refused
from protocol.fold.content import pack_content
from protocol.fold.registry import declared_of
from protocol.kinds.accept_and_close import Accept
from protocol.kinds.decisions import MOST_LISTED, Part, Renewal, Vote
from protocol.record import codec
from protocol.record import envelope as record
from protocol.record.envelope import Record

SMALL = 8  # if fewer people are on the roll, software votes yes on newcomers

_ROOM = 10_000  # bytes that the lists may take in one record


def renew(
    author: Author,
    *,
    person: bytes | None = None,
    moderators: list[bytes] | None = None,
    vouchers: int | None = None,
    share: int | None = None,
    title: str | None = None,
) -> Record:
    """Proposes the next term and votes yes on this proposal. Raises Refused if a rule
    forbids it.
    """
    authority = _authority(author)
    term = authority.term
    members = set(authority.members)
    if (person or author.person) not in term.roll:
        raise Refused("R-16.4", "only people on the roll renew; at the next renewal you join it")
    if moderators is None:
        moderators = sorted(term.moderators & members)
    if not set(moderators) <= members:
        raise Refused("R-16.6", "moderators are members")
    rounds = [rival.round for rival in authority.renewals.values() if rival.parent == term.id]
    fields: dict[str, Any] = {
        "parent": term.id,
        "round": 1 + max(rounds, default=0),
        "moderators": sorted({*moderators}),
        "vouchers": term.vouchers if vouchers is None else vouchers,
        "share": term.share if share is None else share,
        "title": title,
    }
    lists: dict[str, list[Any]] = {
        "joining": sorted(members - term.roll),
        "leaving": sorted(term.roll - members),
        "holds": register_change.holdings_to_write(authority),
    }
    pages = list(_pages(lists))
    fields |= pages.pop(0) if pages else {}
    part = declared_of(Part)
    if pages:
        fields["parts"] = [record.content_digest(pack_content(part.name, page)) for page in pages]
    _check_new(author, person or author.person, fields)
    # The renewal is checked before the first part is signed. Its title goes into a second record.
    declared_of(Renewal).check_fields(
        {name: value for name, value in fields.items() if name != "title"}
    )
    signer = author.signer_of(person)
    for page in pages:
        author.write(part, page, signer=signer)
    renewal = author.write(declared_of(Renewal), fields, signer=signer)
    author.write(declared_of(Vote), {"choice": "yes"}, about=renewal.id, signer=signer)
    return renewal


def _check_new(author: Author, person: bytes, fields: dict[str, Any]) -> None:
    """Raises AlreadySo if the person has proposed the same, and no other renewal stands against it.

    If another one does, people may propose the same once more: they can vote again in a new round.
    """
    rivals = [
        (renewal, ballot)
        for renewal, ballot in _authority(author).renewals.items()
        if ballot.parent == fields["parent"] and ballot.round == fields["round"] - 1
    ]
    if len(rivals) != 1:
        return
    earlier, ballot = rivals[0]
    view = author.state.views.find(earlier)
    names = fields.keys() - {"round", "title"}
    is_same = view is not None and all(vars(view)[name] == fields[name] for name in names)
    if is_same and person in ballot.yes:
        raise AlreadySo("R-16.6", "you have proposed this already", earlier)


def decide(author: Author) -> Folding[None]:
    """Software may make some decisions about terms alone. Makes these decisions for each person of
    this home (R-16.5).
    """
    if author.state.authority is None or author.state.ring.current() is None:
        return
    for person in sorted(author.people):
        yield from _accept_term(author, person)
        yield from _agree_to_newcomers(author, person)
        _renew_alone(author, person)


def _accept_term(author: Author, person: bytes) -> Folding[None]:
    """R-16.5: accepts the term that the person has to accept next, if there is such a term."""
    term = _authority(author).term_to_accept(person)
    if term is not None:
        signer = author.signer_of(person)
        yield from author.writing(declared_of(Accept), {}, about=term, signer=signer)


def _agree_to_newcomers(author: Author, person: bytes) -> Folding[None]:
    """Votes yes on each renewal that does nothing but add members to the roll. Does so only while
    the roll is small.
    """
    authority = _authority(author)
    if person not in authority.term.roll or len(authority.term.roll) >= SMALL:
        return
    for renewal, ballot in authority.renewals.items():
        if ballot.term is None or person in ballot.yes or not _only_adds(authority, ballot.term):
            continue
        try:
            signer = author.signer_of(person)
            yield from author.writing(
                declared_of(Vote), {"choice": "yes"}, about=renewal, signer=signer
            )
        except Refused:
            continue  # forbids this vote: the person has voted for a rival term


def _renew_alone(author: Author, person: bytes) -> None:
    """If the person is the only one on the roll, proposes a term that adds the newcomers to the
    roll.
    """
    authority = _authority(author)
    roll = authority.term.roll
    if roll == {person} and set(authority.members) - roll:
        renew(author, person=person)


def _only_adds(authority: Authority, term: Term) -> bool:
    """Returns whether a term adds people to the roll of the present term and changes
    nothing else.
    """
    present = authority.term
    rules = (present.moderators, present.vouchers, present.share)
    if (term.moderators, term.vouchers, term.share) != rules:
        return False
    holds = [[what, key, entry.n, entry.value] for (what, key), entry in term.written.items()]
    holds.sort(key=lambda hold: (hold[0], repr(hold[1])))
    keeps_decisions = holds == register_change.holdings_to_write(authority)
    adds_members = present.roll <= term.roll <= set(authority.members) | present.roll
    return term.parent == present.id and keeps_decisions and adds_members


def _pages(lists: dict[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    """Splits the lists into pages that each fit into one record."""
    page: dict[str, list[Any]] = {}
    room = _ROOM
    for name, values in lists.items():
        for value in values:
            size = len(codec.pack(value))
            if size > room or len(page.get(name, ())) == MOST_LISTED:
                yield page
                page = {}
                room = _ROOM
            page.setdefault(name, []).append(value)
            room -= size
    if page:
        yield page


def _authority(author: Author) -> Authority:
    assert author.state.authority is not None, "the author is a member by it"
    return author.state.authority
