"""A simulated neighbourhood: homes with real stores over a network in memory. It takes no real
time.

Everything random comes from one seed. The fixture `simulate` in tests/sim/conftest.py gives the
seed to Trio's scheduler too. So a test with the same seed always runs in the same way.
`Street.trace` is a hash of which home stored which record, and when.
"""

import hashlib
import shutil
from collections.abc import Awaitable, Callable, Iterable
from functools import cache, partial
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import trio

from meshcoop.author.author import Author
from meshcoop.author.founding import Identity, found_neighbourhood, open_state
from meshcoop.author.key_giving import give_by_record
from meshcoop.ingest.inbox import Inbox
from meshcoop.ingest.result import IngestResult
from meshcoop.network.interface import Network, NetworkError, TaskStatus
from meshcoop.store.store import Store
from meshcoop.sync.address_delivery import AddressDelivery
from meshcoop.sync.home_mesh import HomeMesh
from meshcoop.sync.invitation_desk import InvitationDesk
from meshcoop.sync.joining import Joiner, Visit, keep_trying, knock
from meshcoop.testing.memory_network import MemoryNetwork
from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.record import root_statement as statement
from protocol.record.envelope import Record
from protocol.wire import address_gift as giving
from protocol.wire import invitation
from tests.support.stores import STORE_KEY, open_rows

EPOCH_MS = 1_790_000_000_000  # when simulated time begins
CHARTER = {
    "name": "Rushey Lane",
    "vouchers": 1,
    "room": 200,
    "quota_records": 100_000,
    "quota_bytes": 2**30,
}
NAMES = ("ada", "ben", "cem", "dot", "eva", "fay", "gus", "hal", "ida", "jon", "kay", "lea")
MARK = "nobody-else-reads-this"
QUIET = 5.0  # seconds between two checks of whether homes agree
WITHIN = 600.0  # seconds of good weather in which homes must agree


def chance(random: Random) -> Callable[[int], bytes]:
    """Returns a source of random bytes for a node."""
    return random.randbytes


def as_hex(_what: str, text: str) -> bytes:
    """Reads an id that a person typed in full."""
    return bytes.fromhex(text)


