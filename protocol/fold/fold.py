"""Folds a thread: computes its views from its records (specs/03, from R-03.10 on).

A thread is a root record and all records that answer it, directly or through other answers. The
views depend only on these records and on authority. The order in which the records arrived does not
matter. A few states depend only on the clock. The code that shows a view works out these states. In
the specs this step of folding is stratum 3.
"""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice

from protocol.authority.authority import Authority
from protocol.authority.kind_names import RETRACT
from protocol.errors import Refused
from protocol.fold.facets import Awaited, Credit, check_facts
from protocol.fold.kind import Kind
from protocol.fold.proxies import PROXY
from protocol.fold.registry import KINDS, DeclaredKind, is_core_name, package_of
from protocol.fold.thread import Entry, HistoryLine, Thread, ViewResult, ids_in
from protocol.fold.view import Tombstone
from protocol.record import codec
from protocol.record.envelope import DAY_MS

MAX_A_DAY = 50  # records of one device and claimed day that count in one thread

_Children = dict[bytes, list[Entry]]  # record → the records about it


def fold_thread(entries: Iterable[Entry], authority: Authority) -> Thread:
    """Folds the records of one thread, and returns the thread with its views and its history.

    One entry is the root. All other entries answer the root, directly or through other answers. If
    the code of a kind fails, the thread notes the failure in `failures`, and the records of
    packages do not count. If the code fails even without packages, no record of the thread counts
    (R-10.16a).
    """
    records = list(entries)
    failures: list[Exception] = []
    for fold_records in (_fold_whole, _fold_without_packages):
        try:
            thread = fold_records(records, authority, failures)
        except MemoryError:
            raise  # this machine has failed, and not the code
        except Exception as error:  # noqa: BLE001  # whatever the code of a kind does wrong
            failures.append(error)
        else:
            break
    else:
        thread = _fold_nothing(records, authority, failures)
    thread.failures = failures
    return thread


def begin_thread(
    entries: Iterable[Entry],
    authority: Authority,
    candidates: Iterable[Entry] = (),
    *,
    failure: Refused | None = None,
) -> Thread:
    """Applies all records of a thread to the thread's views. Does not settle the views yet.

    `candidates` are records that one device could sign next. No candidate uses up the limit of a
    day for another candidate. If there is a `failure`, no record counts, and no code of a kind
    runs. Even so, retracted records stay retracted.
    """
    thread = Thread(authority, {entry.id: entry for entry in entries})
    signed = len(thread.entries)
    thread.entries.update((candidate.id, candidate) for candidate in candidates)
    _refuse_beyond_limit(thread, signed)
    _refuse_parties_as_proxies(thread)
    retracted = _find_retracted(thread)
    for record_id in retracted:
        # Some homes have erased this content, others not yet. All must get the same views.
        thread.entries[record_id] = thread.entries[record_id].without_content()
    if failure is not None:
        for entry in thread.entries.values():
            thread.entries[entry.id] = entry._replace(fault=failure)
    thread.drafts.update(
        (entry.id, KINDS[entry.kind].draft(entry))
        for entry in thread.entries.values()
        if entry.kind in KINDS and entry.fault is None
    )
    children = _children_of(thread)
    counting = _Counting(thread, children, _find_backdated(thread))
    for entry in _in_order(thread, children):
        if entry.id in retracted:
            _make_tombstone(thread, entry)
            continue
        try:
            _apply(thread, entry, counting, retracted)
        except Refused as refusal:
            thread.history.append(HistoryLine(entry, refusal.without_frames()))
        else:
            thread.history.append(HistoryLine(entry, None))
    return thread


def settle_views(thread: Thread) -> None:
    """Lets each kind set the states of its views, and then removes hidden words from the views.

    The last view comes first, so answers settle before the records that they answer.
    """
    for view in reversed(list(thread.views.values())):
        if isinstance(view, Kind):
            view.settle(thread)
    for view in thread.views.values():
        if thread.is_hidden(view.id):
            view.hide_words()


def hash_view(packed: bytes) -> bytes:
    """Returns the hash of one view. This hash becomes a part of the state hash (R-03.16).

    `packed` is the view in bytes, as the codec has packed it.
    """
    return hashlib.sha256(b"meshcoop view 1\0" + packed).digest()


