"""Signs and stores new records for the people and the software of this home.

The author completes a record, seals its content and signs it. Every home folds records by the same
rules and leaves out records that break them. So the author first folds the new record with its
thread, and signs the record only if the record would count.
"""

from collections.abc import Callable, Iterable
from typing import Any

from meshcoop.author.daily_limits import DailyLimits
from meshcoop.author.epoch_maker import EpochMaker
from meshcoop.author.folding import (
    Folding,
    FoldThread,
    Pause,
    ReadPart,
    fold_at_once,
)
from meshcoop.author.record_sealer import RecordSealer
from meshcoop.author.signer import Signer
from meshcoop.author.unsigned_ids import unsigned_id
from meshcoop.fold.clock_limit import STORED_AHEAD_MS
from meshcoop.fold.loop_cache import LoopCache
from meshcoop.fold.private_threads import PrivateThreads
from meshcoop.fold.trial_reports import TrialReport, report_trial
from meshcoop.ingest import quota
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.last_signed import LastSigned
from meshcoop.store.records import StoredRecord
from protocol.authority.authority import Authority
from protocol.errors import AlreadySo, Refused
from protocol.fold.effect import check_effect
from protocol.fold.facets import ActionFacts, MeasureFacts, ServiceFacts, TrialFacts
from protocol.fold.kind import Kind
from protocol.fold.proxies import Proxy
from protocol.fold.registry import KINDS, DeclaredKind, declared_of
from protocol.fold.thread import Entry, Thread, ids_in
from protocol.kinds.decisions import WordsBeside
from protocol.kinds.moderation import Retract
from protocol.kinds.neighbourhood import Epoch
from protocol.local_clock import LocalClock
from protocol.record import envelope as record
from protocol.record.envelope import Record
from protocol.record.log import LOG_START
from protocol.schema.fields import Resolve

CLOCK_BEHIND_MS = 3_600_000

_CERTIFY = "certify a new one from the recovery words with `meshcoop certify`"
_MOST_TRIES = 4  # to write a record into a thread that changes meanwhile


