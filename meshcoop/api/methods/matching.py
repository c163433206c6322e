"""The methods of the local API about matching: who could help whom, and who could introduce two
people to each other.
"""

from typing import Any

import trio

from meshcoop.api.list_pages import Lister, Rows, shown_rows
from meshcoop.api.method import Method, by_name
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import Params
from meshcoop.api.presenter import Presenter
from meshcoop.api.queries import read_state
from meshcoop.api.resolver import Resolver
from meshcoop.clock import iso_time
from meshcoop.errors import Mistake
from meshcoop.fold.slices import run_beside
from meshcoop.matching.explanations import Explainer
from meshcoop.matching.introductions import Tie, Ties
from meshcoop.matching.reciprocity import Quarter, list_quarters, quarter_of
from meshcoop.matching.suggestions import Suggestion, Suggestions
from meshcoop.matching.vocabulary import Vocabulary, load_lexicons
from protocol.wire import calls

_VIEWS_AT_ONCE = 20  # the number of views that are read before other tasks may run
_USUAL_SUGGESTIONS = 50
_SUGGESTION_STATES = ("open",)
_QUARTER_STATES = ("running", "past")

# A stemmer keeps the word that it works on, so it must run in one thread at a time.
_ONE_THREAD = trio.CapacityLimiter(1)


class MatchingMethods:
    """Finds people who could help each other. Searches only the records of this node."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node
        self.lists: dict[str, Lister] = {
            "suggestions": self.list_suggestions,
            "reciprocity": self.list_quarters,
        }

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.Introductions, self.show_introductions),
        )

    async def list_suggestions(self, call: calls.List) -> Rows[Suggestion]:
        """Lists who could help whom: for the caller, or about one post or one person."""
        membership = await self._with_index()
        presenter = Presenter(membership.state, self._node.now)
        resolver = Resolver(membership.state, presenter)
        me = _caller(membership, resolver, call.as_)
        read_state(call, "suggestions", _SUGGESTION_STATES)

        def show(suggestions: list[Suggestion]) -> list[Params]:
            return [_show_suggestion(suggestion, presenter, me) for suggestion in suggestions]

        if call.muted:
            return Rows((), show, _cursor_of)  # no suggestion is about muted people
        authority = membership.state.authority
        left = authority.left if authority else frozenset()
        people = _unmuted_members(membership)
        matcher = Suggestions(membership.matching_index, people, presenter.clock, left)
        if call.about is None:
            suggestions = matcher.for_person(me)
        else:
            suggestions = _suggestions_about(membership, matcher, resolver, call.about, me)
        return Rows(suggestions, show, _cursor_of, len(suggestions), _USUAL_SUGGESTIONS)

    async def list_quarters(self, call: calls.List) -> Rows[Params]:
        """Lists for each quarter how many members gave and received. The newest quarter comes
        first.
        """
        # The words of all posts need no reading here. A day's posts can have very many words.
        membership = self._node.require_membership()
        while self._update_facts(membership):
            await trio.lowlevel.checkpoint()
        presenter = Presenter(membership.state, self._node.now)
        authority = membership.state.authority
        assert authority is not None, "the charter has been read: this home is a member's"
        joined_on = {
            member.person: presenter.clock.day_of(member.since)
            for member in authority.members.values()
        }
        today = presenter.clock.today
        state = read_state(call, "reciprocity", _QUARTER_STATES)
        if call.muted:
            return shown_rows([])  # a quarter is nobody's post, so it is no muted post
        current = quarter_of(today)
        rows = [
            _show_quarter(quarter, presenter, current)
            for quarter in run_beside(
                list_quarters,
                list(membership.matching_index.exchanges.given()),
                joined_on,
                today,
            )
        ]
        return shown_rows([row for row in rows if state in {None, row["state"]}])

    async def show_introductions(self, call: calls.Introductions) -> Params:
        """Shows who can introduce you to a person. Shows the shortest ways to this person through
        people who know each other.
        """
        membership = await self._with_index()
        presenter = Presenter(membership.state, self._node.now)
        resolver = Resolver(membership.state, presenter)
        me = _caller(membership, resolver, call.as_)
        person = resolver.resolve_person(call.person)
        ways = _find_ways(membership, me, person)
        explainer = Explainer(me, presenter.show_person)
        return {
            "person": presenter.show_person(person),
            "steps": len(ways[0]) if ways else None,
            "ways": [_show_way(way, presenter, explainer, me) for way in ways],
        }

    def _update_facts(self, membership: Membership) -> bool:
        zone = membership.state.clock_at(self._node.now()).zone
        muted = membership.muted.people
        return membership.matching_index.update_facts(muted, zone, _VIEWS_AT_ONCE)

    async def _with_index(self) -> Membership:
        """Lets the matching index read all new views. Returns the membership."""
        membership = self._node.require_membership()
        # Loading the word lists would block other tasks too long. So a thread loads them, once.
        await trio.to_thread.run_sync(load_lexicons, limiter=_ONE_THREAD)
        index = membership.matching_index
        zone = membership.state.clock_at(self._node.now()).zone
        muted = membership.muted.people
        while index.update(muted, zone, _VIEWS_AT_ONCE) or index.needs_vocabulary:
            await trio.lowlevel.checkpoint()
            if index.needs_vocabulary:
                synonyms = index.synonyms
                vocabulary = await trio.to_thread.run_sync(
                    Vocabulary, synonyms, limiter=_ONE_THREAD
                )
                index.use_vocabulary(vocabulary, synonyms)
        return membership


def _caller(membership: Membership, resolver: Resolver, caller: str | None) -> bytes:
    """Returns the person with the id `caller`. If `caller` is None, returns this home's person."""
    if caller is None:
        return membership.author.person
    return membership.guests.resolve(caller, resolver.resolve_person)