def records_beyond_core(thread: Thread) -> set[bytes]:
    """Returns the records whose views the state hash leaves out (R-03.16).

    They are the records of plug-ins, and all answers to these records, directly or through other
    answers. A home without the plug-in cannot fold such records.
    """
    beyond: set[bytes] = set()
    for line in thread.history:  # parents come before their children
        entry = line.entry
        if entry.about in beyond or not is_core_name(entry.kind or ""):
            beyond.add(entry.id)
    return beyond


def retracts(entry: Entry, target: Entry) -> bool:
    """Returns True if `entry` is a retraction that erases the content of `target` (R-01.17).

    Both records must be by the same person. If `target` is lasting, it cannot be erased, because
    others rely on it. A retraction that claims to be older than its target does not fold (R-03.9b).
    """
    return (
        entry.kind == RETRACT
        and entry.fault is None
        and entry.time >= target.time
        and entry.person == target.person
        and not target.lasting
    )


def _fold_whole(
    records: list[Entry], authority: Authority, failures: Sequence[Exception]
) -> Thread:
    """Folds a thread with the code of all its kinds. Lets every exception of this code through."""
    del failures
    thread = begin_thread(records, authority)
    settle_views(thread)
    _keep_results(thread)
    return thread


def _fold_without_packages(
    records: list[Entry], authority: Authority, failures: Sequence[Exception]
) -> Thread:
    """Folds a thread without the code of any package, as a home without packages does (R-10.15)."""
    packages = {name: package for name in KINDS if (package := package_of(name)) is not None}
    faults: dict[str | None, Refused] = {
        name: _failure(package, failures) for name, package in packages.items()
    }
    left = [
        entry._replace(fault=faults[entry.kind]) if entry.kind in faults else entry
        for entry in records
    ]
    return _fold_whole(left, authority, failures)


def _fold_nothing(
    records: list[Entry], authority: Authority, failures: Sequence[Exception]
) -> Thread:
    """Folds a thread in which no record counts. Runs no code of a kind."""
    thread = begin_thread(records, authority, failure=_failure("the program", failures))
    _keep_results(thread)
    return thread


def _failure(what: str, failures: Sequence[Exception]) -> Refused:
    return Refused(
        "R-10.16a",
        "the code of {package} failed ({name})",
        package=what,
        name=type(failures[-1]).__name__,
    )


def _keep_results(thread: Thread) -> None:
    """Works out the data that homes store about the views."""
    for view in thread.views.values():
        moved: list[Credit] = []
        awaited: list[Awaited] = []
        relies: set[bytes] = set()
        if isinstance(view, Kind):
            moved += view.credits()
            awaited += view.awaits(thread)
            relies.update(view.relies_on(thread.find))
        check_facts([*moved, *awaited])
        packed = codec.pack(vars(view))
        texts = tuple(view.texts())
        thread.results[view.id] = ViewResult(
            packed, texts, tuple(moved), tuple(awaited), tuple(sorted(relies))
        )


