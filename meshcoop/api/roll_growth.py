"""How newcomers come to vote: what people are asked, what they type, and what newcomers still lack
(specs/16 R-16.5g, R-16.5m, R-06.18).
"""

from collections.abc import Collection, Iterable, Iterator
from enum import StrEnum

from meshcoop.api.plain_values import Shown
from meshcoop.api.presenter import Presenter
from meshcoop.author import newcomers
from meshcoop.author.next_steps import Step
from meshcoop.author.witness_list import signs_by_itself
from meshcoop.clock import iso_time
from meshcoop.errors import Remark
from meshcoop.fold.slices import pause
from meshcoop.fold.state import State
from protocol.authority.additions import find_added, find_additions, is_typed
from protocol.authority.authority import Authority
from protocol.authority.terms import Term
from protocol.errors import Refused
from protocol.fold.registry import declared_of
from protocol.kinds.decisions import YES, Vote
from protocol.record.envelope import DAY_MS

NEWCOMER = "newcomer"  # the kind of a row of the list of newcomers
_SILENT_MS = 14 * DAY_MS  # so long witnesses may sign nothing until people are asked to renew
_FEWEST_BESIDE_ONE = 2  # R-16.5g: a roll of two could never decide again once one is gone


class Says(StrEnum):
    """The codes of what a node says or asks about who votes."""

    MAY_VOTE = "may_vote"
    MAY_TERM_BEGIN = "may_term_begin"
    VOUCHED = "vouched_by"
    NEED_VOUCHER = "need_voucher"
    NAMED_ALIKE = "named_alike"
    JOIN = "join_voters"
    LEAVE = "leave_voters"
    MODERATE = "moderate_then"
    RULES = "rules_then"
    TYPE = "type_to_agree"
    MAY_STAY = "may_stay"
    MAY_JOIN = "may_join"
    KNOW = "vouch_if_you_know"
    WOULD_DROP_OUT = "would_drop_out"
    YOU_WOULD_DROP_OUT = "you_would_drop_out"
    YOU_WAIT = "you_wait_for_vouchers"
    WITNESSES_SILENT = "witnesses_silent"


class Lack(StrEnum):
    """The codes of what has to happen before a newcomer votes. In the list of newcomers, such a
    code is the state of a row.
    """

    DAYS = "wrote_too_little"
    COMPANY = "one_votes_alone"
    ANSWER = "one_is_asked"
    VOTES = "votes_are_missing"
    PROPOSAL = "homes_propose"
    VOUCHER = "nobody_proposes"


def check_typed(authority: Authority, term: Term, typed: int | None, presenter: Presenter) -> None:
    """R-16.5m: a person who agrees to a next term must type how many people will vote in it. Raises
    Refused if the person has not done so. `typed` is the number that the person typed.
    """
    count = len(term.roll)
    if typed == count or (typed is None and not is_typed(authority, term)):
        return
    roll = authority.term.roll
    raise Refused(
        "R-16.5m",
        "then {count} people vote (new: {joining}; no longer: {leaving}); to agree, type how many "
        "(`--will-vote {count}`)",
        count=count,
        joining=_names(presenter, term.roll - roll),
        leaving=_names(presenter, roll - term.roll),
    )


def check_vote(
    state: State, decision: bytes, choice: object, typed: int | None, presenter: Presenter
) -> None:
    """Checks a vote as `check_typed` does. Checks only a yes to a renewal, and only if the fold
    would count the vote.
    """
    term = _find_next_term(state, decision)
    if state.authority is not None and term is not None and choice == YES:
        check_typed(state.authority, term, typed, presenter)


def describe_vote(state: State, step: Step, presenter: Presenter) -> Shown:
    """Returns two things about a step: what it asks in words, as `says`, and the number that the
    person must type with the answer, as `will_vote`. If the step is anything but a yes to a next
    term, both are empty.
    """
    is_yes = step.kind == declared_of(Vote).name and step.given.get("choice") == YES
    term = _find_next_term(state, step.about) if is_yes else None
    if state.authority is None or term is None:
        return {"says": [], "will_vote": None}
    number = len(term.roll) if is_typed(state.authority, term) else None
    return {"says": describe_term(state.authority, term, presenter), "will_vote": number}


def describe_term(authority: Authority, term: Term, presenter: Presenter) -> list[Shown]:
    """Asks in words whether a next term may begin. The first remark of the result is the
    question.
    """
    added = find_added(authority, term)
    remarks = list(
        _ask_newcomers(authority, added, presenter)
        if added
        else _ask_term(authority, term, presenter)
    )
    if is_typed(authority, term):
        remarks.append(Remark(Says.TYPE, {"count": len(term.roll)}))
    return [remark.as_dict() for remark in remarks]


