"""Random histories of a street in which some people sign whatever helps them (specs/22 to 24).

Sixteen people found a street. Two of them hold parts of a service, and the others report what goes
wrong. Liars backdate, withhold, merge, fork, remove and confirm as they like, with devices whose
clocks say what they want. The witnesses among them name what suits them, when it suits them. Honest
people's homes name what they hold within a day.

Everything goes through real stores: the inbox, the fold and the loops of a home.
"""

import random
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from protocol.fold.content import pack_content
from protocol.fold.registry import KINDS
from protocol.record import envelope, sealing
from protocol.record.envelope import EPOCH, FOUNDING_ID, LASTING, Header, Record
from protocol.record.log import LOG_START, Head
from protocol.schema.register_names import MEASURE
from tests.support.street_in_memory import HOUR, MORNING, Home, Identity, Street

DAY = 24 * HOUR
SETTLE = 72 * HOUR
PEOPLE = 16
TENTH, THIRD, PARTIES = "a tenth", "a third", "a third and all parties"
LIARS = {TENTH: 2, THIRD: 5, PARTIES: 5}  # besides the two parties
_STEP = 12 * HOUR
_MOST_NAMED = 64
_WITNESSED = (
    "service", "feedback", "same_as", "answer", "action", "done", "verdict", "accept",
)  # fmt: skip
_LIES = ("backdated", "merged", "removed", "confirmed", "forked", "named", "retracted", "linked")


@dataclass
class Pen:
    """A device that signs what its owner likes. `head` is the end of its log."""

    device: Identity
    head: Head = LOG_START
    before: Head = LOG_START  # the head before the last record


@dataclass
class Person:
    """Somebody of the street, with a device whose clock is right, and one whose clock is not."""

    identity: Identity
    is_lying: bool
    pens: list[Pen]
    named: dict[bytes, int] = field(default_factory=dict)  # what their home named, and when (ms)

    @property
    def key(self) -> bytes:
        return self.identity.person


class Release(NamedTuple):
    """A record, and when its author let others have it (ms)."""

    at: int
    record: Record
    by: Person
    kind: str


