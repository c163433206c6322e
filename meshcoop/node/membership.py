"""The builder of a home's membership: everything of one neighbourhood, by one function.

Its sibling for a neighbourhood at a relay is `meshcoop.relay.tenant.open_tenant`.
"""

from collections.abc import Callable, Sequence
from pathlib import Path

from meshcoop.api.node_handle import Membership
from meshcoop.author.author import Author
from meshcoop.author.founding import open_state
from meshcoop.author.guests import Guests
from meshcoop.fold.loop_cache import Following
from meshcoop.fold.muted_people import Muted
from meshcoop.home import key_file
from meshcoop.home.key_file import Unlocked
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.verify_pipeline import Verifier
from meshcoop.matching.index import Index
from meshcoop.network.interface import Network
from meshcoop.network.libp2p.identity import public_key_of
from meshcoop.store.last_signed import Signed
from meshcoop.store.store import Store
from meshcoop.sync.address_delivery import Giving
from meshcoop.sync.home_mesh import HomeMesh
from meshcoop.sync.invitation_desk import InvitationDesk
from protocol.record.envelope import device_key


def open_membership(
    store: Store,
    neighbourhood: bytes,
    network: Network,
    unlocked: Unlocked,
    last_signed: Signed,
    now: Callable[[], int],
    random: Callable[[int], bytes],
    verifier: Verifier | None,
    *,
    neighbours: Path,
    arrival: Sequence[bytes],
    on_change: Callable[[int], None],
) -> Membership:
    """Builds everything of one neighbourhood at a home; it knows no other.

    `neighbours`: a file where the addresses of other homes are kept beside the store; `arrival`:
    records that show this home to be a member's before it is synced; `on_change` is told how many
    records were stored, 0 where something else has changed.
    """
    keys = unlocked.keys
    machine = key_file.machine_id()
    seeds = {device_key(device.seed): device.seed for device in keys.devices}
    elsewhere = [device_key(device.seed) for device in keys.devices if device.machine != machine]
    state = open_state(store, neighbourhood, seeds, now, keys.boxes)
    inbox = Inbox(state)
    inbox.listeners.append(lambda result: on_change(len(result.stored)))
    author = Author(inbox, seeds, now, random, elsewhere=elsewhere, last_signed=last_signed)
    # Before the mesh looks who belongs: a newcomer's own records may be among them.
    inbox.take_wires(arrival)
    mesh = HomeMesh(network, author, now, random, verifier, arrival=arrival, neighbours=neighbours)
    giving = Giving(mesh, now, random)
    giving.listeners.append(lambda: on_change(0))
    return Membership(
        author=author,
        mesh=mesh,
        door=InvitationDesk(mesh, public_key_of(network.peer_id), now, random),
        guests=Guests(author, unlocked),
        muted=Muted(store),
        giving=giving,
        index=Index(state.views),
        following=Following(state),
    )
