"""The methods of the local API that tell who could help whom, and who knows whom."""

import trio

from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import USAGE, Params, number, text
from meshcoop.api.presenter import Presenter
from meshcoop.api.resolver import Finder
from meshcoop.api.server import Method
from meshcoop.clock import iso
from meshcoop.errors import Mistake
from meshcoop.matching.explanations import Sentences
from meshcoop.matching.introductions import Ties
from meshcoop.matching.reciprocity import Quarter, quarter_of, quarters
from meshcoop.matching.suggestions import Suggestion, Suggestions
from meshcoop.matching.vocabulary import lexicons

_AT_ONCE = 100  # views read before others have their turn
_USUALLY = 50  # suggestions, if nobody says how many
_MOST = 500
_MINUTE_MS = 60_000
_MAKING = trio.CapacityLimiter(1)  # stemmers keep what they are at: two threads confuse them
_STATES = {"suggestions": ("open",), "reciprocity": ("running", "past")}


class MatchingMethods:
    """Answers for one node, and by what it holds alone."""

    def __init__(self, node: NodeHandle) -> None:
        self._node = node
        self.lists: dict[str, Method] = {
            "suggestions": self.suggestions,
            "reciprocity": self.reciprocity,
        }

    def table(self) -> dict[str, Method]:
        """The methods by name."""
        return {"introductions": self.introductions}

    async def suggestions(self, params: Params) -> list[Params]:
        """Who could help whom: for one of this home's people, or about a post or a person."""
        member = await self._read()
        presenter = self._presenter(member)
        finder = Finder(member.state, presenter)
        me = self._reader(member, finder, params)
        limit = min(int(number(params, "limit", _USUALLY)), _MOST)
        if _left_out(params, "suggestions"):
            return []
        about, made = params.get("about"), self._made(member)
        found = made.to(me) if about is None else _about(member, made, finder, str(about), me)
        return [_shown(one, presenter, me) for one in found[:limit]]

    async def reciprocity(self, params: Params) -> list[Params]:
        """How many members gave and received in each quarter, newest first; names, no ranking."""
        member = await self._read()
        presenter, authority = self._presenter(member), member.state.authority
        assert authority is not None
        since = {
            one.person: self._local(member, one.since)[:10] for one in authority.members.values()
        }
        now = self._local(member, self._node.now())
        found = quarters(member.index.deals.given(), since, now)
        limit = min(int(number(params, "limit", _MOST)), _MOST)
        if _left_out(params, "reciprocity"):
            return []
        told = [_quarter(one, presenter, quarter_of(now)) for one in found]
        return [one for one in told if params.get("state") in {None, one["state"]}][:limit]

    async def introductions(self, params: Params) -> Params:
        """Who can introduce one to a person: shortest ways, with what ties each two together."""
        member = await self._read()
        presenter, authority = self._presenter(member), member.state.authority
        assert authority is not None
        finder = Finder(member.state, presenter)
        me, person = self._reader(member, finder, params), finder.person(text(params, "person"))
        ties = Ties(self._people(member))
        ties.exchanged(member.index.deals.given())
        ties.vouched(member.index.vouches())
        ties.admitted(authority)
        ways = ties.ways(me, person)
        sentences = Sentences(me, lambda one: str(presenter.person(one)["name"]))
        return {
            "person": presenter.person(person),
            "steps": len(ways[0]) if ways else None,
            "ways": [
                {
                    "first": presenter.person(way[0].other if way[0].one == me else way[0].one),
                    "why": [
                        {
                            "reason": tie.reason,
                            "one": presenter.person(tie.one),
                            "other": presenter.person(tie.other),
                            "on": tie.on,
                            "sentence": sentences.of_tie(tie),
                        }
                        for tie in way
                    ],
                    "sentence": sentences.whole([sentences.of_tie(tie) for tie in way]),
                }
                for way in ways
            ],
        }

    # -- parts ------------------------------------------------------------------------------------

    async def _read(self) -> Membership:
        """The membership, once its index has all that there is."""
        member = self._node.belonging()
        await trio.to_thread.run_sync(lexicons, limiter=_MAKING)
        while member.index.keep_up(member.muted.people, _AT_ONCE):
            await trio.lowlevel.checkpoint()
        return member

    def _made(self, member: Membership) -> Suggestions:
        now = self._local(member, self._node.now())
        return Suggestions(member.index, self._people(member), now)

    def _people(self, member: Membership) -> set[bytes]:
        """The members whom this home hears."""
        authority = member.state.authority
        return set(authority.members) - member.muted.people if authority else set()

    def _local(self, member: Membership, milliseconds: int) -> str:
        """A time by the charter's offset from UTC."""
        authority = member.state.authority
        offset = int(authority.charter["offset"]) if authority else 0
        return iso(milliseconds + offset * _MINUTE_MS)[: len("2026-11-23T09:30")]

    def _reader(self, member: Membership, finder: Finder, params: Params) -> bytes:
        """For whom: this home's person, or the one of them whom `as` names."""
        who = params.get("as")
        return member.author.person if who is None else member.guests.whom(who, finder.person)

    def _presenter(self, member: Membership) -> Presenter:
        return Presenter(member.state, self._node.now)


def _shown(one: Suggestion, presenter: Presenter, me: bytes | None) -> Params:
    """A suggestion as lists show it."""
    subject = one.subject
    sentences = Sentences(me, lambda person: str(presenter.person(person)["name"]))
    parts = [sentences.of(each, one.pair) for each in one.reasons]
    person = presenter.person(subject.person)
    return {
        "id": one.key.hex(),
        "kind": "suggestion",
        "author": person,
        "created": iso(subject.created),
        "state": "open",
        "suggests": one.suggests,
        "for": presenter.person(one.to),
        "about": subject.id.hex() if subject.posted else person["id"],
        "subject": subject.source if subject.posted else "person",
        "title": subject.title if subject.posted else person["name"],
        "giver": presenter.person(one.pair.means.person),
        "receiver": presenter.person(one.pair.need.person),
        "minutes": one.pair.minutes,
        "why": [
            {"reason": each.reason, "points": each.points, **each.told, "sentence": part}
            for each, part in zip(one.reasons, parts, strict=True)
        ],
        "sentence": sentences.whole(parts),
    }


def _about(
    member: Membership, made: Suggestions, finder: Finder, typed: str, me: bytes
) -> list[Suggestion]:
    """About a post or a person, by the beginning of an id or by a name."""
    try:
        person = finder.person(typed)
    except Mistake:
        post = finder.record(typed)
    else:
        return made.about_person(person, me)
    side = member.index.about(post)
    return made.about_post(side) if side else []


def _left_out(params: Params, what: str) -> bool:
    """Whether only what muted people posted is asked for: of them nothing is suggested. Raises
    Mistake for a state that there is not.
    """
    state, states = params.get("state"), _STATES[what]
    if state is not None and state not in states:
        raise Mistake(f"{what} are {', '.join(states)}; not {state!r}.", USAGE)
    return bool(params.get("muted"))


def _quarter(one: Quarter, presenter: Presenter, current: str) -> Params:
    asked = sorted(
        (presenter.person(person) for person in one.gave),
        key=lambda person: (person["name"].casefold(), person["id"]),
    )
    return {
        "id": one.name,
        "kind": "reciprocity",
        "author": None,
        "created": None,
        "state": "running" if one.name == current else "past",
        "quarter": one.name,
        "both": len(one.both),
        "only_gave": len(one.gave),
        "only_received": len(one.received),
        "neither": len(one.neither),
        "ask_them": asked,
    }
