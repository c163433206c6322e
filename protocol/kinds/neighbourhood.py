"""Kinds that authority reads (specs/11-neighbourhood.md): open, with keys and numbers only.

They change who belongs and which rules are in force (`protocol.authority`), not the view of a
thread.
"""

from protocol.authority.charter_rules import CharterRules
from protocol.authority.relays import ENDED, SERVING, PackedAddresses
from protocol.errors import Refused
from protocol.fold.kind import KINDS, NO_VIEW, Kind, States, kind
from protocol.fold.thread import Entry, Thread
from protocol.record.envelope import OPEN
from protocol.record.sealing import KEY_ID_SIZE, KEY_SIZE, SLOT_SIZE
from protocol.schema.fields import Bytes, Choice, Integer, Many, Person


@kind("charter", audience=OPEN, lasting=True, posted=False)
class Charter(CharterRules, Kind):  # type: ignore[misc]  # its field `name` hides the kind's own
    """The neighbourhood's own rules: term 0. Its id is the neighbourhood's."""

    states = States(
        {"in force": "Always; its rules are those that hold now (`proposal`, `renewal`)."}
    )

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Shows the charter with the rules in force.

        Raises Refused unless its id is the neighbourhood's (R-03.4).
        """
        if entry.id != thread.authority.neighbourhood:
            raise Refused("R-03.4", "the neighbourhood has its charter already")
        super().fold_entry(thread, entry)
        thread.views[entry.id].update(thread.authority.charter)


class Authorial(Kind):
    """A kind that stratum 1 reads. It has no view of its own."""

    states = NO_VIEW

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Does nothing, because `protocol.authority` has folded the record already."""


@kind("admit", audience=OPEN, lasting=True, posted=False)
class Admit(Authorial):
    """A member vouches for a newcomer and certifies the device they came with."""

    person = Person(required=True)
    statement = Bytes(required=True, min=1, max=512, help="the newcomer's root statement")


_ACCEPTED = ("charter", "renewal", "pact", "signup", "link")


@kind("accept", about=_ACCEPTED, audience=OPEN, lasting=True)
class Accept(Kind):
    """Takes what is offered: the charter, a renewal, a pact, a signup, a link.

    A newcomer's software accepts the charter. Its accept names the admits and the epoch records
    that brought the newcomer in. These records are then kept and count, even if their authors fork
    their logs. A member's software accepts the renewal that it finds to be in force.
    """

    states = NO_VIEW

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Asks the kind of the record whether the author's software should accept it.

        Raises Refused.
        """
        target = thread.target_of(entry)
        if target.kind is not None:
            KINDS[target.kind].check_before_accept(thread, entry)

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """Returns True if a party accepts a pact, or if the recipient accepts a link."""
        del thread
        if target.kind == "link":
            return bool(entry.person == target.fields["to"])
        return target.kind == "pact" and entry.person in target.fields["parties"]

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Lets the kind of the record decide who may accept it.

        `protocol.authority` has already folded the accept of a charter.
        """
        target = thread.target_of(entry)
        if target.kind is not None:
            KINDS[target.kind].apply_accept(thread, entry)


@kind("device", audience=OPEN, lasting=True, posted=False)
class Device(Authorial):
    """Carries a root statement: a device certified, or revoked after a number."""

    statement = Bytes(required=True, min=1, max=512)


@kind("epoch", audience=OPEN, lasting=True, posted=False)
class Epoch(Authorial):
    """A group key sealed to devices. As many records of one epoch as it takes."""

    number = Integer(required=True, min=0, max=2**31, help="0: for reading alone")
    key_id = Bytes(required=True, min=KEY_ID_SIZE, max=KEY_ID_SIZE)
    seals = Many(
        of=Bytes(min=KEY_SIZE + SLOT_SIZE, max=KEY_SIZE + SLOT_SIZE),
        required=True,
        max=64,
        help="the device's key, then the epoch key sealed to it",
    )


@kind("relay", audience=OPEN, lasting=True, posted=False)
class Relay(Authorial):
    """A member enrols a relay, or ends its service. Of one member and key the last one holds."""

    key = Bytes(required=True, min=KEY_SIZE, max=KEY_SIZE, help="the public key of its node")
    addresses = PackedAddresses(help="where it is dialled")
    state = Choice(required=True, words=(SERVING, ENDED))
