"""Builds a home's membership: all objects that the home needs for one neighbourhood.

At a relay, `meshcoop.relay.tenant.open_tenant` builds such objects for a neighbourhood that the
relay serves.
"""

from collections.abc import Callable, Sequence

from meshcoop.api.node_handle import Membership
from meshcoop.author.author import Author
from meshcoop.author.founding import open_state
from meshcoop.author.guests import Guests
from meshcoop.fold.muted_people import MutedPeople
from meshcoop.home import key_file
from meshcoop.home.key_file import UnlockedKeys
from meshcoop.home.sealed_file import SealedFile
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.matching.index import MatchingIndex
from meshcoop.network.interface import Network
from meshcoop.network.libp2p.identity import public_key_of
from meshcoop.node.start_report import FOLDING, StartReport
from meshcoop.store.last_signed import LastSigned
from meshcoop.store.store import Store
from meshcoop.sync.address_delivery import AddressDelivery
from meshcoop.sync.home_mesh import HomeMesh
from meshcoop.sync.invitation_desk import InvitationDesk
from protocol.record.envelope import device_key


def open_membership(
    store: Store,
    neighbourhood: bytes,
    network: Network,
    unlocked: UnlockedKeys,
    last_signed: LastSigned,
    now: Callable[[], int],
    random: Callable[[int], bytes],
    verifier: Verifier | None,
    *,
    neighbours: SealedFile,
    arrival: Sequence[bytes],
    on_change: Callable[[int], None],
) -> Membership:
    """Builds all objects that a home needs for one neighbourhood. These objects have no access to
    other neighbourhoods.

    `neighbours` is a file, beside the store, that keeps the addresses of other homes. `arrival` are
    records that prove that this home belongs to a member. The home shows them until it has the
    neighbourhood's records. `on_change` is called with the number of records that were stored. If
    something else has changed, `on_change` is called with 0.
    """
    keys = unlocked.keys
    machine = key_file.machine_id()
    seeds = {device_key(device.seed): device.seed for device in keys.devices}
    elsewhere = [device_key(device.seed) for device in keys.devices if device.machine != machine]
    report = StartReport(FOLDING)
    state = open_state(store, neighbourhood, seeds, now, keys.boxes, report=report)
    inbox = Inbox(state)
    inbox.listeners.append(lambda result: on_change(len(result.stored)))
    author = Author(inbox, seeds, now, random, elsewhere=elsewhere, last_signed=last_signed)
    # These are stored before the mesh checks who belongs. Some may be this home's own.
    inbox.ingest_wires(arrival)
    mesh = HomeMesh(network, author, now, random, verifier, arrival=arrival, neighbours=neighbours)
    giving = AddressDelivery(mesh, now, random)
    giving.listeners.append(lambda: on_change(0))
    mesh.backlog.listeners.append(lambda: on_change(0))
    return Membership(
        author=author,
        mesh=mesh,
        invitation_desk=InvitationDesk(mesh, public_key_of(network.peer_id), now, random),
        guests=Guests(author, unlocked),
        muted=MutedPeople(store),
        address_delivery=giving,
        matching_index=MatchingIndex(state.views, state.failures),
        loop_cache=author.loops,
    )
