"""The address book: the network addresses of other homes, and how often each address failed."""

import re
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass

from meshcoop.errors import Mistake
from meshcoop.home.sealed_file import SealedFile
from meshcoop.store.disk_errors import log_disk_errors
from meshcoop.store.peer_addresses import PeerAddresses
from meshcoop.store.store import Store

MAX_SAVED = 1024
MAX_OF_ONE = 8  # direct addresses of one home, and as many addresses through relays

_MAX_FORGOTTEN = 4096
_AGED_MS = 180 * 86_400_000  # after this time without an answer, an address is forgotten
_CIRCUIT = "/p2p-circuit/"
_ADDRESS = re.compile(
    r"/ip[46]/[0-9a-fA-F.:]{2,45}/tcp/[0-9]{1,5}"
    r"(?:/p2p/[1-9A-HJ-NP-Za-km-z]{40,60}/p2p-circuit)?/p2p/([1-9A-HJ-NP-Za-km-z]{40,60})"
)


@dataclass
class KnownAddress:
    """An address at which a peer may be dialled. `has_answered` says whether this peer has ever
    answered there.
    """

    address: str
    peer: str
    has_answered: bool = False
    failures: int = 0  # since the address last worked
    next_at: float = 0.0  # when to dial the address again, by Trio's clock

    @property
    def is_circuit(self) -> bool:
        """Whether the address leads through a relay."""
        return _CIRCUIT in self.address

    @property
    def rank(self) -> tuple[int, bool]:
        """The key by which addresses are sorted. Addresses with fewer failures come first.

        If two addresses failed equally often, a direct address comes before an address through a
        relay.
        """
        return self.failures, self.is_circuit


class AddressBook:
    """The network addresses of other homes that a node knows. The store keeps those addresses at
    which a member's home answered.

    `own_peer` is this node's peer id. The file `beside` keeps the same addresses outside the store.
    If the store is lost, these addresses lead to homes that still have the records.
    """

    def __init__(self, store: Store, own_peer: str, beside: SealedFile | None = None) -> None:
        self._stored = PeerAddresses(store)
        self._own_peer = own_peer
        self._beside = beside
        self._written: list[str] = []  # what the file beside the store holds
        self._entries: dict[str, KnownAddress] = {}
        # Failures at addresses that have left the book. Without them, an address that comes back
        # again and again would be tried more often than R-05.9g allows.
        self._forgotten: OrderedDict[str, KnownAddress] = OrderedDict()
        self.learn(self._stored.all())
        answered = self._stored.met()
        if beside is not None:
            answered += beside.read().decode(errors="replace").splitlines()
        self.learn(answered)
        for address in answered:
            if address in self._entries:
                self._entries[address].has_answered = True
        self._write_beside()

    @property
    def entries(self) -> list[KnownAddress]:
        """All known addresses."""
        return list(self._entries.values())

    @property
    def met(self) -> list[str]:
        """The addresses at which members' homes answered. The address that answered last comes
        first.
        """
        return self._stored.met()

    def learn(self, addresses: Iterable[str]) -> bool:
        """Adds addresses of homes to the book. Skips every text that is not the address of a home.

        Returns True if any address was new.
        """
        has_learnt = False
        for address in addresses:
            match = _ADDRESS.fullmatch(address)
            if match is None or match[1] == self._own_peer or address in self._entries:
                continue
            entry = self._forgotten.pop(address, None) or KnownAddress(address, match[1])
            if self._count_like(entry) < MAX_OF_ONE:
                self._make_room()
                self._entries[address] = entry
                has_learnt = True
        return has_learnt

    def learn_stated(self, peer: str, addresses: Iterable[str]) -> bool:
        """Learns the addresses that a peer now gives as its own. Forgets other addresses of this
        peer, except addresses at which the peer has answered, and addresses through relays.

        Returns True if any address was new.
        """
        stated = [address for address in addresses if _is_direct(address, peer)]
        for entry in self.entries:
            is_replaced = entry.peer == peer and not entry.is_circuit and not entry.has_answered
            if is_replaced and entry.address not in stated:
                self._forget(entry)
        has_learnt = self.learn(stated)
        with log_disk_errors("addresses are not kept"):
            self._stored.note_heard(peer, [text for text in stated if text in self._entries])
        return has_learnt

    def note_meeting(self, address: str, when: int) -> None:
        """Notes that a member's home answered at this address at the time `when` (milliseconds)."""
        # If a peer dialled us, its address has a temporary port that nobody can dial. So the book
        # does not know this address, and the store does not keep it.
        entry = self._entries.get(address)
        if entry is not None:
            with log_disk_errors("an address is not kept"):
                self._stored.note_meeting(address, entry.peer, when)
                self._stored.forget_older(when - _AGED_MS)
            self._write_beside()

    def forget_failures(self) -> None:
        """Forgets earlier failures at addresses that have answered before. So these addresses may
        be dialled now.
        """
        for entry in self._entries.values():
            if entry.has_answered:
                entry.failures = 0
                entry.next_at = 0.0

    def _count_like(self, entry: KnownAddress) -> int:
        """Counts the known addresses of the same peer and the same sort as `entry`.

        There are two sorts: direct addresses, and addresses through a relay.
        """
        return sum(
            other.peer == entry.peer and other.is_circuit == entry.is_circuit
            for other in self._entries.values()
        )

    def _make_room(self) -> None:
        """If the book is full, removes the address that failed most often.

        So false addresses from a hostile peer cannot fill the book.
        """
        while len(self._entries) >= MAX_SAVED:
            worst = max(self._entries.values(), key=lambda entry: entry.failures)
            self._forget(worst)

    def _forget(self, entry: KnownAddress) -> None:
        del self._entries[entry.address]
        if entry.failures:
            self._forgotten[entry.address] = entry
            if len(self._forgotten) > _MAX_FORGOTTEN:
                self._forgotten.popitem(last=False)

    def _write_beside(self) -> None:
        met = sorted(self.met)
        if self._beside is not None and met and met != self._written:
            with suppress(Mistake):  # the disk is full; the store has the addresses too
                self._beside.write("\n".join(met).encode())
                self._written = met


def _is_direct(address: str, peer: str) -> bool:
    return address.endswith(f"/p2p/{peer}") and _CIRCUIT not in address


def remembered_addresses(store: Store) -> list[str]:
    """Returns addresses for a backup: those at which homes answered. The address that answered last
    comes first.
    """
    return PeerAddresses(store).latest(MAX_SAVED)


def restore_addresses(store: Store, addresses: Iterable[str]) -> None:
    """Puts the addresses of a backup into a store, as if homes had answered there long ago. Skips
    every text that is not an address.
    """
    matches = (_ADDRESS.fullmatch(address) for address in addresses)
    PeerAddresses(store).restore((match[0], match[1]) for match in matches if match)
