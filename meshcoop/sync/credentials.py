"""Credentials. A node proves to peers that it belongs to the neighbourhood. The node also checks
the proofs of peers (specs/05-sync.md).
"""

from collections import OrderedDict
from collections.abc import Sequence

import msgpack

from meshcoop.ingest.inbox import Inbox
from meshcoop.store.store import Store
from meshcoop.sync.judged_chains import JudgedChains
from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.wire import membership_proof
from protocol.wire import sync_events as events
from protocol.wire import sync_session as sync
from protocol.wire.sync_session import SyncSession

NO_MEMBER = "R-05.3"  # the reason for refusing a hello that shows no member
_PAGES_EVERY_MS = 3_600_000
_MOST_UNCONVINCED = 64
_ARRIVAL = "arrival"  # the note of a store about the records that show that its node belongs


def keep_arrival(store: Store, wires: Sequence[bytes]) -> None:
    """Stores the records that show that this node belongs to the neighbourhood. These records
    replace the ones that were stored before.
    """
    store.set_note(_ARRIVAL, msgpack.packb(list(wires)) if wires else None)


def read_arrival(store: Store) -> list[bytes]:
    """Returns the records that the last call of `keep_arrival` has stored. Without such a call,
    returns an empty list.
    """
    packed = store.read_note(_ARRIVAL)
    return msgpack.unpackb(packed) if isinstance(packed, bytes) else []


class Credentials:
    """Proves this node's membership to peers, and checks the membership of peers.

    `device` and `seed` are the key with which this node proves its membership. `arrival` has
    records that show that this home belongs to a member. The home uses these records until sync has
    brought them into its store.
    """

    def __init__(
        self,
        inbox: Inbox,
        peer_id: str,
        device: bytes,
        seed: bytes,
        arrival: Sequence[bytes] = (),
    ) -> None:
        self.inbox = inbox
        self.peer_id = peer_id
        self.device = device
        self._seed = seed
        self._arrival = list(arrival)
        self._chains = JudgedChains(inbox.state)
        # Peers that this node's hello did not convince → the time when they got the pages, or None
        # if they have not got them yet.
        self._pages_sent: OrderedDict[str, int | None] = OrderedDict()

    def greet(self, session: SyncSession, receiver: str, *, is_answer: bool = False) -> bytes:
        """Makes the hello of this node to the peer `receiver`.

        Not all records may fit into the hello. If the peer has opened this session, and an earlier
        hello has not convinced the peer, the other records come in pages before the hello
        (R-05.3k).
        """
        state = self.inbox.state
        signature = membership_proof.prove_membership(
            self._seed, state.neighbourhood, self.peer_id, receiver
        )
        whole = self.chain(self.device)
        chain = sync.fit_chain(whole)
        hello = session.send_hello(self.device, signature, chain)
        if not is_answer or not self._owes_pages(receiver):
            return hello
        return session.send_pages(whole[len(chain) :]) + hello

    def note_unconvinced(self, peer: str) -> None:
        """Notes that a hello did not convince a peer that this node belongs to the neighbourhood.
        In the next session the peer gets all records, but only once an hour (R-05.3m).
        """
        last = self._pages_sent.get(peer)
        now = self.inbox.state.now()
        if last is None or now - last >= _PAGES_EVERY_MS:
            self._pages_sent[peer] = None
            while len(self._pages_sent) > _MOST_UNCONVINCED:
                self._pages_sent.popitem(last=False)

    def _owes_pages(self, peer: str) -> bool:
        """Returns whether a peer gets the pages with further records now. If so, notes that the
        peer gets the pages.
        """
        if peer not in self._pages_sent or self._pages_sent[peer] is not None:
            return False
        self._pages_sent[peer] = self.inbox.state.now()
        return True

    def chain(self, device: bytes) -> list[bytes]:
        """Returns the open records that show that `device` belongs to a member. The records that
        peers are most likely to lack come first.
        """
        authority = self.inbox.state.authority
        if device == self.device and (authority is None or not _knows(authority, device)):
            return self._arrival
        ids = self.inbox.state.authority_fold.evidence_of(device)
        rows = [self.inbox.store.records.find(record_id) for record_id in ids]
        return [row.record.wire for row in rows if row is not None]

    def take_arrival(self, arrival: Sequence[bytes]) -> None:
        """Replaces the records that show that this node belongs to the neighbourhood."""
        self._arrival = list(arrival)

    def check(self, greeting: events.HelloReceived, sender: str) -> bytes | None:
        """Checks a hello. Returns the person whose home sent it, or None if a relay sent it.

        Raises Refused if the sender does not belong to the neighbourhood (R-05.2, R-05.3, R-08.3).
        """
        state = self.inbox.state
        membership_proof.check_proof(
            greeting.device,
            greeting.signature,
            state.neighbourhood,
            sender=sender,
            receiver=self.peer_id,
        )
        authority = self._judged_by(greeting.device, greeting.chain)
        if authority is None or not _knows(authority, greeting.device):
            raise Refused(NO_MEMBER, "the hello does not show a member of this neighbourhood")
        person = authority.member_of_device(greeting.device)
        if person is not None and authority.devices[greeting.device].revoked_after is not None:
            raise Refused("R-03.3", "this device has been revoked")
        # The pages are no use to the store yet: their logs have gaps, which sync fills.
        self.inbox.ingest_wires(greeting.chain[: sync.MAX_CHAIN])
        return person

    async def read_chain(self, greeting: events.HelloReceived) -> None:
        """Reads the records of a hello before the hello is checked. Reads some records in each step
        (R-05.3l).
        """
        await self._chains.read_in_steps(greeting.chain)

    def belongs(self, device: bytes, chain: list[bytes]) -> bool:
        """Returns whether a peer still belongs to the neighbourhood.

        `device` is the peer's key. `chain` has the records that prove the peer's membership. Both
        are from the peer's hello. The chain counts even if its records are not folded here yet. Its
        records may wait for earlier records that perhaps only this peer can send.
        """
        authority = self._judged_by(device, chain)
        return authority is None or authority.is_live(device) or device in authority.relays

    def _judged_by(self, device: bytes, chain: list[bytes]) -> Authority | None:
        """Returns the authority that decides whether a device belongs to the neighbourhood.

        If this node's own authority has the device, returns this authority. Otherwise folds this
        node's records together with those of the chain, which the peer has sent as its proof, and
        returns the result. A newcomer's node also folds the records that admitted the newcomer,
        because the node's store may lack some of these records.
        """
        authority = self.inbox.state.authority
        if authority is not None and _knows(authority, device):
            return authority
        is_new = authority is None or not _knows(authority, self.device)
        return self._chains.judge(chain, self._arrival if is_new else ())


def _knows(authority: Authority, key: bytes) -> bool:
    """Returns whether a member's device or an enrolled relay (R-08.3) has this key."""
    return authority.member_of_device(key) is not None or key in authority.relays
