"""Decides whether an offer fits a need, and finds the reasons for it (R-19.4, R-19.5)."""

from collections.abc import Iterator
from typing import NamedTuple

from meshcoop.matching.index import MatchingIndex
from meshcoop.matching.needs_and_offers import NeedOrOffer, is_same_text
from meshcoop.matching.times import is_overlapping, time_span
from meshcoop.matching.topics import is_word
from meshcoop.matching.vocabulary import SPEAKS, concept_name
from protocol.local_clock import LocalClock

_CONCEPT_POINTS = 10
_WORD_POINTS = 5
_DAY_POINTS = 2
_AREA_POINTS = 2
_LANGUAGE_POINTS = 1
_TIME_POINTS = 1
_MAX_WORD_REASONS = 3  # so that a long list does not outweigh one exact fit


class Reason(NamedTuple):
    """A reason why an offer fits a need. The local API shows the entries of `details` under the
    same names.
    """

    code: str
    points: int
    details: dict[str, str]


class Pair(NamedTuple):
    """A need, and an offer that may fit it."""

    need: NeedOrOffer
    offer: NeedOrOffer

    @property
    def minutes(self) -> int | None:
        """The minutes that the need names. If the need names none, the minutes that the offer
        names. None if neither of them names minutes.
        """
        return self.need.minutes or self.offer.minutes

    @property
    def starts(self) -> str | None:
        """The day or hour that the need names. If the need names none, the day or hour that the
        offer names. None if neither of them names a time.
        """
        return self.need.starts or self.offer.starts


class FitJudge:
    """Decides which pairs of a need and an offer fit. `clock` shows the time. `left` are the people
    who have left the neighbourhood.
    """

    def __init__(self, index: MatchingIndex, clock: LocalClock, left: frozenset[bytes]) -> None:
        self._left = left
        self._index = index
        self._clock = clock
        self._minutes_in_month: dict[tuple[bytes, str], int] = {}  # by giver and month

    def find_reasons(self, pair: Pair) -> list[Reason]:
        """Finds every reason why the offer of a pair fits the need of the pair. If the offer does
        not fit, returns an empty list.
        """
        # The cheap checks come first, because they rule out most pairs.
        if not self._is_possible(pair):
            return []
        word_reasons = list(self._word_reasons(pair))
        if not word_reasons:
            return []
        days = self._shared_days(pair)
        if days is not None and not days:
            return []
        languages = self._shared_languages(pair)
        if languages is not None and not languages and not _is_about_language(word_reasons):
            return []
        return [
            *word_reasons,
            *_day_reasons(days),
            *self._area_reasons(pair),
            *_language_reasons(languages),
            *self._time_reasons(pair),
        ]

    def is_open(self, side: NeedOrOffer) -> bool:
        """Returns whether a need or an offer is still open. It is open if its time is not past, or
        if it repeats and has not ended.
        """
        if side.until and self._clock.is_past(side.until):
            return False
        return side.repeats or not (side.starts and self._clock.is_past(side.starts))

    def _is_possible(self, pair: Pair) -> bool:
        """Returns whether the offer of a pair could meet the need at all. Looks only at times and
        people.

        Need and offer must be open and must not be for different times. Both people must be free at
        the time of the pair. The giver must have enough minutes left in the month of this time.
        """
        if not (self.is_open(pair.need) and self.is_open(pair.offer)):
            return False
        exchanges = self._index.exchanges
        if any(
            exchanges.is_busy(side.person, pair.starts, pair.minutes, self._left) for side in pair
        ):
            return False
        if _is_at_different_times(pair):
            return False
        minutes_left = self._minutes_left(pair)
        return minutes_left is None or minutes_left >= max(pair.minutes or 0, 1)

    def _word_reasons(self, pair: Pair) -> Iterator[Reason]:
        """Yields a reason for each topic that need and offer share. If the same words stand for
        several topics, they give only one reason.
        """
        need, offer = pair
        shared = need.written.keys() & offer.written.keys()
        explained: set[str] = set()
        # Concepts come before plain words: each phrase is explained once, by its best topic.
        for key in sorted(shared, key=lambda key: (is_word(key), key)):
            wanted = need.written[key]
            brought = offer.written[key]
            if is_word(key) and not self._index.entries_about(key, is_need=True):
                continue  # a word that too many people use
            if wanted in explained or brought in explained:
                continue
            if len(explained) >= 2 * _MAX_WORD_REASONS:
                continue
            explained |= {wanted, brought}
            yield _word_reason(key, wanted, brought)

    def _shared_days(self, pair: Pair) -> frozenset[int] | None:
        """Returns the weekdays that suit both people. Returns None if one of them has not named any
        days.
        """
        need_days, offer_days = (self._days_of(side) for side in pair)
        if need_days is None or offer_days is None:
            return None
        return need_days & offer_days

    def _days_of(self, side: NeedOrOffer) -> frozenset[int] | None:
        return side.days if side.is_post else self._index.profile_of(side.person).days

    def _shared_languages(self, pair: Pair) -> list[str] | None:
        """Returns the languages that both people speak. Returns None if one of them has not named
        any languages.
        """
        needing, offering = (self._index.profile_of(side.person).languages for side in pair)
        if not needing or not offering:
            return None
        return [needing[tag] for tag in needing if tag in offering]

    def _area_reasons(self, pair: Pair) -> Iterator[Reason]:
        need_area, offer_area = (
            side.area or self._index.profile_of(side.person).area for side in pair
        )
        if need_area and offer_area and is_same_text(need_area, offer_area):
            yield Reason("area", _AREA_POINTS, {"area": need_area})

    def _time_reasons(self, pair: Pair) -> Iterator[Reason]:
        minutes_left = self._minutes_left(pair)
        if minutes_left is not None:
            yield Reason("time", _TIME_POINTS, {"left": str(minutes_left)})

    def _minutes_left(self, pair: Pair) -> int | None:
        """Returns how many minutes the giver can still give in the month in which the help of the
        pair takes place. Returns None if the giver has set no limit.
        """
        giver = pair.offer.person
        limit = self._index.profile_of(giver).minutes_a_month
        if limit is None:
            return None
        month = (pair.starts or self._clock.today)[:7]
        key = (giver, month)
        if key not in self._minutes_in_month:
            exchanges = self._index.exchanges
            self._minutes_in_month[key] = exchanges.minutes_in_month(giver, month, self._left)
        return limit - self._minutes_in_month[key]


