"""Random histories of a service's thread, with people who do not keep the rules: they backdate, fork
their logs, retract, raise alarms and name records of all kinds. A home takes everything in, a few
records at a time, in an order that the dice draw.
"""

import random
from collections.abc import Iterator
from contextlib import suppress

from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.record import codec
from protocol.record.envelope import EPOCH, Record
from tests.support.council import council, propose, vote
from tests.support.street_in_memory import HOUR, Home, Street, settle

DAYS = ("2026-11-10", "2026-11-16", "2026-11-17", "2026-11-18", "2026-11-24")
ANSWERS = (
    *("feedback", "same_as", "answer", "action", "done", "verdict"),
    *("link", "accept", "close", "comment", "flag", "retract"),
)
STEPS = 40
BATCH = 6  # records that arrive together, at most


class BranchHistory:
    """One history. Further homes take it in."""

    def __init__(self, number: int) -> None:
        self.dice = random.Random(f"branch history {number}")
        self.street = Street(number)
        ada = self.street.found()
        others = [self.street.neighbour(ada) for _ in range(3)]
        self.homes = [ada, *others]
        settle(*self.homes)
        council(*self.homes)
        self.first = ada.wires()
        self.service = ada.post("service", title="The bins")
        self.trunk = [
            ada.post("measure", self.service, question=f"{n}?", scale="yes_no") for n in "ab"
        ]
        self.records: list[Record] = [self.service, *self.trunk]
        self.kinds = dict.fromkeys([record.id for record in self.trunk], "measure")
        self.kinds[self.service.id] = "service"
        self.given = ada.post(
            "proxy", person=others[0].me.person.hex(), matters=["feedback"], until="2026-12-24"
        )
        self.leaves_out: list[Record] = []  # their contents come later
        settle(*self.homes)
        for _ in range(STEPS):
            self.step()
        with suppress(Refused):
            self.end()

    def step(self) -> None:
        """Lets somebody write a record. Now and then, lets the neighbourhood adopt a measure."""
        self.street.clock += self.dice.choice([60_000, HOUR, 20 * HOUR])
        moves = [(self.write, 20), (self.fork, 1), (self.adopt, 1), (self.hide, 1)]
        move = self.dice.choices([move for move, _ in moves], [share for _, share in moves])[0]
        with suppress(
            AssertionError, Refused
        ):  # a device whose log is forked or revoked writes nothing
            move(self.dice.choice(self.homes))

    def write(self, home: Home) -> None:
        """Signs a record of a kind that can answer a record of the thread."""
        about = self.dice.choice(self.records[self.dice.choice([0, 0, -4]) :])
        target = KINDS[self.kinds[about.id]]
        kinds = [kind for kind in ANSWERS if KINDS[kind].can_answer(target)]
        kind = self.dice.choice([*kinds[:1], *kinds[:1], *kinds])
        fields = self.draw_fields(kind)
        # What claims an early time, or one ahead of the clock, lies between honest times.
        claimed = self.dice.choice([home.head.time + 1, home.now(), home.now(), home.now() + HOUR])
        record = home.forge(kind, about, time=max(claimed, home.head.time), **fields)
        self.add(home, kind, record)

    def fork(self, home: Home) -> None:
        """Signs a second record with a number that the log has already."""
        last = [one for one in self.records if one.header.device == home.me.device]
        if last and self.dice.random() < 0.5:
            old = last[-1].header
            about = self.dice.choice(self.records)
            fields = {"value": 1, "text": "twice", "on": DAYS[1]}
            again = home.forge(
                "feedback", about, seq=old.seq, prev=old.prev, time=old.time + 1, **fields
            )
            self.add(home, "feedback", again)

    def adopt(self, home: Home) -> None:
        """Lets the neighbourhood adopt a measure."""
        del home
        settle(*self.homes)
        measure = self.dice.choice(self.trunk)
        proposal = propose(self.homes[0], f"adopt {measure.id.hex()}")
        settle(*self.homes)
        vote(proposal, self.homes[1:3], self.homes)

    def end(self) -> None:
        """Revokes a device, and removes somebody. From then on, some of their records do not
        count.
        """
        ada, ben, cho, dan = self.homes
        settle(*self.homes)
        if self.dice.random() < 0.5:
            ada.write("device", statement=ben.revocation(max(1, ben.head.seq - 2)))
        if self.dice.random() < 0.5:
            for judge in (ada, cho):
                judge.post("remove", person=dan.me.person.hex())
                settle(*self.homes)

    def hide(self, home: Home) -> None:
        """Lets two moderators hide the words of a record."""
        del home
        target = self.dice.choice(self.records)
        for judge in self.homes[:2]:
            self.add(judge, "hide", judge.forge("hide", target, hidden="yes", n=1))

    def add(self, home: Home, kind: str, record: Record) -> None:
        """Stores a record at its author's home. Now and then, its content comes later elsewhere."""
        if record in home.take(record).stored:
            self.records.append(record)
            self.kinds[record.id] = kind
            is_sealed = record.header.base_audience == EPOCH
            if is_sealed and not record.header.is_lasting and self.dice.random() < 0.1:
                self.leaves_out.append(record)

    def draw_fields(self, kind: str) -> dict[str, object]:
        """Draws fields that a record of this kind may have. They name any records."""
        reports = [record for record in self.records if self.kinds[record.id] == "feedback"]
        is_report = reports and self.dice.random() < 0.7
        other = self.dice.choice(reports if is_report else self.records).id
        drawn: dict[str, dict[str, object]] = {
            "feedback": {
                "value": 1,
                "text": "words",
                "on": self.dice.choice(DAYS),
                **self.dice.choice(
                    [{}, {"urgent": "yes"}, {"link": other}, {"for": self.given.id}]
                ),
            },
            "same_as": {"other": other},
            "answer": {"text": "a reply", **self.dice.choice([{}, {"to": other}])},
            "action": {"what": "a lorry", "due": DAYS[-1]},
            "verdict": {"fixed": "yes"},
            "comment": {"text": "Which day?"},
            "flag": {"reason": "unkind"},
            "link": {
                "to": self.dice.choice(self.homes).me.person,
                "title": "a part",
                **self.dice.choice([{}, {"instead": other}]),
            },
            "close": {"as_state": "ended"},
        }
        return drawn.get(kind, {})

    def arrivals(self) -> Iterator[Home]:
        """Lets a new home take the history in, in an order that the dice draw. Yields the home after
        each batch of records.
        """
        late = self.street.twin(self.homes[0])
        late.feed(self.first)
        gone = {record.id for record in self.leaves_out}
        arriving = {record.id: record for home in self.homes for record in home.records()}
        waiting = [
            record._replace(content=None) if record.id in gone else record
            for record in arriving.values()
            if not late.store.records.has(record.id)
        ]
        self.dice.shuffle(waiting)
        while waiting:
            count = self.dice.randint(1, BATCH)
            late.inbox.ingest(waiting[:count])
            del waiting[:count]
            yield late
        for record in self.leaves_out:
            late.inbox.ingest_contents([(record.id, record.content)])
            yield late
        self.street.clock += 2 * HOUR
        late.state.fold_due()
        yield late


def assert_views_are_those_of_a_whole_fold(home: Home) -> None:
    """Compares everything that is stored about the views of each thread with a fold of the whole
    thread.
    """
    for root in sorted(home.store.records.roots()):
        folded = home.state.thread_fold.fold_thread(root)
        stored = {view.id: codec.pack(vars(view)) for view in home.state.views.of_thread(root)}
        assert stored == {view.id: codec.pack(vars(view)) for view in folded.views.values()}
        rows = {row.record.id: row.n for row in home.store.records.in_thread(root)}
        awaited = sorted(
            (rows[view], wait.kind)
            for view, result in folded.results.items()
            for wait in result.awaited
        )
        relying = sorted(
            (rows[view], person)
            for view, result in folded.results.items()
            for person in result.relies
        )
        db = home.store.db
        assert (
            sorted(db.execute("SELECT n, answer FROM awaited WHERE root = ?", (root,))) == awaited
        )
        assert (
            sorted(db.execute("SELECT n, person FROM relying WHERE root = ?", (root,))) == relying
        )
