"""Whether what one brings fits what another needs, and every reason that counts (R-19.4, R-19.5)."""

from collections.abc import Iterator
from typing import NamedTuple

from meshcoop.matching.index import Index
from meshcoop.matching.needs_and_offers import Side, same
from meshcoop.matching.times import over, span
from meshcoop.matching.topics import is_word
from meshcoop.matching.vocabulary import SPEAKS, label

_CONCEPT, _WORD, _DAY, _AREA, _LANGUAGE, _TIME = 10, 5, 2, 2, 1, 1
_MOST = 3  # reasons about words that count


class Reason(NamedTuple):
    """Why something fits. `told` is what it is about, by name."""

    reason: str
    points: int
    told: dict[str, str]


class Pair(NamedTuple):
    """A need, and what meets it."""

    need: Side
    means: Side

    @property
    def post(self) -> Side | None:
        """The post that says how long it takes: the need's, else that of the means."""
        return next((one for one in self if one.posted), None)

    @property
    def minutes(self) -> int | None:
        """How long it takes, if one of the two says."""
        return self.need.minutes or self.means.minutes

    @property
    def starts(self) -> str | None:
        """When it is, if one of the two says."""
        return self.need.starts or self.means.starts


class Fitting:
    """Judges pairs as of a moment, `now`: ISO 8601, by the neighbourhood's clock."""

    def __init__(self, index: Index, now: str) -> None:
        self._index = index
        self._now = now
        self._spent: dict[tuple[bytes, str], int] = {}

    def reasons(self, pair: Pair) -> list[Reason]:
        """Why a pair fits; nothing if it does not."""
        if not self._possible(pair):
            return []
        found = list(self._words(pair))
        if not found:
            return []
        days, area = self._days(pair), self._area(pair)
        if days is not None and not days:
            return []
        languages = self._languages(pair)
        if languages is not None and not languages and not _about_language(found):
            return []
        if days:
            found.append(Reason("day", _DAY, {"days": ",".join(map(str, sorted(days)))}))
        if area:
            found.append(Reason("area", _AREA, {"area": area}))
        if languages:
            found.append(Reason("language", _LANGUAGE, {"language": languages[0]}))
        left = self._left(pair)
        if left is not None:
            found.append(Reason("time", _TIME, {"left": str(left)}))
        return found

    def open(self, side: Side) -> bool:
        """Whether a side is not over by now."""
        return not over(side.until, self._now) and (
            side.repeats or not over(side.starts, self._now)
        )

    # -- what must hold ---------------------------------------------------------------------------

    def _possible(self, pair: Pair) -> bool:
        if not (self.open(pair.need) and self.open(pair.means)):
            return False
        deals = self._index.deals
        if any(deals.busy(one.person, pair.starts, pair.minutes) for one in pair):
            return False
        if _apart(pair):
            return False
        left = self._left(pair)
        return left is None or left >= max(pair.minutes or 0, 1)

    def _left(self, pair: Pair) -> int | None:
        """What is left of the giver's minutes in the month of a pair; None without a limit."""
        giver = pair.means.person
        limit = self._index.who(giver).month
        if limit is None:
            return None
        key = giver, (pair.starts or self._now)[:7]
        if key not in self._spent:
            self._spent[key] = self._index.deals.spent(*key)
        return limit - self._spent[key]

    def _days(self, pair: Pair) -> frozenset[int] | None:
        """The days that suit both; None where one of them says nothing of days."""
        need, means = (one.days if one.posted else self._index.who(one.person).days for one in pair)
        return None if need is None or means is None else need & means

    def _languages(self, pair: Pair) -> list[str] | None:
        """The languages that both speak; None where one of them does not say."""
        need, means = (self._index.who(one.person).languages for one in pair)
        if not need or not means:
            return None
        return [need[tag] for tag in need if tag in means]

    def _area(self, pair: Pair) -> str | None:
        need, means = (one.area or self._index.who(one.person).area for one in pair)
        return need if need and means and same(need, means) else None

    # -- words ------------------------------------------------------------------------------------

    def _words(self, pair: Pair) -> Iterator[Reason]:
        """What both speak of; one reason for each two things that were written."""
        need, means = pair
        shared = sorted(need.about.keys() & means.about.keys(), key=lambda key: (is_word(key), key))
        told: set[str] = set()
        for key in shared:
            wanted, brought = need.about[key], means.about[key]
            rare = not is_word(key) or self._index.sharing(key, need=True)
            if not rare or wanted in told or brought in told or len(told) >= 2 * _MOST:
                continue
            told |= {wanted, brought}
            concept = {} if is_word(key) else {"means": label(key)}
            points = _WORD if is_word(key) else _CONCEPT
            both = {"both": "yes"} if same(wanted, brought) else {}
            language = {"language": key.removeprefix(SPEAKS)} if key.startswith(SPEAKS) else {}
            yield Reason(
                "words",
                points,
                {"wanted": wanted, "brought": brought, **concept, **both, **language},
            )


def _apart(pair: Pair) -> bool:
    """Whether an offer and a request are each for one time, and not for the same."""
    need, means = pair
    if not need.starts or not means.starts or need.repeats or means.repeats:
        return False
    one, other = span(need.starts, need.minutes), span(means.starts, means.minutes)
    if one and other:
        return one[1] <= other[0] or other[1] <= one[0]
    return need.starts[:10] != means.starts[:10]


def _about_language(found: list[Reason]) -> bool:
    return any("language" in one.told for one in found)
