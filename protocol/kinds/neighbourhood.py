"""Kinds that authority is made of (specs/11-neighbourhood.md): open, keys and numbers only.

They change who belongs and what holds (`protocol.authority`), not a thread's view.
"""

from protocol.authority.relays import ENDED, SERVING, Addresses
from protocol.errors import Refused
from protocol.fold.fold import Entry, Thread
from protocol.fold.kind import KINDS, Kind, kind
from protocol.record.envelope import OPEN
from protocol.record.sealing import KEY, KEY_ID, SLOT
from protocol.schema.bounds import Bound
from protocol.schema.fields import Bytes, Choice, Integer, Many, Moment, Person, Text


@kind("charter", audience=OPEN, relied_on=True, posted=False)
class Charter(Kind):
    """The neighbourhood's own rules: term 0. Its id is the neighbourhood's."""

    states = ("in force",)
    name = Text(required=True, min=1, max=80, help="the neighbourhood's name")  # type: ignore[assignment]
    founders = Many(of=Bytes(min=1, max=512), required=True, filled=True)
    moderators = Many(of=Person(), help="who may remove somebody; the founders if left out")
    vouchers = Integer(min=1, max=16, default=1, help="members who vouch for a newcomer")
    quota_records = Integer(min=10, max=1_000_000, default=250, help="records a device and day")
    quota_bytes = Integer(
        min=16_384, max=2**40, default=262_144, help="bytes of content a device and day"
    )
    credit_low = Integer(
        min=-1_000_000, max=0, default=-600, help="advised lowest balance, minutes"
    )
    credit_high = Integer(
        min=0, max=1_000_000, default=1200, help="advised highest balance, minutes"
    )
    smallest_group = Integer(min=1, max=1000, default=3, help="fewest people whose answers show")
    share = Integer(min=50, max=99, default=50, help="percent of the roll that a decision exceeds")
    admissions_a_month = Integer(min=1, max=1000, default=10, help="newcomers a voucher and month")
    settle_hours = Integer(min=0, max=10_000, default=72, help="hours until a window settles")
    answer_days = Integer(min=0, max=1000, default=3, help="days to answer a matter")
    offset = Integer(min=-1080, max=1080, default=0, help="minutes from UTC for windows of days")
    timezone = Text(max=64, help="time zone, such as Europe/London")
    bounds = Many(of=Bound(), help="what measures may be; repeat for more")
    review = Moment(day_only=True, help="the day the charter is looked at again")

    def fold(self, thread: Thread, entry: Entry) -> None:
        """R-03.4: one charter, whose id is the neighbourhood's."""
        if entry.id != thread.authority.neighbourhood:
            raise Refused("R-03.4", "the neighbourhood has its charter already")
        super().fold(thread, entry)
        thread.views[entry.id].update(thread.authority.charter)


class Authorial(Kind):
    """A kind that stratum 1 reads; it has no view of its own."""

    def fold(self, thread: Thread, entry: Entry) -> None:
        """Nothing: `protocol.authority` has folded it."""


@kind("admit", audience=OPEN, relied_on=True, posted=False)
class Admit(Authorial):
    """A member vouches for a newcomer and certifies the device they came with."""

    person = Person(required=True)
    statement = Bytes(required=True, min=1, max=512, help="the newcomer's root statement")


_ACCEPTED = ("charter", "renewal", "pact", "signup", "link")


@kind("accept", about=_ACCEPTED, audience=OPEN, relied_on=True)
class Accept(Kind):
    """Takes what is offered: the charter, a renewal, a pact, a signup, a link.

    A newcomer's software accepts the charter, naming the admits and the epoch records that brought
    them in: these are then kept and count, whatever becomes of their authors' logs. A member's
    software accepts the renewal that it finds to be in force.
    """

    def guard(self, thread: Thread, entry: Entry) -> None:
        """What it is about says what the author's software accepts."""
        target = thread.target(entry)
        if target.kind is not None:
            KINDS[target.kind].accepting(thread, entry)

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """A party countersigns the pact, and whom it is offered to the link."""
        del thread
        if target.kind == "link":
            return bool(entry.person == target.fields["to"])
        return target.kind == "pact" and entry.person in target.fields["parties"]

    def fold(self, thread: Thread, entry: Entry) -> None:
        """What it is about says who may; a charter's was folded by `protocol.authority`."""
        target = thread.target(entry)
        if target.kind is not None:
            KINDS[target.kind].accepted(thread, entry)


@kind("device", audience=OPEN, relied_on=True, posted=False)
class Device(Authorial):
    """Carries a root statement: a device certified, or revoked after a number."""

    statement = Bytes(required=True, min=1, max=512)


@kind("epoch", audience=OPEN, relied_on=True, posted=False)
class Epoch(Authorial):
    """A group key sealed to devices. As many records of one epoch as it takes."""

    number = Integer(required=True, min=0, max=2**31, help="0: for reading alone")
    key_id = Bytes(required=True, min=KEY_ID, max=KEY_ID)
    seals = Many(
        of=Bytes(min=KEY + SLOT, max=KEY + SLOT),
        required=True,
        max=64,
        help="the device's key, then the epoch key sealed to it",
    )


@kind("relay", audience=OPEN, relied_on=True, posted=False)
class Relay(Authorial):
    """A member enrols a relay, or ends its service. Of one member and key the last one holds."""

    key = Bytes(required=True, min=KEY, max=KEY, help="the public key of its node")
    addresses = Addresses(help="where it is dialled")
    state = Choice(required=True, words=(SERVING, ENDED))
