"""Helpers of the store and fold tests: a street of homes in memory, with a clock and dice."""

import random
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from meshcoop.author.author import Author
from meshcoop.author.founding import Identity, found_neighbourhood, open_state
from meshcoop.author.key_giving import give_by_record
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.store.store import Store
from protocol.fold import content as schema
from protocol.fold.registry import KINDS
from protocol.fold.view import View
from protocol.record import envelope as record
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import Header, Record
from protocol.record.key_bundle import MAX_KEYS_GIVEN
from protocol.record.log import LOG_START, Head
from protocol.wire import sync_events as events
from protocol.wire.sync_session import SyncSession
from tests.support.stores import STORE_KEY

MORNING = 1_795_000_000_000  # milliseconds: the time at which every story begins
HOUR = 3_600_000


def by_id(what: str, typed: str) -> bytes:
    return b"" if what == "outsider" else bytes.fromhex(typed)


class Home:
    """One home: a store, the person who lives there, and that person's posts. `skew` is the error
    of its clock.
    """

    def __init__(
        self,
        street: "Street",
        neighbourhood: bytes,
        who: tuple[Identity, ...],
        *,
        path: Path | str = ":memory:",
        author: Author | None = None,
    ) -> None:
        self.street = street
        self.who = who
        self.skew = 0
        devices = {one.device: one.device_seed for one in who}
        if author is None:
            state = open_state(Store(path, STORE_KEY), neighbourhood, devices, self.now)
            author = Author(Inbox(state), devices, self.now, street.dice.randbytes)
        self.author = author
        author.now = self.now
        self.inbox, self.state, self.store = author.inbox, author.state, author.inbox.store
        street.opened.append(self.store)

    def now(self) -> int:
        return self.street.clock + self.skew

    @property
    def me(self) -> Identity:
        return self.who[0]

    @property
    def head(self) -> Head:
        known = self.store.logs.find(self.me.device)
        return known.head if known else LOG_START

    def post(self, kind: str, about: Record | None = None, /, **fields: Any) -> Record:
        """Lets a minute pass, and then posts a record as a person does."""
        self.street.clock += 60_000
        return self.author.post(kind, fields, about=about and about.id, resolve=by_id)

    def write(self, kind: str, about: Record | None = None, /, **fields: Any) -> Record:
        """Lets a minute pass, and then posts a record as the software does."""
        self.street.clock += 60_000
        return self.author.write(KINDS[kind], fields, about=about and about.id)

    def admit(self, newcomer: Identity) -> Record:
        return self.write("admit", person=newcomer.person, statement=newcomer.statement)

    def welcome(self, newcomer: Identity) -> None:
        """Admits a newcomer and offers them every epoch key."""
        self.admit(newcomer)
        give_by_record(self.author, newcomer.device, self.state.ring.all())

    def forge(
        self,
        kind: str,
        about: Record | None = None,
        /,
        *,
        seq: int | None = None,
        prev: bytes | None = None,
        time: int | None = None,
        content: bytes | None = None,
        audience: int | None = None,
        sealing_key: seal.EpochKey | None = None,
        **fields: Any,
    ) -> Record:
        """Signs a record that honest software would not sign, or would not accept yet.

        Without `seq`, the record takes the next place in this home's log. Without `sealing_key`, the group
        key seals the record that this home would use.
        """
        head = self.head
        if seq is None:
            seq, prev = head.seq + 1, head.id
        audience = KINDS[kind].audience_code if audience is None else audience
        plain = schema.pack_content(kind, fields) if content is None else content
        if audience & ~(record.LASTING | record.AUTOMATIC) == record.EPOCH:
            place = seal.content_context(self.state.neighbourhood, self.me.device, seq)
            plain = seal.seal_epoch_content(
                sealing_key or self.state.epochs.current_key(),
                plain,
                place,
                self.street.dice.randbytes(32),
            )
        header = Header(
            record.VERSION,
            self.me.device,
            seq,
            prev,
            max(self.now(), head.time) if time is None else time,
            None,
            [about.id] if about else [],
            audience,
            len(plain),
            record.content_digest(plain),
        )
        return record.sign(header, plain, self.state.neighbourhood, self.me.device_seed)

    def take(self, *records: Record) -> IngestResult:
        return self.inbox.ingest_wires([one.wire for one in records])

    def put(self, one: Record) -> Record:
        """Stores a record that this home has forged. Fails if the store refuses the record."""
        assert self.take(one).stored == [one]
        return one

    def feed(self, wires: Iterable[bytes]) -> IngestResult:
        return self.inbox.ingest_wires(wires)

    def records(self) -> list[Record]:
        """Returns all records of this home, in log order."""
        found = []
        for known in sorted(self.store.logs.all(), key=lambda one: one.device):
            found += self.store.records.of_log(known.device, 1, 1_000_000)
        return found

    def wires(self) -> list[bytes]:
        return [one.wire for one in self.records()]

    def ids(self) -> list[bytes]:
        return list(self.store.records.ids())

    def absent(self) -> list[bytes]:
        """Returns the ids of records whose content is missing, although nobody has taken the
        content back.
        """
        rows = self.store.records.without_content(0, 10_000)
        return [row.record.id for row in rows if not self.state.thread_fold.is_erased(row)]

    def revocation(self, after: int) -> bytes:
        """Makes the root statement that ends this home's device after the number `after`."""
        place = self.state.neighbourhood[: statement.PLACE_SIZE]
        return statement.revoke_device(self.me.root_seed, self.me.device, after, place)

    def certificate(self, of: Identity) -> bytes:
        """Makes the root statement that certifies the device of the identity `of` for this home's
        person.
        """
        place = self.state.neighbourhood[: statement.PLACE_SIZE]
        box = seal.device_box_key(of.device_seed).public
        return statement.certify_device(self.me.root_seed, of.device_seed, box, place)

    def state_hash(self) -> bytes:
        return self.state.views.state_hash()

    def view(self, one: Record) -> View | None:
        return self.state.views.find(one.id)

    def ids_found(self, words: str) -> list[bytes]:
        """Returns the ids of the records that a search finds, the best match first."""
        views = self.state.views
        return [view.id for view in views.in_rows(views.search(words))]

    def told(self, one: Record) -> str | None:
        """Returns the rule because of which a record does not count in its thread, or None if it
        counts.
        """
        thread = self.state.thread_fold.fold_thread(self.store.records.find(one.id).root)
        refusal = next(told.refusal for told in thread.history if told.entry.id == one.id)
        return refusal and refusal.rule

    def balances(self) -> dict[bytes, int]:
        return {who: one.balance for who, one in self.state.views.balances().items()}


