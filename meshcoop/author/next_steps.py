"""Finds the records with which a person of this home could answer a thread now (R-06.12).

Each kind names the ways in which people can answer a record. A way is offered on two conditions:
the author's software would sign such a record, and the fold would count it. So no other part of the
program has to know who may do what.
"""

from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from meshcoop.author.author import Author
from meshcoop.author.signer import Signer
from meshcoop.author.unsigned_ids import unsigned_id
from meshcoop.fold.code_failures import Contained
from meshcoop.fold.slices import pause, run_beside
from protocol.authority.authority import Authority
from protocol.authority.kind_names import RETRACT
from protocol.errors import Refused
from protocol.fold.facets import Awaited, Crowd, Way
from protocol.fold.fold import MAX_A_DAY, begin_thread, fold_thread, settle_views
from protocol.fold.kind import Kind, values_by_id
from protocol.fold.registry import KINDS, DeclaredKind
from protocol.fold.thread import Entry, Thread
from protocol.fold.view import View
from protocol.record.envelope import DAY_MS, OPEN
from protocol.schema.fields import Field, Moment, RecordId


class Step(NamedTuple):
    """A record that a person could post.

    `given` are the fixed fields of the record. `ask` are the fields that the person may fill in.
    `suggested` has first values for these fields. `among` are the people or records to choose from.
    If `among` is None, the person may choose anybody. `awaited` says that somebody waits for the
    record, and since when or until when. `target` is the view of the answered record. If that
    record has no view, `target` is None.
    """

    kind: str
    about: bytes
    given: dict[str, object]
    ask: tuple[str, ...]
    suggested: dict[str, object]
    among: frozenset[bytes] | None
    awaited: Awaited | None
    target: View | None


class _Candidate(NamedTuple):
    """A record that the finder tries out, and the step that it becomes if it would count.

    `apart` is the name of the kind if its records cannot be folded together with those of other
    kinds. Otherwise, `apart` is "". `way` is the number of the way in which the record answers.
    Candidates with the same `apart` and `way` can be folded together.
    """

    entry: Entry
    step: Step
    apart: str
    way: int


def find_steps(author: Author, signer: Signer, record_id: bytes) -> list[Step]:
    """Returns the records that the signer could post in the thread of a given record.

    Raises Refused if the given record is not here, or if this home cannot read it.
    """
    authority = author.state.authority
    assert authority is not None, "the signer is a member by it"
    is_private = signer.private.kind_of(record_id) is not None
    if is_private:
        entries = signer.private.entries_of(record_id)
    else:
        entries = author.state.thread_fold.entries_of(author.root_of(record_id))
    thread = run_beside(fold_thread, entries, authority)
    thread.log_heads = author.log_heads()
    thread.facts_of_action = author.facts_of_action
    thread.facts_of_measure = author.facts_of_measure
    thread.facts_of_service = author.facts_of_service
    thread.facts_of_trial = author.facts_of_trial
    return _StepFinder(author, signer, entries, thread, is_private).find_steps()


