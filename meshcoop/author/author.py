"""The author: fills in, seals and signs what people and software of this home post.

A record is only signed if it would count: the thread is folded with it first, by the same rules
that every other home applies.
"""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import Any

from meshcoop.author.signer import Signer
from meshcoop.fold.private_threads import Private
from meshcoop.ingest import quota
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.last_signed import Signed
from protocol.errors import Refused
from protocol.fold import kind as schema
from protocol.fold.kind import KINDS, Kind
from protocol.fold.proxies import FIELD, Proxy
from protocol.fold.thread import Entry, Thread
from protocol.record import codec
from protocol.record import envelope as record
from protocol.record import sealing as seal
from protocol.record.envelope import Header, Record
from protocol.record.log import START
from protocol.schema.fields import Resolve

CLOCK_BEHIND_MS = 3_600_000

_NOT_YET = b"\xff" * 32  # stands for the id of a record that is not signed yet


class Author:
    """Signs for the devices of this home. `random(n)` gives n random bytes, `now` milliseconds.

    `elsewhere`: devices that were made on another machine; `last_signed`: what each device signed
    last, as a file beside the store knows it.
    """

    def __init__(
        self,
        inbox: Inbox,
        devices: dict[bytes, bytes],
        now: Callable[[], int],
        random: Callable[[int], bytes],
        *,
        elsewhere: Iterable[bytes] = (),
        last_signed: Signed | None = None,
    ) -> None:
        self.inbox = inbox
        self.state = inbox.state
        self.private = Private(inbox.state)
        self.devices = devices  # device key → seed
        self.now = now
        self.random = random
        self.signed: list[Callable[[Record], None]] = []  # told of each record once it is safe
        self.elsewhere = set(elsewhere)
        self._last_signed = last_signed

    @property
    def person(self) -> bytes:
        """The person this home signs for, unless a post names another signer. Raises Refused."""
        return self.signer_of().person

    @property
    def people(self) -> set[bytes]:
        """The members whose devices are at this home."""
        known = self.state.authority
        found = {known.author(one) for one in self.devices} if known else set()
        return {one for one in found if one is not None}

    def post(
        self,
        kind_name: str,
        given: dict[str, Any],
        *,
        about: bytes | None = None,
        signer: Signer | None = None,
        represented: bytes | None = None,
        resolve: Resolve,
    ) -> Record:
        """Posts what a person wrote; returns the record once it is safely stored.

        Without a `signer` a device of this home signs. Raises Refused where a rule forbids it, with
        the sentence for the person.
        """
        kind = KINDS.get(kind_name)
        if kind is None or not kind.posted:
            posted = ", ".join(sorted(one.name for one in KINDS.values() if one.posted))
            raise Refused("R-10.8", f"there is no kind {kind_name!r} to post; there are: {posted}")
        private = signer.private if signer else self.private
        target = private.reads(about) if about is not None else None
        if kind.name == "retract" and target is not None and target.relied_on:
            raise Refused("R-01.17", f"others rely on the {target.name}: close what it is about")
        proxy = None
        if represented:
            proxy = self._proxy(kind, represented, signer.person if signer else self.person)
        return self.write(kind, kind.read(given, resolve), about=about, signer=signer, proxy=proxy)

    def _proxy(self, kind: Kind, represented: bytes, person: bytes) -> Proxy:
        """The proxy by which a person of this home acts for another. Raises Refused (R-12.4)."""
        mine = [
            one
            for one in self.state.thread_fold.proxies.values()
            if one.person == represented and one.by == person
        ]
        if self.state.authority is None or represented not in self.state.authority.members:
            raise Refused("R-12.4", "one acts for members only")
        if not mine:
            raise Refused("R-12.4", "they have given you no proxy; they post one for you first")
        refusal = None
        for one in sorted(mine, key=lambda one: one.until, reverse=True):
            try:
                assert self.state.authority is not None
                one.check(person, kind, self.now(), self.state.authority.charter["offset"])
            except Refused as found:
                refusal = refusal or found
            else:
                return one
        assert refusal is not None
        raise refusal

    def write(
        self,
        kind: Kind,
        fields: dict[str, Any],
        *,
        about: bytes | None = None,
        signer: Signer | None = None,
        naming: Iterable[bytes] = (),
        proxy: Proxy | None = None,
    ) -> Record:
        """Signs and stores one record of `kind`; private fields come in the clear. `signer`: a
        device of this home if left out; `naming`: further parents; `proxy`: by which it is signed
        for another. Words that may not stand in it follow in a record beside (R-16.1).
        """
        fields, words = _apart(kind, fields)
        signer = self.signer_of() if signer is None else self._fit(signer)
        entry = self._draft(kind, signer, about, fields)
        if proxy is not None:
            entry = entry._replace(person=proxy.person, by=entry.person, proxy=proxy.id)
        private = signer.private if self._is_private(kind, about, signer.private) else None
        thread = self._thread(kind, about, private)
        if private is not None:  # never before what its author has read of the thread
            read = max((one.time for one in thread.entries.values()), default=0)
            entry = entry._replace(time=max(entry.time, read))
        thread.heads = self._heads() if kind.audience == record.OPEN else {}
        entry = entry._replace(fields=kind.complete(thread, entry, self._today(entry)))
        entry = entry._replace(fields=self._sealed(kind, thread, entry))
        kind.check(entry.fields)
        kind.guard(thread, entry)
        self._must_count(self._thread(kind, about, private, extra=[entry]))
        if private is not None:
            one = self._sign_private(kind, thread, entry, signer)
        else:
            one = self._sign_plain(kind, entry, naming, signer)
        self._within_quota(one)
        taken = self.inbox.take([one], durable=True)
        assert one in taken.stored, taken.refused
        if self._last_signed is not None:
            self._last_signed.note(one)
        for listener in self.signed:
            listener(one)
        if words:
            self.write(KINDS["words"], words, about=one.id, signer=signer)
        return one

    # -- signing ----------------------------------------------------------------------------------

    def _sign_plain(
        self, kind: Kind, entry: Entry, naming: Iterable[bytes], signer: Signer
    ) -> Record:
        """An open or epoch record."""
        signed_for = {} if entry.proxy is None else {FIELD: entry.proxy}
        content = schema.content(kind.name, entry.fields | signed_for)
        if kind.audience == record.EPOCH:
            content = self._seal_epoch(content, entry)
        parents = [*([entry.about] if entry.about else []), *naming]
        return self._sign(entry, parents, kind.audience_code, content, signer)

    def _sign_private(self, kind: Kind, thread: Thread, entry: Entry, signer: Signer) -> Record:
        """R-15.1: what it is, what it is about and who reads it is inside the seal."""
        root = entry
        while root.about is not None:
            root = thread.entries[root.about]
        assert root.kind is not None
        assert self.state.authority is not None
        readers = KINDS[root.kind].readers(thread, entry) & set(self.state.authority.members)
        boxes = self.state.authority.boxes(readers)
        content = seal.seal_for(
            seal.with_decoys(boxes, self.random(32)),
            seal.cover(schema.private_content(kind.name, entry.fields, entry.about)),
            seal.context(self.state.neighbourhood, entry.device, entry.seq),
            self.random(32),
        )
        return self._sign(entry, [], record.PRIVATE, content, signer)

    def _sign(
        self, entry: Entry, parents: list[bytes], audience: int, content: bytes, signer: Signer
    ) -> Record:
        """The signed record of an entry at its place in the signer's log."""
        known = self.inbox.store.logs.find(entry.device)
        head = known.head if known else START
        if len(content) > codec.MAX_BYTES - 1024:
            raise Refused("R-01.1", "this is too long for one record; write it shorter")
        header = Header(
            record.VERSION,
            entry.device,
            head.seq + 1,
            head.id,
            entry.time,
            None,
            parents,
            audience,
            len(content),
            record.digest(content),
        )
        return record.sign(header, content, self.state.neighbourhood, signer.seed)

    # -- parts ------------------------------------------------------------------------------------

    def signer_of(self, person: bytes | None = None) -> Signer:
        """The first device of this home that may sign for `person`; for any member if left out.

        Raises Refused where no device is that person's (R-03.5) or none of theirs may sign (R-03.32).
        """
        authority = self.state.authority
        first_fault: Refused | None = None
        for device, seed in self.devices.items():
            owner = authority.author(device) if authority else None
            if owner is None or person not in {None, owner}:
                continue
            fault = self.fault(device)
            if fault is None:
                return Signer(owner, device, seed, self.private)
            first_fault = first_fault or fault
        whose = "that person" if person else "a member"
        raise first_fault or Refused("R-03.5", f"no device of {whose} is at this home")

    def _fit(self, signer: Signer) -> Signer:
        """The signer, if its device is a member's and may sign. Raises Refused."""
        known = self.state.authority
        if known is None or known.author(signer.device) != signer.person:
            raise Refused("R-03.5", "no device of that person is at this home")
        fault = self.fault(signer.device)
        if fault is not None:
            raise fault
        return signer

    def check(self) -> None:
        """Raises Refused where this home has devices and none of them may sign."""
        if not self.able:
            self.signer_of()

    @property
    def able(self) -> bool:
        """Whether some device of this home may sign now."""
        return any(
            self.state.authority_fold.is_member(one) and self.fault(one) is None
            for one in self.devices
        )

    def fault(self, device: bytes) -> Refused | None:
        """R-03.32: why this device does not sign, so that its log is not forked; None if it may."""
        known, log = self.state.authority, self.inbox.store.logs.find(device)
        found = None
        if known and device in known.devices and known.devices[device].revoked is not None:
            found = "this home's device has been revoked"
        elif log is not None and log.fork is not None:
            found = (
                "this home's device signed twice with one number, as a copied disk does; what it "
                f"signed from number {log.fork} on counts no more, so post that again"
            )
        elif (log.head.seq if log else 0) < (last := self._last_number(device)):
            found = (
                f"the disk lost what this home signed up to number {last}, and no neighbour's node"
                " has brought it back yet"
            )
        elif device in self.elsewhere:
            found = "this home was copied or moved here from another machine"
        elif log is not None and log.head.time > self.now() + CLOCK_BEHIND_MS:
            when = datetime.fromtimestamp(log.head.time / 1000, UTC).isoformat(" ", "minutes")
            return Refused(
                "R-03.32",
                f"this machine's clock is over an hour behind what was last signed here ({when}); "
                "set it, or certify a new device with `meshcoop certify`",
            )
        remedy = "certify a new one from the recovery words with `meshcoop certify`"
        return Refused("R-03.32", f"{found}; {remedy}") if found else None

    def _last_number(self, device: bytes) -> int:
        """The number of the last record that a device signed here, 0 if that is not known."""
        return self._last_signed.numbers.get(device, 0) if self._last_signed else 0

    def _draft(
        self, kind: Kind, signer: Signer, about: bytes | None, fields: dict[str, Any]
    ) -> Entry:
        device, person = signer.device, signer.person
        known, authority = self.inbox.store.logs.find(device), self.state.authority
        assert authority is not None
        head = known.head if known else START
        # never before the log's last record, nor before one belonged.
        time = max(self.now(), head.time, authority.members[person].since)
        return Entry(_NOT_YET, device, head.seq + 1, time, about, person, kind.name, fields)

    def _heads(self) -> dict[bytes, int]:
        return {one.device: one.head.seq for one in self.inbox.store.logs.all()}

    def _is_private(self, kind: Kind, about: bytes | None, private: Private) -> bool:
        """R-10.9: whether a record of this kind about `about` is private."""
        if kind.audience == record.PRIVATE:
            return True
        return kind.may_be_private and about is not None and private.reads(about) is not None

    def _thread(
        self, kind: Kind, about: bytes | None, private: Private | None, extra: Iterable[Entry] = ()
    ) -> Thread:
        """The thread that a record of `kind` about `about` joins, with `extra` not yet posted.

        `private`: what reads it, if it is a private one.
        """
        if kind.root and about is not None:
            raise Refused("R-10.5", f"a {kind.name} is about nothing; leave --about out")
        if not kind.root and about is None:
            what = " or ".join(kind.about)
            raise Refused("R-10.5", f"a {kind.name} is about {what}: name it with --about ID")
        if private is not None:
            return private.thread(about, extra)
        return self.state.thread_fold.fold_thread(-1 if about is None else self._root(about), extra)

    def _root(self, about: bytes) -> int:
        row = self.inbox.store.records.find(about)
        if row is None or row.root is None:
            raise Refused("R-10.5", "what this is about has not arrived here yet; try again soon")
        return row.root

    def _sealed(self, kind: Kind, thread: Thread, entry: Entry) -> dict[str, Any]:
        """R-10.6: private fields, checked in the clear, then sealed to both parties' devices."""
        fields = dict(entry.fields)
        readers = kind.readers(thread, entry) | ({entry.by} if entry.by else set())
        for name, field in kind.fields.items():
            if field.private and fields.get(name) is not None:
                field.check(name, fields[name])
                assert self.state.authority is not None
                fields[name] = seal.seal_for(
                    self.state.authority.boxes(readers),
                    codec.pack(fields[name]),
                    seal.private_context(self.state.neighbourhood, entry.device, entry.seq, name),
                    self.random(32),
                )
        return fields

    def _seal_epoch(self, content: bytes, entry: Entry) -> bytes:
        epoch = self.state.ring.current()
        if epoch is None:
            raise Refused("R-03.8", "this home has no key of the neighbourhood yet; wait for one")
        place = seal.context(self.state.neighbourhood, entry.device, entry.seq)
        return seal.seal_epoch(epoch, content, place, self.random(32))

    def _must_count(self, thread: Thread) -> None:
        refusal = next(one.refusal for one in thread.history if one.entry.id == _NOT_YET)
        if refusal:
            raise refusal

    def _within_quota(self, one: Record) -> None:
        known = self.inbox.store.logs.find_or_add(one.fields.device)
        if quota.share(self.state.authority, one.fields, known).over:
            raise Refused(
                "R-03.15", "today's quota of this device is used up; try again tomorrow (UTC)"
            )

    def _today(self, entry: Entry) -> str:
        """The day by the charter's fixed offset from UTC, YYYY-MM-DD."""
        assert self.state.authority is not None
        offset = self.state.authority.charter["offset"] * 60
        return datetime.fromtimestamp(entry.time // 1000 + offset, UTC).date().isoformat()


def _apart(kind: Kind, fields: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The fields of a record, and the words that go beside it, checked."""
    beside = [name for name, one in kind.fields.items() if one.beside]
    words = {name: fields[name] for name in beside if fields.get(name) is not None}
    for name, field in kind.fields.items():
        if field.beside and field.required and words.get(name) is None:
            raise Refused("R-10.2", f"{kind.name} needs {name}")
        if words.get(name) is not None:
            field.check(name, words[name])
    return {name: one for name, one in fields.items() if name not in beside}, words
