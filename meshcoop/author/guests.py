"""Guests: people without a machine, whose devices live in this home, each locked with its own PIN.

A PIN is handed to the node for one call, and the seed that it opens is forgotten when the call is
over. Whoever has the home's passphrase and its files can try PINs for as long as they like; without
the passphrase the PIN is of no use.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace

import trio

from meshcoop.author import automatic as duties
from meshcoop.author import founding
from meshcoop.author.author import Author
from meshcoop.author.signer import Signer
from meshcoop.errors import Mistake
from meshcoop.home import passphrase_box as lock
from meshcoop.home.key_file import Guest, Unlocked
from meshcoop.home.passphrase_box import Lock
from protocol.fold.kind import KINDS
from protocol.record.envelope import device_key

_FREE_TRIES = 3
_FIRST_WAIT_MS = 10_000
_LONGEST_WAIT_MS = 3_600_000
_USAGE = 2


@dataclass
class _Tries:
    """What went wrong since the last right PIN, and when the next try is listened to."""

    wrong: int = 0
    next_at: int = 0  # milliseconds
    turn: trio.Lock = field(default_factory=trio.Lock)


class Guests:
    """The guests of one home."""

    def __init__(self, author: Author, unlocked: Unlocked) -> None:
        self._author = author
        self._unlocked = unlocked
        self._tries: dict[bytes, _Tries] = {}

    @property
    def all(self) -> tuple[Guest, ...]:
        """Everybody who has a device here."""
        return self._unlocked.keys.guests

    def of(self, person: bytes) -> Guest | None:
        """The guest's latest device here; None for everybody else."""
        found = [one for one in self.all if one.person == person]
        return found[-1] if found else None

    def whom(self, typed: object, resolve_person: Callable[[str], bytes]) -> bytes:
        """Whom of this home `--as` names: a guest whom nobody knows by name yet, or a member."""
        name = str(typed).strip().casefold()
        named = {one.person for one in self.all if one.name.casefold() == name}
        return named.pop() if len(named) == 1 else resolve_person(str(typed))

    def add(self, guest: Guest) -> None:
        """Keeps a guest's device in the key file."""
        keys = self._unlocked.again().keys  # a command may have changed it meanwhile
        self._unlocked = self._unlocked.save(replace(keys, guests=(*keys.guests, guest)))

    def drop(self, guest: Guest) -> None:
        """Forgets a guest who could not be let in."""
        keys = self._unlocked.again().keys
        others = tuple(one for one in keys.guests if one != guest)
        self._unlocked = self._unlocked.save(replace(keys, guests=others))

    async def open(self, guest: Guest, pin: str | None) -> bytes:
        """The seed of a guest's device. Raises Mistake for a wrong PIN, and for one too many."""
        if not pin:
            raise Mistake(f"{guest.name} has a PIN of their own; give it to go on.", _USAGE)
        tries = self._tries.setdefault(guest.device, _Tries())
        async with tries.turn:
            left = tries.next_at - self._author.now()
            if left > 0:
                raise Mistake(f"Too many wrong PINs; try again in {-(-left // 1000)} s.")
            try:
                seed = await trio.to_thread.run_sync(_open, guest, pin)
            except lock.Unlike:
                raise Mistake(self._count(tries, guest)) from None
            tries.wrong = 0
            return seed

    def _count(self, tries: _Tries, guest: Guest) -> str:
        tries.wrong += 1
        over = tries.wrong - _FREE_TRIES
        if over < 0:
            return f"That is not {guest.name}'s PIN; try again."
        wait = min(_FIRST_WAIT_MS * 2 ** min(over, 20), _LONGEST_WAIT_MS)
        tries.next_at = self._author.now() + wait
        return f"That is not {guest.name}'s PIN; wait {wait // 1000} s before the next try."

    def introduce(self, guest: Guest, seed: bytes) -> None:
        """The further device of somebody who belongs brings itself (R-03.31)."""
        state, now = self._author.state, self._author.now()
        assert state.authority is not None
        since = state.authority.members[guest.person].since
        first = founding.introduction(seed, guest.statement, state.neighbourhood, max(now, since))
        self._author.inbox.take([first], durable=True)

    def settle(self, guest: Guest, signer: Signer) -> None:
        """Accepts the charter for a guest who is a member, and posts their name, once."""
        state = self._author.state
        if not state.authority_fold.is_member(guest.device) or state.ring.current() is None:
            return
        if self._author.fault(guest.device) is None:
            acts = duties.unaccepted_acts(self._author, guest.person, guest.device)
            duties.accept_acts(self._author, signer, acts)
        if guest.person not in state.views.latest("profile"):
            self._author.write(KINDS["profile"], {"name": guest.name}, signer=signer)


def _open(guest: Guest, pin: str) -> bytes:
    seed = Lock.of(guest.locked, pin).open(guest.locked)
    assert device_key(seed) == guest.device
    return seed
