"""Drafts the next term: who votes, who moderates, and every decision in force (specs/03 R-03.22).

If these lists are too long for one record, further records, called parts, hold the rest. The
renewal names each part by the hash of the part's content.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from meshcoop.author.author import Author
from meshcoop.author.witness_list import choose_witnesses
from protocol.authority import register_change
from protocol.authority.authority import Authority
from protocol.authority.terms import Term
from protocol.errors import AlreadySo, Refused
from protocol.fold.content import pack_content
from protocol.fold.registry import declared_of
from protocol.kinds.decisions import MOST_LISTED, Part
from protocol.record import codec
from protocol.record import envelope as record

_ROOM = 10_000  # bytes that the lists may take in one record


@dataclass(frozen=True)
class Draft:
    """A renewal that nobody has signed yet. `term` is the term that the renewal would begin.

    The lists that do not fit into `fields` are in `pages`. Each page becomes a part.
    """

    person: bytes
    fields: dict[str, Any]
    pages: list[dict[str, list[Any]]]
    term: Term


def draft_renewal(
    author: Author,
    *,
    person: bytes | None = None,
    joining: Sequence[bytes] | None = None,
    moderators: list[bytes] | None = None,
    vouchers: int | None = None,
    share: int | None = None,
    title: str | None = None,
) -> Draft:
    """Drafts the next term.

    If `joining` is given, the next term adds these people to the roll, and nobody leaves it.
    Otherwise the roll gets all members. Raises Refused if a rule forbids the proposal.
    """
    authority = _authority(author)
    term = authority.term
    members = set(authority.members)
    proposer = person or author.person
    if proposer not in term.roll:
        raise Refused("R-16.4", "only people on the roll renew; at the next renewal you join it")
    if moderators is None:
        moderators = sorted(term.moderators if joining is not None else term.moderators & members)
    elif not set(moderators) <= members:
        raise Refused("R-16.6", "moderators are members")
    joining, leaving = _choose_roll(authority, joining)
    rounds = [rival.round for rival in authority.renewals.values() if rival.parent == term.id]
    roll = (term.roll | {*joining}) - {*leaving}
    witnesses = choose_witnesses(author.state, roll, author.now())
    fields: dict[str, Any] = {
        "parent": term.id,
        "round": 1 + max(rounds, default=0),
        "moderators": sorted({*moderators}),
        "vouchers": term.vouchers if vouchers is None else vouchers,
        "share": term.share if share is None else share,
        "witnesses": witnesses,
        "title": title,
    }
    next_term = Term(
        id=b"",
        parent=term.id,
        round=fields["round"],
        since=author.now(),
        roll=roll,
        moderators=frozenset(moderators),
        vouchers=fields["vouchers"],
        share=fields["share"],
        written=register_change.holdings_in_force(authority),
        witnesses=frozenset(witnesses),
    )
    pages = _divide_lists(authority, fields, joining, leaving)
    _check_new(author, proposer, fields)
    return Draft(proposer, fields, pages, next_term)


def _choose_roll(
    authority: Authority, joining: Sequence[bytes] | None
) -> tuple[list[bytes], list[bytes]]:
    """Returns two sets: the people who join the roll, and the people who leave it."""
    roll = authority.term.roll
    newcomers_now = authority.members.keys() - roll
    if joining is None:
        return sorted(newcomers_now), sorted(roll - authority.members.keys())
    if not newcomers_now >= set(joining):
        raise Refused("R-16.6c", "only members who do not vote yet join the roll")
    return sorted(set(joining)), []


def _divide_lists(
    authority: Authority, fields: dict[str, Any], joining: list[bytes], leaving: list[bytes]
) -> list[dict[str, list[Any]]]:
    """Puts as much of the lists as possible into the fields of a renewal. Returns the rest of the
    lists as pages.
    """
    lists: dict[str, list[Any]] = {
        "joining": joining,
        "leaving": leaving,
        "holds": register_change.holdings_to_write(authority),
    }
    pages = list(_pages(lists))
    fields |= pages.pop(0) if pages else {}
    part = declared_of(Part)
    if pages:
        fields["parts"] = [record.content_digest(pack_content(part.name, page)) for page in pages]
    return pages


def _check_new(author: Author, person: bytes, fields: dict[str, Any]) -> None:
    """Raises AlreadySo if the person has already proposed the same term.

    If there is a rival proposal, raises nothing. In this case people may propose the same term
    again, so that everybody can vote again in a new round.
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


def _pages(lists: dict[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    """Splits the lists of a term into pages. Each page fits into one record."""
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
