"""Everything that matching reads, by what it is about: kept up with the views, made anew at will."""

from collections import defaultdict
from collections.abc import Collection, Iterable

from meshcoop.fold.views import Views
from meshcoop.matching.exchanges import Deals
from meshcoop.matching.needs_and_offers import Side, Who, of_post, of_profile
from meshcoop.matching.topics import is_word
from meshcoop.matching.vocabulary import Vocabulary
from protocol.fold.thread import View

_POSTS = ("offer", "request")
_DEALS = ("agreement", "receipt", "correction", "thanks")
_KINDS = (*_POSTS, *_DEALS, "profile", "response", "vouch")
_RARE = 3  # people who use a word, or one in so many of all
_SHARE = 50
_NOBODY = Who({})


class Index:
    """The sides of all fits, people's deals, who answered what and who vouched for whom."""

    def __init__(self, views: Views) -> None:
        self._views = views
        self._same: list[list[str]] | None = None  # nothing is read before somebody asks
        self._seen: tuple[int, frozenset[bytes]] | None = None  # as of when all is read

    def _begin(self, same: list[list[str]]) -> None:
        self._same = same
        self.vocabulary = Vocabulary(same)
        self.deals = Deals()
        self._known: dict[int, bytes] = {}
        self._sides: dict[int, list[Side]] = {}
        self._by_key: dict[bool, dict[str, dict[tuple[int, str], Side]]] = {
            True: defaultdict(dict),
            False: defaultdict(dict),
        }
        self._of: dict[bytes, dict[int, list[Side]]] = defaultdict(dict)
        self._profiles: dict[bytes, dict[int, View]] = defaultdict(dict)
        self._written: dict[int, bytes] = {}  # whose profile is in a row
        self._who: dict[bytes, Who] = {}
        self._answers: dict[int, tuple[bytes, bytes]] = {}
        self._vouches: dict[int, View] = {}

    def keep_up(self, muted: Collection[bytes], most: int | None = None) -> bool:
        """Reads at most so many views that came or changed; whether there are more."""
        seen = self._views.writes, frozenset(muted)
        if seen == self._seen:
            return False
        said = self._views.of_kind("synonym")
        same = [one["words"] for one in said if _heard(one, muted)]
        if same != self._same:
            self._begin(same)
        now = self._views.hashes(_KINDS)
        for n in [n for n, one in self._known.items() if now.get(n) != one]:
            self._drop(n)
        fresh = [n for n in now if n not in self._known]
        for n in fresh[:most]:
            self._put(n, self._views.at(n))
            self._known[n] = now[n]
        more = most is not None and len(fresh) > most
        self._seen = None if more else seen
        return more

    def matching(self, side: Side) -> Iterable[Side]:
        """The other sides that share something with this one."""
        found: dict[tuple[int, str], Side] = {}
        for key in side.about:
            found |= self.sharing(key, need=not side.need)
        return found.values()

    def sharing(self, key: str, *, need: bool) -> dict[tuple[int, str], Side]:
        """The sides about a key; nothing for a word that too many use to tell anything."""
        found = self._by_key[need].get(key, {})
        if is_word(key):
            users = len(found) + len(self._by_key[not need].get(key, ()))
            if users > max(_RARE, len(self._who) // _SHARE):
                return {}
        return found

    def of(self, person: bytes) -> list[Side]:
        """What a person needs and brings."""
        return [side for sides in self._of.get(person, {}).values() for side in sides]

    def about(self, record_id: bytes) -> Side | None:
        """The side of a post that is open."""
        view = self._views.get(record_id)
        sides = self._of.get(view["author"], {}) if view else {}
        every = (side for some in sides.values() for side in some if side.posted)
        return next((side for side in every if side.id == record_id), None)

    def who(self, person: bytes) -> Who:
        """What a person's profile says besides."""
        return self._who.get(person, _NOBODY)

    def answered(self) -> set[tuple[bytes, bytes]]:
        """Each post with each person who has answered it, if that stands."""
        return set(self._answers.values())

    def vouches(self) -> Iterable[View]:
        """The good words that stand."""
        return self._vouches.values()

    # -- one view ---------------------------------------------------------------------------------

    def _put(self, n: int, view: View) -> None:
        kind = view["kind"]
        if kind in _POSTS:
            side = of_post(n, view, self.vocabulary)
            self._enter(view["author"], n, [side] if side else [])
        elif kind == "profile":
            self._profiles[view["author"]][n] = view
            self._written[n] = view["author"]
            self._settle(view["author"])
        elif kind in _DEALS:
            self.deals.put(n, view)
        elif kind == "response" and view["state"] in {"waiting", "accepted"}:
            self._answers[n] = (view["about"], view["author"])
        elif kind == "vouch" and view["state"] == "in force":
            self._vouches[n] = view

    def _drop(self, n: int) -> None:
        del self._known[n]
        self.deals.drop(n)
        self._answers.pop(n, None)
        self._vouches.pop(n, None)
        self._leave(n)
        person = self._written.pop(n, None)
        if person is not None:
            del self._profiles[person][n]
            self._settle(person)

    def _settle(self, person: bytes) -> None:
        """R-12.1: of a person's profiles the latest is read."""
        known = self._profiles[person]
        self._who.pop(person, None)
        for n in known:
            self._leave(n)
        if known:
            latest = max(known, key=lambda n: (known[n]["created"], known[n]["id"]))
            sides, self._who[person] = of_profile(latest, known[latest], self.vocabulary)
            self._enter(person, latest, sides)

    def _enter(self, person: bytes, n: int, sides: list[Side]) -> None:
        self._of[person][n] = self._sides[n] = sides
        for side in sides:
            for key in side.about:
                self._by_key[side.need][key][n, side.source] = side

    def _leave(self, n: int) -> None:
        for side in self._sides.pop(n, ()):
            self._of[side.person].pop(n, None)
            for key in side.about:
                self._by_key[side.need][key].pop((n, side.source), None)


def _heard(view: View, muted: Collection[bytes]) -> bool:
    """R-19.7: words in force, and not of somebody whom this home has muted."""
    return bool(view["state"] == "in force" and view["words"] and view["author"] not in muted)
