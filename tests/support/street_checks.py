"""Checks what must hold in a simulated neighbourhood once nothing new happens."""

from pathlib import Path

from meshcoop.store.store import Store
from protocol.fold.view import View
from protocol.kinds.exchange.exchange import Response
from protocol.kinds.exchange.payments import Receipt
from protocol.record import codec
from protocol.record import sealing as seal
from tests.support.simulated_street import MARK, Home, Street, store_of


def check(street: Street, forked: frozenset[bytes] = frozenset()) -> None:
    """Checks that all homes agree and keep all acknowledged records. Also checks that only the two
    parties can read private words.
    """
    homes = list(street.homes.values())
    assert street.agreed(), street.differences()
    posted = {one for home in homes for one in home.posted if home.identity.device not in forked}
    balances = [home.author.state.views.balances() for home in homes if home.author]
    assert all(one == balances[0] for one in balances)
    assert sum(one.balance for one in balances[0].values()) == 0
    for home in homes:
        check_logs(store_of(home), forked)
        lost = [one.hex() for one in posted if not store_of(home).records.has(one)]
        assert not lost, f"seed {street.seed}: {home.name} lacks what was acknowledged: {lost}"
        check_private(street, home)
        check_folding(home)
        check_addresses(street, home)


def check_logs(store: Store, forked: frozenset[bytes]) -> None:
    """Checks that no log has a gap or a fork, and that each record names the record before it.
    Leaves out the logs of the devices in `forked`.
    """
    for known in store.logs.all():
        if known.device in forked:
            continue
        assert known.fork is None, f"the log of {known.device.hex()} forked at {known.fork}"
        records = store.records.of_log(known.device, 1, 1_000_000)
        assert [one.header.seq for one in records] == list(range(1, known.head.seq + 1))
        before = [None, *(one.id for one in records)]
        assert [one.header.prev for one in records] == before[:-1]


def check_private(street: Street, home: Home) -> None:
    """Checks that both parties can read their private words, and that nobody else can.

    No view and no file holds these words unencrypted.
    """
    assert home.author is not None
    state = home.author.state
    for (body,) in store_of(home).db.execute("SELECT body FROM views"):
        assert MARK.encode() not in body
    assert not state.views.search("nobody")
    for end in ("", "-wal"):
        path = Path(f"{home.path}{end}")
        assert not path.exists() or MARK.encode() not in path.read_bytes()
    people = {one.identity.person: one.name.split("-")[0] for one in street.homes.values()}
    for view_type, field in ((Response, "text"), (Receipt, "note")):
        for view in state.views.of_kind(view_type):
            row = store_of(home).records.find(view.id)
            entry = state.thread_fold.entry(row) if row else None
            sealed = entry.fields.get(field) if entry else None
            if entry is None or sealed is None:
                continue
            place = seal.private_field_context(state.neighbourhood, entry.device, entry.seq, field)
            plain = seal.open_private_content(sealed, state.ring.boxes.values(), place)
            parties = {view.author, _other_party(home, view)}
            if home.identity.person in parties:
                assert plain is not None
                assert codec.unpack(plain).startswith(f"{MARK} {people[view.author]}")
            else:
                assert plain is None


def _other_party(home: Home, view: View) -> bytes | None:
    """Returns the person who can read a response or a receipt, apart from its author."""
    assert home.author is not None
    if isinstance(view, Receipt):
        return ({view.giver, view.receiver} - {view.author}).pop()
    row, authority = store_of(home).records.find(view.about or b""), home.author.state.authority
    return authority.member_of_device(row.record.header.device) if row and authority else None


def check_folding(home: Home) -> None:
    """Checks that the home, which folds each record as it arrives, has the same result as a home
    that folds all records again.
    """
    assert home.author is not None
    state = home.author.state
    before = state.views.state_hash(), state.views.balances()
    state.rebuild()
    assert (state.views.state_hash(), state.views.balances()) == before


def check_addresses(street: Street, home: Home) -> None:
    """Checks that a home keeps only addresses at which somebody can dial a home. A home tells
    others only the addresses that it keeps.
    """
    assert home.mesh is not None
    homes = {street.network.address(name) for name in street.homes}
    circuits = {
        f"{relay}/p2p-circuit/p2p/{one.rpartition('/')[2]}"
        for relay in street.relays
        for one in homes
    }
    assert set(home.mesh.peers.book.met) <= homes | set(street.relays) | circuits
