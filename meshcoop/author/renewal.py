"""Proposes and accepts new terms. A person does this, or the home's software does it alone.

A renewal begins the next term. It lists all decisions in force (specs/03 R-03.22). If the lists are
too long for one record, the rest goes into further records, called parts. The renewal names each
part by the hash of the part's content.
"""

import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from meshcoop.author import newcomers
from meshcoop.author.author import Author
from meshcoop.author.folding import Folding
from meshcoop.author.signer import Signer
from protocol.authority import register_change
from protocol.authority.additions import find_additions
from protocol.authority.authority import Authority
from protocol.errors import AlreadySo, Refused
from protocol.fold.content import pack_content
from protocol.fold.registry import declared_of
from protocol.fold.view import View
from protocol.kinds.accept_and_close import Accept
from protocol.kinds.decisions import MOST_LISTED, Part, Renewal, Vote, check_renewal
from protocol.record import codec
from protocol.record import envelope as record
from protocol.record.envelope import DAY_MS, Record

_LOG = logging.getLogger(__name__)

_HOUR_MS = 3_600_000
_ROOM = 10_000  # bytes that the lists may take in one record


def renew(
    author: Author,
    *,
    person: bytes | None = None,
    joining: Sequence[bytes] | None = None,
    moderators: list[bytes] | None = None,
    vouchers: int | None = None,
    share: int | None = None,
    title: str | None = None,
    is_automatic: bool = False,
) -> Record:
    """Proposes the next term and votes yes on this proposal.

    If `joining` is given, the next term adds these people to the roll and changes nothing else.
    Otherwise the roll gets all members. `is_automatic` means that software proposes by itself.
    Raises Refused if a rule forbids the proposal.
    """
    authority = _authority(author)
    term = authority.term
    members = set(authority.members)
    if (person or author.person) not in term.roll:
        raise Refused("R-16.4", "only people on the roll renew; at the next renewal you join it")
    if moderators is None:
        moderators = sorted(term.moderators if joining is not None else term.moderators & members)
    elif not set(moderators) <= members:
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
        "joining": sorted(members - term.roll if joining is None else joining),
        "leaving": sorted(term.roll - members) if joining is None else [],
        "holds": register_change.holdings_to_write(authority),
    }
    pages = list(_pages(lists))
    fields |= pages.pop(0) if pages else {}
    part = declared_of(Part)
    if pages:
        fields["parts"] = [record.content_digest(pack_content(part.name, page)) for page in pages]
    _check_new(author, person or author.person, fields)
    signer = author.signer_of(person)
    return _sign_renewal(author, signer, fields, pages, is_automatic=is_automatic)


def _sign_renewal(
    author: Author,
    signer: Signer,
    fields: dict[str, Any],
    pages: list[dict[str, list[Any]]],
    *,
    is_automatic: bool,
) -> Record:
    """Signs a renewal and its parts. Then signs a yes vote of the person who proposes
    the renewal.
    """
    # The renewal is checked before the first part is signed. Its title goes into a second record.
    declared_of(Renewal).check_fields(
        {name: value for name, value in fields.items() if name != "title"}
    )
    for page in pages:
        author.write(declared_of(Part), page, signer=signer, is_automatic=is_automatic)
    renewal = author.write(declared_of(Renewal), fields, signer=signer, is_automatic=is_automatic)
    author.write(
        declared_of(Vote),
        {"choice": "yes"},
        about=renewal.id,
        signer=signer,
        is_automatic=is_automatic,
    )
    return renewal