class Street:
    """The homes of one neighbourhood, its clock and its dice."""

    def __init__(self, seed: int = 1) -> None:
        self.dice = random.Random(seed)
        self.clock = MORNING
        self.opened: list[Store] = []
        self.place = statement.FOUNDING_PLACE

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for store in self.opened:
            store.close()

    def person(self) -> Identity:
        """Makes the keys of a person, who can found the neighbourhood or join it later."""
        return Identity.new(self.dice.randbytes, self.place)

    def found(self, *, path: Path | str = ":memory:", **charter: Any) -> Home:
        """Founds the neighbourhood and returns the founder's home."""
        identity = self.person()
        fields = {"name": "Rushey Lane", "vouchers": 1, **charter}
        home: Home | None = None

        def now() -> int:
            return home.now() if home else self.clock

        author = found_neighbourhood(
            Store(path, STORE_KEY), identity, fields, "Founder", now, self.dice.randbytes
        )
        self.place = author.state.neighbourhood[: statement.PLACE_SIZE]
        home = Home(self, author.state.neighbourhood, (identity,), author=author)
        return home

    def home(self, like: Home, *who: Identity, path: Path | str = ":memory:") -> Home:
        """Makes a home without records in the same neighbourhood as the home `like`."""
        return Home(self, like.state.neighbourhood, who, path=path)

    def twin(self, of: Home) -> Home:
        """Makes a home that has no records, and has the same devices as the home `of`."""
        return self.home(of, *of.who)

    def neighbour(self, by: Home) -> Home:
        """Makes the home of a new person, whom the home `by` admits. The new home gets all records
        of `by`.
        """
        newcomer = self.person()
        by.welcome(newcomer)
        home = self.home(by, newcomer)
        home.feed(by.wires())
        return home


