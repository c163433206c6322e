"""Finds the records with which a person of this home could answer a thread now (R-06.12).

Each kind names the ways in which people can answer a record. A way is offered on two conditions:
the author's software would sign such a record, and the fold would count it. So no other part of the
program has to know who may do what.
"""

from collections import defaultdict
from collections.abc import Collection, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

from meshcoop.author.author import Author
from meshcoop.author.signer import Signer
from meshcoop.author.unsigned_ids import unsigned_id
from meshcoop.fold.code_failures import CodeFailures, Contained
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
    """A record that the finder tries out. If the record would count, it becomes the step `step`.

    `apart` is the name of the kind if its records cannot be folded together with those of other
    kinds. Otherwise, `apart` is "". `way` is the number of the way in which the record answers.
    Candidates with the same `apart` and `way` can be folded together.
    """

    entry: Entry
    step: Step
    apart: str
    way: int


def find_steps(
    author: Author,
    signer: Signer,
    record_id: bytes,
    wanted: Collection[tuple[str, bytes]] | None = None,
) -> list[Step]:
    """Returns the records that the signer could post in the thread of a given record.

    `wanted` has pairs of a kind and the id of a record. If it is given, only records of such a kind
    that answer the record beside it are tried.

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
    finder = _StepFinder(author, signer, entries, thread, is_private, wanted)
    return finder.find_steps()


class _Answer:
    """A kind that can answer records of the thread, with what is the same for all its candidates.

    `apart` is as for a candidate. `completes` is True if the kind fills in fields by itself. The
    guards contain the failures of its methods.
    """

    def __init__(self, declared: DeclaredKind, failures: CodeFailures, *, is_private: bool) -> None:
        view_type = declared.view_type
        self.declared = declared
        self.name = declared.name
        # In a private thread, one record may decide who takes part and who does not.
        is_swaying = is_private or view_type.sways_others
        self.apart = declared.name if is_swaying or not declared.is_core else ""
        self.completes = view_type.complete is not Kind.complete
        self.ways_guard = failures.contained(declared.name, "ways")
        self.complete_guard = failures.contained(declared.name, "complete")
        self.signing_guard = failures.contained(declared.name, "check_signing")


class _Filled(NamedTuple):
    """The fields of a candidate.

    `asked` are the fields that the person may fill in, and `suggested` has first values for them.
    `values` are all values of the draft. Some of them are made up, because the person has to fill
    them in. `signed` are the fields that the record would have, and they have been checked.
    """

    asked: tuple[str, ...]
    suggested: dict[str, object]
    values: dict[str, object]
    signed: dict[str, object]


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
    wanted: Collection[tuple[str, bytes]] | None  # as for `find_steps`
    _count: int = field(default=0, init=False)
    _answering: dict[str, list[_Answer]] = field(default_factory=dict, init=False)
    # kind, kind of the target, number of the way → the last way of these, and how it is filled in
    _filled: dict[tuple[str, str | None, int], tuple[Way, _Filled | None]] = field(
        default_factory=dict, init=False
    )

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
            has_room = self._has_room_after(target)
            for answer in self._wanted_answers(target):
                is_sure = has_room and answer.declared.view_type.is_sure
                for candidate in self._candidates_of(answer, target):
                    ranks.setdefault((candidate.apart, candidate.way), len(ranks))
                    if is_sure:
                        counting.append(candidate)
                    else:
                        # A candidate with a view of its own changes something. The others are
                        # folded apart, because only they are compared with the views before.
                        has_view = bool(answer.declared.states)
                        groups[candidate.apart, has_view, candidate.way].append(candidate)
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

    def _wanted_answers(self, target: Entry) -> list[_Answer]:
        answers = self._kinds_answering(target.kind or "")
        if self.wanted is None:
            return answers
        return [answer for answer in answers if (answer.name, target.id) in self.wanted]

    def _kinds_answering(self, target_kind: str) -> list[_Answer]:
        """Returns the kinds that can answer a record of the kind `target_kind` in this thread."""
        if target_kind not in self._answering:
            target = KINDS.get(target_kind)
            self._answering[target_kind] = [
                answer for answer in self._answers if answer.declared.can_answer(target)
            ]
        return self._answering[target_kind]

    @cached_property
    def _answers(self) -> list[_Answer]:
        """The wanted kinds that people post in threads such as this one."""
        failures = self.author.state.failures
        names = KINDS.keys() if self.wanted is None else {name for name, _ in self.wanted}
        return [
            _Answer(declared, failures, is_private=self.is_private)
            for name, declared in KINDS.items()
            if name in names and self._fits(declared)
        ]

    def _fits(self, declared: DeclaredKind) -> bool:
        if declared.is_root or not declared.posted:
            return False
        if not self.is_private:
            return not declared.is_private
        # An open record, such as a retraction, can be about a private one.
        return declared.may_be_private or (declared.audience == OPEN and declared.can_answer(None))

    def _candidates_of(self, answer: _Answer, target: Entry) -> Iterator[_Candidate]:
        """Yields records of a kind that answer `target`, if the author's software would sign
        them.
        """
        for number, way in enumerate(self._ways(answer, target)):
            pause()
            tried = self._try(answer, target, way, number)
            if tried is not None:
                yield _Candidate(*tried, answer.apart, number)

    def _ways(self, answer: _Answer, target: Entry) -> list[Way]:
        """Returns the ways to answer `target`. Returns no ways if the code of the kind fails."""
        try:
            with answer.ways_guard:
                ways = answer.declared.view_type.ways(self.thread, target, self.signer.person)
                return list(ways)
        except Refused:
            return []

    def _try(
        self, answer: _Answer, target: Entry, way: Way, number: int
    ) -> tuple[Entry, Step] | None:
        """Completes and checks a record, as the author does before signing. Returns the record
        with its step. Returns None if the record is refused. `number` is the number of the way.
        """
        if way.among is not None and not way.among:
            return None
        self._count += 1
        record_id = unsigned_id(self._count)
        _, device, seq, time, _, person, *_ = self._template
        entry = Entry(record_id, device, seq, time, target.id, person, answer.name, dict(way.given))
        self.thread.entries[record_id] = entry
        try:
            filled = self._fill_in(answer, entry, target, way, number)
            draft = self.thread.drafts.get(record_id)
            if filled is None or not isinstance(draft, Kind):
                return None
            with answer.signing_guard:
                draft.check_signing(self.thread)
        except Refused:
            return None
        finally:
            del self.thread.entries[record_id]
            self.thread.drafts.pop(record_id, None)
        entry.fields.update(filled.signed)
        awaited = self._awaited.get((answer.name, target.id))
        view = self.thread.views.get(target.id)
        given = dict(way.given)
        suggested = dict(filled.suggested)
        step = Step(
            answer.name, target.id, given, filled.asked, suggested, way.among, awaited, view
        )
        return entry, step

    def _fill_in(
        self, answer: _Answer, entry: Entry, target: Entry, way: Way, number: int
    ) -> _Filled | None:
        """Fills in a new record and puts its draft into the thread. Returns its fields, or None
        if a field cannot be as it is filled in. Raises Refused if the kind cannot complete the
        record.
        """
        if answer.completes:
            return self._complete_and_check(answer, entry, way)
        # If a kind completes nothing by itself, the fields follow from the way alone. A person can
        # comment on each record of a thread, and the fields of all these comments are the same.
        key = answer.name, target.kind, number
        last_way, filled = self._filled.get(key, (None, None))
        if last_way is None or last_way != way:
            try:
                filled = self._complete_and_check(answer, entry, way)
            except Refused:
                filled = None
            self._filled[key] = way, filled
        elif filled is not None:
            values = {**filled.values, "id": entry.id, "about": target.id}
            self.thread.drafts[entry.id] = answer.declared.view_type.of_values(values)
        return filled

    def _complete_and_check(self, answer: _Answer, entry: Entry, way: Way) -> _Filled:
        """Completes a new record as the author's software does, and checks its fields. Raises
        Refused if this fails.
        """
        declared = answer.declared
        asked = way.ask
        if asked is None:
            asked = tuple(name for name in declared.asked_names if name not in way.given)
        draft = self._complete(answer, entry, {})
        values = vars(draft)
        suggested = {name: values[name] for name in asked if values[name] is not None}
        trial = self._trial_values(declared, way, asked[:1], suggested)
        if trial and answer.completes:
            draft = self._complete(answer, entry, trial)
        elif trial:
            draft.fill(**trial)
        values = dict(vars(draft))
        signed = _signed_fields(declared, draft)
        declared.check_fields(signed)
        declared.check_moments(signed, self.thread.clock)
        return _Filled(asked, suggested, values, signed)

    def _complete(self, answer: _Answer, entry: Entry, trial: dict[str, object]) -> Kind:
        """Completes a new record as the author's software does, and returns its draft. Raises
        Refused if this fails.
        """
        draft = answer.declared.draft(entry)
        if trial:
            draft.fill(**trial)
        self.thread.drafts[entry.id] = draft
        if answer.completes:
            with answer.complete_guard:
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

    def _contained(self, kind: str, method: str) -> Contained:
        return self.author.state.failures.contained(kind, method)

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


def _signed_fields(declared: DeclaredKind, draft: Kind) -> dict[str, object]:
    values = vars(draft)
    return {name: values[name] for name in declared.signed_names if values[name] is not None}