def ask_lone_voter(
    state: State, authority: Authority, presenter: Presenter, person: bytes
) -> Shown | None:
    """R-16.5g: makes a row of the list `waiting`. The row asks the only voter to let others vote.

    Returns None if `person` is not the only voter, or if fewer than two people could be added.
    """
    term = authority.term
    if term.roll != {person}:
        return None
    ready = newcomers.ready(state, newcomers.vouched_for_by(state, person))
    if len(ready) < _FEWEST_BESIDE_ONE:
        return None
    says = [*_ask_newcomers(authority, ready, presenter)]
    # One voucher is enough while one votes (R-03.6a). Then it may take more.
    others = [short.person for short in newcomers.find_short(state).values() if short.is_member]
    if others:
        says.append(Remark(Says.NEED_VOUCHER, {"people": _show(presenter, others)}))
    says.append(Remark(Says.TYPE, {"count": 1 + len(ready)}))
    latest = max(authority.members[newcomer].since for newcomer in ready)
    return {
        "id": term.id.hex(),
        "author": presenter.show_person(person),
        "created": iso_time(latest),
        "state": "open",
        "title": None,
        "will_vote": 1 + len(ready),
        "is_typed": True,
        "says": [remark.as_dict() for remark in says],
        "given": {"joining": [newcomer.hex() for newcomer in ready]},
    }


def ask_to_renew(
    state: State, authority: Authority, presenter: Presenter, person: bytes, now: int
) -> Shown | None:
    """R-24.1d: makes a row of the list `waiting`. The row asks a person on the roll to renew the
    term, because half of its witnesses are silent.

    Returns None if fewer than half of the witnesses are silent, or if somebody has proposed a next
    term lately. Also returns None if `person` does not vote, or votes alone.
    """
    term = authority.term
    if person not in term.roll or len(term.roll) == 1:
        return None
    span = range(now - _SILENT_MS, now + 1)
    silent = [witness for witness in term.witnesses if not _signs(state, witness, span)]
    if not silent or 2 * len(silent) < len(term.witnesses):
        return None
    rivals = [renewal for renewal, ballot in authority.renewals.items() if ballot.parent == term.id]
    proposed = state.views.find_several(rivals).values()
    if any(view.created > now - _SILENT_MS for view in proposed):
        return None
    arguments = {"count": len(silent), "total": len(term.witnesses)}
    says = [Remark(Says.WITNESSES_SILENT, arguments), Remark(Says.TYPE, {"count": len(term.roll)})]
    return {
        "id": term.id.hex(),
        "author": presenter.show_person(person),
        "created": iso_time(term.since),
        "state": "open",
        "title": None,
        "will_vote": len(term.roll),
        "is_typed": True,
        "says": [remark.as_dict() for remark in says],
        "given": {"joining": []},
    }


def _signs(state: State, person: bytes, span: range) -> bool:
    pause()
    return signs_by_itself(state, person, span)


def ask_to_vouch(
    state: State, authority: Authority, presenter: Presenter, person: bytes, now: int
) -> Iterator[Shown]:
    """R-16.5p: makes rows of the list `waiting`. The rows ask a person to vouch for newcomers who
    have too few vouchers.
    """
    for short in newcomers.find_asked(state, person, now):
        other = _show_newcomer(state, short.person, presenter)
        question = Says.MAY_STAY if short.is_member else Says.MAY_JOIN
        says = [Remark(question, {"other": other})]
        says += _say_who_vouched(short.person, other, short.vouchers, presenter)
        says.append(Remark(Says.KNOW, {"other": other, "count": short.missing}))
        yield {
            "id": short.admits[0].id.hex(),
            "author": presenter.show_person(min(short.vouchers)),
            "created": iso_time(short.admits[0].time),
            "state": "open",
            "title": None,
            "person": other,
            "says": [remark.as_dict() for remark in says],
            "given": {"person": short.person.hex()},
            "thread": authority.term.id.hex(),
        }


def describe_own_vouchers(state: State, presenter: Presenter, person: bytes) -> list[Shown]:
    """Tells a person that too few people have vouched for them, and what follows from this
    (R-06.19).
    """
    if state.authority is None:
        return []
    short = newcomers.find_short(state).get(person)
    if short is None:
        return []
    code = Says.YOU_WOULD_DROP_OUT if short.is_member else Says.YOU_WAIT
    arguments = {"count": short.missing, "people": _show(presenter, short.vouchers)}
    return [Remark(code, arguments).as_dict()]


def list_newcomers(authority: Authority) -> list[bytes]:
    """Returns the members who do not vote yet. The earliest member comes first."""
    waiting = authority.members.keys() - authority.term.roll
    return sorted(waiting, key=lambda person: (authority.members[person].since, person))


def show_newcomers(
    state: State, authority: Authority, presenter: Presenter, people: Iterable[bytes]
) -> list[Shown]:
    """Shows newcomers: since when each belongs, and what has to happen before they vote
    (R-06.18).
    """
    finder = _LackFinder(state, authority, presenter)
    return [finder.show(person) for person in people]


