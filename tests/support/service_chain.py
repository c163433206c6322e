"""The threads of services, for tests, in a neighbourhood of a dozen people. Tests fold the entries
of a thread without making signed records.
"""

import hashlib

from protocol import kinds
from protocol.authority.admission import Device, Member
from protocol.authority.authority import Authority
from protocol.authority.terms import Chain, Holding
from protocol.fold import fold as thread
from protocol.fold.content import pack_content, read_content
from protocol.fold.registry import KINDS
from protocol.fold.thread import Entry
from protocol.kinds.services.loop import loop_of, loop_rules
from protocol.kinds.services.services import Service
from protocol.loops.windows import DAY_MS, Calendar
from protocol.schema.register_names import MEASURE

assert kinds  # registers every kind
PEOPLE = [hashlib.sha256(str(n).encode()).digest() for n in range(12)]
COUNCIL, CONTRACTOR, SUB, OTHER = PEOPLE[:4]
RESIDENTS = PEOPLE[4:]
START = Calendar(7, 0).window_start(2900)  # a Monday
CHARTER = {"smallest_group": 3, "settle_hours": 72, "answer_days": 3, "offset": 0}


class Story:
    """The entries of a service's thread. Each person has one device. Times are in days from a
    Monday.
    """

    def __init__(self, *, in_use=True):
        self.entries = []
        self.seqs = dict.fromkeys(PEOPLE, 0)
        self.adopted = {}
        self._in_use = in_use

    def says(self, who, kind, about=None, /, day=0.0, **fields):
        self.seqs[who] += 1
        n = len(self.entries) + 1
        read_content(pack_content(kind, fields))
        one = Entry(
            hashlib.sha256(f"entry {n}".encode()).digest(),
            who,
            self.seqs[who],
            START + int(day * DAY_MS) + n,
            about and about.id,
            who,
            kind,
            fields,
            lasting=KINDS[kind].lasting,
        )
        self.entries.append(one)
        if kind == "measure" and self._in_use:
            self.adopted[MEASURE, one.id] = Holding(1, [0, 1])
        return one

    def authority(self, forks=None, **more):
        people = {one: Member(one, 0, ()) for one in PEOPLE}
        return Authority(
            neighbourhood=b"n" * 32,
            charter={**CHARTER, **more},
            chain=Chain((), ()),
            members=people,
            people=people,
            devices={one: Device(one, one, one, None, b"n" * 32) for one in PEOPLE},
            registers=self.adopted,
            forks=forks or {},
        )

    def fold(self, entries=None, **more):
        return thread.fold_thread(
            self.entries if entries is None else entries, self.authority(**more)
        )

    def view(self, one, **more):
        return self.fold(**more).views.get(one.id)

    def values(self, entries=None):
        """Maps the id of each view to the values of the view. Tests compare this map with the map
        of another fold.
        """
        return {record_id: vars(view) for record_id, view in self.fold(entries).views.items()}

    def told(self, one):
        """Returns the rule because of which an entry does not count, or None if the entry
        counts.
        """
        history = self.fold().history
        return next(t.refusal and t.refusal.rule for t in history if t.entry.id == one.id)

    def loop(self, measure, day, entries=None, **more):
        views = self.fold(entries, **more).views
        service = next(view for view in views.values() if isinstance(view, Service))
        now = START + int(day * DAY_MS)
        rules = loop_rules(CHARTER)
        return loop_of(views[measure.id], views.values(), service, rules, PEOPLE, {}, now)


def bins():
    """Makes the story of the council's bins. A contractor holds the service and has offered a part
    of it to another firm.
    """
    story = Story()
    service = story.says(COUNCIL, "service", title="Bins", provider="The council")
    first = story.says(COUNCIL, "link", service, to=CONTRACTOR, title="All of it")
    story.says(CONTRACTOR, "accept", first)
    second = story.says(CONTRACTOR, "link", first, to=SUB, title="The south side")
    measure = story.says(
        RESIDENTS[0], "measure", service, question="Were your bins missed?", scale="count",
        better="lower", target=2, window=7, min_answers=1, who="everybody",
    )  # fmt: skip
    return story, service, first, second, measure