class Author:
    """Signs for the devices of this home.

    `devices` maps the key of each device to its seed. `elsewhere` are devices that were made on
    another machine. The file `last_signed` holds, for each device, the number of the last record
    that it signed. `random(n)` returns n random bytes. The function `now` returns the time in
    milliseconds.
    """

    def __init__(
        self,
        inbox: Inbox,
        devices: dict[bytes, bytes],
        now: Callable[[], int],
        random: Callable[[int], bytes],
        *,
        elsewhere: Iterable[bytes] = (),
        last_signed: LastSigned | None = None,
    ) -> None:
        self.inbox = inbox
        self.state = inbox.state
        self.private = PrivateThreads(inbox.state)
        self.loops = LoopCache(inbox.state)
        self.devices = devices
        self.elsewhere = set(elsewhere)
        self.now = now
        self.random = random
        self.accepting: set[bytes] = set()  # people for whom a task is accepting the charter
        self.signed: list[Callable[[Record], None]] = []  # called with each stored record
        self._last_signed = last_signed
        self._sealer = RecordSealer(inbox.state, random)
        self._limits = DailyLimits(inbox.state)
        self.epoch_maker = EpochMaker(
            inbox.state,
            devices,
            lambda fields, signer: self.write(
                declared_of(Epoch), fields, signer=signer, is_automatic=True
            ),
        )

    # -- who signs --------------------------------------------------------------------------------

    @property
    def person(self) -> bytes:
        """The person who signs a post if the caller names no signer. Raises Refused if no device of
        this home may sign.
        """
        return self.signer_of().person

    @property
    def people(self) -> set[bytes]:
        """The members who have a device at this home."""
        authority = self.state.authority
        if authority is None:
            return set()
        owners = {authority.member_of_device(device) for device in self.devices}
        return {person for person in owners if person is not None}

    @property
    def can_sign(self) -> bool:
        """Whether at least one member's device at this home may sign now."""
        members = [device for device in self.devices if self.state.authority_fold.is_member(device)]
        return any(self.find_fault(device) is None for device in members)

    def check(self) -> None:
        """Raises Refused if no device of this home may sign."""
        if not self.can_sign:
            self.signer_of()

    def signer_of(self, person: bytes | None = None) -> Signer:
        """Returns the first device of this home that may sign for `person`. If `person` is None,
        the device may belong to any member.

        Raises Refused if the person has no device here (R-03.5), or if no device of the person may
        sign (R-03.32).
        """
        authority = self.state.authority
        first_fault: Refused | None = None
        for device, seed in self.devices.items():
            owner = authority.member_of_device(device) if authority else None
            if owner is None or person not in {None, owner}:
                continue
            fault = self.find_fault(device)
            if fault is None:
                return Signer(owner, device, seed, self.private)
            first_fault = first_fault or fault
        if person is not None:
            raise first_fault or Refused("R-03.5", "no device of that person is at this home")
        raise first_fault or Refused("R-03.5", "no device of a member is at this home")

    def find_fault(self, device: bytes) -> Refused | None:
        """R-03.32: returns the reason why a device of this home may not sign. Returns None if the
        device may sign.

        A device may not sign if its new record could fork its log.
        """
        authority = self.state.authority
        log = self.inbox.store.logs.find(device)
        held = authority.devices.get(device) if authority else None
        if held is not None and held.revoked_after is not None:
            return Refused("R-03.32", "this home's device has been revoked; " + _CERTIFY)
        if log is not None and log.fork is not None:
            return _fault_of_fork(authority, device, log.fork)
        last = self._last_signed.number_of(device) if self._last_signed else 0
        if (log.head.seq if log else 0) < last:
            return Refused(
                "R-03.32",
                "the disk lost what this home signed up to number {number}, and no neighbour's node "
                "has brought it back yet; " + _CERTIFY,
                number=last,
            )
        if device in self.elsewhere:
            return Refused(
                "R-03.32", "this home was copied or moved here from another machine; " + _CERTIFY
            )
        if log is not None and log.head.time > self.now() + CLOCK_BEHIND_MS:
            now, when = (
                self.state.clock_at(time).now.replace("T", " ")
                for time in (self.now(), log.head.time)
            )
            return Refused(
                "R-03.32",
                (
                    "it is {now} here, but this home last signed something dated {when}; set "
                    "this machine's clock if {now} is wrong; if it is right, wait until {when}, "
                    "or certify a new device with `meshcoop certify`"
                ),
                now=now,
                when=when,
            )
        return None

    # -- posting ----------------------------------------------------------------------------------

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
        """Does the same as `posting`, at once: no other task runs meanwhile. Returns the record."""
        posting = self.posting(
            kind_name, given, about=about, signer=signer, represented=represented, resolve=resolve
        )
        return fold_at_once(self.state, posting)

    def posting(
        self,
        kind_name: str,
        given: dict[str, Any],
        *,
        about: bytes | None = None,
        signer: Signer | None = None,
        represented: bytes | None = None,
        resolve: Resolve,
    ) -> Folding[Record]:
        """Posts what a person wrote. Returns the record when it is safely stored.

        If `signer` is None, a device of this home signs. If the signer posts for another member,
        `represented` is this other member. Raises Refused with a sentence for the person if a rule
        forbids the post.
        """
        kind = KINDS.get(kind_name)
        if kind is None or not kind.posted:
            posted = ", ".join(sorted(kind.name for kind in KINDS.values() if kind.posted))
            raise Refused(
                "R-10.8",
                "there is no kind {kind_name!r} to post; there are: {posted}",
                kind_name=kind_name,
                posted=posted,
            )
        private = signer.private if signer else self.private
        target = private.kind_of(about) if about is not None else None
        if kind.view_type is Retract and target is not None and target.lasting:
            raise Refused(
                "R-01.17", "others rely on the {name}: close what it is about", name=target.name
            )
        proxy = None
        if represented:
            proxy = self._proxy(kind, represented, signer.person if signer else self.person)
        fields = kind.read_input(given, resolve)
        return (yield from self.writing(kind, fields, about=about, signer=signer, proxy=proxy))

    def write(
        self,
        kind: DeclaredKind,
        fields: dict[str, Any],
        *,
        about: bytes | None = None,
        signer: Signer | None = None,
        naming: Iterable[bytes] = (),
        proxy: Proxy | None = None,
        is_automatic: bool = False,
    ) -> Record:
        """Does the same as `writing`, at once: no other task runs meanwhile. Returns the record."""
        writing = self.writing(
            kind,
            fields,
            about=about,
            signer=signer,
            naming=naming,
            proxy=proxy,
            is_automatic=is_automatic,
        )
        return fold_at_once(self.state, writing)

    def writing(
        self,
        kind: DeclaredKind,
        fields: dict[str, Any],
        *,
        about: bytes | None = None,
        signer: Signer | None = None,
        naming: Iterable[bytes] = (),
        proxy: Proxy | None = None,
        is_automatic: bool = False,
    ) -> Folding[Record]:
        """Signs and stores one record of `kind`. The caller gives the private fields unsealed.

        If `signer` is None, a device of this home signs. `naming` are further parents of the
        record. `proxy` is a record that lets the signer act for another person. `is_automatic`
        means that software signs by itself, without asking a person. If some words must not be in
        the record itself, a second record gets them (R-16.1).

        Raises AlreadySo if an earlier record says the same and still holds. Raises Refused if the
        record would not count or would change nothing, or if the thread keeps changing while it is
        folded (R-10.22).
        """
        fields, words = _part_words(kind, fields)
        for _ in range(_MOST_TRIES):
            signed = yield from self._try_to_write(
                kind, fields, about, signer, naming, proxy, is_automatic=is_automatic
            )
            if signed is not None:
                break
        else:
            raise Refused("R-10.22", "others write here at this moment; try again")
        if words:
            yield Pause()
            yield from self.writing(declared_of(WordsBeside), words, about=signed.id, signer=signer)
        return signed

    def _try_to_write(
        self,
        kind: DeclaredKind,
        fields: dict[str, Any],
        about: bytes | None,
        signer: Signer | None,
        naming: Iterable[bytes],
        proxy: Proxy | None,
        *,
        is_automatic: bool,
    ) -> Folding[Record | None]:
        """Checks a record with its thread, then signs and stores it. Returns None if the facts that
        the check used have changed meanwhile.
        """
        signer = self.signer_of() if signer is None else self._fit(signer)
        if kind.audience == record.EPOCH and not self._is_private(kind, about, signer.private):
            self.epoch_maker.ensure(signer, self.now(), self.random)
        entry = self.new_entry(kind, signer, about, fields)
        if is_automatic:
            self._limits.check(kind, entry)
        if proxy is not None:
            entry = entry._replace(person=proxy.person, by=entry.person, proxy=proxy.id)
        private = signer.private if self._is_private(kind, about, signer.private) else None
        _check_about(kind, about)
        authority = self.state.authority
        assert authority is not None, "the signer is a member by it"
        facts = self._facts(signer, about, private)
        entries = yield from self._read_entries(entry, private)
        thread: Thread = yield FoldThread(entries, authority)
        if private is not None:  # not earlier than what the author has read
            read = max((earlier.time for earlier in thread.entries.values()), default=0)
            entry = entry._replace(time=max(entry.time, read))
        entry = self._complete(kind, thread, entry)
        with_entry: Thread = yield FoldThread([*entries, entry], authority)
        _must_count(with_entry)
        with self.state.failures.contained(kind.name, "has_effect"):
            check_effect(thread, with_entry, entry)
        if facts != self._facts(signer, about, private):
            return None
        if private is not None:
            draft = thread.find_draft(entry.id, Kind)
            assert draft is not None, "the draft was completed in this thread"
            signed = self._sealer.sign_private(kind, thread, draft, signer)
        else:
            signed = self._sealer.sign(kind, entry, naming, signer, is_automatic=is_automatic)
        self._must_be_within_quota(signed)
        self._store(signed)
        return signed

    def _complete(self, kind: DeclaredKind, thread: Thread, entry: Entry) -> Entry:
        """Completes, seals and checks the entry of a new record: the record's fields before it is
        signed. Returns the completed entry.

        `thread` was folded without this entry. Adds the entry to `thread`.
        """
        thread.log_heads = self.log_heads() if kind.audience == record.OPEN else {}
        thread.facts_of_action = self.facts_of_action
        thread.facts_of_measure = self.facts_of_measure
        thread.facts_of_service = self.facts_of_service
        thread.facts_of_trial = self.facts_of_trial
        draft = _add_draft(kind, thread, entry)
        thread.clock = self.state.clock_at(entry.time)
        with self.state.failures.contained(kind.name, "complete"):
            draft.complete(thread)
        entry = _after_named(thread, entry._replace(fields=_fields_of(kind, draft, entry)))
        entry = entry._replace(fields=self._sealer.seal_fields(kind, thread, draft, entry))
        kind.check_fields(entry.fields)
        thread.entries[entry.id] = entry
        with self.state.failures.contained(kind.name, "check_signing"):
            draft.check_signing(thread)
        kind.check_moments(entry.fields, thread.clock)
        self._check_unsaid(kind, entry, thread.clock)
        return entry

    def _store(self, signed: Record) -> None:
        """Stores a record that this home has signed. Tells the listeners when the record is safely
        stored.
        """
        result = self.inbox.ingest([signed], durable=True)
        assert signed in result.stored, result.refused
        if self._last_signed is not None:
            self._last_signed.note(signed)
        for listener in self.signed:
            listener(signed)

    # -- what a record is checked with ------------------------------------------------------------

    def _proxy(self, kind: DeclaredKind, represented: bytes, person: bytes) -> Proxy:
        """Returns the proxy: the record that lets `person` act for `represented`.

        If there is no such proxy, raises Refused (R-12.4).
        """
        authority = self.state.authority
        if authority is None or represented not in authority.members:
            raise Refused("R-12.4", "one acts for members only")
        proxies = [
            proxy
            for proxy in self.state.thread_fold.proxies.values()
            if proxy.person == represented and proxy.deputy == person
        ]
        # If no proxy allows the record, the refusal is that of the proxy that ends last.
        first_refusal: Refused | None = None
        for proxy in sorted(proxies, key=lambda proxy: proxy.until, reverse=True):
            try:
                is_sealed = kind.audience == record.EPOCH
                proxy.check_use(person, kind.name, is_sealed=is_sealed, time=self.now())
            except Refused as refusal:
                first_refusal = first_refusal or refusal.without_frames()
            else:
                return proxy
        raise first_refusal or Refused(
            "R-12.4", "they have given you no proxy; they post one for you first"
        )

    def _fit(self, signer: Signer) -> Signer:
        """Checks the signer's device, and returns the signer. Raises Refused if the device belongs
        to another person, or if the device may not sign.
        """
        authority = self.state.authority
        if authority is None or authority.member_of_device(signer.device) != signer.person:
            raise Refused("R-03.5", "no device of that person is at this home")
        fault = self.find_fault(signer.device)
        if fault is not None:
            raise fault
        return signer

    def new_entry(
        self, kind: DeclaredKind, signer: Signer, about: bytes | None, fields: dict[str, Any]
    ) -> Entry:
        """Makes the entry of a new record: its fields and its header, before a device signs
        them.
        """
        authority = self.state.authority
        assert authority is not None, "the signer is a member by it"
        log = self.inbox.store.logs.find(signer.device)
        head = log.head if log else LOG_START
        # R-01.13a, R-03.9: the time is not before the log's head, the person's admission or the
        # record that this one is about.
        answered = self.inbox.store.records.find(about) if about is not None else None
        answered_at = answered.record.header.time if answered is not None else 0
        since = authority.members[signer.person].since
        if since > self.now() + STORED_AHEAD_MS:  # no home would store it yet, not even this one
            raise Refused(
                "R-03.32",
                "it is {now} here, but you joined on {when}; set this machine's clock",
                now=self.state.clock_at(self.now()).now.replace("T", " "),
                when=self.state.clock_at(since).now.replace("T", " "),
            )
        time = max(self.now(), head.time, since, answered_at)
        place = (unsigned_id(), signer.device, head.seq + 1, time, about)
        return Entry(*place, signer.person, kind.name, fields)

    def _check_unsaid(self, kind: DeclaredKind, entry: Entry, clock: LocalClock) -> None:
        """Raises AlreadySo if an earlier record of the signer says the same as the new record and
        still holds.
        """
        views = self.state.views.newest(kind.view_type)
        own = (view for view in views if view.author == entry.person)
        names = [name for name in kind.public_names if not kind.fields[name].filled]
        for view in kind.view_type.standing(own, clock):
            values = vars(view)
            if all(values[name] == entry.fields.get(name) for name in names):
                raise AlreadySo("R-10.20", "you have said so already", view.id)

    def log_heads(self) -> dict[bytes, int]:
        """Returns, for each device, the number of the last record of its log that this home has."""
        return {log.device: log.head.seq for log in self.inbox.store.logs.all()}

    def facts_of_action(self, action: bytes) -> ActionFacts | None:
        """Returns what this home can tell at this time about an action."""
        return self.loops.facts_of_action(action, self.now())

    def facts_of_measure(self, measure: bytes) -> MeasureFacts | None:
        """Returns what this home knows now about a measure in use. Returns None if the measure is
        not in use.
        """
        return self.loops.facts_of_measure(measure, self.now())

    def facts_of_service(self, service: bytes) -> ServiceFacts | None:
        """Returns what this home can tell at this time about a service."""
        return self.loops.successions.facts_of(service)

    def facts_of_trial(self, trial: bytes) -> TrialFacts | None:
        """Returns what this home knows now about a trial. Returns None if the record is not a
        trial.
        """
        report = self.report_trial(trial)
        return None if report is None else report.facts(self.state.clock_at(self.now()))

    def report_trial(self, record: bytes) -> TrialReport | None:
        """Returns how a trial stands at this time. Returns None if the given record is not
        a trial.
        """
        return report_trial(self.state, self.loops, record, self.now())

    def _is_private(self, kind: DeclaredKind, about: bytes | None, private: PrivateThreads) -> bool:
        """R-10.9: returns whether a new record of this kind is private. For some kinds, this
        depends on the record `about`, which the new record answers.
        """
        if kind.audience == record.PRIVATE:
            return True
        return kind.may_be_private and about is not None and private.kind_of(about) is not None

    def _read_entries(self, entry: Entry, private: PrivateThreads | None) -> Folding[list[Entry]]:
        """Returns the records that are folded together with a new record: those of its thread, or
        of a part of its thread. Each record comes with its open content. If the thread is private,
        `private` reads these records. If the new record begins a thread, returns an empty list.
        """
        if entry.about is None:
            return []
        if private is not None:
            return private.entries_of(entry.about)
        part = self.state.thread_fold.find_part_around(entry, self._target_of(entry.about))
        entries: list[Entry] = yield ReadPart(part)
        return entries

    def _facts(
        self, signer: Signer, about: bytes | None, private: PrivateThreads | None
    ) -> tuple[object, ...]:
        """Returns the facts on which the check of a new record depends. If these facts change, the
        record must be checked again.
        """
        log = self.inbox.store.logs.find(signer.device)
        size = 0
        if about is not None and private is None:
            size = self.inbox.store.records.count_in_thread(self.root_of(about))
        elif private is not None:
            size = private.change_count
        departed = self.state.epochs.choose().departed
        return self.state.authority, departed, log and log.head, size

    def root_of(self, about: bytes) -> int:
        """Returns the row of the record that began the thread of the given record. Raises Refused
        if this first record has not arrived here.
        """
        root = self._target_of(about).root
        assert root is not None, "the record is in a thread"
        return root

    def _target_of(self, about: bytes) -> StoredRecord:
        row = self.inbox.store.records.find(about)
        if row is None or row.root is None:
            raise Refused("R-10.5", "what this is about has not arrived here yet; try again soon")
        return row

    def _must_be_within_quota(self, signed: Record) -> None:
        log = self.inbox.store.logs.find_or_add(signed.header.device)
        if log.fork is None and log.ended is not None:
            raise Refused(
                "R-03.15c",
                "the log of this home's device ended when it passed twice its quota; " + _CERTIFY,
            )
        if quota.share(self.state.authority, signed.header, log).over:
            raise Refused(
                "R-03.15", "today's quota of this device is used up; try again tomorrow (UTC)"
            )