class Home:
    """One household: its database file, and its node while the node is up. The file stays when the
    node stops.
    """

    def __init__(self, street: "Street", name: str, identity: Identity, path: Path) -> None:
        self.street, self.name, self.identity, self.path = street, name, identity, path
        self.random = Random(f"{street.seed} {name}")
        self.skew = self.random.randint(-120_000, 120_000)
        self.elsewhere = False  # true if its disk was copied to another machine
        self.arrival: list[bytes] = []
        self.invitation = ""  # empty, or an invitation by `inviter`
        self.inviter = ""
        self.knows: list[str] = []
        self.posted: list[bytes] = []
        self.refused: list[Refused] = []
        self.heard: list[bytes] = []  # ids in the order in which this home stored the records
        self.author: Author | None = None  # set while the home is up and a member
        self.mesh: HomeMesh | None = None
        self.door: InvitationDesk | None = None
        self.giving: AddressDelivery | None = None
        self._scope = trio.CancelScope()
        self._gone = trio.Event()
        self._lives = 0

    @property
    def up(self) -> bool:
        """Whether the home is up and people can post at it."""
        return self.author is not None

    def now(self) -> int:
        """Returns the time of this home's clock."""
        return EPOCH_MS + int(trio.current_time() * 1000) + self.skew

    async def live(self, *, task_status: TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        """Runs the home's node once, until it is killed."""
        self._scope, self._gone = trio.CancelScope(), trio.Event()
        store = Store(self.path, STORE_KEY)
        try:
            with self._scope:
                async with self.street.network.host(self.name) as network:
                    if self.invitation:
                        task_status.started()
                        await self._knock(network, store)
                    await self._run(network, store, task_status)
        finally:
            self.author = self.mesh = self.door = self.giving = None
            store.close()
            self._gone.set()

    async def kill(self) -> None:
        """Stops the machine at once. Anything that is not safely written to its files is lost."""
        self._lives += 1
        self.path = self.copy_disk(f"{self.name}.{self._lives}")
        self.street.network.kill_host(self.name)
        self._scope.cancel()
        await self._gone.wait()

    def copy_disk(self, name: str) -> Path:
        """Copies the files as they are now. A program that opens the copy must first recover the
        database.
        """
        copy = self.path.with_name(f"{name}.db")
        for end in ("", "-wal"):
            if Path(f"{self.path}{end}").exists():
                shutil.copy(f"{self.path}{end}", f"{copy}{end}")
        return copy

    def post(self, kind: str, given: dict[str, str], about: bytes | None = None) -> Record | None:
        """Posts as the person who lives here. Returns None if a rule forbids the record."""
        assert self.author is not None
        try:
            one = self.author.post(kind, given, about=about, resolve=as_hex)
        except Refused as refusal:
            self.refused.append(refusal)
            return None
        self.posted.append(one.id)
        return one

    def must_post(self, kind: str, given: dict[str, str], about: bytes | None = None) -> Record:
        """Posts as the person who lives here. Fails if a rule forbids the record."""
        one = self.post(kind, given, about)
        assert one is not None, self.refused
        return one

    async def _run(self, network: Network, store: Store, task_status: TaskStatus) -> None:
        devices = {self.identity.device: self.identity.device_seed}
        state = open_state(store, self.street.neighbourhood, devices, self.now)
        inbox = Inbox(state)
        inbox.listeners.append(self._stored)
        random = chance(self.random)
        elsewhere = devices if self.elsewhere else ()
        author = Author(inbox, devices, self.now, random, elsewhere=elsewhere)
        inbox.ingest_wires(self.arrival)
        mesh = HomeMesh(network, author, self.now, random, arrival=self.arrival)
        mesh.peers.learn(self.knows)
        door = InvitationDesk(mesh, bytes(32), self.now, random)
        hands = AddressDelivery(mesh, self.now, random)
        with (
            network.serve(invitation.PROTOCOL, door.answer),
            network.serve(giving.PROTOCOL, hands.answer),
        ):
            async with trio.open_nursery() as nursery:
                await nursery.start(mesh.run)
                nursery.start_soon(hands.run)
                self.author, self.mesh, self.door, self.giving = author, mesh, door, hands
                if not self.invitation:
                    task_status.started()

    async def _knock(self, network: Network, store: Store) -> None:
        if store.records.count():
            return
        random = chance(self.random)
        visit = Visit(network, invitation.decode(self.invitation), self.inviter, random)
        joiner = Joiner(self.identity.device_seed, self.identity.statement, self.name)
        while True:
            try:
                admitted = await keep_trying(partial(knock, visit, joiner), 60)
            except NetworkError:
                continue
            assert admitted is not None
            devices = {self.identity.device: self.identity.device_seed}
            state = open_state(store, admitted.neighbourhood, devices, self.now)
            seed, certificate = self.identity.device_seed, self.identity.statement
            self.arrival = admitted.arrival(seed, certificate, self.now())
            Inbox(state).ingest_wires(self.arrival)
            return

    def _stored(self, taken: IngestResult) -> None:
        ids = [one.id for one in taken.stored]
        self.heard += ids
        self.street.note(self.name, ids)


class Street:
    """The homes, the network between them, and everything that happens to the homes and the
    network.
    """

    def __init__(self, seed: int, folder: Path, names: Iterable[str] = NAMES) -> None:
        self.seed, self.folder = seed, folder
        self.random = Random(seed)
        self.network = MemoryNetwork(Random(f"{seed} network"))
        self.events = 0
        self._trace = hashlib.sha256()
        self.neighbourhood, members = founded(tuple(names))
        self.relays: list[str] = []  # the addresses of the relays
        self.homes: dict[str, Home] = {}
        for name, (identity, database) in members.items():
            path = folder / f"{name}.db"
            path.write_bytes(database)
            self.homes[name] = Home(self, name, identity, path)
        for name, home in self.homes.items():
            others = sorted(set(self.homes) - {name})
            home.knows = [
                self.network.address(one) for one in self.random.sample(others, min(3, len(others)))
            ]

    @property
    def trace(self) -> str:
        """The hash of all records stored so far, in order."""
        return self._trace.hexdigest()

    def note(self, name: str, ids: list[bytes]) -> None:
        """Notes in the trace that the home with this name has stored these records."""
        self.events += len(ids)
        self._trace.update(f"{trio.current_time():.9f} {name}\n".encode() + b"".join(ids))

    def newcomer(self, name: str, inviter: Home, of: Home | None = None) -> Home:
        """Makes a home that has only an invitation. If the home `of` is given, the new home also
        has the recovery words of that home's person.
        """
        assert inviter.door is not None
        assert inviter.author is not None
        place = inviter.author.state.neighbourhood[: statement.PLACE_SIZE]
        keys = chance(Random(f"{self.seed} {name} keys"))
        root = of.identity.root_seed if of else keys(32)
        identity = Identity.of(root, keys, place)
        home = Home(self, name, identity, self.folder / f"{name}.db")
        home.invitation, _ = inviter.door.invite(approve=True)
        address = self.network.address(inviter.name)
        home.inviter = address.rpartition("/")[2]
        home.knows = [address]
        self.homes[name] = home
        return home

    def clone(self, home: Home, name: str) -> Home:
        """Copies a home's disk, with its keys, to a second machine."""
        copy = Home(self, name, home.identity, home.copy_disk(name))
        copy.knows = [self.network.address(one) for one in self.homes if one != home.name]
        self.homes[name] = copy
        return copy

    async def settle(self) -> None:
        """Keeps the network free of faults until all homes agree and store nothing more. Fails if
        that takes too long.
        """
        self.network.end_partition()
        self.network.end_bad_weather()
        deadline = trio.current_time() + WITHIN
        before = -1
        while before != self.events or not self.agreed():
            assert trio.current_time() < deadline, self.differences()
            before = self.events
            await trio.sleep(QUIET)

    def agreed(self) -> bool:
        """Returns whether all homes hold the same records and see the same state."""
        homes = list(self.homes.values())
        return all(one.up for one in homes) and len({facts(one) for one in homes}) == 1

    def differences(self) -> str:
        """Lists the records that each home lacks, for a person who looks for the cause."""
        held = {
            name: set(store_of(one).records.ids()) for name, one in self.homes.items() if one.up
        }
        every = set().union(*held.values())
        told = [f"seed {self.seed}: homes do not agree after {trio.current_time():.0f} s"]
        for name, home in self.homes.items():
            if home.mesh is None or home.author is None:
                told.append(f"{name} is not there")
                continue
            lacks = sorted(one.hex()[:8] for one in every - held[name])
            shared = home.author.state.views.state_hash().hex()[:8]
            links = len(home.mesh.conversations)
            told.append(f"{name}: {links} links, state {shared}, lacks {len(lacks)}: {lacks[:5]}")
        return "\n".join(told)


Scenario = Callable[[Street], Awaitable[None]]
Simulate = Callable[..., Street]


@cache
def founded(names: tuple[str, ...]) -> tuple[bytes, dict[str, tuple[Identity, bytes]]]:
    """Founds a neighbourhood whose first person has admitted the others by ordinary records.

    Returns the neighbourhood's id, and the keys and the database of each person.
    """
    random = chance(Random(f"founding {names}"))
    founder = Identity.new(random)
    clock = iter(range(EPOCH_MS - 3_600_000, EPOCH_MS - 300_000, 500))
    first = Store(":memory:")
    author = found_neighbourhood(first, founder, CHARTER, names[0], lambda: next(clock), random)
    people = {names[0]: founder}
    for name in names[1:]:
        place = author.state.neighbourhood[: statement.PLACE_SIZE]
        one = people[name] = Identity.new(random, place)
        author.write(KINDS["admit"], {"person": one.person, "statement": one.statement})
        give_by_record(author, one.device, author.state.ring.all())
    wires = [one.wire for one in first.records.of_log(founder.device, 1, 10_000)]
    first.close()
    databases = {name: (one, _database(author, one, wires)) for name, one in people.items()}
    return author.state.neighbourhood, databases


def _database(author: Author, identity: Identity, wires: list[bytes]) -> bytes:
    store = Store(":memory:", STORE_KEY)
    devices = {identity.device: identity.device_seed}
    state = open_state(store, author.state.neighbourhood, devices, lambda: EPOCH_MS)
    taken = Inbox(state).ingest_wires(wires)
    assert not taken.refused, taken.refused
    with TemporaryDirectory() as folder:
        path = Path(folder) / "store.db"
        with open_rows(path, write=True) as copy:
            store.db.backup(copy)
        store.close()
        return path.read_bytes()


def store_of(home: Home) -> Store:
    """Returns the store of a home that is up."""
    assert home.author is not None, f"{home.name} is not up"
    return home.author.inbox.store


def facts(home: Home) -> tuple[str, str]:
    """Returns the set_hash and the state_hash of a home."""
    assert home.author is not None
    hasher = hashlib.sha256()
    for one in store_of(home).records.ids():
        hasher.update(one)
    return hasher.hexdigest(), home.author.state.views.state_hash().hex()