def _unmuted_members(membership: Membership) -> set[bytes]:
    """Returns the members that this home has not muted."""
    authority = membership.state.authority
    return set(authority.members) - membership.muted.people if authority else set()


def _suggestions_about(
    membership: Membership, matcher: Suggestions, resolver: Resolver, typed: str, me: bytes
) -> list[Suggestion]:
    """Finds suggestions about a person or a post. `typed` is the text that the caller typed: an id
    or a name.
    """
    try:
        person = resolver.resolve_person(typed)
    except Mistake:
        side = membership.matching_index.find_post(resolver.resolve_record(typed))
        return matcher.about_post(side) if side else []
    return matcher.about_person(person, me)


def _find_ways(membership: Membership, me: bytes, person: bytes) -> list[list[Tie]]:
    """Finds the shortest ways from `me` to a person.

    A way goes through members who know each other. Two members know each other if they had an
    exchange, or if one of them vouched for the other or admitted the other.
    """
    authority = membership.state.authority
    assert authority is not None, "the charter has been read: this home is a member's"
    exchanges = list(membership.matching_index.exchanges.given())
    good_words = list(membership.matching_index.good_words())
    people = _unmuted_members(membership)

    def find() -> list[list[Tie]]:
        ties = Ties(people)
        ties.add_exchanges(exchanges)
        ties.add_good_words(good_words)
        ties.add_admissions(authority)
        return ties.shortest_paths(me, person)

    return run_beside(find)


def _cursor_of(suggestion: Suggestion) -> str:
    return suggestion.key.hex()


def _show_suggestion(suggestion: Suggestion, presenter: Presenter, me: bytes | None) -> Params:
    """Shows a suggestion as a row of a list."""
    subject = suggestion.subject
    pair = suggestion.pair
    person = presenter.show_person(subject.person)
    explainer = Explainer(me, presenter.show_person)
    remarks = [
        remark for reason in suggestion.reasons for remark in explainer.explain_reason(reason, pair)
    ]
    return {
        "id": suggestion.key.hex(),
        "kind": "suggestion",
        "author": person,
        "created": iso_time(subject.created),
        "state": "open",
        "suggests": str(suggestion.suggests),
        "for": presenter.show_person(suggestion.recipient),
        "about": subject.id.hex() if subject.is_post else person["id"],
        "subject": subject.source if subject.is_post else "person",
        "title": subject.title if subject.is_post else presenter.name_person(subject.person),
        "giver": presenter.show_person(pair.offer.person),
        "receiver": presenter.show_person(pair.need.person),
        "minutes": pair.minutes,
        "why": [
            {"reason": reason.code, "points": reason.points, **reason.details}
            for reason in suggestion.reasons
        ],
        "says": [remark.as_dict() for remark in remarks],
    }


def _show_quarter(quarter: Quarter, presenter: Presenter, current: str) -> Params:
    """Shows how many members gave and received in a quarter.

    Also lists the members who only gave. They are sorted by name, so nobody is ranked.
    """
    by_name = [presenter.show_person(person) for person in presenter.sort_people(quarter.gave)]
    return {
        "id": quarter.name,
        "kind": "reciprocity",
        "author": None,
        "created": None,
        "state": "running" if quarter.name == current else "past",
        "quarter": quarter.name,
        "both": len(quarter.both),
        "only_gave": len(quarter.gave),
        "only_received": len(quarter.received),
        "neither": len(quarter.neither),
        "ask_them": by_name,
    }


def _show_way(way: list[Tie], presenter: Presenter, explainer: Explainer, me: bytes) -> Params:
    """Shows a chain of people from the caller `me` to a person. In this chain, each person knows
    the next person. The result says why they know each other.
    """
    first = way[0].recipient if way[0].actor == me else way[0].actor
    return {
        "first": presenter.show_person(first),
        "why": [
            {
                "reason": tie.reason,
                "one": presenter.show_person(tie.actor),
                "other": presenter.show_person(tie.recipient),
                "on": tie.when,
            }
            for tie in way
        ],
        "says": [explainer.explain_tie(tie).as_dict() for tie in way],
    }