@contextmanager
def street(seed: int = 1, homes: int = 2, **charter: Any) -> Iterator[list[Home]]:
    """Makes `homes` homes that have exchanged all records."""
    with Street(seed) as one:
        first = one.found(**charter)
        others = [one.neighbour(first) for _ in range(homes - 1)]
        settle(first, *others)
        yield [first, *others]


def settle(*homes: Home) -> None:
    """Gives all records to all homes until nothing changes."""
    before = None
    for _ in range(12):
        now = [(tuple(home.ids()), tuple(home.absent()), len(home.inbox.pool)) for home in homes]
        if now == before:
            return
        before = now
        for giver in homes:
            for taker in homes:
                if giver is not taker:
                    taker.feed(wires_lacked(taker, giver))
                    wanted = [giver.store.records.find(one) for one in taker.absent()]
                    have = [row.record for row in wanted if row]
                    taker.inbox.ingest_contents(
                        [(one.id, one.content) for one in have if one.content is not None]
                    )
    raise AssertionError("the homes never come to rest")


def wires_lacked(taker: Home, giver: Home) -> list[bytes]:
    """Returns the records of the giver that the taker does not hold, in log order.

    The homes meet in many rounds, and mostly hold the same. So records are read only if their ids
    differ.
    """
    lacked = {*giver.ids()} - {*taker.ids()}
    return [record.wire for record in giver.records() if record.id in lacked] if lacked else []


def give_keys(*homes: Home) -> None:
    """Lets each home ask each other home for the keys that it lacks, as homes do after a round of
    sync (R-03.39).
    """
    for taker in homes:
        for giver in homes:
            lacks = taker.state.epochs.missing(MAX_KEYS_GIVEN)
            if giver is not taker and lacks:
                taker.inbox.hold_keys(giver.state.epochs.givable(lacks, taker.me.device))


def exchange(giver: Home, asker: Home, *, need: int = 90) -> list[Record]:
    """Posts an offer, a response, an agreement, a receipt and a confirm. Then both homes hold all
    five.
    """
    offer = giver.post("offer", title="A lift", minutes=str(need))
    settle(giver, asker)
    response = asker.post("response", offer, text="at nine please")
    settle(giver, asker)
    agreement = giver.post("agreement", response)
    settle(giver, asker)
    receipt = asker.post("receipt", agreement, note="thank you")
    settle(giver, asker)
    confirm = giver.post("confirm", receipt)
    settle(giver, asker)
    return [offer, response, agreement, receipt, confirm]