def _check_about(kind: DeclaredKind, about: bytes | None) -> None:
    """Raises Refused (R-10.5) if `about` does not fit the kind. Records of some kinds answer
    another record, so they need `about`. Records of other kinds begin a thread, so they must not
    have it.
    """
    if kind.is_root and about is not None:
        raise Refused(
            "R-10.5",
            "a record of the kind {name} is about nothing; leave --about out",
            name=kind.name,
        )
    if kind.answers_anything and about is None:
        raise Refused(
            "R-10.5",
            "a record of the kind {name} is about another one: name it with --about ID",
            name=kind.name,
        )
    if not kind.is_root and about is None:
        raise Refused(
            "R-10.5",
            "a record of the kind {name} is about {targets}: name it with --about ID",
            name=kind.name,
            targets=" or ".join(kind.about),
        )


def _must_count(thread: Thread) -> None:
    """Raises the reason why the fold has refused the new record. Does nothing if the record
    counts.
    """
    line = next((line for line in thread.history if line.entry.id == unsigned_id()), None)
    if line is None:
        raise Refused("R-03.18a", "what this is about is ahead of the clock here; answer it later")
    if line.refusal:
        raise line.refusal


def _fault_of_fork(authority: Authority | None, device: bytes, fork: int) -> Refused:
    """Returns the reason why a device may not sign any more: its log is forked, or a settled cut
    has ended its log. Returns None if its log goes on.
    """
    if authority is not None and device in authority.settled.ends:
        return Refused(
            "R-03.32",
            "a removal ended the log of this home's device, and it does not go on; " + _CERTIFY,
        )
    return Refused(
        "R-03.32",
        "this home's device signed twice with one number, as a copied disk does; what it "
        "signed from number {number} on counts no more, so post that again; " + _CERTIFY,
        number=fork,
    )


