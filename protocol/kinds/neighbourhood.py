"""Kinds of records about membership and rules (specs/11-neighbourhood.md).

These records are open and contain only keys and numbers. `protocol.authority` reads them, to work
out who belongs and which rules are in force. Most of them change no view.
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
    """The first rules of the neighbourhood (term 0). Its id is the id of the neighbourhood."""

    states = States(
        {"in force": "Always; its rules are those that hold now (`proposal`, `renewal`)."}
    )

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Makes a view of the charter with the rules that are in force now.

        Raises Refused if it is not the charter of this neighbourhood (R-03.4).
        """
        if entry.id != thread.authority.neighbourhood:
            raise Refused("R-03.4", "the neighbourhood has its charter already")
        super().fold_entry(thread, entry)
        thread.views[entry.id].update(thread.authority.charter)


class Authorial(Kind):
    """A base class of kinds. Only `protocol.authority` folds such records; they have no views."""

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
    """Accepts what is offered: the charter, a renewal, a pact, a signup or a link.

    A newcomer's software accepts the charter. This accept names the `admit` records and the `epoch`
    records that let the newcomer in. So homes keep these records and count them, even if the
    authors fork their logs later. A member's software accepts the renewal that is in force.
    """

    states = NO_VIEW

    def check_before_signing(self, thread: Thread, entry: Entry) -> None:
        """Asks the kind of the record to be accepted whether software should accept it now.

        Raises Refused if it should not.
        """
        target = thread.target_of(entry)
        if target.kind is not None:
            KINDS[target.kind].check_before_accept(thread, entry)

    def countersigns(self, thread: Thread, entry: Entry, target: Entry) -> bool:
        """Returns True if `entry` is by a party to a pact, or by the recipient of a link."""
        del thread
        if target.kind == "link":
            return bool(entry.person == target.fields["to"])
        return target.kind == "pact" and entry.person in target.fields["parties"]

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Lets the kind of the accepted record decide who may accept it and what changes.

        Nothing is done for a charter: `protocol.authority` has already folded its accept.
        """
        target = thread.target_of(entry)
        if target.kind is not None:
            KINDS[target.kind].apply_accept(thread, entry)


@kind("device", audience=OPEN, lasting=True, posted=False)
class Device(Authorial):
    """A statement of a root key, which certifies a device or revokes it after a log number."""

    statement = Bytes(required=True, min=1, max=512)


@kind("epoch", audience=OPEN, lasting=True, posted=False)
class Epoch(Authorial):
    """The group key of one epoch, sealed to devices. For many devices, it takes several records."""

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
    """A member enrols a relay or ends its service. The member's last record about its key holds."""

    key = Bytes(required=True, min=KEY_SIZE, max=KEY_SIZE, help="the public key of its node")
    addresses = PackedAddresses(help="where it is dialled")
    state = Choice(required=True, words=(SERVING, ENDED))