@dataclass
class _StepFinder:
    """Finds the records that one person could post in one thread. `entries` are the thread's
    records with their open contents.
    """

    author: Author
    signer: Signer
    entries: list[Entry]
    thread: Thread  # the entries, folded
    is_private: bool
    _count: int = field(default=0, init=False)
    _answering: dict[str, list[DeclaredKind]] = field(default_factory=dict, init=False)

    def find_steps(self) -> list[Step]:
        """Returns the steps. Steps that somebody waits for come first. Otherwise the steps are in
        the order of the thread.
        """
        self.thread.clock = self.author.state.clock_at(self._template.time)
        counting: list[_Candidate] = []
        ranks: dict[tuple[str, int], int] = {}
        groups: dict[tuple[str, bool, int], list[_Candidate]] = defaultdict(list)
        for target in list(self.thread.entries.values()):
            pause()
            for declared in self._kinds_answering(target.kind or ""):
                is_sure = declared.view_type.is_sure and self._has_room_after(target)
                for candidate in self._candidates_of(declared, target):
                    ranks.setdefault((candidate.apart, candidate.way), len(ranks))
                    if is_sure:
                        counting.append(candidate)
                    else:
                        # What has a view of its own changes something. The others are folded apart
                        # from it, because only they are compared with the views before.
                        group = (candidate.apart, bool(declared.states), candidate.way)
                        groups[group].append(candidate)
        for candidates in groups.values():
            counting += self._counting(candidates)
        place = {entry_id: number for number, entry_id in enumerate(self.thread.entries)}
        counting.sort(
            key=lambda candidate: (
                candidate.step.awaited is None,
                place[candidate.step.about],
                ranks[candidate.apart, candidate.way],
                candidate.entry.id,
            )
        )
        return [candidate.step for candidate in counting]

    def _kinds_answering(self, target_kind: str) -> list[DeclaredKind]:
        """Returns the kinds that can answer a record of the kind `target_kind` in this thread."""
        if target_kind not in self._answering:
            target = KINDS.get(target_kind)
            self._answering[target_kind] = [
                declared
                for declared in KINDS.values()
                if self._fits(declared) and declared.can_answer(target)
            ]
        return self._answering[target_kind]

    def _fits(self, declared: DeclaredKind) -> bool:
        if declared.is_root or not declared.posted:
            return False
        if not self.is_private:
            return not declared.is_private
        # An open record, such as a retraction, can be about a private one.
        return declared.may_be_private or (declared.audience == OPEN and declared.can_answer(None))

    def _candidates_of(self, declared: DeclaredKind, target: Entry) -> Iterator[_Candidate]:
        """Yields records of the kind `declared` that answer `target`, if the author's software
        would sign them.
        """
        # In a private thread, one record may decide who takes part and who does not.
        is_swaying = self.is_private or declared.view_type.sways_others
        apart = declared.name if is_swaying or not declared.is_core else ""
        for number, way in enumerate(self._ways(declared, target)):
            pause()
            tried = self._try(declared, target, way)
            if tried is not None:
                yield _Candidate(*tried, apart, number)

    def _ways(self, declared: DeclaredKind, target: Entry) -> list[Way]:
        """Returns the ways to answer `target`. Returns no ways if the code of the kind fails."""
        with suppress(Refused), self._contained(declared.name, "ways"):
            return list(declared.view_type.ways(self.thread, target, self.signer.person))
        return []

    def _contained(self, kind: str, method: str) -> Contained:
        return self.author.state.failures.contained(kind, method)

    def _try(self, declared: DeclaredKind, target: Entry, way: Way) -> tuple[Entry, Step] | None:
        """Completes and checks a record, as the author does before signing. Returns the record
        with its step. Returns None if the record is refused.
        """
        if way.among is not None and not way.among:
            return None
        asked = way.ask
        if asked is None:
            asked = tuple(name for name in declared.asked_names if name not in way.given)
        self._count += 1
        record_id = unsigned_id(self._count)
        _, device, seq, time, _, person, *_ = self._template
        entry = Entry(
            record_id, device, seq, time, target.id, person, declared.name, dict(way.given)
        )
        self.thread.entries[record_id] = entry
        try:
            draft = self._complete(declared, entry, {})
            values = vars(draft)
            suggested = {name: values[name] for name in asked if values[name] is not None}
            trial = self._trial_values(declared, way, asked[:1], suggested)
            if trial and not _completes(declared):
                draft.fill(**trial)
            elif trial:
                draft = self._complete(declared, entry, trial)
            fields = _signed_fields(declared, draft)
            declared.check_fields(fields)
            declared.check_moments(fields, self.thread.clock)
            with self._contained(declared.name, "check_signing"):
                draft.check_signing(self.thread)
        except Refused:
            return None
        finally:
            del self.thread.entries[entry.id]
            self.thread.drafts.pop(entry.id, None)
        entry.fields.update(fields)
        awaited = self._awaited.get((declared.name, target.id))
        view = self.thread.views.get(target.id)
        given = dict(way.given)
        step = Step(declared.name, target.id, given, asked, suggested, way.among, awaited, view)
        return entry, step

    def _complete(self, declared: DeclaredKind, entry: Entry, trial: dict[str, object]) -> Kind:
        """Completes a new record as the author's software does, and returns its draft. Raises
        Refused if this fails.
        """
        draft = declared.draft(entry)
        if trial:
            draft.fill(**trial)
        self.thread.drafts[entry.id] = draft
        if _completes(declared):
            with self._contained(declared.name, "complete"):
                draft.complete(self.thread)
        return draft

    def _trial_values(
        self, declared: DeclaredKind, way: Way, first: tuple[str, ...], suggested: dict[str, object]
    ) -> dict[str, object]:
        """Returns made-up values for the fields that the person has to fill in. With these values,
        the finder tries out whether the record would count. `first` has the name of the first field
        that the person is asked for. If no field is asked for, `first` is empty.
        """
        values = dict(way.trial)
        for name in declared.asked_names:
            rule = declared.fields[name]
            is_chosen = way.among is not None and name in first
            if name in values or name in suggested:
                continue
            if not rule.beside and (rule.required or is_chosen):
                values[name] = self._trial_value(declared, name, rule, way)
        return values

    def _trial_value(self, declared: DeclaredKind, name: str, rule: Field, way: Way) -> object:
        if isinstance(rule, Moment):
            return self.thread.clock.today
        if not rule.names_people and not isinstance(rule, RecordId):
            return declared.view_type.example.get(name)
        others = set(self.thread.authority.members) - {self.signer.person}
        chosen = min(way.among if way.among is not None else others, default=None)
        return [chosen] if rule.is_list and chosen is not None else chosen

    def _counting(self, candidates: list[_Candidate]) -> list[_Candidate]:
        """Folds the candidates with the thread. Returns the candidates that would count and would
        change something.
        """
        try:
            with self._contained(candidates[0].step.kind, "fold_entry"):
                thread = self._fold_with([candidate.entry for candidate in candidates])
        except Refused:
            # The code of one kind failed. The other candidates are folded without it.
            groups = [[candidate] for candidate in candidates] if len(candidates) > 1 else []
            return [candidate for group in groups for candidate in self._counting(group)]
        refused = {line.entry.id for line in thread.history if line.refusal is not None}
        counting = [candidate for candidate in candidates if candidate.entry.id not in refused]
        viewless = [
            candidate.entry for candidate in counting if candidate.entry.id not in thread.views
        ]
        if viewless and len(viewless) < len(counting):
            thread = self._fold_with(viewless)
        useless = {entry.id for entry in viewless} - set(self._with_effect(viewless, thread))
        return [candidate for candidate in counting if candidate.entry.id not in useless]

    def _with_effect(self, entries: list[Entry], together: Thread) -> Iterator[bytes]:
        """Yields the ids of the given records that change what people see (R-10.19). The given
        records have no views of their own. `together` is the thread, folded with all of them.
        """
        # A person can write thousands of records, and retract each. A fold for each would take
        # hours, so all are folded together first. Mostly a record changes the view that it is about.
        before = values_by_id(self.thread)
        after = values_by_id(together)
        for entry in entries:
            about = entry.about or b""
            draft = together.find_draft(entry.id, Kind)
            if draft is None:
                continue
            if (
                before.get(about) != after.get(about)
                or self._has_effect(draft, self.thread)  # whatever the views are
                or (self._has_effect(draft, together) and self._has_effect_alone(entry))
            ):
                yield entry.id

    def _has_effect_alone(self, entry: Entry) -> bool:
        alone = self._fold_with([entry])
        draft = alone.find_draft(entry.id, Kind)
        return draft is not None and self._has_effect(draft, alone)

    def _has_effect(self, draft: Kind, with_entry: Thread) -> bool:
        with suppress(Refused), self._contained(draft.kind, "has_effect"):
            return draft.has_effect(self.thread, with_entry)
        return False

    def _fold_with(self, candidates: list[Entry]) -> Thread:
        return run_beside(_fold_with, self.entries, self.thread.authority, candidates)

    @cached_property
    def _template(self) -> Entry:
        """Makes a new record as if the signer signed it now."""
        return self.author.new_entry(KINDS[RETRACT], self.signer, None, {})

    def _has_room_after(self, target: Entry) -> bool:
        """Returns whether the rules for all kinds allow this person to answer `target` now."""
        return self._has_room and target.time <= self._template.time

    @cached_property
    def _has_room(self) -> bool:
        """True if the device's log stands, and the device may write more records in this thread
        today (R-03.10c). False in a private thread, because one record there may make another
        useless.
        """
        device, time = self._template.device, self._template.time
        own = [entry for entry in self.entries if entry.device == device]
        today = [entry for entry in own if entry.time // DAY_MS == time // DAY_MS]
        stands = self.thread.authority.stands(device, self._template.seq)
        return stands and len(today) < MAX_A_DAY and not self.is_private

    @cached_property
    def _awaited(self) -> dict[tuple[str, bytes], Awaited]:
        """The answers that the thread awaits from this person. A key has two parts: the kind of the
        answer, and the record that it answers.
        """
        return {
            (awaited.kind, awaited.about): awaited
            for result in self.thread.results.values()
            for awaited in result.awaited
            if awaited.who == self.signer.person or isinstance(awaited.who, Crowd)
        }


def _fold_with(entries: list[Entry], authority: Authority, candidates: list[Entry]) -> Thread:
    """Folds a thread with candidates. If a candidate has no view of its own, its effect shows only
    in the other views. So if no candidate has a view, brings the other views to their final state.
    """
    thread = begin_thread(entries, authority, candidates)
    if not any(candidate.id in thread.views for candidate in candidates):
        settle_views(thread)
    return thread


def _completes(declared: DeclaredKind) -> bool:
    """Returns whether the kind fills in fields by itself."""
    return declared.view_type.complete is not Kind.complete


def _signed_fields(declared: DeclaredKind, draft: Kind) -> dict[str, object]:
    values = vars(draft)
    return {name: values[name] for name in declared.signed_names if values[name] is not None}