class Line:
    """Runs sync sessions between two homes in memory. A test chooses into which pieces the bytes
    are cut.
    """

    def __init__(
        self,
        one: Home,
        other: Home,
        *,
        dice: random.Random | None = None,
        largest: int | None = 700,
        batch: int = 1,
    ) -> None:
        self.homes = (one, other)
        self.sessions = (SyncSession(), SyncSession())
        self.queues = (bytearray(), bytearray())  # the bytes that each home is yet to receive
        self.sent = [0, 0]
        self.wires = [0, 0]
        self.turns = 0
        self.settled: list[list[bool]] = [[], []]
        self.piece = lambda left: left
        if dice is not None:
            self.piece = lambda left: min(left, dice.randint(1, largest))
        self.batch = batch
        self.due: tuple[list[bytes], list[bytes]] = ([], [])
        self.ending = [False, False]
        for side in (0, 1):
            self.send(side, self.hello(side))
        self.flow()
        self.sent = [0, 0]
        self.turns = 0

    def hello(self, side: int) -> bytes:
        home = self.homes[side]
        return self.sessions[side].send_hello(home.me.device, bytes(64), [])

    def send(self, side: int, data: bytes) -> None:
        self.sent[side] += len(data)
        self.queues[1 - side].extend(data)

    def begin(self, *sides: int) -> None:
        for side in sides:
            self.send(side, self.sessions[side].begin_round(self.homes[side].store.heads()))

    def flow(self) -> None:
        """Passes bytes between the two ends until both have nothing to send."""
        while any(self.queues):
            self.turns += 1
            waiting = [bytes(queue) for queue in self.queues]
            for side in (0, 1):
                self.queues[side].clear()
            for side, data in enumerate(waiting):
                at = 0
                while at < len(data):
                    end = at + self.piece(len(data) - at)
                    self._receive(side, data[at:end])
                    at = end

    def _receive(self, side: int, chunk: bytes) -> None:
        home, session = self.homes[side], self.sessions[side]
        for event in session.receive(chunk):
            if isinstance(event, events.HelloReceived):
                session.admit()
            elif isinstance(event, events.DigestReceived):
                out, found = session.answer_digest(home.store.heads())
                self.send(side, out)
                self._note(side, found)
            elif isinstance(event, events.PeerLacks):
                self.due[side].extend(self._lacking(home, event))
                self.ending[side] = True
            elif isinstance(event, events.ContentWanted):
                rows = [home.store.records.find(one) for one in event.ids]
                have = [row.record for row in rows if row and row.record.content is not None]
                self.send(side, session.send_content((one.id, one.content) for one in have))
            elif isinstance(event, events.ContentReceived):
                home.inbox.ingest_contents(event.items)
            elif isinstance(event, events.RecordsReceived):
                home.feed(event.wires)
                self.send(side, session.credit_taken(event.size))
            else:
                self._note(side, [event])
        self._pump(side)

    def _pump(self, side: int) -> None:
        due, session = self.due[side], self.sessions[side]
        while due and session.send_window > 0:
            wires, due[: self.batch] = due[: self.batch], []
            self.wires[side] += len(wires)
            self.send(side, session.send_records(wires))
        if self.ending[side] and not due:
            self.ending[side] = False
            out, told = session.send_end()
            self.send(side, out)
            self._note(side, told)

    def _note(self, side: int, told: Iterable[events.SyncEvent]) -> None:
        self.settled[side] += [
            one.were_equal for one in told if isinstance(one, events.RoundSettled)
        ]

    def _lacking(self, home: Home, lacks: events.PeerLacks) -> list[bytes]:
        found: dict[bytes, None] = {}
        for device, seq, head in lacks.logs:
            mine = home.store.records.id_at(device, seq) or b""
            start = seq + 1 if mine[: len(head)] == head else 1
            found |= dict.fromkeys(
                one.wire for one in home.store.records.of_log(device, start, 1_000_000)
            )
        for device in lacks.forks:
            fork = home.store.logs.find(device).fork
            found |= dict.fromkeys(
                one.wire for one in home.store.records.of_log(device, fork, 1_000_000)
            )
        return list(found)

    def fetch(self) -> None:
        """Lets each home ask the other home for the contents that are missing."""
        for side in (0, 1):
            missing = self.homes[side].absent()
            self.send(side, self.sessions[side].ask_for_content(missing))
        self.flow()

    def rounds(self, most: int = 8) -> int:
        """Runs rounds of sync until a round finds nothing to send. Returns the number of rounds."""
        for count in range(1, most + 1):
            self.begin(0)
            self.flow()
            if self.settled[0][-1]:
                return count
        raise AssertionError("the homes never come to rest")
