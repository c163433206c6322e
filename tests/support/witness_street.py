"""A street in which witnesses' homes name what they hold, without nodes (specs/24).

Homes hand on records at once within their part of a cut network, and name what they hold as the
product does: some minutes after news, at most once in six hours, and nothing that was seen. The pure
functions of `protocol.authority.witnesses` judge what they signed. A liar names nothing honest.
"""

import random
from collections import defaultdict
from dataclasses import dataclass, field
from math import comb

from meshcoop.author.witness_writer import PAUSE_MS, wait_after_news
from protocol.authority.terms import MOST_WITNESSES, Term
from protocol.authority.witnesses import HOUR_MS, Witnesses, WitnessIndex, WitnessRecord
from protocol.kinds.witness import MOST_NAMED
from protocol.loops.windows import Calendar

DAY_MS = 24 * HOUR_MS
SETTLE_MS = 72 * HOUR_MS
DAYS = 28  # in which people answer
TERM = b"1" * 32
_TICK_MS = 3 * 60_000
_FIRST = 100 * DAY_MS
_CUT_FROM = _FIRST + 7 * DAY_MS  # or up to a week later
_CALENDAR = Calendar(7, 0)
RECORD_BYTES = 306  # of a `witness` record without ids: header, signature and content
ID_BYTES = 34


@dataclass
class Home:
    """A home. It runs in one hour of the day, or always if `hour` is None."""

    person: bytes
    hour: int | None
    side: int
    read: int = 0
    waiting: dict = field(default_factory=dict)
    news_since: int | None = None
    named_at: int = 0

    def runs_at(self, time):
        return self.hour is None or time % DAY_MS // HOUR_MS == self.hour


