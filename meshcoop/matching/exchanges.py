"""The exchanges between people: time that one person gave to another, or promised to give."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator
from datetime import date, tzinfo
from typing import NamedTuple

from meshcoop.matching.times import TimeSpan, is_overlapping, time_span
from protocol.fold.facets import Credit, Promise
from protocol.fold.view import View
from protocol.local_clock import LocalClock, to_local

_MOST_A_DAY = 50  # somebody with more promises for one day has no time, and none is looked at


class Exchange(NamedTuple):
    """Time that one person gave to another, or promised to give."""

    id: bytes
    giver: bytes
    receiver: bytes
    minutes: int
    when: str  # the day of the exchange, or its day and hour; if unknown, the day of the record
    is_given: bool


class Exchanges:
    """All exchanges, grouped by person. An exchange comes from a view. To add or remove exchanges,
    callers give the row of this view.

    The sums of minutes are kept too, because two people may have thousands of exchanges. Days are
    days in `zone`.
    """

    def __init__(self, zone: tzinfo) -> None:
        self._zone = zone
        self._by_row: dict[int, list[Exchange]] = defaultdict(list)
        self._rows_of: dict[bytes, set[int]] = defaultdict(set)
        self._month_minutes: Counter[tuple[bytes, str]] = Counter()  # by giver and month
        # What is promised and not given yet, by giver, receiver and month.
        self._promised_minutes: Counter[tuple[bytes, bytes, str]] = Counter()
        self._net_minutes: Counter[bytes] = Counter()  # given minus received
        self._gifts: dict[tuple[bytes, bytes], set[Exchange]] = defaultdict(set)
        self._promises: dict[tuple[bytes, str], set[Exchange]] = defaultdict(set)  # by day

    def add_credit(self, row: int, credit: Credit) -> None:
        """Adds minutes that one person gave to another. The view in the row `row` moves these
        minutes.
        """
        exchange = Exchange(
            id=credit.id,
            giver=credit.giver,
            receiver=credit.receiver,
            minutes=credit.minutes,
            when=self._day(credit.on, credit.created),
            is_given=True,
        )
        self._add(row, exchange)

    def add_promise(self, row: int, view: View, promise: Promise) -> None:
        """Adds time that one person has promised to another. The view in the row `row` has the
        promise.
        """
        exchange = Exchange(
            id=view.id,
            giver=promise.giver,
            receiver=promise.receiver,
            minutes=promise.minutes,
            when=self._day(promise.when, view.created),
            is_given=False,
        )
        self._add(row, exchange)

    def remove(self, row: int) -> None:
        """Removes the exchanges that come from the view in a row."""
        for exchange in self._by_row.pop(row, ()):
            self._rows_of[exchange.giver].discard(row)
            self._rows_of[exchange.receiver].discard(row)
            self._count_month(exchange, -exchange.minutes)
            if exchange.is_given:
                self._count_net(exchange, -exchange.minutes)
                self._gifts[exchange.giver, exchange.receiver].discard(exchange)
            for key in _days_of_promise(exchange):
                self._promises[key].discard(exchange)

    def of_person(self, person: bytes) -> Iterator[Exchange]:
        """Yields the exchanges in which a person gives or receives."""
        for row in self._rows_of.get(person, ()):
            for exchange in self._by_row[row]:
                if person in {exchange.giver, exchange.receiver}:
                    yield exchange

    def given(self) -> Iterator[Exchange]:
        """Yields all exchanges in which somebody really gave time. Leaves out promises."""
        for exchanges in self._by_row.values():
            for exchange in exchanges:
                if exchange.is_given:
                    yield exchange

    def minutes_in_month(
        self, person: bytes, month: str, left: frozenset[bytes] = frozenset()
    ) -> int:
        """Returns how many minutes a person gave or promised in a month, such as 2026-11. Leaves
        out promises to people who have left.
        """
        promised = (self._promised_minutes.get((person, other, month), 0) for other in left)
        return self._month_minutes.get((person, month), 0) - sum(promised)

    def is_busy(
        self,
        person: bytes,
        moment: str | None,
        minutes: int | None,
        left: frozenset[bytes] = frozenset(),
    ) -> bool:
        """Returns whether a person has no time for an appointment that begins at `moment` and lasts
        for `minutes`.

        A person has no time if they are to give or receive other help then. Promises to and from
        people who have left do not matter. A person with very many promises on one of these days
        counts as busy.
        """
        wanted = time_span(moment, minutes)
        if wanted is None:
            return False
        by_day = [self._promises.get((person, day), ()) for day in _days_of(wanted)]
        if any(len(promises) > _MOST_A_DAY for promises in by_day):
            return True
        promised = (
            exchange
            for promises in by_day
            for exchange in promises
            if not left & {exchange.giver, exchange.receiver}
        )
        spans = (time_span(exchange.when, exchange.minutes) for exchange in promised)
        return any(span is not None and is_overlapping(span, wanted) for span in spans)

    def last_gift(self, giver: bytes, receiver: bytes) -> Exchange | None:
        """Returns the latest exchange in which `giver` gave time to `receiver`, or None."""
        gifts = self._gifts.get((giver, receiver), ())
        return max(gifts, key=lambda exchange: (exchange.when, exchange.id), default=None)

    def has_received_more(self, person: bytes) -> bool:
        """Returns whether a person has received more minutes than they gave."""
        return self._net_minutes[person] < 0

    def _add(self, row: int, exchange: Exchange) -> None:
        self._by_row[row].append(exchange)
        self._rows_of[exchange.giver].add(row)
        self._rows_of[exchange.receiver].add(row)
        self._count_month(exchange, exchange.minutes)
        if exchange.is_given:
            self._count_net(exchange, exchange.minutes)
            self._gifts[exchange.giver, exchange.receiver].add(exchange)
        for key in _days_of_promise(exchange):
            self._promises[key].add(exchange)

    def _day(self, moment: str | None, created: int) -> str:
        if moment is None:
            return LocalClock(created, self._zone).today
        return to_local(moment, self._zone)

    def _count_month(self, exchange: Exchange, minutes: int) -> None:
        month = exchange.when[:7]
        self._month_minutes[exchange.giver, month] += minutes
        if not exchange.is_given:
            self._promised_minutes[exchange.giver, exchange.receiver, month] += minutes

    def _count_net(self, exchange: Exchange, minutes: int) -> None:
        self._net_minutes[exchange.giver] += minutes
        self._net_minutes[exchange.receiver] -= minutes


def _days_of_promise(exchange: Exchange) -> Iterable[tuple[bytes, str]]:
    """Yields each person of a promise with each day of the promise, as pairs. If a promise has no
    hour, yields no pairs.
    """
    span = None if exchange.is_given else time_span(exchange.when, exchange.minutes)
    if span is not None:
        for day in _days_of(span):
            yield exchange.giver, day
            yield exchange.receiver, day


def _days_of(span: TimeSpan) -> Iterator[str]:
    first, last = (moment.toordinal() for moment in span)
    for day in range(first, last + 1):
        yield date.fromordinal(day).isoformat()