def _refuse_beyond_limit(thread: Thread, signed: int) -> None:
    """Enforces the limit of records for each device and claimed day (R-03.10c). Removes the content
    of each record beyond the limit.

    Only headers decide this. So all homes get the same result, even if they cannot read the same
    contents. The first `signed` records are signed already, and the records after them are
    candidates. The limit lets all candidates of a device and day through, or none.
    """
    days: defaultdict[tuple[bytes, int], list[Entry]] = defaultdict(list)
    for entry in islice(thread.entries.values(), signed):
        days[entry.device, entry.time // DAY_MS].append(entry)
    refusal = Refused(
        "R-03.10c",
        "only {most} records of one device and day count in one thread; go on tomorrow",
        most=MAX_A_DAY,
    )
    beyond = [
        candidate
        for candidate in islice(thread.entries.values(), signed, None)
        if len(days.get((candidate.device, candidate.time // DAY_MS), ())) >= MAX_A_DAY
    ]
    for entries in days.values():
        beyond += sorted(entries, key=lambda entry: (entry.seq, entry.id))[MAX_A_DAY:]
    for entry in beyond:
        if not _has_no_limit(entry):
            thread.entries[entry.id] = entry.without_content()._replace(fault=refusal)


def _has_no_limit(entry: Entry) -> bool:
    """Returns True if the limit of records for each device and day does not apply to the record
    `entry`.

    There are two such cases. Authority judges some records without their thread. And people may
    take back all of their words at once.
    """
    if entry.kind == RETRACT:
        return True
    return entry.kind in KINDS and KINDS[entry.kind].view_type.judged_by_authority


def _refuse_parties_as_proxies(thread: Thread) -> None:
    """Removes the content of each record that was wrongly signed by proxy (R-12.6).

    Nobody may sign a record for another person if the record concerns the signer too.
    """
    # All entries are judged before any is changed: a changed entry no longer shows its parties.
    refused = [
        entry
        for entry in thread.entries.values()
        if entry.by is not None and _is_party(thread, entry)
    ]
    for entry in refused:
        fault = Refused("R-12.6", "nobody signs for another where they are a party themselves")
        thread.entries[entry.id] = entry.without_content()._replace(fault=fault)


def _find_backdated(thread: Thread) -> dict[bytes, Refused]:
    """Finds the records that claim too early a time, and returns why each of them does not fold.

    A record must not claim a time before its author belonged (R-03.9a). Nor may it claim a time
    before a record that it names in the same thread (R-03.9b). Authority reads no times, so the
    records that it judges fold at any time (R-03.9c).
    """
    times = {entry.id: entry.time for entry in thread.entries.values()}
    backdated: dict[bytes, Refused] = {}
    for entry in thread.entries.values():
        kind = KINDS.get(entry.kind or "")
        if kind is None or kind.view_type.judged_by_authority:
            continue
        refusal = _backdating_of(entry, thread.authority, times)
        if refusal is not None:
            backdated[entry.id] = refusal
    return backdated


def _backdating_of(
    entry: Entry, authority: Authority, times: Mapping[bytes, int]
) -> Refused | None:
    """Returns why the time that a record claims is too early, or None. `times` are the times of the
    records in the thread.
    """
    people = (entry.person,) if entry.by is None else (entry.person, entry.by)
    if any(entry.time < authority.belongs_from.get(person, 0) for person in people):
        return Refused("R-03.9a", "it claims a time before its author belonged here")
    for record_id in (entry.about or b"", *ids_in(entry.fields)):
        if entry.time < times.get(record_id, 0):
            return Refused("R-03.9b", "it claims a time before something that it names")
    return None


def _is_party(thread: Thread, entry: Entry) -> bool:
    """Returns True if the signer of the record `entry` must not sign it for another person.

    There are three cases. First, the signer wrote a record above `entry`: a record that `entry`
    answers, directly or through other answers. Second, a field of `entry`, or of a record above it,
    names the signer. The name may be inside a list or a map. Third, `entry` is about a proxy.
    """
    above: Entry | None = entry._replace(person=b"")
    while above is not None:
        if entry.by in {above.person, *ids_in(above.fields)}:
            return True
        above = thread.entries.get(above.about or b"")
    return thread.entries.get(entry.about or b"", entry).kind == PROXY


def _children_of(thread: Thread) -> _Children:
    children: _Children = defaultdict(list)
    for entry in thread.entries.values():
        if entry.about in thread.entries:
            children[entry.about or b""].append(entry)
    return children


def _in_order(thread: Thread, children: _Children) -> Iterable[Entry]:
    """Yields the records in the order of the fold (R-03.11).

    Each record comes after the record that it is about. If several records can come next, the
    earliest comes first. If several records have the same time, the lowest id comes first.
    """
    roots = (entry for entry in thread.entries.values() if entry.about not in thread.entries)
    ready = [(root.order, root) for root in roots]
    heapq.heapify(ready)
    while ready:
        _, entry = heapq.heappop(ready)
        yield entry
        for child in children[entry.id]:
            heapq.heappush(ready, (child.order, child))


def _find_retracted(thread: Thread) -> set[bytes]:
    return {
        entry.about
        for entry in thread.entries.values()
        if entry.about in thread.entries
        and retracts(entry, thread.entries[entry.about])
        and thread.authority.stands(entry.device, entry.seq)
    }


def _make_tombstone(thread: Thread, entry: Entry) -> None:
    """Adds a view that says only that the author has retracted this record."""
    thread.views[entry.id] = Tombstone.of_values(
        {
            "id": entry.id,
            "kind": Tombstone.KIND,
            "author": entry.person,
            "created": entry.time,
            "about": entry.about,
            "state": Tombstone.KIND,
        }
    )
    refusal = Refused("R-01.17", "its author retracted it")
    thread.history.append(HistoryLine(entry.without_content(), refusal))


class _Counting:
    """Judges which records of a thread count.

    A record counts if it is before any fork or revocation of its log. A later record counts only if
    another person countersigned it, if the roll adopted it in a decision, or if witnesses have seen
    it (R-03.12, R-22.3, R-24.11).
    """

    def __init__(
        self, thread: Thread, children: _Children, backdated: Mapping[bytes, Refused]
    ) -> None:
        self.backdated = backdated
        self._thread = thread
        self._children = children
        self._counts: dict[bytes, bool] = {}

    def counts(self, entry: Entry) -> bool:
        """Returns True if the record counts by itself, or if a countersignature of the record
        counts.
        """
        # A loop with its own stack, because a hostile thread can be deeper than Python's stack.
        stack = [entry]
        while stack:
            current = stack[-1]
            if current.id in self.backdated:
                self._counts[current.id] = False
                stack.pop()
                continue
            if self._stands_by_itself(current):
                self._counts[current.id] = True
                stack.pop()
                continue
            signers = self._countersigners(current)
            unjudged = [signer for signer in signers if signer.id not in self._counts]
            if unjudged:
                stack.extend(unjudged)
                continue
            self._counts[current.id] = any(self._counts[signer.id] for signer in signers)
            stack.pop()
        return self._counts[entry.id]

    def _stands_by_itself(self, entry: Entry) -> bool:
        if self._thread.authority.stands(entry.device, entry.seq) or _is_seen(entry):
            return True
        draft = self._thread.find_draft(entry.id, Kind)
        return draft is not None and draft.is_adopted(self._thread)

    def _countersigners(self, target: Entry) -> list[Entry]:
        return [child for child in self._children[target.id] if self._countersigns(child, target)]

    def _countersigns(self, child: Entry, target: Entry) -> bool:
        if child.person == target.person:
            return False
        signer = self._thread.find_draft(child.id, Kind)
        signed = self._thread.find_draft(target.id, Kind)
        if signer is None or signed is None:
            return False
        # A package's code decides about its own records only, so that all homes count alike.
        can_answer = KINDS[signer.kind].can_answer(KINDS[signed.kind])
        return can_answer and signer.countersigns(self._thread, signed)


def _is_seen(entry: Entry) -> bool:
    """Returns True if witnesses name records of this kind, and have seen this record."""
    return entry.is_seen and entry.kind in KINDS and KINDS[entry.kind].view_type.witnessed


def _apply(thread: Thread, entry: Entry, counting: _Counting, retracted: set[bytes]) -> None:
    """Applies one record to the views of its thread. Raises Refused if the record does not
    count.
    """
    if entry.fault:
        raise entry.fault
    if entry.kind is None:
        raise Refused("R-03.13", "its content is not here, or not for this home")
    if entry.kind not in KINDS:
        # The record of a package that is not installed here is kept and passed on.
        raise Refused("R-10.8", "something newer than this program knows")
    kind = KINDS[entry.kind]
    if kind.is_root != (entry.about is None):
        if kind.is_root:
            raise Refused("R-10.5", "a record of the kind {kind} is about nothing", kind=kind.name)
        raise Refused("R-10.5", "a record of the kind {kind} is about something", kind=kind.name)
    if not kind.is_root:
        _check_target(thread, kind, entry, retracted)
    if entry.id in counting.backdated:
        raise counting.backdated[entry.id]
    if not kind.view_type.judged_by_authority and not counting.counts(entry):
        raise Refused("R-03.12", "it lies beyond a fork or a revocation of its device's log")
    draft = thread.drafts[entry.id]
    assert isinstance(draft, Kind), "an entry of a known kind without a fault has a draft"
    draft.fold_entry(thread)


def _check_target(thread: Thread, kind: DeclaredKind, entry: Entry, retracted: set[bytes]) -> None:
    """Raises Refused if a record of this kind cannot answer the record that `entry` is about."""
    target = thread.target_of(entry)
    is_gone = target.id in retracted or target.kind is None
    # Homes that do not know the target's kind see no fault in it (R-10.8d).
    if is_gone or (target.fault is not None and not kind.answers_anything):
        # A receipt that both people signed still counts after its agreement has lost its content.
        if not kind.view_type.stands_alone:
            raise Refused("R-03.13", "the record that it is about is not here any more")
    elif not kind.can_answer(KINDS.get(target.kind or "")):
        raise Refused(
            "R-10.5",
            "a record of the kind {name} is about {allowed}, not about {kind}",
            name=kind.name,
            allowed=" or ".join(kind.about),
            kind=target.kind,
        )
