"""Stratum 3: what a thread folds to (specs/03, R-03.10 ff.).

A thread is a root record and everything that hangs from it by first parents. Its views are a pure
function of those records and of stratum 1: the order in which they came does not matter. States
that only a clock changes are left to whoever shows the view.
"""

import hashlib
import heapq
from collections import defaultdict
from collections.abc import Iterable

from protocol.authority.authority import Authority
from protocol.errors import Refused
from protocol.fold.kind import KINDS, Kind
from protocol.fold.thread import Entry, HistoryLine, Thread, View

_COUNTERSIGNING = ("agreement", "accept", "confirm")


def fold(entries: Iterable[Entry], authority: Authority) -> Thread:
    """Folds one thread: exactly one entry is its root, and every other hangs from it."""
    thread = Thread(authority, {entry.id: entry for entry in entries}, KINDS)
    signed_for = [one for one in thread.entries.values() if one.by is not None]
    for entry in [one for one in signed_for if _is_other_party(thread, one)]:
        fault = Refused("R-12.6", "a proxy does not sign where they are a party themselves")
        thread.entries[entry.id] = entry._replace(kind=None, fields={}, fault=fault)
    retracted = _retracted(thread)
    for gone in retracted:  # whether or not its content is erased here yet
        thread.entries[gone] = thread.entries[gone]._replace(kind=None, fields={})
    children = _children(thread)
    counting = _Counting(thread, children)
    for entry in _in_order(thread, children):
        if entry.id in retracted:
            _tombstone(thread, entry)
            continue
        try:
            _apply(thread, entry, counting, retracted)
        except Refused as refusal:
            thread.history.append(HistoryLine(entry, refusal))
        else:
            thread.history.append(HistoryLine(entry, None))
    _settle(thread)
    return thread


def view_hash(packed: bytes) -> bytes:
    """R-03.16: the share of the state hash of one view, packed by the codec."""
    return hashlib.sha256(b"meshcoop view 1\0" + packed).digest()


def retracts(entry: Entry, target: Entry) -> bool:
    """R-01.17: whether `entry` erases `target`: the same person's, and nothing others rely on."""
    return entry.kind == "retract" and entry.person == target.person and not target.lasting


def _is_other_party(thread: Thread, entry: Entry) -> bool:
    """Whether who signs for another takes part, as themselves, in what the record answers."""
    above: Entry | None = entry._replace(person=b"")
    while above is not None:
        if entry.by == above.person or entry.by in above.fields.values():
            return True
        above = thread.entries.get(above.about or b"")
    return thread.entries.get(entry.about or b"", entry).kind == "proxy"


def _children(thread: Thread) -> dict[bytes, list[Entry]]:
    children: dict[bytes, list[Entry]] = defaultdict(list)
    for entry in thread.entries.values():
        if entry.about in thread.entries:
            children[entry.about or b""].append(entry)
    return children


def _in_order(thread: Thread, children: dict[bytes, list[Entry]]) -> Iterable[Entry]:
    """Parents before children, then by time and id (R-03.11)."""
    ready = [(e.order, e) for e in thread.entries.values() if e.about not in thread.entries]
    heapq.heapify(ready)
    while ready:
        _, entry = heapq.heappop(ready)
        yield entry
        for child in children[entry.id]:
            heapq.heappush(ready, (child.order, child))


def _retracted(thread: Thread) -> set[bytes]:
    return {
        entry.about
        for entry in thread.entries.values()
        if entry.about in thread.entries
        and thread.authority.stands(entry.device, entry.seq)
        and retracts(entry, thread.entries[entry.about])
    }


def _tombstone(thread: Thread, entry: Entry) -> None:
    thread.views[entry.id] = {
        "id": entry.id,
        "kind": "retracted",
        "author": entry.person,
        "created": entry.time,
        "about": entry.about,
        "state": "retracted",
    }
    gone = Refused("R-01.17", "its author retracted it")
    thread.history.append(HistoryLine(entry._replace(kind=None, fields={}), gone))


def _settle(thread: Thread) -> None:
    """States, leaves first; then what is hidden leaves the views."""
    for view in reversed(list(thread.views.values())):
        if view["kind"] in KINDS:
            KINDS[view["kind"]].settle_view(thread, view)
    for view in thread.views.values():
        if thread.is_hidden(view["id"]):
            _hide(view)


def _hide(view: View) -> None:
    """R-14.6: the words leave the view; what is counted stays."""
    kind = KINDS.get(view["kind"])
    words = [name for name, one in kind.fields.items() if one.wording] if kind else []
    view.update(dict.fromkeys(words), hidden=True)


class _Counting:
    """R-03.12, R-22.3: a record counts if its log stands there, if another person countersigned it,
    or if it was decided on.
    """

    def __init__(self, thread: Thread, children: dict[bytes, list[Entry]]) -> None:
        self._thread = thread
        self._children = children
        self._known: dict[bytes, bool] = {}

    def __call__(self, entry: Entry) -> bool:
        stack = [entry]
        while stack:  # a loop, because a hostile thread is deeper than Python's stack
            one = stack[-1]
            signers = [c for c in self._children[one.id] if self._countersigns(c, one)]
            unknown = [c for c in signers if c.id not in self._known]
            stands = self._thread.authority.stands(one.device, one.seq) or self._adopted(one)
            if unknown and not stands:
                stack.extend(unknown)
                continue
            self._known[one.id] = stands or any(self._known[c.id] for c in signers)
            stack.pop()
        return self._known[entry.id]

    def _adopted(self, entry: Entry) -> bool:
        kind = KINDS.get(entry.kind or "")
        return kind is not None and kind.is_adopted(self._thread, entry)

    def _countersigns(self, child: Entry, target: Entry) -> bool:
        if child.kind not in _COUNTERSIGNING or child.person == target.person:
            return False
        kind = KINDS.get(child.kind)
        return kind is not None and kind.countersigns(self._thread, child, target)


def _apply(thread: Thread, entry: Entry, counting: _Counting, retracted: set[bytes]) -> None:
    if entry.fault:
        raise entry.fault
    if entry.kind is None:
        raise Refused("R-03.13", "its content is not here, or not for this home")
    if entry.kind not in KINDS:
        raise Refused("R-10.8", "something newer than this program knows")
    kind = KINDS[entry.kind]
    if not kind.judged and not counting(entry):
        raise Refused("R-03.12", "it lies beyond a fork or a revocation of its device's log")
    if kind.root != (entry.about is None):
        raise Refused("R-10.5", f"a {kind.name} is about " + (" or ".join(kind.about) or "nothing"))
    if not kind.root:
        _check_target(thread, kind, entry, retracted)
    kind.fold_entry(thread, entry)


def _check_target(thread: Thread, kind: Kind, entry: Entry, retracted: set[bytes]) -> None:
    target = thread.target_of(entry)
    if target.id in retracted or target.kind is None:
        # A receipt that both have signed stands by itself when the words it grew from are gone.
        if not kind.stands_alone:
            raise Refused("R-03.13", "what it is about is not there any more")
    elif "*" not in kind.about and target.kind not in kind.about:
        allowed = " or ".join(kind.about)
        raise Refused("R-10.5", f"a {kind.name} is about {allowed}, not a {target.kind}")