class WitnessStreet:
    """One run. A third of the homes run for one hour a day, and there is a relay in each part."""

    def __init__(self, people, seed, cut_days=0, liars=0.0, answers_a_day=None):
        self.dice = random.Random(f"{people} {seed} {cut_days} {liars}")
        begin = _CUT_FROM + self.dice.randrange(7 * 24) * HOUR_MS
        self.cut = range(begin, begin + cut_days * DAY_MS)
        self.homes = [self.make_home(number, people) for number in range(people)]
        self.liars = set(self.dice.sample(range(people), round(people * liars)))
        self.listed = self.dice.sample(range(people), min(people, MOST_WITNESSES))
        self.list = frozenset(self.homes[number].person for number in self.listed)
        self.pools = ([], [])
        self.namings = defaultdict(list)  # answer → (time, side) of each home that named it
        self.records = []
        count = (answers_a_day or people / 7) * DAYS
        self.answers = sorted(
            (self.answer(number) for number in range(round(count))), key=lambda answer: answer[1]
        )
        self.run()

    def make_home(self, number, people):
        hour = self.dice.randrange(24) if number < people / 3 else None
        return Home(self.dice.randbytes(8), hour, self.dice.randrange(2))

    def answer(self, number):
        home = self.dice.choice(self.homes)
        day = _FIRST + self.dice.randrange(DAYS) * DAY_MS
        hour = self.dice.randrange(24) if home.hour is None else home.hour
        time = day + hour * HOUR_MS + self.dice.randrange(HOUR_MS)
        return b"a%d" % number, time, home

    def run(self):
        ahead = list(reversed(self.answers))
        merged = False
        witnesses = [self.homes[number] for number in self.listed if number not in self.liars]
        for time in range(_FIRST, _FIRST + (DAYS + 7) * DAY_MS, _TICK_MS):
            is_cut = time in self.cut
            while ahead and ahead[-1][1] <= time:
                answer = ahead.pop()
                for side in (0, 1):
                    if not is_cut or side == answer[2].side:
                        self.pools[side].append(answer)
            if self.cut and time >= self.cut.stop and not merged:
                merged = True
                new = [[a for a in self.pools[1 - s] if a not in self.pools[s]] for s in (0, 1)]
                for side in (0, 1):
                    self.pools[side].extend(new[side])
            for home in witnesses:
                if home.runs_at(time):
                    self.name(home, time, is_cut=is_cut)

    def name(self, home, time, *, is_cut):
        pool = self.pools[home.side]
        while home.read < len(pool):
            record_id, _, author = pool[home.read]
            home.read += 1
            if author is not home:
                home.waiting[record_id] = author
                home.news_since = home.news_since or time
        if not home.waiting or time - home.named_at < PAUSE_MS:
            return
        if time - (home.news_since or time) < wait_after_news(home.person):
            return
        due = [
            record_id
            for record_id, author in home.waiting.items()
            if not self.is_seen(record_id, author, home.side, is_cut=is_cut)
        ]
        home.waiting.clear()
        home.news_since = None
        if due:
            home.named_at = time
        for at in range(0, len(due), MOST_NAMED):
            part = tuple(due[at : at + MOST_NAMED])
            place = b"w%d" % len(self.records)
            self.records.append(WitnessRecord(place, home.person, time, TERM, part))
            for record_id in part:
                self.namings[record_id].append((time, home.side))

    def is_seen(self, record_id, author, side, *, is_cut):
        known = [at for at in self.namings[record_id] if not is_cut or at[1] == side]
        return 2 * len(known) >= len(self.list - {author.person})

    def witnesses(self, *records):
        people = self.list
        terms = [Term(TERM, None, 1, 0, people, people, 1, 50, witnesses=people)]
        signers = {home.person: frozenset({home.person}) for home in self.homes}
        return Witnesses(terms, terms, signers, WitnessIndex([*self.records, *records]), SETTLE_MS)

    def late(self):
        """Returns how many honest answers do not stand at their claimed time, how many of them their
        week leaves out, because it had settled when they were seen, and how many answers there were.
        """
        known = self.witnesses()
        lying = [self.homes[number] for number in self.liars]
        times = [
            known.times_of(record_id, time, home.person)
            for record_id, time, home in self.answers
            if home not in lying
        ]
        late = [at for at in times if at.seen is None or at.is_late]
        left_out = [at for at in late if at.seen is None or at.seen > _settles(at.claimed)]
        return len(late), len(left_out), len(times)

    def captured_odds(self):
        """Returns how probable it is that the liars hold a list that is drawn by lot, exactly."""
        people, lying, listed = len(self.homes), len(self.liars), len(self.listed)
        held = [
            number
            for number in range(min(lying, listed) + 1)
            if 2 * number >= listed + 1 or (lying > number and 2 * number >= listed)
        ]
        ways = sum(comb(lying, n) * comb(people - lying, listed - n) for n in held)
        return ways / comb(people, listed)

    def is_captured(self):
        """Returns whether the liars are half of the list, without one of them who writes."""
        lying = {self.homes[number].person for number in self.liars}
        return any(2 * len((self.list & lying) - {who}) >= len(self.list - {who}) for who in lying)

    def moved(self):
        """Returns how many of the liars' answers to a window of three weeks ago count there.

        Every lying witness says that they saw the answer then; the others name it when it comes.
        """
        claimed = _FIRST + DAY_MS
        lies = {number: b"lie %d" % number for number in self.liars}
        records = [
            WitnessRecord(
                b"l%d %d" % (number, teller), self.homes[teller].person, time, TERM, (lie,)
            )
            for number, lie in lies.items()
            for teller in self.listed
            for time in [claimed if teller in self.liars else claimed + 21 * DAY_MS]
        ]
        known = self.witnesses(*records)
        times = [
            known.times_of(lie, claimed, self.homes[number].person) for number, lie in lies.items()
        ]
        return sum(at.seen is not None and not at.is_late for at in times)

    def cost(self):
        """Returns the `witness` records and their bytes in a day."""
        size = sum(RECORD_BYTES + ID_BYTES * len(record.ids) for record in self.records)
        return len(self.records) / DAYS, size / DAYS


def _settles(time):
    """Returns when the week settles in which somebody answered at a time (ms)."""
    return _CALENDAR.window_start(_CALENDAR.window_at(time) + 1) + SETTLE_MS