class _LackFinder:
    """Finds what newcomers lack before they can vote. Each answer of the node makes its own
    `_LackFinder`.
    """

    def __init__(self, state: State, authority: Authority, presenter: Presenter) -> None:
        self._state = state
        self._authority = authority
        self._presenter = presenter
        self._additions = find_additions(authority)
        self._short = newcomers.find_short(state)

    def show(self, person: bytes) -> Shown:
        pause()
        lack = self._find(person)
        says = [lack]
        if person in self._short:
            says.append(Remark(Says.WOULD_DROP_OUT, {"count": self._short[person].missing}))
        return {
            **self._presenter.show_person(person),
            "kind": NEWCOMER,
            "author": self._presenter.show_person(person),
            "created": iso_time(self._authority.members[person].since),
            "state": str(lack.code),
            "says": [remark.as_dict() for remark in says],
        }

    def _find(self, person: bytes) -> Remark:
        """Returns what a newcomer lacks. What has to happen first comes first."""
        authority = self._authority
        asking = [
            authority.renewals[renewal]
            for renewal, added in self._additions.items()
            if person in added
        ]
        if asking:
            best = max(asking, key=lambda ballot: len(ballot.yes))
            return Remark(Lack.VOTES, {"count": len(best.yes), "total": best.roll // 2 + 1})
        days = newcomers.count_days(self._state, person)
        if days < newcomers.DAYS:
            return Remark(Lack.DAYS, {"count": days})
        roll = authority.term.roll
        if len(roll) == 1:
            return self._find_beside_one(next(iter(roll), b""))
        vouchers = authority.vouchers_of(person) & roll
        if not vouchers:
            return Remark(Lack.VOUCHER, {})
        return Remark(Lack.PROPOSAL, {"people": _show(self._presenter, vouchers)})

    def _find_beside_one(self, voter: bytes) -> Remark:
        question = ask_lone_voter(self._state, self._authority, self._presenter, voter)
        code = Lack.COMPANY if question is None else Lack.ANSWER
        return Remark(code, {"actor": self._presenter.show_person(voter)})


def _ask_newcomers(
    authority: Authority, added: Collection[bytes], presenter: Presenter
) -> Iterator[Remark]:
    """Asks whether newcomers may vote. Says who vouched for each newcomer, and whose names look
    alike.
    """
    yield Remark(Says.MAY_VOTE, {"people": _show(presenter, added)})
    for person in presenter.sort_people(added):
        shown = presenter.show_person(person)
        yield from _say_who_vouched(person, shown, authority.vouchers_of(person), presenter)


def _say_who_vouched(
    person: bytes, shown: Shown, vouchers: Iterable[bytes], presenter: Presenter
) -> Iterator[Remark]:
    yield Remark(Says.VOUCHED, {"other": shown, "people": _show(presenter, vouchers)})
    alike = presenter.find_named_alike(person)
    if alike:
        yield Remark(Says.NAMED_ALIKE, {"actor": shown, "people": _show(presenter, alike)})


def _ask_term(authority: Authority, term: Term, presenter: Presenter) -> Iterator[Remark]:
    """Asks whether a new term may begin, if this term does more than add newcomers. Says what the
    term changes.
    """
    present = authority.term
    yield Remark(Says.MAY_TERM_BEGIN, {})
    if term.roll - present.roll:
        yield Remark(Says.JOIN, {"people": _show(presenter, term.roll - present.roll)})
    if present.roll - term.roll:
        yield Remark(Says.LEAVE, {"people": _show(presenter, present.roll - term.roll)})
    if term.moderators != present.moderators:
        yield Remark(Says.MODERATE, {"people": _show(presenter, term.moderators)})
    if (term.vouchers, term.share) != (present.vouchers, present.share):
        yield Remark(Says.RULES, {"count": term.vouchers, "share": term.share})


def _find_next_term(state: State, renewal: bytes) -> Term | None:
    """Returns the term that an open renewal would begin, if all parts of the renewal are here."""
    authority = state.authority
    ballot = authority.renewals.get(renewal) if authority else None
    if authority is None or ballot is None or ballot.parent != authority.term.id:
        return None
    return ballot.term


def _show(presenter: Presenter, people: Iterable[bytes]) -> list[Shown]:
    return [presenter.show_person(person) for person in presenter.sort_people(people)]


def _show_newcomer(state: State, person: bytes, presenter: Presenter) -> Shown:
    """Shows a newcomer. If the person does not belong now, shows the name that they gave while they
    belonged.
    """
    name = None if person in presenter.names else newcomers.find_given_name(state, person)
    return presenter.show_person(person) if name is None else presenter.show_named(name, person)


def _names(presenter: Presenter, people: Collection[bytes]) -> str:
    names = [presenter.name_person(person) for person in presenter.sort_people(people)]
    return ", ".join(names) or "nobody"
