"""Guests: people without a machine of their own. A guest signs with a device that this home keeps.
The guest's PIN locks the device.

A guest gives the PIN for one call. The PIN opens the device's seed. When the call ends, the node
forgets this seed. Somebody who has the home's files and passphrase can try any number of PINs.
Without the passphrase, a PIN opens nothing.
"""

from collections.abc import Callable
from dataclasses import replace

import trio

from meshcoop.author import automatic, founding
from meshcoop.author.author import Author
from meshcoop.author.folding import Folding
from meshcoop.author.signer import Signer
from meshcoop.errors import Mistake
from meshcoop.home import passphrase_box
from meshcoop.home.key_file import Guest, UnlockedKeys
from meshcoop.home.passphrase_box import Lock
from meshcoop.store.wrong_pins import WrongPins
from protocol.fold.registry import declared_of
from protocol.kinds.people import Profile
from protocol.record.envelope import device_key
from protocol.spelling import are_alike

_FREE_TRIES = 3
_FIRST_WAIT_MS = 10_000
# A housemate who types wrong PINs on purpose must not lock the guest out for long.
_LONGEST_WAIT_MS = 300_000
_USAGE = 2
_SHOWN_ID = 8  # hexadecimal digits


class Guests:
    """The guests of one home."""

    def __init__(self, author: Author, unlocked: UnlockedKeys) -> None:
        self._author = author
        self._unlocked = unlocked
        self._wrong_pins = WrongPins(author.state.store)
        self._trying: dict[bytes, trio.Lock] = {}  # one try of a device's PIN at a time

    @property
    def devices(self) -> tuple[Guest, ...]:
        """The devices of all guests, the newest last."""
        return self._unlocked.keys.guests

    def find(self, person: bytes) -> Guest | None:
        """Returns the newest device of a guest. If the person is no guest of this home, returns
        None.
        """
        devices = [guest for guest in self.devices if guest.person == person]
        return devices[-1] if devices else None

    def resolve(self, typed: object, resolve_person: Callable[[str], bytes]) -> bytes:
        """Returns the person whom the option `--as` names: a member or a guest. A guest is accepted
        here even without a profile.
        """
        named = {guest.person for guest in self.devices if are_alike(guest.name, str(typed))}
        return named.pop() if len(named) == 1 else resolve_person(str(typed))

    def check_admitted(self, guest: Guest) -> None:
        """Raises Mistake if too few people have vouched for a guest. Such a guest is no member yet,
        so nothing that the guest signs would count.
        """
        authority = self._author.state.authority
        if authority is None or guest.person in authority.members:
            return
        if guest.person in authority.candidates:
            raise Mistake(
                "{name} still waits for a voucher: another voter has to type `meshcoop approve "
                "{person}` at their own home.",
                name=guest.name,
                person=guest.person.hex()[:_SHOWN_ID],
            )

    def add(self, guest: Guest) -> None:
        """Adds a guest's device to the key file."""
        keys = self._unlocked.reread().keys  # a command may have changed the file
        self._unlocked = self._unlocked.save(replace(keys, guests=(*keys.guests, guest)))

    def remove(self, guest: Guest) -> None:
        """Removes a guest's device from the key file. Callers use this if the guest could not be
        admitted.
        """
        keys = self._unlocked.reread().keys
        others = tuple(other for other in keys.guests if other != guest)
        self._unlocked = self._unlocked.save(replace(keys, guests=others))

    async def open_seed(self, guest: Guest, pin: str | None) -> bytes:
        """Opens the seed of a guest's device with the PIN, and returns the seed.

        Raises Mistake if the PIN is missing or wrong. After several wrong PINs, the guest must
        wait. During this time, every try raises Mistake.
        """
        if not pin:
            raise Mistake(
                "{name} has a PIN of their own; give it to go on.", _USAGE, name=guest.name
            )
        async with self._trying.setdefault(guest.device, trio.Lock()):
            # If this machine's clock was set back, the wait is not longer for that.
            left = min(self._next_try(guest) - self._author.now(), _LONGEST_WAIT_MS)
            if left > 0:
                raise Mistake(
                    "Too many wrong PINs; try again in {value} s.", value=-(-left // 1000)
                )
            # The try is on the disk before its answer is known. So neither a restart nor a kill of
            # the node allows further tries (R-01.29b).
            count = self._wrong_pins.add(guest.device, self._author.now())
            try:
                seed = await trio.to_thread.run_sync(_open, guest, pin)
            except passphrase_box.WrongSecret:
                raise _refuse_pin(guest, count) from None
            self._wrong_pins.forget(guest.device)
            return seed

    def _next_try(self, guest: Guest) -> int:
        """Returns the time (ms) from which the guest's PIN can be tried again."""
        wrong, last_at = self._wrong_pins.of(guest.device)
        return last_at + _wait_after(wrong)

    def introduce(self, guest: Guest, seed: bytes) -> None:
        """Posts the first record of a guest's device. The record carries the device's certificate
        (R-03.31). The guest must be a member already.
        """
        state = self._author.state
        assert state.authority is not None, "the guest is a member by it"
        time = max(self._author.now(), state.authority.members[guest.person].since)
        first = founding.sign_introduction(seed, guest.statement, state.neighbourhood, time)
        self._author.inbox.ingest([first], durable=True)

    def settle(self, guest: Guest, signer: Signer) -> Folding[None]:
        """Accepts the charter for a guest who is a member. If the guest has no profile yet, also
        posts the guest's name.
        """
        state = self._author.state
        if not state.authority_fold.is_member(guest.device):
            return
        if self._author.find_fault(guest.device) is None:
            yield from automatic.accept_as(self._author, signer)
        if guest.person not in state.views.latest_by_author(Profile):
            profile = declared_of(Profile)
            yield from self._author.writing(profile, {"name": guest.name}, signer=signer)


def _wait_after(wrong: int) -> int:
    """Returns how long (ms) a guest must wait after `wrong` wrong PINs."""
    beyond_free = wrong - _FREE_TRIES
    if beyond_free < 0:
        return 0
    wait: int = min(_FIRST_WAIT_MS * 2 ** min(beyond_free, 20), _LONGEST_WAIT_MS)
    return wait


def _refuse_pin(guest: Guest, wrong: int) -> Mistake:
    """Returns the error for a person who has typed a wrong PIN. `wrong` is the number of wrong PINs
    up to now.
    """
    wait = _wait_after(wrong)
    if not wait:
        return Mistake("That is not {name}'s PIN; try again.", name=guest.name)
    return Mistake(
        "That is not {name}'s PIN; wait {seconds} s before the next try.",
        name=guest.name,
        seconds=wait // 1000,
    )


def _open(guest: Guest, pin: str) -> bytes:
    seed = Lock.derive(guest.locked, pin).open(guest.locked)
    assert device_key(seed) == guest.device, "the file was opened by the passphrase"
    return seed
