"""A day's writing of somebody who signs whatever they like: as much as a store takes of each of their
devices, in both lanes, of every kind, and what costs others most.
"""

from collections.abc import Iterable, Iterator
from itertools import chain, cycle, islice, zip_longest
from typing import Any, NamedTuple

from meshcoop.store.logs import Used
from protocol.authority.epochs import digest_lists
from protocol.errors import Refused
from protocol.fold.content import pack_content
from protocol.fold.registry import KINDS
from protocol.record import envelope
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import AUTOMATIC, DAY_MS, EPOCH, LASTING, Header, Record
from protocol.record.log import LOG_START, Head
from protocol.schema.register_names import RULE, STANDING
from tests.support.hostile_fields import HostileFields
from tests.support.street_in_memory import Home, Identity

# Twice the quota of a charter is what stores take. A few records are left for honest ones.
TWICE = Used(2 * 250 - 20, 2 * 262_144 - 10_000)
LONG = "x" * 2000  # the longest text of most kinds

Step = tuple[str, bytes | None, dict[str, Any]]  # a kind, what it is about, and its fields


class Targets(NamedTuple):
    """Records of others that a hostile person answers, by their ids."""

    request: bytes
    activity: bytes
    page: bytes
    measure: bytes
    proposal: bytes
    receipts: list[bytes]  # for time that the hostile person gave


class Pen:
    """Signs records with one device, in order. `times` are the times that they claim (ms)."""

    def __init__(self, home: Home, device: Identity, head: Head, times: Iterable[int]) -> None:
        self.home, self.device, self.head = home, device, head
        self.times = iter(times)
        self.used = {False: Used(), True: Used()}  # by the lane of software, or not

    def sign(self, step: Step, *, is_automatic: bool = False) -> Record | None:
        """Signs a record. Returns None if no store would take a record of this size, or one
        more."""
        kind, about, fields = step
        declared = KINDS[kind]
        plain = pack_content(kind, fields)
        audience = declared.audience_code | (AUTOMATIC if is_automatic else 0)
        seq = self.head.seq + 1
        if audience & ~(LASTING | AUTOMATIC) == EPOCH:
            key = self.home.state.epochs.current_key()
            assert key is not None, "there is a group key"
            place = seal.content_context(self.home.state.neighbourhood, self.device.device, seq)
            dice = self.home.street.dice.randbytes(32)
            plain = seal.seal_epoch_content(key, plain, place, dice)
        header = Header(
            envelope.VERSION,
            self.device.device,
            seq,
            self.head.id,
            max(next(self.times), self.head.time),
            None,
            [about] if about else [],
            audience,
            len(plain),
            envelope.content_digest(plain),
        )
        used = self.used[is_automatic].plus(header)
        if used.records > TWICE.records or used.bytes > TWICE.bytes:
            return None
        place = self.home.state.neighbourhood
        try:
            record = envelope.sign(header, plain, place, self.device.device_seed)
        except Refused:
            return None
        self.used[is_automatic] = used
        self.head = Head(seq, record.id, header.time)
        return record