def _after_named(thread: Thread, entry: Entry) -> Entry:
    """Returns the entry of a new record. If the record names records of its thread, dates it no
    earlier than these (R-01.13a).
    """
    named = set(ids_in(entry.fields)) & thread.entries.keys() - {entry.id}
    times = [thread.entries[record_id].time for record_id in named]
    return entry._replace(time=max([entry.time, *times]))


def _add_draft(kind: DeclaredKind, thread: Thread, entry: Entry) -> Kind:
    """Adds a new record to a thread that was folded without it. Returns the draft: the view that
    the record will have.
    """
    draft = kind.draft(entry)
    thread.entries[entry.id] = entry
    thread.drafts[entry.id] = draft
    return draft


def _fields_of(kind: DeclaredKind, draft: Kind, entry: Entry) -> dict[str, Any]:
    """Returns the fields of a new record. The public fields come from its completed draft, and the
    private fields from its entry.
    """
    values = vars(draft)
    return {
        name: value
        for name, field in kind.fields.items()
        if (value := (entry.fields.get(name) if field.private else values[name])) is not None
    }


def _part_words(
    kind: DeclaredKind, fields: dict[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Splits the fields into two maps: the fields of the record, and the words for a second record
    (R-16.1). Checks the words.
    """
    beside = [name for name, field in kind.fields.items() if field.beside]
    words = {name: fields[name] for name in beside if fields.get(name) is not None}
    for name in beside:
        if kind.fields[name].required and name not in words:
            raise Refused("R-10.2", "{name} needs {field}", field=name, name=kind.name)
        if name in words:
            kind.fields[name].check(name, words[name])
    return {name: value for name, value in fields.items() if name not in beside}, words
