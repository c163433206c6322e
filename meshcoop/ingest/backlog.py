"""Does long work in the background: folds large threads and many threads, and places many waiting
records.

A node takes in a record in one step of its loop. If the record's thread is large, or if the record
changes many threads, folding them at once would stop the node for too long. So the inbox only notes
these threads in the store. The backlog folds them in many short steps. The backlog folds large
threads beside the loop. If the node is killed meanwhile, the backlog goes on at the next start.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping

import trio

from meshcoop.fold.parts import Part, PartRows, strip_content
from meshcoop.fold.state import State
from meshcoop.fold.thread_fold import (
    MAX_RECORDS,
    NOT_OF_CODE,
    THREAD_COST,
    fold_beside,
    fold_branches,
    fold_entries,
)
from meshcoop.fold.views import FoldedThread
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.disk_errors import log_disk_errors
from meshcoop.store.records import StoredRecord
from protocol.fold.thread import Entry, Thread
from protocol.record.envelope import Record

_AT_ONCE = 50  # records of a large thread
_DUE_AT_ONCE = 25  # due records of one thread
_MOST_SECONDS = 5  # that an answer waits for the backlog


class Backlog:
    """The work that an inbox has left for later. Calls `listeners` after some threads were
    folded.
    """

    def __init__(
        self,
        inbox: Inbox,
        on_stored: Callable[[list[Record]], None],
        on_gap: Callable[[], None] = lambda: None,
    ) -> None:
        """`on_stored` is called with the records that were placed later. `on_gap` is called when
        records that were refused here may be stored now.
        """
        self.listeners: list[Callable[[], None]] = []
        self._inbox = inbox
        self._on_stored = on_stored
        self._on_gap = on_gap
        self._state = inbox.state
        self._wake = trio.Event()
        self._is_empty = trio.Event()
        self._is_empty.set()
        self._has_left = False  # the pool may hold records that can be placed
        self._looked_at: int | None = None  # the count of changes at which nothing was left
        self._put_off_again: set[int] = set()  # since the fold of the last large thread began

    async def run(self) -> None:
        """Places records and folds threads until cancelled. The inbox may add more work
        meanwhile.
        """
        thread_fold = self._state.thread_fold
        thread_fold.on_put_off = self._note_put_off
        self._inbox.on_left = self._note_left
        self._note_put_off(())  # an earlier run may have left some
        try:
            while True:
                await self._wake.wait()
                self._wake = trio.Event()
                self._looked_at = None
                with log_disk_errors("what is due now cannot be folded"):
                    change_count = self._state.store.change_count
                    if self._inbox.has_awaited():
                        self._has_left = True
                    await self._place_left()
                    await self._recount()
                    await self._prune()
                    await self._move()
                    await self._sweep()
                    await self._fold_due()
                    self._looked_at = change_count
                if not self._wake.is_set():
                    self._is_empty.set()
        finally:
            thread_fold.on_put_off = None
            self._inbox.on_left = None
            self._is_empty.set()

    @property
    def is_empty(self) -> bool:
        """Whether no work is left: nothing to place, and nothing to fold."""
        return self._is_empty.is_set()

    def wake(self) -> None:
        """Makes the backlog look soon for threads that must be folded."""
        self._wake.set()

    def wake_if_due(self) -> None:
        """Makes the backlog look soon, if the store has changed since its last look, or if time has
        made records due. At a home at rest, this reads one table.
        """
        with log_disk_errors("what is due now cannot be folded"):
            if self._inbox.has_awaited():
                self._has_left = True
            has_changed = self._looked_at != self._state.store.change_count
            if self._has_left or has_changed or self._state.clock_limit.due(self._state.now()):
                self.wake()

    async def settle(self) -> None:
        """Waits until the backlog has no work left, but at most a few seconds."""
        with trio.move_on_after(_MOST_SECONDS):
            await self._is_empty.wait()

    def _note_put_off(self, rows: Collection[int]) -> None:
        self._put_off_again.update(rows)
        self._note_more()

    def _note_left(self) -> None:
        self._has_left = True
        self._note_more()

    def _note_more(self) -> None:
        if self._is_empty.is_set():
            self._is_empty = trio.Event()
        self.wake()

    async def _place_left(self) -> None:
        while self._has_left:
            self._has_left = False
            self._on_stored(self._inbox.ingest([]).stored)
            await trio.lowlevel.checkpoint()

    async def _recount(self) -> None:
        """If the quotas have changed, counts again how much of the quotas each log has used."""
        for devices in self._inbox.recount_in_steps():
            if devices:
                self._on_gap()
            await trio.lowlevel.checkpoint()

    async def _prune(self) -> None:
        """Deletes two sorts of records: records beyond a fork that R-01.14 does not keep, and all
        records of abandoned logs. An abandoned log is from a device whose records this home no
        longer stores.
        """
        for _ in self._inbox.prune_in_steps():
            await trio.lowlevel.checkpoint()

    async def _move(self) -> None:
        """Moves answers into the threads of records that have joined or left a thread."""
        for _ in self._inbox.move_in_steps():
            await trio.lowlevel.checkpoint()

    async def _sweep(self) -> None:
        """Notes the records of long logs, a few at a time, to be folded. If several logs have
        records in one thread, these records are folded together.
        """
        sweeps = self._state.store.sweeps
        while (sweep := sweeps.first()) is not None:
            with self._state.store.transaction(durable=False):
                self._state.clock_limit.put_off(self._state.thread_fold.sweep(sweep))
            await trio.lowlevel.checkpoint()

    async def _fold_due(self) -> None:
        """Folds the records that are due now. If a thread changes meanwhile, its records stay due,
        and are folded again.
        """
        limit = self._state.clock_limit
        now = self._state.now()
        due = limit.due(now)
        for group in self._groups(await self._find_threads(due)):
            if isinstance(group, Part):
                await self._fold_large(group)
            else:
                self._fold_small(group)
            await trio.lowlevel.checkpoint()
        if due:
            for listener in self.listeners:
                listener()
        if limit.due(now) or self._state.store.sweeps.first() is not None:
            self.wake()

    async def _find_threads(self, rows: list[int]) -> dict[int, list[int]]:
        """Groups records by thread. Returns a map from the row of a thread's root to the rows of
        its records.

        If a record was deleted, notes that it is not due any more.
        """
        by_root: dict[int, list[int]] = defaultdict(list)
        for start in range(0, len(rows), _DUE_AT_ONCE):
            part = rows[start : start + _DUE_AT_ONCE]
            deleted = set(part)
            for n, root in self._state.store.records.roots_of(part):
                by_root[root].append(n)
                deleted.discard(n)
            if deleted:
                with self._state.store.transaction(durable=False):
                    self._state.clock_limit.forget(deleted)
            await trio.lowlevel.checkpoint()
        return by_root

    def _groups(self, by_root: Mapping[int, list[int]]) -> Iterator[Part | set[int]]:
        """Groups records, so that each group can be folded in one step. A part of a thread that is
        too large for a step becomes a group of its own.
        """
        group: set[int] = set()
        room = MAX_RECORDS // 2  # to write the views of many threads takes longer than of one
        for part in self._parts(by_root):
            count = self._state.thread_fold.parts.size(part)
            if count > MAX_RECORDS:
                yield part
                continue
            if not part.is_whole:  # to find branches takes longer than to read records
                yield set(part.rows)
                continue
            if group and count > room:
                yield group
                group = set()
                room = MAX_RECORDS // 2
            group |= part.rows
            room -= count + THREAD_COST
        if group:
            yield group

    def _parts(self, by_root: Mapping[int, list[int]]) -> Iterator[Part]:
        """Yields the parts of threads that the given records touch. If a thread must be folded as a
        whole, yields only one part for this thread, with all of its given records.
        """
        for root, changed in by_root.items():
            changed.sort(key=lambda n: n != root)
            for start in range(0, len(changed), _DUE_AT_ONCE):
                with self._state.store.transaction(durable=False):
                    parts = self._state.thread_fold.find_parts(
                        changed[start : start + _DUE_AT_ONCE]
                    )
                if any(part.is_whole for part in parts):
                    yield Part(root, frozenset(changed))
                    break
                yield from parts

    def _fold_small(self, rows: Collection[int]) -> None:
        with self._state.store.transaction(durable=False):
            self._state.clock_limit.forget(rows)
            self._state.thread_fold.fold_due(rows)

    async def _fold_large(self, part: Part) -> None:
        """Reads a part of a thread in short steps, folds it beside the loop, and writes its views
        in short steps.

        Stops if the thread changes meanwhile. In this case the part stays due, and is folded again.
        """
        thread_fold = self._state.thread_fold
        thread_fold.busy_root = part.root
        try:
            await self._fold_and_write(part)
        finally:
            thread_fold.busy_root = None

    async def _fold_and_write(self, part: Part) -> None:
        self._put_off_again.clear()
        root = part.root
        version = self._state.views.version_of_thread(root)
        rows = await _read_part(self._state, part)
        try:
            folded, errors = await self._fold_beside(part, rows)
        except NOT_OF_CODE:
            raise
        except Exception as error:  # noqa: BLE001  # it is logged and noted (R-10.16a)
            folded, errors = FoldedThread(), [error]
        if errors and not part.is_whole:
            await self._fold_and_write(Part(root, part.rows))
            return
        failure = self._state.thread_fold.note_failure(root, errors)
        steps = self._state.views.replace_in_steps(root, folded._replace(failure=failure))
        while not self._put_off_again & {root, *part.rows}:
            with self._state.store.transaction(durable=False):
                if self._state.views.version_of_thread(root) != version:
                    return
                written = next(steps, None)
                if written is None:
                    self._state.clock_limit.forget(part.rows)
                    self._state.clock_limit.postpone_all(rows.folded)
                    return
                version = self._state.views.version_of_thread(root)
                self._state.thread_fold.end_large(written)
            await trio.lowlevel.checkpoint()

    async def _fold_beside(
        self, part: Part, rows: PartRows
    ) -> tuple[FoldedThread, list[Exception]]:
        authority = self._state.authority
        assert authority is not None, "threads are put off under an authority"
        if part.is_whole:
            entries = await _read_entries(self._state, rows.folded)
            return await trio.to_thread.run_sync(fold_entries, rows.folded, entries, authority)
        entries = await _read_entries_of_part(self._state, rows)
        return await trio.to_thread.run_sync(fold_branches, rows, entries, authority)


async def fold_thread_in_steps(state: State, root: int) -> Thread:
    """Folds one thread, and stores no views. If the thread is large, folds it beside the loop."""
    assert state.authority is not None, "a home without a charter has no threads"
    return await fold_beside(await read_thread_in_steps(state, root), state.authority)


async def read_thread_in_steps(state: State, root: int) -> list[Entry]:
    """Reads the records of one thread, with their open contents. If the thread is large, other
    tasks may run meanwhile.
    """
    if state.store.records.count_in_thread(root) <= MAX_RECORDS:
        return state.thread_fold.entries_of(root)
    return await _read_entries(state, await _read_rows(state, root))


async def read_part_in_steps(state: State, part: Part) -> list[Entry]:
    """Reads the records of a part of a thread, with their open contents. If the part is large,
    other tasks may run meanwhile.
    """
    if part.is_whole:
        return await read_thread_in_steps(state, part.root)
    if state.thread_fold.parts.size(part) <= MAX_RECORDS:
        return state.thread_fold.entries_of_part(state.thread_fold.parts.read(part))
    return await _read_entries_of_part(state, await _read_part(state, part))


async def _read_part(state: State, part: Part) -> PartRows:
    """Reads the records that are needed to fold part of a thread. Other tasks may run meanwhile."""
    if part.is_whole:
        return PartRows(await _read_rows(state, part.root), [], [])
    groups: list[list[StoredRecord]] = []
    for numbers in state.thread_fold.parts.row_numbers(part):
        rows: list[StoredRecord] = []
        for start in range(0, len(numbers), _AT_ONCE):
            rows += state.store.records.in_rows(numbers[start : start + _AT_ONCE])
            await trio.lowlevel.checkpoint()
        groups.append(rows)
    return PartRows(*groups)


async def _read_entries_of_part(state: State, rows: PartRows) -> list[Entry]:
    others = [*rows.support, *map(strip_content, rows.headers)]
    return await _read_entries(state, [*rows.folded, *others])


async def _read_rows(state: State, root: int) -> list[StoredRecord]:
    """Reads the records of a thread. Other tasks may run meanwhile."""
    rows: list[StoredRecord] = []
    while part := state.store.records.next_in_thread(root, rows[-1].n if rows else 0, _AT_ONCE):
        rows += part
        await trio.lowlevel.checkpoint()
    return rows


async def _read_entries(state: State, rows: list[StoredRecord]) -> list[Entry]:
    """Opens the contents of stored records. Other tasks may run meanwhile."""
    entries: list[Entry] = []
    for start in range(0, len(rows), _AT_ONCE):
        entries += state.thread_fold.entries(rows[start : start + _AT_ONCE])
        await trio.lowlevel.checkpoint()
    return entries