class HostileDay:
    """What a person writes on one day (counted since 1970), with up to four devices.

    `people` are all whom this person knows. `spend` is the part of what stores take.
    """

    def __init__(
        self, home: Home, day: int, targets: Targets, people: list[bytes], spend: float = 1.0
    ) -> None:
        self.home, self.day, self.targets, self.people = home, day, targets, people
        self.most = int(spend * TWICE.records)
        self.records: list[Record] = []
        self.fields = HostileFields(home.street.dice, people)

    def write(self, devices: list[Identity], heads: dict[bytes, Head]) -> Iterator[Record]:
        """Yields the records of the day in the order in which they are signed. `heads` has the end
        of each device's log, and is kept up to date.
        """
        person_lanes = [self._costly(), self._answers(), self._huge(), self._anything(False)]
        lanes = [
            self._sign_all(device, heads.get(device.device, LOG_START), steps)
            for device, steps in zip(devices, person_lanes, strict=False)
        ]
        for record in chain.from_iterable(zip_longest(*lanes)):
            if record is not None:
                heads[record.header.device] = Head(record.header.seq, record.id, record.header.time)
                self.records.append(record)
                yield record

    def _sign_all(
        self, device: Identity, head: Head, steps: Iterator[Step]
    ) -> Iterator[Record | None]:
        """Signs as much as stores take of a device, with both lanes in turn."""
        times = (self.day * DAY_MS + n * 30_000 for n in range(2 * TWICE.records + 1))
        pen = Pen(self.home, device, head, times)
        if head.seq == 0:
            yield pen.sign(("device", None, {"statement": device.statement}))
        by_person = islice(steps, self.most)
        by_software = islice(chain(self._automatic(), self._anything(True)), self.most)
        for pair in zip(by_person, by_software, strict=False):
            for step, is_automatic in zip(pair, (False, True), strict=True):
                yield pen.sign(step, is_automatic=is_automatic)

    # -- what is written --------------------------------------------------------------------------

    def _recent(self) -> bytes:
        return self.home.street.dice.choice(self.records[-9:]).id

    def _costly(self) -> Iterator[Step]:
        """Yields what others' software has to answer, to check or to fold with authority."""
        for number in range(10_000):
            yield from self._revocation()
            yield self._epoch()
            yield self._renewal(number)
            yield "vote", self._recent(), {"choice": ("yes", "no")[number % 2]}
            change = [RULE, "share", number % 3 + 1, 50 + number % 50]
            yield "proposal", None, {"title": f"{number}", "change": change}
            removed = self.people[number % len(self.people)]
            cuts = [[self.home.me.device, number]]
            yield "remove", None, {"person": removed, "n": 1, "cuts": cuts, "why": "x" * 500}
            change = [STANDING, removed, 1, cuts]
            yield "proposal", None, {"title": "away", "change": change}
            yield "want_keys", None, {"lacks": self.home.street.dice.randbytes(1840)}
            if number % 40 == 0:
                yield self._admit()
            yield (
                "relay",
                None,
                {"key": bytes([number % 9]) * 32, "addresses": b"", "state": "serving"},
            )

    def _revocation(self) -> Iterator[Step]:
        spare = self.home.street.person()
        yield "device", None, {"statement": self.home.certificate(spare)}
        place = self.home.street.place
        ended = statement.revoke_device(self.home.me.root_seed, spare.device, 0, place)
        yield "device", None, {"statement": ended}

    def _epoch(self) -> Step:
        dice = self.home.street.dice
        lists = digest_lists([b""])
        key = seal.EpochKey.from_key(
            seal.key_origin(self.home.me.device, lists), dice.randbytes(32)
        )
        slots = [dice.randbytes(32 + seal.SLOT_SIZE) for _ in range(dice.choice([1, 9]))]
        return "epoch", None, {"key_id": key.id, "seals": slots, "gone": b"", "lists": lists}

    def _renewal(self, number: int) -> Step:
        authority = self.home.state.authority
        assert authority is not None, "the home belongs to a neighbourhood"
        term = authority.term.id
        others = [person for person in self.people if person != self.home.me.person]
        return (
            "renewal",
            None,
            {
                "parent": term,
                "round": number + 1,
                "moderators": [self.home.me.person],
                "vouchers": 1,
                "share": 50,
                "leaving": sorted(others[: number % 3]),
            },
        )

    def _admit(self) -> Step:
        friend = self.home.street.person()
        return "admit", None, {"person": friend.person, "statement": friend.statement}

    def _answers(self) -> Iterator[Step]:
        """Yields answers to what others wrote: as many as fit, in few threads."""
        targets = self.targets
        for number in range(10_000):
            day = f"2027-{number % 12 + 1:02}-{number % 28 + 1:02}"
            yield "response", targets.request, {"minutes": 30, "text": f"{number}"}
            yield "signup", targets.activity, {"on": day}
            yield "revision", targets.page, {"title": "No", "text": f"No, {number}"}
            yield "feedback", targets.measure, {"value": number % 10, "text": f"{number}"}
            yield "confirm", targets.receipts[number % len(targets.receipts)], {}
            yield "vote", targets.proposal, {"choice": ("yes", "no")[number % 2]}
            yield "flag", targets.page, {"reason": "x"}
            yield "retract", self._recent(), {}

    def _huge(self) -> Iterator[Step]:
        """Yields the longest texts, that are searched and matched, and rules of repetition."""
        rule = "FREQ=MONTHLY;BYDAY=MO,+2WE"
        words = " ".join(f"w{n}" for n in range(330))
        for number in range(10_000):
            yield "offer", None, {"title": f"Offer {number}", "text": words, "tags": ["a", "b"]}
            yield "request", None, {"title": f"Request {number}", "text": "é" * 1000}
            starts = "2026-01-31T09:30"
            yield "activity", None, {"title": "x", "starts": starts, "repeats": rule, "offset": 0}
            yield "page", None, {"title": "x" * 120, "text": LONG}
            yield "revision", self.targets.page, {"title": "x", "text": LONG}

    def _automatic(self) -> Iterator[Step]:
        """Yields what software may sign by itself and what makes others' software answer."""
        receipts = cycle(self.targets.receipts)
        for number in range(60):
            yield "confirm", next(receipts), {}
            yield "vote", self._recent(), {"choice": "yes"}
            yield "want_keys", None, {"lacks": bytes(1840)}
            yield self._epoch()
            yield self._renewal(number + 9000)
            yield "accept", self.home.state.neighbourhood, {}

    def _anything(self, is_automatic: bool) -> Iterator[Step]:
        """Yields records of all kinds with hostile fields, about anything."""
        dice = self.home.street.dice
        kinds = [kind for kind in KINDS.values() if kind.automatic_a_day or not is_automatic]
        ids = [self.targets.request, self.targets.activity, self.targets.page, self.targets.measure]
        while True:
            kind = dice.choice(kinds)
            self.fields.records = [*ids, *(record.id for record in self.records[-20:])]
            fields = self.fields.draw(kind, plain=dice.choice([0.0, 0.7, 1.0]))
            about = None if kind.is_root else dice.choice(self.fields.records)
            yield kind.name, about, fields