class LyingStreet:
    """One history. `seed` decides everything. `days` is how long people report."""

    def __init__(self, here: Street, seed: int, lying: str, days: int) -> None:
        self.here, self.dice = here, random.Random(f"{seed} {lying}")
        self.people = [self._person(number, lying) for number in range(PEOPLE)]
        self.council, self.contractor, self.observer, *_ = self.people
        self.parties = (self.council, self.contractor)
        self.honest = [one for one in self.people if not one.is_lying]
        self.liars = [one for one in self.people if one.is_lying]
        self.clock = MORNING
        self.released: list[Release] = []
        self.cuts: dict[bytes, int] = {}  # of removed people's devices
        self.charter = self._found()
        self.home = self.new_home()
        self._begin()
        self.first = self.clock
        self.end = self.first + days * DAY
        while self.clock < self.end:
            self.clock += _STEP
            self._step()
        self.end += 40 * DAY

    # -- the street ---------------------------------------------------------------------------------

    def _person(self, number: int, lying: str) -> Person:
        identity = self.here.person()
        is_party = number < 2
        is_lying = lying == PARTIES if is_party else number >= PEOPLE - LIARS[lying]
        return Person(identity, is_lying, [Pen(identity)])

    def _found(self) -> Record:
        liars = sorted(person.key for person in self.liars[-LIARS[TENTH] :])
        fields = {
            "name": "Rushey Lane",
            "founders": [person.identity.statement for person in self.people],
            "moderators": liars,
            "vouchers": 1,
            "smallest_group": 2,
        }
        return self._sign(self.observer, "charter", fields, place=FOUNDING_ID)

    def new_home(self) -> Home:
        """Returns a home of the observer without records, but with the charter."""
        home = Home(self.here, self.charter.id, (self.observer.identity,))
        home.feed([self.charter.wire])
        return home

    def _begin(self) -> None:
        """Begins a term with all as witnesses, a service with a link, and a measure in use."""
        head = self.home.post("profile", name="Olive")  # makes the group key
        for record in self.home.records():
            if record.header.device == self.observer.identity.device and record != self.charter:
                self.released.append(Release(self.clock, record, self.observer, "profile"))
        self.observer.pens[0].head = self.home.head
        assert head.id == self.home.head.id
        self.key = self.home.state.epochs.current_key()
        for person in self.liars:
            self._add_device(person)
        renewal = self.say(
            self.honest[-1],
            "renewal",
            parent=self.charter.id,
            round=1,
            moderators=sorted(person.key for person in self.liars[-LIARS[TENTH] :]),
            vouchers=1,
            share=50,
            witnesses=sorted(person.key for person in self.people),
        )
        self.term = renewal.id
        for person in self.people:
            self.say(person, "vote", renewal, choice="yes")
        self.clock += HOUR
        self.service = self.say(self.council, "service", title="Bins", provider="The council")
        link = self.say(self.council, "link", self.service, to=self.contractor.key, title="All")
        self.say(self.contractor, "accept", link)
        self.measure = self.say(
            self.honest[-1], "measure", self.service, question="Missed?", scale="count",
            better="lower", target=1, window=7, min_answers=1, who="everybody",
        )  # fmt: skip
        change = [MEASURE, self.measure.id, 1, [0, 1]]
        proposal = self.say(self.honest[-1], "proposal", change=change)
        for person in self.people:
            self.say(person, "vote", proposal, choice="yes")
            self.name(person, [renewal.id])

    def _add_device(self, person: Person) -> None:
        """Gives a person a second device, whose clock says what they like."""
        place = self.here.place = self.charter.id[:16]
        device = Identity.of(person.identity.root_seed, self.here.dice.randbytes, place)
        person.pens.append(Pen(device))
        self.say(person, "device", statement=device.statement)

    # -- writing ------------------------------------------------------------------------------------

    def say(
        self, who: Person, kind: str, about: Record | None = None, /, *,
        claims: int | None = None, late: int = 0, **fields: Any,
    ) -> Record:  # fmt: skip
        """Signs a record and releases it, `late` ms after now. If it claims another time than the
        present one, the person's second device signs it.
        """
        pen = who.pens[0] if claims is None else who.pens[-1]
        record = self._sign(who, kind, fields, about, pen=pen, time=claims)
        self.released.append(Release(self.clock + late, record, who, kind))
        return record

    def _sign(
        self, who: Person, kind: str, fields: dict[str, Any], about: Record | None = None, *,
        pen: Pen | None = None, time: int | None = None, place: bytes | None = None,
    ) -> Record:  # fmt: skip
        pen = pen or who.pens[0]
        place = place or self.charter.id
        audience = KINDS[kind].audience_code
        plain = pack_content(kind, fields)
        seq = pen.head.seq + 1
        if audience & ~LASTING == EPOCH:
            where = sealing.content_context(place, pen.device.device, seq)
            plain = sealing.seal_epoch_content(self.key, plain, where, self.dice.randbytes(32))
        header = Header(
            envelope.VERSION,
            pen.device.device,
            seq,
            pen.head.id,
            max(self.clock if time is None else time, pen.head.time),
            None,
            [about.id] if about else [],
            audience,
            len(plain),
            envelope.content_digest(plain),
        )
        record = envelope.sign(header, plain, place, pen.device.device_seed)
        pen.before, pen.head = pen.head, Head(seq, record.id, header.time)
        return record

    def name(self, who: Person, ids: list[bytes], *, claims: int | None = None, late: int = 0):
        for start in range(0, len(ids), _MOST_NAMED):
            part = ids[start : start + _MOST_NAMED]
            self.say(who, "witness", claims=claims, late=late, term=self.term, ids=part)

    # -- what people do -----------------------------------------------------------------------------

    def written(self, *kinds: str, by: list[Person] | None = None) -> list[Release]:
        """Returns what people have released by now, by kind and author."""
        return [
            release
            for release in self.released
            if release.kind in kinds and release.at <= self.clock and (not by or release.by in by)
        ]

    def _step(self) -> None:
        for person in self.honest:
            if person not in self.parties and self.dice.random() < 0.08:
                self.say(person, "feedback", self.measure, value=1)
            elif self.dice.random() < 0.02:
                self._judge(person)
        for party in self.parties:
            if not party.is_lying and self.dice.random() < 0.05:
                self._handle(party)
        for person in self.liars:
            if self.dice.random() < 0.35:
                getattr(self, f"_lie_{self.dice.choice(_LIES)}")(person)
        for person in self.honest:
            if self.clock // _STEP % 2 == person.key[0] % 2:
                self.look(person)

    def look(self, person: Person) -> None:
        """Lets an honest home name what it holds and has not named."""
        held = [
            release.record.id
            for release in self.written(*_WITNESSED)
            if release.by is not person
            and release.record.id not in person.named
            and not self._is_cut(release.record)
        ]
        person.named |= dict.fromkeys(held, self.clock)
        if held:
            self.name(person, held)

    def _is_cut(self, record: Record) -> bool:
        return record.header.seq > self.cuts.get(record.header.device, record.header.seq)

    def _judge(self, person: Person) -> None:
        done = self.written("action")
        if done:
            self.say(person, "verdict", self.dice.choice(done).record, fixed="no")

    def _handle(self, party: Person) -> None:
        actions = self.written("action", by=[party])
        if actions and self.dice.random() < 0.6:
            self.say(party, "done", self.dice.choice(actions).record)
        else:
            self.say(party, "action", self.measure, owner=party.key, what="Try", due="2027-03-01")

    # -- lies ---------------------------------------------------------------------------------------

    def _past(self) -> int:
        return self.dice.randrange(self.first, self.clock)

    def _later(self) -> int:
        return self.dice.choice([0, 0, DAY, 9 * DAY, 30 * DAY])

    def _lie_backdated(self, liar: Person) -> None:
        claims, late = self._past(), self._later()
        if liar in self.parties:
            actions = self.written("action", by=[liar])
            if actions and self.dice.random() < 0.6:
                about = self.dice.choice(actions).record
                self.say(liar, "done", about, claims=claims, late=late)
                return
            self.say(
                liar, "action", self.measure, claims=claims, late=late,
                owner=liar.key, what="Done already", due="2027-03-01",
            )  # fmt: skip
        else:
            value = self.dice.choice([0, 0, 1])
            self.say(liar, "feedback", self.measure, claims=claims, late=late, value=value)

    def _lie_merged(self, liar: Person) -> None:
        reports = self.written("feedback")
        own = self.written("feedback", by=[liar])
        if reports:
            about = self.dice.choice(own or reports).record
            other = self.dice.choice(reports).record
            self.say(liar, "same_as", about, other=other.id, late=self._later())

    def _lie_removed(self, liar: Person) -> None:
        del liar
        victim = self.dice.choice(self.honest[1:])  # the observer goes on reading
        cuts = [[victim.identity.device, self.dice.choice([0, 3])]]
        for device, last in cuts:
            self.cuts[device] = min(last, self.cuts.get(device, last))
        for moderator in self.liars[-LIARS[TENTH] :]:
            self.say(moderator, "remove", person=victim.key, n=1, cuts=cuts)

    def _lie_confirmed(self, liar: Person) -> None:
        actions = self.written("action")
        if actions:
            about = self.dice.choice(actions).record
            claims = self._past() if self.dice.random() < 0.5 else None
            self.say(liar, "verdict", about, claims=claims, late=self._later(), fixed="yes")

    def _lie_forked(self, liar: Person) -> None:
        """Signs two records with one number, and releases both."""
        pen = liar.pens[-1]
        self.say(liar, "feedback", self.measure, claims=self.clock, value=1)
        after, pen.head = pen.head, pen.before
        self.say(liar, "feedback", self.measure, claims=self.clock, value=0, late=self._later())
        pen.head = after

    def _lie_named(self, liar: Person) -> None:
        """Names what suits, as seen when it suits."""
        about = self.written("feedback", "action", "done", "verdict", "same_as")
        of_liars = [one for one in about if one.by in self.liars]
        some = self.dice.sample(about, min(len(about), 4)) + of_liars
        ids = sorted({release.record.id for release in some})
        if ids:
            claims = self._past() if self.dice.random() < 0.7 else None
            self.name(liar, ids, claims=claims, late=self._later())

    def _lie_retracted(self, liar: Person) -> None:
        own = self.written("feedback", "verdict", "same_as", by=[liar])
        if own:
            about = self.dice.choice(own).record
            pen = next(pen for pen in liar.pens if pen.device.device == about.header.device)
            claims = None if pen is liar.pens[0] else self.clock
            self.say(liar, "retract", about, claims=claims, late=self._later())

    def _lie_linked(self, liar: Person) -> None:
        """Makes a critic a party: offers them a link, or accepts one in the past."""
        link = self.say(
            self.contractor, "link", self.service, to=liar.key, title="Some", late=self._later()
        )
        claims = self._past() if len(liar.pens) > 1 else None
        self.say(liar, "accept", link, claims=claims, late=self._later())
