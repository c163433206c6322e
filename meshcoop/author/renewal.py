"""Renewing the term: what a person asks for, and what a home's software does by itself.

A renewal writes down everything that holds (specs/03 R-03.22); what does not fit one record goes in
parts, named by the hash of their content.
"""

from collections.abc import Iterable, Iterator
from typing import Any

from meshcoop.author.author import Author
from protocol.authority import register_change as changes
from protocol.authority.authority import Authority
from protocol.authority.terms import Term
from protocol.errors import Refused
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS
from protocol.kinds.decisions import MOST
from protocol.record import codec
from protocol.record import envelope as record
from protocol.record.envelope import Record

SMALL = 8  # a roll below this lets software say yes to who joins
_ROOM = 10_000  # bytes of lists in one record


def renew(
    author: Author,
    *,
    person: bytes | None = None,
    moderators: list[bytes] | None = None,
    vouchers: int | None = None,
    share: int | None = None,
    title: str | None = None,
) -> Record:
    """Proposes the next term, and says yes to it. Raises Refused where a rule forbids it."""
    known = _known(author)
    who = person or author.person
    if who not in known.term.roll:
        raise Refused("R-16.4", "only people on the roll renew; at the next renewal you join it")
    named = (
        sorted(known.term.moderators & set(known.members))
        if moderators is None
        else sorted({*moderators})
    )
    if not set(named) <= set(known.members):
        raise Refused("R-16.6", "moderators are members")
    fields: dict[str, Any] = {
        "parent": known.term.id,
        "round": 1 + max((one.round for one in _rivals(known)), default=0),
        "moderators": named,
        "vouchers": known.term.vouchers if vouchers is None else vouchers,
        "share": known.term.share if share is None else share,
        "title": title,
    }
    lists: dict[str, list[Any]] = {
        "joining": sorted(set(known.members) - known.term.roll),
        "leaving": sorted(known.term.roll - set(known.members)),
        "holds": changes.written(known),
    }
    pages = list(_pages(lists))
    first = pages.pop(0) if pages else {}
    fields |= first
    if pages:
        fields["parts"] = [record.digest(schema.content("part", page)) for page in pages]
    KINDS["renewal"].check({name: one for name, one in fields.items() if name != "title"})
    signer = author.signer_of(person)
    for page in pages:
        author.write(KINDS["part"], page, signer=signer)
    renewal = author.write(KINDS["renewal"], fields, signer=signer)
    author.write(KINDS["vote"], {"choice": "yes"}, about=renewal.id, signer=signer)
    return renewal


def decide(author: Author) -> None:
    """Decides for each person of this home what software decides by itself (R-16.5)."""
    if author.state.authority is None or author.state.ring.current() is None:
        return
    for person in sorted(author.people):
        _accept_term(author, person)
        _agree_to_newcomers(author, person)
        _renew_alone(author, person)


def _accept_term(author: Author, person: bytes) -> None:
    """R-16.5: accepts what it finds in force."""
    term = _known(author).to_accept(person)
    if term is not None:
        author.write(KINDS["accept"], {}, about=term, signer=author.signer_of(person))


def _agree_to_newcomers(author: Author, person: bytes) -> None:
    """Says yes to a renewal that only adds members, while the roll is small."""
    known = _known(author)
    if person not in known.term.roll or len(known.term.roll) >= SMALL:
        return
    for renewal, ballot in known.renewals.items():
        if ballot.term is None or person in ballot.yes or not _only_adds(known, ballot.term):
            continue
        try:
            signer = author.signer_of(person)
            author.write(KINDS["vote"], {"choice": "yes"}, about=renewal, signer=signer)
        except Refused:
            continue  # forbids it: another one was first


def _renew_alone(author: Author, person: bytes) -> None:
    """Whoever is the roll's majority alone brings newcomers onto it."""
    known = _known(author)
    if known.term.roll == {person} and set(known.members) - known.term.roll:
        renew(author, person=person)


def _only_adds(known: Authority, term: Term) -> bool:
    now = known.term
    same = (term.moderators, term.vouchers, term.share) == (now.moderators, now.vouchers, now.share)
    holds = [[what, key, one.n, one.value] for (what, key), one in term.written.items()]
    kept = sorted(holds, key=lambda one: (one[0], repr(one[1]))) == changes.written(known)
    added = now.roll <= term.roll <= set(known.members) | now.roll
    return term.parent == now.id and same and kept and added


def _rivals(known: Authority) -> Iterable[Any]:
    return [one for one in known.renewals.values() if one.parent == known.term.id]


def _pages(lists: dict[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    """The lists, cut so that each page fits a record."""
    page: dict[str, list[Any]] = {}
    room = _ROOM
    for name, items in lists.items():
        for item in items:
            size = len(codec.pack(item))
            if size > room or len(page.get(name, ())) == MOST:
                yield page
                page, room = {}, _ROOM
            page.setdefault(name, []).append(item)
            room -= size
    if page:
        yield page


def _known(author: Author) -> Authority:
    assert author.state.authority is not None
    return author.state.authority
