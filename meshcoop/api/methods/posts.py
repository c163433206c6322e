"""The methods of the local API for posting. They post records for a person or a guest of this home,
and list the records that this person could post.
"""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import replace
from typing import Any

from meshcoop.api.awaited_answers import AWAITED, WaitingRow
from meshcoop.api.credit_advice import CreditAdvisor
from meshcoop.api.list_pages import Rows, paged, shown_rows
from meshcoop.api.method import Method, by_name
from meshcoop.api.methods.loops import LoopMethods, measure_of
from meshcoop.api.node_handle import Membership, NodeHandle
from meshcoop.api.params import Params
from meshcoop.api.plain_values import show_input
from meshcoop.api.presenter import Presenter, title_of
from meshcoop.api.queries import open_queries
from meshcoop.api.resolver import Resolver
from meshcoop.api.roll_growth import check_vote, describe_vote
from meshcoop.api.trial_views import describe_power
from meshcoop.author.folding import fold_in_steps
from meshcoop.author.next_steps import Step, find_steps
from meshcoop.author.signer import Signer
from meshcoop.fold.private_threads import PrivateThreads
from meshcoop.fold.services.opened_services import measures_to_copy
from meshcoop.home.key_file import Guest
from protocol.fold.registry import KINDS, declared_of
from protocol.kinds.decisions import Vote
from protocol.kinds.ideas import Idea
from protocol.kinds.services.actions import Action
from protocol.kinds.services.measures import ASKED_AGAIN, Measure, kept_fields
from protocol.kinds.services.services import Service
from protocol.kinds.services.trials import Trial
from protocol.record import sealing as seal
from protocol.record.envelope import Record
from protocol.wire import calls

MOST_AWAITED = 20  # steps that others await, in a page (R-06.16i), because each folds a thread

POSSIBLE = "possible"  # why a step is offered: it would count, though nobody waits for it


