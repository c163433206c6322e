"""Kinds of records about membership and rules (specs/11-neighbourhood.md).

These records are open and contain only keys and numbers. `protocol.authority` reads them, to work
out who belongs and which rules are in force. Most of them change no view.
"""

from protocol.authority.charter_rules import CharterRules
from protocol.authority.epochs import (
    DIGEST_SIZE,
    MAX_LISTS,
    MAX_NAMED,
    MAX_SEALS,
    NAME_SIZE,
    digest_lists,
)
from protocol.authority.kind_names import (
    ADMIT,
    CHARTER,
    DEVICE,
    EPOCH,
    GIVEN_KEYS,
    RELAY,
    WANT_KEYS,
)
from protocol.authority.relays import ENDED, SERVING, PackedAddresses
from protocol.errors import Refused
from protocol.fold.kind import SOMEBODY, By, Kind, Words
from protocol.fold.registry import UNLIMITED, kind
from protocol.fold.thread import Thread
from protocol.fold.view import NoStates, States
from protocol.record.envelope import OPEN
from protocol.record.key_bundle import MAX_BUNDLE, MAX_KEYS_GIVEN, SHORT_ID_SIZE
from protocol.record.sealing import KEY_ID_SIZE, KEY_SIZE, SLOT_SIZE
from protocol.schema.declare import Bytes, Choice, Many, Person, declare
from protocol.schema.values import PersonId

_STATEMENT = b"a root statement"  # stands for a signed statement in examples


@kind(CHARTER, audience=OPEN, lasting=True, posted=False)
class Charter(CharterRules, Kind):
    """The first rules of the neighbourhood (term 0). The charter's id is the neighbourhood's id."""

    class State(States):
        """The state of a charter."""

        IN_FORCE = (
            "in force",
            "Always; its rules are those that hold now (`proposal`, `renewal`).",
        )

    wording = Words("Charter", happened="{who} founded the neighbourhood")
    example = {"name": "Elm Street", "founders": [_STATEMENT]}
    # A newcomer's software accepts it. Authority folds the accept.
    accept = By(is_automatic=True)

    def fold_entry(self, thread: Thread) -> None:
        """Adds the charter to the views, with the rules that are in force now.

        Raises Refused if this record is not the charter of this neighbourhood (R-03.4).
        """
        if self.id != thread.authority.neighbourhood:
            raise Refused("R-03.4", "the neighbourhood has its charter already")
        # The draft stays as the record is: the record decides whom the charter is about (R-14.5e).
        thread.add_view(self.of_values(vars(self) | thread.authority.charter))


class Authorial(Kind):
    """A base class of kinds. Only `protocol.authority` folds their records, which have no views."""

    State = NoStates

    def has_effect(self, before: Thread, after: Thread) -> bool:
        """Returns True, because the record changes authority and no view of its thread."""
        del before, after
        return True

    def fold_entry(self, thread: Thread) -> None:
        """Does nothing, because `protocol.authority` has folded the record already."""


@kind(ADMIT, audience=OPEN, lasting=True, posted=False)
class Admit(Authorial):
    """A member vouches for a newcomer and certifies the newcomer's device."""

    wording = Words("Admission", happened="{who} vouched for a newcomer")
    example = {"person": SOMEBODY, "statement": _STATEMENT}

    person: PersonId = Person(required=True)
    statement: bytes = Bytes(required=True, min=1, max=512, help="the newcomer's root statement")


@kind(DEVICE, audience=OPEN, lasting=True, posted=False)
class Device(Authorial):
    """A statement of a root key about a device, or about the person who leaves.

    It certifies a device, revokes a device, or says that the person leaves.
    """

    wording = Words("Device", happened="{who} posted a statement about a device or a departure")
    example = {"statement": _STATEMENT}

    statement: bytes = Bytes(required=True, min=1, max=2048)


# The rules of keys say how many keys a home makes. With a limit here, a home might not make a key
# that is due.
@kind(EPOCH, audience=OPEN, lasting=True, posted=False, automatic_a_day=UNLIMITED)
class Epoch(Authorial):
    """The group key of one epoch, sealed to devices, and the names of everybody who is gone.

    If there are many devices, an epoch has several records.
    """

    wording = Words("Group key", happened="{who} made a group key")
    example = {
        "key_id": bytes(KEY_ID_SIZE),
        "seals": [bytes(KEY_SIZE + SLOT_SIZE)],
        "gone": bytes(NAME_SIZE),
        "lists": digest_lists([bytes(NAME_SIZE)]),
    }

    key_id: bytes = Bytes(required=True, min=KEY_ID_SIZE, max=KEY_ID_SIZE)
    seals: list[bytes] = Many(
        of=Bytes(min=KEY_SIZE + SLOT_SIZE, max=KEY_SIZE + SLOT_SIZE),
        required=True,
        max=MAX_SEALS,
        help="a device's box key, then the group key sealed to it",
    )
    gone: bytes = Bytes(
        required=True,
        max=MAX_NAMED * NAME_SIZE,
        help="a list of people and devices that are gone, each as a hash of 16 bytes",
    )
    lists: bytes = Bytes(
        required=True,
        max=MAX_LISTS * DIGEST_SIZE,
        help="the SHA-256 digests of all lists of the epoch",
    )


@kind(WANT_KEYS, audience=OPEN, lasting=True, posted=False, automatic_a_day=1)
class WantKeys(Authorial):
    """A device that meets only relays asks for the group keys that it lacks."""

    wording = Words("Request for keys", happened="{who} asked for group keys")
    example = {"lacks": bytes(SHORT_ID_SIZE)}

    lacks: bytes = Bytes(
        required=True,
        max=MAX_KEYS_GIVEN * SHORT_ID_SIZE,
        help="the first 8 bytes of each key's id",
    )


@kind(GIVEN_KEYS, audience=OPEN, lasting=True, posted=False, automatic_a_day=8)
class GivenKeys(Authorial):
    """Group keys, sealed to the device that asked for them."""

    wording = Words("Keys", happened="{who} gave group keys to a device")
    example = {"receiver": bytes(KEY_SIZE), "sealed": bytes(KEY_SIZE)}

    receiver: bytes = Bytes(required=True, min=KEY_SIZE, max=KEY_SIZE, help="the device")
    sealed: bytes = Bytes(required=True, min=1, max=MAX_BUNDLE)


@kind(RELAY, audience=OPEN, lasting=True, posted=False, automatic_a_day=8)
class Relay(Authorial):
    """A member enrols a relay, or ends its service. A member's last record about a relay counts."""

    wording = Words("Relay", happened="{who} enrolled a relay or ended its service")
    example = {"key": bytes(KEY_SIZE), "state": SERVING}

    key: bytes = Bytes(required=True, min=KEY_SIZE, max=KEY_SIZE, help="the public key of its node")
    addresses: bytes | None = declare(PackedAddresses(help="where it is dialled"))
    state: str = Choice(required=True, words=(SERVING, ENDED))
