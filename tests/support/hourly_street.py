"""A street without a relay, in which every home runs for one hour a day (specs/24).

Homes that run at the same time give each other everything that they hold. The hour of a home begins
at the same minute each day.
"""

from dataclasses import dataclass, field

from meshcoop.author.witness_writer import PAUSE_MS, wait_after_news
from protocol.authority.witnesses import WitnessRecord
from tests.support.witness_street import DAY_MS, DAYS, TERM, Home, WitnessStreet

DAY_MINUTES = 24 * 60
_FIRST_DAY = 100
_MINUTE_MS = 60_000
_TICK = 3  # minutes


@dataclass
class HourlyHome(Home):
    """A home that runs for an hour from the minute `begin` of each day."""

    begin: int = 0
    answers: dict = field(default_factory=dict)  # answer → author, of the answers that it holds
    namings: set = field(default_factory=set)  # (answer, witness), of the namings that it holds

    def runs_in(self, minute):
        return self.begin <= minute <= self.begin + 60

    def take(self, answers, namings, time):
        """Takes what other homes hold, as news of this time (ms)."""
        self.namings |= namings
        for answer in sorted(answers.keys() - self.answers.keys()):
            self.answers[answer] = answers[answer]
            if answers[answer] is not self:
                self.waiting[answer] = answers[answer]
                self.news_since = self.news_since or time


class HourlyStreet(WitnessStreet):
    """One run. The hours of all homes begin within a stretch of the day (minutes)."""

    def __init__(self, people, seed, stretch):
        self.stretch = stretch
        super().__init__(people, seed)

    def make_home(self, number, people):
        begin = self.dice.randrange(0, self.stretch, _TICK)
        return HourlyHome(self.dice.randbytes(8), None, 0, begin=begin)

    def answer(self, number):
        home = self.dice.choice(self.homes)
        day = _FIRST_DAY + self.dice.randrange(DAYS)
        minute = home.begin + self.dice.randrange(0, 60, _TICK)
        return b"a%d" % number, day * DAY_MS + minute * _MINUTE_MS, home

    def run(self):
        ahead = list(reversed(self.answers))
        last = max(home.begin for home in self.homes) + 60
        for day in range(_FIRST_DAY, _FIRST_DAY + DAYS + 7):
            for minute in range(0, last + 1, _TICK):
                time = day * DAY_MS + minute * _MINUTE_MS
                while ahead and ahead[-1][1] <= time:
                    answer, _, author = ahead.pop()
                    author.answers[answer] = author
                self.meet([home for home in self.homes if home.runs_in(minute)], time)

    def meet(self, homes, time):
        """Lets homes that run at the same time exchange what they hold, and then name it."""
        answers = {}
        namings = set()
        for home in homes:
            answers |= home.answers
            namings |= home.namings
        for home in homes:
            home.take(answers, namings, time)
            if home.person in self.list and home.waiting:
                self.name_held(home, time)

    def name_held(self, home, time):
        if time - home.named_at < PAUSE_MS:
            return
        if time - (home.news_since or time) < wait_after_news(home.person):
            return
        due = [
            answer
            for answer, author in home.waiting.items()
            if not self.holds_half(home, answer, author)
        ]
        home.waiting.clear()
        home.news_since = None
        if due:
            home.named_at = time
            place = b"w%d" % len(self.records)
            self.records.append(WitnessRecord(place, home.person, time, TERM, tuple(due)))
            home.namings.update((answer, home.person) for answer in due)

    def holds_half(self, home, answer, author):
        others = self.list - {author.person}
        return 2 * sum((answer, person) in home.namings for person in others) >= len(others)