def _is_at_different_times(pair: Pair) -> bool:
    """Returns whether the need is for one time and the offer for another. Returns False if either
    of them repeats or has no time.
    """
    need, offer = pair
    if not need.starts or not offer.starts or need.repeats or offer.repeats:
        return False
    need_span = time_span(need.starts, need.minutes)
    offer_span = time_span(offer.starts, offer.minutes)
    if need_span and offer_span:
        return not is_overlapping(need_span, offer_span)
    return need.starts[:10] != offer.starts[:10]


def _word_reason(key: str, wanted: str, brought: str) -> Reason:
    details = {"wanted": wanted, "brought": brought}
    if not is_word(key):
        details["means"] = concept_name(key)
    if is_same_text(wanted, brought):
        details["both"] = "yes"
    if key.startswith(SPEAKS):
        details["language"] = key.removeprefix(SPEAKS)
    points = _WORD_POINTS if is_word(key) else _CONCEPT_POINTS
    return Reason("words", points, details)


def _day_reasons(days: frozenset[int] | None) -> Iterator[Reason]:
    if days:
        numbers = ",".join(str(day) for day in sorted(days))
        yield Reason("day", _DAY_POINTS, {"days": numbers})


def _language_reasons(languages: list[str] | None) -> Iterator[Reason]:
    if languages:
        yield Reason("language", _LANGUAGE_POINTS, {"language": languages[0]})


def _is_about_language(reasons: list[Reason]) -> bool:
    # A person who wants to learn a language, or needs an interpreter, need not share one already.
    return any("language" in reason.details for reason in reasons)
