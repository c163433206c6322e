"""What a home's software posts by itself, without asking a person."""

import logging

from meshcoop.author.author import Author
from meshcoop.author.signer import Signer
from meshcoop.store.records import Row
from protocol.authority.relays import ENDED, MAX_PACKED
from protocol.errors import Refused
from protocol.fold.kind import KINDS
from protocol.record import sealing as seal
from protocol.record.envelope import Record
from protocol.record.packed_addresses import pack_addresses
from protocol.record.peer_id import peer_id
from protocol.record.sealing import EpochKey

MAX_SEALS = 64  # in one epoch record
_SETTLES_MS = 5000  # until nothing is on its way that a relay said before it was enrolled
_NAMED = 7  # parents of an accept beside the charter

_LOG = logging.getLogger(__name__)


def offer_epochs(author: Author, keys: list[EpochKey], *devices: bytes) -> None:
    """R-03.8: seals these epoch keys to devices, MAX_SEALS of them a record."""
    authority = author.state.authority
    assert authority is not None
    for one in keys:
        for at in range(0, len(devices), MAX_SEALS):
            seals = [
                device + seal.seal_key(one.key, authority.devices[device].box, author.random(32))
                for device in devices[at : at + MAX_SEALS]
            ]
            author.write(KINDS["epoch"], {"number": one.number, "key_id": one.id, "seals": seals})


def accept_charter(author: Author) -> None:
    """R-03.20: a newcomer's software accepts the charter, for each device of this home."""
    authority = author.state.authority
    if authority is None or author.state.ring.current() is None:
        return
    due: list[tuple[Signer, list[bytes]]] = []
    for device in author.devices:
        person = authority.author(device)
        if person is not None and author.fault(device) is None:
            due.append((author.signer_of(person), unaccepted_acts(author, person, device)))
    for signer, acts in due:
        accept_acts(author, signer, acts)


def unaccepted_acts(author: Author, person: bytes, device: bytes) -> list[bytes]:
    """The ids of what brought a person and their device in, as far as they did not accept it yet."""
    authority = author.state.authority
    assert authority is not None, "the person is a member by it"
    sealed = {
        act.fields["key_id"]: act.id
        for act in author.state.authority_fold.acts("epoch")
        if authority.author(act.device) != person  # a founder needs nobody's key
        and any(seals.startswith(device) for seals in act.fields["seals"])
    }
    brought = [*authority.members[person].admits, *sealed.values()]
    return [act for act in brought if person not in authority.accepts.get(act, {})]


def accept_acts(author: Author, signer: Signer, acts: list[bytes]) -> None:
    """R-03.20: accepts the charter, naming these acts; several records where one has no room."""
    charter = author.state.neighbourhood
    for at in range(0, len(acts), _NAMED):
        named = acts[at : at + _NAMED]
        author.write(KINDS["accept"], {}, about=charter, signer=signer, naming=named)


def seal_epochs(author: Author, met: set[bytes]) -> None:
    """Gives the epoch keys held here to members' devices that lack them: to those of people who
    live here or for whom they vouched, and of those met just now, whose voucher's home may be away.
    """
    state = author.state
    authority, keys = state.authority, state.ring.all()
    if authority is None or not keys:
        return
    mine = {authority.author(one) for one in author.devices}
    if mine == {None}:
        return
    sent = state.authority_fold.seals()
    for device in filter(authority.live, sorted(authority.devices)):
        person = authority.devices[device].person
        if not (person in met or person in mine or authority.vouchers_of(person) & mine):
            continue
        missing = [one for one in keys if (device, one.id) not in sent]
        if missing:
            try:
                offer_epochs(author, missing, device)
            except Refused as refusal:
                _LOG.warning("cannot hand on the neighbourhood's key yet: %s", refusal)
                return


def say_of_relay(author: Author, key: bytes, addresses: tuple[str, ...], state: str) -> Record:
    """R-08.1: enrols a relay, or ends what this home's person said of it."""
    packed = pack_addresses(addresses, MAX_PACKED)
    return author.write(KINDS["relay"], {"key": key, "addresses": packed, "state": state})


def end_relays(author: Author, gone: dict[str, int]) -> None:
    """R-08.7: ends the relays (their peer ids) that have told this home, and when (milliseconds),
    that they do not serve, as far as its person enrolled them before.
    """
    known = author.state.authority
    for key, one in list(known.relays.items()) if known else []:
        told = gone.get(peer_id(key), 0)
        if told > one.carrier.time + _SETTLES_MS and author.person in one.people:
            say_of_relay(author, key, one.addresses, ENDED)
    gone.clear()


class Countersigner:
    """R-13.15: confirms what others confirmed of this home's receipts and corrections, so that it
    is kept.

    It goes through the store once, remembering how far; a record whose thread is not known yet is
    looked at again.
    """

    _MARK = "countersigned"
    _PAGE = 500
    _MAX_WAITING = 1000

    def __init__(self, author: Author) -> None:
        self._author = author
        self._store = author.inbox.store
        self._done = int(str(self._store.note(self._MARK) or 0))
        self._waiting: dict[int, None] = {}  # rows whose thread is not known, oldest first

    def run(self) -> None:
        """Goes on from where it was."""
        before = (self._done, len(self._waiting))
        for n in list(self._waiting):
            row = self._store.records.find_in_row(n)
            if row is None:
                del self._waiting[n]  # a fork took it; should it be kept again, it is a new row
            else:
                self._look(row)
        while rows := self._store.records.lasting_answers(self._done, self._PAGE):
            for row in rows:
                self._look(row)
            self._done = rows[-1].n
        if before != (self._done, len(self._waiting)):
            self._store.set_note(self._MARK, min([self._done, *(n - 1 for n in self._waiting)]))

    def _look(self, row: Row) -> None:
        self._waiting.pop(row.n, None)
        if row.root is None:
            self._waiting[row.n] = None
            if len(self._waiting) > self._MAX_WAITING:
                del self._waiting[next(iter(self._waiting))]
            return
        person = self._confirmed_author(row)
        if person is None:
            return
        try:
            signer = self._author.signer_of(person)
            self._author.write(KINDS["confirm"], {}, about=row.record.id, signer=signer)
        except Refused as refusal:
            _LOG.info("a confirm is not countersigned: %s", refusal)

    def _confirmed_author(self, row: Row) -> bytes | None:
        """The person of this home whose receipt or correction the record confirms."""
        state = self._author.state
        entry = state.thread_fold.entry(row)
        if entry is None or entry.kind != "confirm" or entry.about is None:
            return None
        above = self._store.records.find(entry.about)
        signed = state.thread_fold.entry(above) if above else None
        known = state.authority
        mine = {known.author(one) for one in self._author.devices} if known else set()
        if signed is None or signed.kind not in {"receipt", "correction"}:
            return None
        return signed.person if signed.person in mine else None