class PostMethods:
    """Posts records, and lists the records that a person could post."""

    def __init__(self, node: NodeHandle, loops: LoopMethods) -> None:
        self._node = node
        self._loops = loops

    def table(self) -> dict[str, Method[Any]]:
        """Returns the API methods of this class, by name."""
        return by_name(
            Method(calls.Post, self.post),
            Method(calls.NextSteps, paged(self.list_next_steps)),
        )

    async def post(self, call: calls.Post) -> Params:
        """Signs one record, stores it and sends it to the other homes."""
        membership = await self._node.wait_to_sign()
        presenter = Presenter(membership.state, self._node.now)
        resolver = Resolver(membership.state, presenter)
        fields = call.fields or {}
        about = None if call.about is None else await self._resolve_target(call.about, resolver)
        if about is not None and not _answers_anything(call.kind):
            about = self._loops.first_of(about)
        represented = None if call.for_ is None else resolver.resolve_person(call.for_)
        person = _resolve_signer(membership, resolver, call)
        guest = None if person is None else membership.guests.find(person)
        if about and call.kind == declared_of(Vote).name:
            choice = declared_of(Vote).read_input(fields, resolver.resolve).get("choice")
            check_vote(membership.state, about, choice, call.will_vote, presenter)
        if about and _is_action(call.kind):
            fields = fields | self._loops.citation_for(about)
        signer: Signer | None = None  # None: any device of this home that may sign
        if guest is not None:
            signer = await _open_guest(membership, guest, call)
            # The guest may have been admitted while their PIN was not at hand. If so, the guest
            # accepts the charter now.
            await fold_in_steps(membership.state, membership.guests.settle(guest, signer))
        else:
            await membership.author.private.prepare()
            if person is not None:
                signer = membership.author.signer_of(person)
        posting = membership.author.posting(
            call.kind,
            fields,
            signer=signer,
            about=about,
            represented=represented,
            resolve=resolver.resolve,
        )
        record = await fold_in_steps(membership.state, posting)
        me = membership.author.person if guest is None else person
        return self._answer(membership, record, me)

    async def list_next_steps(self, call: calls.NextSteps) -> Rows[Params]:
        """Lists the records that a person could post now in the thread of a record.

        If `id` is missing, lists the records that others await from this person.
        """
        membership = await self._node.wait_to_sign()
        presenter = Presenter(membership.state, self._node.now)
        resolver = Resolver(membership.state, presenter)
        person = _resolve_signer(membership, resolver, call)
        guest = None if person is None else membership.guests.find(person)
        if guest is not None:
            signer = await _open_guest(membership, guest, call)
        else:
            await membership.author.private.prepare()
            signer = membership.author.signer_of(person)
        if call.id is not None:
            record_id = await self._resolve_target(call.id, resolver)
            first = self._loops.first_of(record_id)
            rows = self._all_steps(membership, presenter, signer, first)
            if first != record_id:
                own = self._show_steps(membership, presenter, signer, record_id)
                rows += [row for row in own if _answers_anything(row["kind"])]
            rows += self._steps_of_idea(membership, presenter, signer, record_id)
            return shown_rows(rows, _cursor_of_step)
        queries = await open_queries(self._node, call.as_, call.pin)
        waiting = queries.list_views(calls.List(what="waiting"))

        def show(items: list[WaitingRow]) -> list[Params]:
            page = waiting.show(items)
            wanted: dict[str, set[tuple[str, bytes]]] = defaultdict(set)
            for row in page:
                about = row["step"]["about"]
                if about is not None:
                    wanted[row["thread"]].add((row["step"]["kind"], bytes.fromhex(about)))
            steps = {
                root: self._all_steps(membership, presenter, signer, bytes.fromhex(root), answers)
                for root, answers in wanted.items()
            }
            return [_find_step(row, steps.get(row["thread"], [])) for row in page]

        # Anybody can make many threads wait for this person. So only the threads of a page are folded.
        return replace(waiting, show=show, usual_limit=MOST_AWAITED, most=MOST_AWAITED)

    async def _resolve_target(self, typed: str, resolver: Resolver) -> bytes:
        """Finds the record whose id a person has typed. If the id is a matter's id, finds the
        matter's measure.
        """
        matter = await self._loops.find_matter(typed)
        return resolver.resolve_record(typed if matter is None else measure_of(matter))

    def _show_steps(
        self,
        membership: Membership,
        presenter: Presenter,
        signer: Signer,
        record_id: bytes,
        wanted: Collection[tuple[str, bytes]] | None = None,
    ) -> list[Params]:
        of_loops = self._loops.awaited_steps(record_id, signer.person)
        return [
            _show_step(
                step,
                presenter,
                is_awaited=(step.kind, step.about) in of_loops,
                question=describe_vote(membership.state, step, presenter),
            )
            for step in find_steps(membership.author, signer, record_id, wanted)
        ]

    def _all_steps(
        self,
        membership: Membership,
        presenter: Presenter,
        signer: Signer,
        record_id: bytes,
        wanted: Collection[tuple[str, bytes]] | None = None,
    ) -> list[Params]:
        """Lists the steps in a thread. If `wanted` is given, lists only these steps: pairs of a
        kind and the record that it answers.

        If the thread is of a new service, and an older service of the same person has measures
        already, the list begins with further steps. These steps ask the questions of these measures
        about the new service too (R-21.9).
        """
        rows = self._show_steps(membership, presenter, signer, record_id, wanted)
        service = membership.state.views.find(record_id)
        if not isinstance(service, Service):
            return rows
        plain = next((row for row in rows if row["kind"] == declared_of(Measure).name), None)
        measures = measures_to_copy(membership.loop_cache, service, self._node.now())
        copies = [
            {**plain, "given": show_input(kept_fields(measure)), "ask": list(ASKED_AGAIN)}
            for measure in measures
            if plain is not None
        ]
        return [*copies, *rows]

    def _steps_of_idea(
        self, membership: Membership, presenter: Presenter, signer: Signer, record_id: bytes
    ) -> list[Params]:
        """If an idea is about a service, lists the trials of this idea that this person
        could post.
        """
        idea = membership.state.views.find(record_id)
        if not isinstance(idea, Idea) or idea.about is None:
            return []
        if membership.state.store.records.find(idea.about) is None:
            return []
        # The field of a trial with its idea bears the name of that kind.
        given = {declared_of(Idea).name: record_id.hex()}
        suggested = {"what": idea.title}
        return [
            {**row, "given": given, "suggested": {**row["suggested"], **suggested}}
            for row in self._show_steps(membership, presenter, signer, idea.about)
            if row["kind"] == declared_of(Trial).name
        ]

    def _answer(self, membership: Membership, record: Record, me: bytes | None) -> Params:
        """Returns the answer to a call: the id of the new record, and advice if there is any. The
        advice is about the signer's balance, or says what a new trial can show.
        """
        presenter = Presenter(membership.state, self._node.now)
        advice = CreditAdvisor(membership.state, presenter).advise(record, me)
        report = membership.author.report_trial(record.id) if advice is None else None
        if report is not None:
            advice = describe_power(report)
        answer: Params = {"id": record.id.hex()}
        if advice:
            answer["advice"] = advice.as_dict()
        return answer


