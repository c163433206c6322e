"""Makes a crowded neighbourhood in one store. Signs the records of all people without reading the
store.
"""

import os
import random
import time

import trio

from meshcoop.author.author import Author
from meshcoop.author.founding import Identity, found_neighbourhood, open_state
from meshcoop.author.key_giving import give_by_record
from meshcoop.dev.bench.fixtures import now
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.store import Store
from protocol.fold import content as schema
from protocol.fold.registry import KINDS
from protocol.record import codec
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import Header
from protocol.record.log import LOG_START, Head
from protocol.wire.local_rpc import Response, encode
from tests.support.stores import STORE_KEY

_CHARTER = {
    "name": "Rushey Lane",
    "quota_records": 1_000_000,
    "quota_bytes": 2**30,
    "room": 1000,
}
_WEEK_MS = 7 * 86_400_000


class Crowd:
    """People, the logs of their devices, and a clock that runs from a week ago until now."""

    def __init__(self, people, exchanges):
        self.dice = random.Random(7)
        self.clock = now() - _WEEK_MS
        self.step = _WEEK_MS // (6 * exchanges + 3 * people)
        self.founder = Identity.new(os.urandom)
        self.author = found_neighbourhood(
            Store(":memory:"), self.founder, _CHARTER, "Ada", lambda: self.clock, os.urandom
        )
        self.state = self.author.state
        self.people = [self._neighbour() for _ in range(people - 1)]
        self.heads = {one.device: LOG_START for one in self.people}
        self.logs = []
        for n, one in enumerate(self.people):
            self.says(one, "profile", name=f"Neighbour {n}")
        for n in range(exchanges):
            self.exchange(n, *self.dice.sample(self.people, 2))

    def home(self, path):
        """Makes the home of one person of the crowd. The home holds all records."""
        me = self.people[0]
        self.clock = now()
        give_by_record(self.author, me.device, self.state.ring.all())
        devices = {me.device: me.device_seed}
        inbox = Inbox(open_state(Store(path, STORE_KEY), self.state.neighbourhood, devices, now))
        store = self.author.inbox.store
        inbox.ingest_wires(
            one.wire for one in store.records.of_log(self.founder.device, 1, 1_000_000)
        )
        for at in range(0, len(self.logs), 2000):
            inbox.ingest_wires(self.logs[at : at + 2000])
        return Author(inbox, devices, now, os.urandom)

    def exchange(self, n, asker, helper):
        request = self.says(
            asker, "request", title=f"A lift number {n}", text="On Thursday morning, please. " * 3,
            minutes=60, starts="2026-11-26T09:30", tags=["lift", "health"],
        )  # fmt: skip
        two = (asker, helper)
        response = self.says(
            helper, "response", request, minutes=60, when="2026-11-26T09:30",
            text=self._private(helper, two, "text", "I can fetch you; ring twice."),
        )  # fmt: skip
        between = {"giver": helper.person, "receiver": asker.person, "minutes": 60}
        agreement = self.says(asker, "agreement", response, when="2026-11-26T09:30", **between)
        if n % 20 == 0:
            return
        note = self._private(helper, two, "note", "It took a while.")
        receipt = self.says(helper, "receipt", agreement, on="2026-11-26", note=note, **between)
        if n % 10:
            self.says(asker, "confirm", receipt)

    def says(self, who, kind, about=None, **fields):
        self.clock += self.step
        head = self.heads[who.device]
        place = seal.content_context(self.state.neighbourhood, who.device, head.seq + 1)
        plain = schema.pack_content(kind, fields)
        content = seal.seal_epoch_content(
            self.state.epochs.current_key(), plain, place, os.urandom(32)
        )
        parents = [about.id] if about else []
        what = (parents, KINDS[kind].audience_code, len(content), record.content_digest(content))
        header = Header(record.VERSION, who.device, head.seq + 1, head.id, self.clock, None, *what)
        one = record.sign(header, content, self.state.neighbourhood, who.device_seed)
        self.heads[who.device] = Head(one.header.seq, one.id, one.header.time)
        self.logs.append(one.wire)
        return one

    def _private(self, who, two, name, words):
        boxes = [seal.device_box_key(one.device_seed).public for one in two]
        seq = self.heads[who.device].seq + 1
        place = seal.private_field_context(self.state.neighbourhood, who.device, seq, name)
        return seal.seal_private_content(boxes, codec.pack(words), place, os.urandom(32))

    def _neighbour(self):
        self.clock += self.step
        one = Identity.new(os.urandom, self.state.neighbourhood[: statement.PLACE_SIZE])
        self.author.write(KINDS["admit"], {"person": one.person, "statement": one.statement})
        return one


def timed(label, method, /, **params):
    """Calls a method five times, prints the median time and returns the answer.

    The time includes encoding the answer as a frame.
    """
    runs = []
    for _ in range(5):
        began = time.thread_time()
        answer = trio.run(method, params)
        encode(Response(1, result=answer))
        runs.append(time.thread_time() - began)
    print(f"{label}: {1000 * sorted(runs)[2]:.1f} ms")  # noqa: T201  # as above
    return answer