def _check_new(author: Author, person: bytes, fields: dict[str, Any]) -> None:
    """Raises AlreadySo if the person has already proposed the same term, and this proposal has no
    rival.

    If there is a rival, people may propose the same term again. Then everybody can vote again in a
    new round.
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
    """Makes the decisions about terms that software may make alone. Makes them for each person of
    this home (R-16.5).
    """
    if author.state.authority is None:
        return
    for person in sorted(author.people):
        yield from _accept_term(author, person)
        yield from _agree_to_newcomers(author, person)
        _propose_newcomers(author, person)


def _accept_term(author: Author, person: bytes) -> Folding[None]:
    """R-16.5: accepts the term that the person has to accept next. If there is no such term, does
    nothing.
    """
    term = _authority(author).term_to_accept(person)
    if term is not None:
        signer = author.signer_of(person)
        yield from author.writing(
            declared_of(Accept), {}, about=term, signer=signer, is_automatic=True
        )


def _agree_to_newcomers(author: Author, person: bytes) -> Folding[None]:
    """R-16.5e: votes yes on renewals that only add members for whom the person vouched.

    Votes once for each set of people. Votes first on the person's own renewals. So other people's
    renewals cannot use up the votes of a day.
    """
    authority = _authority(author)
    if person not in authority.term.roll:
        return
    vouched_for = newcomers.vouched_for_by(author.state, person)
    additions = find_additions(authority)
    views = author.state.views.find_several(list(additions))
    answered = {
        added for renewal, added in additions.items() if _has_answered(authority, renewal, person)
    }
    own_first = sorted(
        additions, key=lambda renewal: (_author_of(views, renewal) != person, renewal)
    )
    for renewal in own_first:
        if not additions[renewal] <= vouched_for or additions[renewal] in answered:
            continue
        try:
            check_renewal(authority, person, renewal)
            yield from author.writing(
                declared_of(Vote),
                {"choice": "yes"},
                about=renewal,
                signer=author.signer_of(person),
                is_automatic=True,
            )
        except Refused as refusal:
            _LOG.info("software does not say yes: %s", refusal)
        else:
            answered.add(additions[renewal])


def _propose_newcomers(author: Author, person: bytes) -> None:
    """R-16.5f: once a day, proposes that newcomers join the roll. They are newcomers for whom the
    person vouched, and they wrote on two days.

    Proposes at most half as many newcomers as the roll has people, so that others can answer with
    one key.

    If the person is alone on the roll, the software asks this person instead (R-16.5g). A roll of
    two people can never decide again after one of them has gone.
    """
    authority = _authority(author)
    roll = authority.term.roll
    if person not in roll or len(roll) == 1 or _has_proposed_today(author, person):
        return
    additions = find_additions(authority)
    proposed = {
        newcomer
        for renewal, added in additions.items()
        if person in authority.renewals[renewal].yes
        for newcomer in added
    }
    vouched_for = newcomers.vouched_for_by(author.state, person) - proposed
    in_turn = {
        newcomer for newcomer in vouched_for if _has_turn(authority, person, newcomer, author.now())
    }
    joining = newcomers.ready(author.state, in_turn)[: len(roll) // 2]
    if joining:
        renew(author, person=person, joining=joining, is_automatic=True)


def _has_turn(authority: Authority, person: bytes, newcomer: bytes, now: int) -> bool:
    """R-16.5l: several people may have vouched for a newcomer. Returns whether this person's home
    proposes now.

    All their homes hear at once that the newcomer is ready. If all homes proposed at once, the
    proposals would be rivals, and the votes would be split.
    """
    vouchers = sorted(authority.vouchers_of(newcomer) & authority.term.roll)
    return not vouchers or vouchers[now // _HOUR_MS % len(vouchers)] == person


def _has_proposed_today(author: Author, person: bytes) -> bool:
    today = author.now() // DAY_MS
    views = author.state.views.find_several(list(_authority(author).renewals))
    return any(view.author == person and view.created // DAY_MS >= today for view in views.values())


def _has_answered(authority: Authority, renewal: bytes, person: bytes) -> bool:
    ballot = authority.renewals[renewal]
    return person in ballot.yes | ballot.no


def _author_of(views: Mapping[bytes, View], record_id: bytes) -> bytes | None:
    view = views.get(record_id)
    return view.author if view is not None else None


def _pages(lists: dict[str, list[Any]]) -> Iterator[dict[str, list[Any]]]:
    """Splits the lists into pages. Each page fits into one record."""
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