def _cursor_of_step(row: Params) -> str:
    return f"{row['about']}-{row['kind']}-{row['given']}"


def _show_step(step: Step, presenter: Presenter, *, is_awaited: bool, question: Params) -> Params:
    """Shows a step: a record that a person could post. `is_awaited` says whether a feedback loop
    waits for this record. `question` has the entries `says` and `will_vote`.
    """
    is_awaited = is_awaited or (step.awaited is not None and presenter.is_due(step.awaited))
    among = None if step.among is None else sorted(record_id.hex() for record_id in step.among)
    return {
        "kind": step.kind,
        "about": step.about.hex(),
        "title": title_of(step.target) if step.target else None,
        "ask": list(step.ask),
        "given": show_input(step.given),
        "suggested": show_input(step.suggested),
        "among": among,
        "awaited": is_awaited,
        "because": AWAITED if is_awaited else POSSIBLE,
        **question,
    }


def _find_step(row: Params, steps: list[Params]) -> Params:
    """Finds the step that belongs to a row of the list `waiting`.

    If the row asks for a record that begins a thread of its own, such as a proposal, no step
    exists. In this case, makes a step from the row. The person fills in the fields that the row
    does not give.
    """
    kind = row["step"]["kind"]
    about = row["step"]["about"]
    for step in steps:
        if (step["kind"], step["about"]) == (kind, about):
            return step
    given = row["step"].get("given", {})
    fields = {} if given else KINDS[kind].fields
    asked = [name for name, field in fields.items() if not field.filled]
    return {
        "kind": kind,
        "about": None,
        "title": row["title"],
        "ask": asked,
        "given": given,
        "suggested": {},
        "among": None,
        "awaited": True,
        "because": AWAITED,
        "says": row["says"],
        "will_vote": row.get("will_vote"),
    }


def _answers_anything(name: str) -> bool:
    declared = KINDS.get(name)
    return declared is not None and declared.answers_anything


def _is_action(name: str) -> bool:
    declared = KINDS.get(name)
    return declared is not None and declared.view_type is Action


def _resolve_signer(
    membership: Membership, resolver: Resolver, call: calls.Post | calls.NextSteps
) -> bytes | None:
    """Finds the signer whom the param `as` names. Returns None if `as` is missing."""
    if call.as_ is None:
        return None
    return membership.guests.resolve(call.as_, resolver.resolve_person)


async def _open_guest(
    membership: Membership, guest: Guest, call: calls.Post | calls.NextSteps
) -> Signer:
    """Opens a guest's device with the guest's PIN, for this call only. Raises Mistake if the PIN is
    wrong.
    """
    membership.guests.check_admitted(guest)
    seed = await membership.guests.open_seed(guest, call.pin)
    private = PrivateThreads(membership.state, [seal.device_box_key(seed)])
    await private.prepare()
    return Signer(guest.person, guest.device, seed, private)
