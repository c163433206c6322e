"""The labels of the steps in a service's thread, and the service's cards on the Today tab."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from textual.content import Content

from protocol.schema.fields import RecordId
from protocol.schema.shared_rules import MERGEABLE_DAYS, window_begin
from protocol.wire import calls
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _
from tui.kinds import decisions
from tui.kinds.accept_and_close import ACCEPT, CLOSE
from tui.kinds.comments import COMMENT, comment_parts, comments_on
from tui.kinds.face import Face, face, thread_steps
from tui.kinds.next_steps import NextStep, StepWords, way_of
from tui.kinds.services import chains, feedback, matters, measures, trials
from tui.kinds.services.rehearsals import rehearsal_step
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.connection import NodeConnection
from tui.node.shown import Shown

FOLLOWED = frozenset(
    {"link", "measure", "action", "service", "trial"}
)  # what waits in the thread of a service

_DAYS = 14  # the form first proposes this many days for an action
_TITLE = 100
_LONGEST_TITLE = 120  # characters of a proposal's title
_LINK_FIELDS = ("to", "title", "text")
_SAME = "same_as"  # the field of the form of a report: an earlier report of the same incident
_MOST_RECENT = 8  # reports that this field offers


class _Step(NamedTuple):
    """A row of `next_steps`, with the data from which its label and its explanation are made."""

    row: Shown
    target: Shown  # what the step is about
    thread: ThreadData
    reader: Reader

    def given(self, name: str) -> str:
        """Returns the text that the node has fixed for the field `name` of the step's record."""
        given = self.row.row("given")
        return (given.text(name) if given else None) or ""

    def named(self, name: str, room: int = 60) -> str:
        """Returns the text of the field `name`, shortened to one line. The field belongs to the
        record that the step is about.
        """
        return phrases.line_or_hidden(self.target.text(name), room)


@face(
    "service",
    "link",
    "measure",
    "feedback",
    "same_as",
    "answer",
    "action",
    "done",
    "verdict",
    "trial",
)
class ServiceFace(Face):
    """How the screen shows services, and what people ask, say and do about services."""

    page = "tui.screens.service_page:ServiceScreen"

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of a service. For any other record in the thread of a service, makes the
        usual card.
        """
        if view.kind == "service" and view.has("holder"):
            return chains.service_card(view, reader.me)
        return super().card(view, reader)

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Describes a service: its chain, its measures, and what people said recently."""
        root = thread.root
        if not root.has("holder"):
            return super().story(thread, reader)
        reports = [report for report in thread.of_kind("feedback") if report.about == root.id]
        newest = [report for report in reversed(reports) if report.text("text")]
        return chains.service_story(root, newest, reader)

    def waiting_card(self, row: Shown, reader: Reader) -> Card:
        """Makes the card of something that waits for the reader.

        It may be an action, a trial, a measure with an open matter, or a link that somebody offers
        to the reader. It may also be a new service, to which the reader may copy measures.
        """
        match row.kind:
            case "measure":
                return matters.matter_card(row, reader.clock)
            case "trial":
                return trials.waiting_card(row, reader)
            case "service":
                who = phrases.name(row.person("answers_for"), reader.me)
                title = _("{who} opened another service: {what}").format(
                    who=who, what=phrases.line_or_hidden(row.text("title"))
                )
                detail = _("Shall the questions about the other one be asked here too?")
                return Card(matters.page_card_id(matters.SERVICE, row.id), title, detail)
            case "action":
                return matters.action_card(row, reader.clock, reader.me)
            case "link":
                title = _("{who} asks you to take on: {what}").format(
                    who=phrases.name(row.author), what=phrases.line_or_hidden(row.text("title"))
                )
                card_id = matters.page_card_id(
                    matters.SERVICE, row.text("thread") or row.id, row.id
                )
                return Card(card_id, title, row.text("thread_title") or "")
        return super().waiting_card(row, reader)

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of a step about a service, or about another record
        in the service's thread.
        """
        step = _Step(row, thread.find(row.about) or thread.root, thread, reader)
        place = (row.kind, step.target.kind)
        if place in _FIXED_WORDS:
            return _FIXED_WORDS[place]
        return _WORDS[place](step) if place in _WORDS else None

    def beginnings(self, thread: ThreadData, reader: Reader) -> Iterator[NextStep]:
        """If the thread decides about a measure, yields the step that rehearses this measure."""
        del reader
        concerns = thread.root.row("concerns")
        if concerns is not None and concerns.kind == "measure":
            yield rehearsal_step(concerns.id)


def steps_on_service(thread: ThreadData, reader: Reader) -> list[NextStep]:
    """Lists what the reader can do about a service and its links, and the questions to answer."""
    shown_ids = {view.id for view in thread.of_kind("service", "link", COMMENT)}
    asked_ids = {view.id for view in thread.of_kind("measure")}
    return [
        step
        for step in thread_steps(thread, reader)
        if step.about in shown_ids or (step.about in asked_ids and step.kind == "feedback")
    ]


def steps_on_measure(
    measure: Shown, open_matters: list[Shown], thread: ThreadData, reader: Reader
) -> list[NextStep]:
    """Lists what the reader can do about a measure, its matters and their actions.

    People take up an action because of a matter. While no matter is open, the list therefore has no
    step that takes up an action.
    """
    action_ids = {view.id for view in thread.of_kind("action") if view.about == measure.id}
    steps = [
        step for step in thread_steps(thread, reader) if step.about in {measure.id, *action_ids}
    ]
    if not open_matters:
        steps = [step for step in steps if step.kind != "action"]
    if reader.me is not None:
        steps += _draft_steps(open_matters)
        steps.append(adoption_step(measure))
        steps += [step for step in thread_steps(thread, reader) if _goes_on_with(step, measure)]
        steps.append(rehearsal_step(measure.id))
    return sorted(steps, key=lambda step: not step.waits)


def comments_on_measure(measure: Shown, thread: ThreadData, reader: Reader) -> Iterator[Part]:
    """Yields the comments on a measure and on its actions. People comment on the measure's matters
    in this way too.
    """
    actions = [action for action in thread.of_kind("action") if action.about == measure.id]
    comments = comments_on({measure.id, *(action.id for action in actions)}, thread)
    yield from comment_parts(comments, thread, reader, {measure.id})


def steps_on_report(report: Shown, thread: ThreadData, reader: Reader) -> list[NextStep]:
    """Lists what the reader can do about a report."""
    if report.flag("held_back"):
        return []
    return [step for step in thread_steps(thread, reader) if step.about == report.id]


def with_shown_loops(thread: ThreadData, views: list[Shown]) -> ThreadData:
    """Adds `views` to the thread, and returns the new thread. `views` come from lists, and a list
    says more about a record than a thread does. So if both have a view of a record, the new thread
    has the view from the list.
    """
    by_id = {view.id: view for view in views}
    own = [by_id.pop(view.id, view) for view in thread.views]
    return replace(thread, views=[*own, *by_id.values()])


def adoption_step(measure: Shown) -> NextStep:
    """Returns the step that proposes to use a measure. If the measure is in use already, the step
    proposes to stop using it.
    """
    question = phrases.line_or_hidden(measure.text("question"), _TITLE)
    if measure.state == measures.IN_USE:
        heading = _("Stop asking: {question}").format(question=question)
        label = _("Propose to stop asking this")
        return decisions.proposal_step(f"retire {measure.id}", label, heading)
    heading = _("Ask: {question}").format(question=question)
    label = _("Propose to ask everybody this question")
    return decisions.proposal_step(f"adopt {measure.id}", label, heading)


def _draft_steps(open_matters: list[Shown]) -> Iterator[NextStep]:
    """Yields the step that posts a proposal about a matter that nobody in the chain solved (R-23.6f).
    Drafts the text of the proposal.
    """
    for matter in open_matters:
        if matter.person("holder") is None:
            service = matter.row("service") or Shown({})
            measure = matter.row("measure") or Shown({})
            title = _("What shall become of {service}?").format(
                service=phrases.line_or_hidden(service.text("title"))
            )
            text = _("Nobody in its chain has put this right: {question}").format(
                question=phrases.line_or_hidden(measure.text("question"))
            )
            yield decisions.drafted_step(title[:_LONGEST_TITLE], text)


# -- words -----------------------------------------------------------------------------------------


def _goes_on_with(step: NextStep, measure: Shown) -> bool:
    """Returns True if a step posts the measure that continues the given one."""
    is_measure = step.kind == measure.kind and step.about == measure.about
    return is_measure and step.fixed.get("question") == measure.text("question")


def _measure_words(step: _Step) -> StepWords:
    """Returns the label and the explanation of the step that posts a measure. The measure asks a
    new question, or goes on with the question of a measure that ends soon.
    """
    question = step.given("question")
    old = next(
        (
            measure
            for measure in step.thread.of_kind("measure")
            if question and measure.text("question") == question
        ),
        None,
    )
    if old is None and question:
        label = _("Ask here too: {question}").format(question=phrases.line_or_hidden(question, 60))
        meaning = _("This also asks everybody to decide that the question is asked here.")
        send = partial(_send_measure, step.row, "")
        return StepWords(label, meaning, fields=tuple(step.row.texts("ask")), send=send)
    if old is None:
        return StepWords(
            _("Add a regular question for everybody"),
            _("It starts once neighbours vote for it. You can propose that on its page."),
        )
    label = _("Go on asking: {question}").format(question=phrases.line_or_hidden(question, 60))
    meaning = _(
        "The results so far stay. This also asks everybody to decide that it goes on. The old and the "
        "new target are shown side by side."
    )
    numbers = {name: old.number(name) for name in ("target", "share")}
    first = {name: str(number) for name, number in numbers.items() if number is not None}
    account = Content.assemble(*measures.account_parts(old)).plain.strip()
    send = partial(_send_measure, step.row, account)
    return StepWords(label, meaning, first=first, fields=tuple(step.row.texts("ask")), send=send)


async def _send_measure(
    row: Shown, account: str, node: NodeConnection, fields: Mapping[str, object]
) -> str:
    """Posts a measure that continues an earlier measure. Also posts the proposal that adopts the
    new measure.
    """
    given = row.row("given") or Shown({})
    kept = {name: given.value(name) for name in given.names}
    call = calls.Post(kind="measure", fields={**kept, **fields}, about=row.about)
    measure = Shown(await node.call(call)).text("id")
    title = _("Ask: {question}").format(
        question=phrases.line_or_hidden(given.text("question"), _TITLE)
    )
    asked = {"change": f"adopt {measure}", "title": title}
    if account:
        asked["text"] = account
    return phrases.posted(await node.call(calls.Post(kind=decisions.PROPOSAL, fields=asked)))


def _accept_words(step: _Step) -> StepWords:
    what = step.named("title")
    who = phrases.name(step.target.author)
    meaning = _("{who} asks you to take on: “{what}”. By accepting, you promise to do it.")
    meaning = meaning.format(who=who, what=what)
    if step.target.has("instead"):
        meaning += _(" You take over from somebody else.")
    label = _("Accept what {who} asks of you: {what}").format(who=who, what=what)
    return StepWords(label, meaning, fields=())


def _close_words(step: _Step) -> StepWords:
    label = {
        "declined": _("Decline it: {what}"),
        "withdrawn": _("Take back your offer: {what}"),
        "ended": _("End it: {what}"),
    }.get(way_of(step.row) or "", "{what}")
    return StepWords(label.format(what=step.named("title")))


def _link_words(step: _Step) -> StepWords:
    """Returns the label and the explanation of a step that hands on a part of the service. Such a
    step asks somebody to do a part, or passes a part on to somebody.
    """
    old = step.thread.find(step.given("instead"))
    if old is not None:
        what = phrases.line_or_hidden(old.text("title"), 50)
        meaning = _("{who} holds it until the other person accepts.")
        return StepWords(
            _("Pass it to somebody else: {what}").format(what=what),
            meaning.format(who=phrases.name(old.person("to"))),
            first={"title": phrases.line_or_hidden(old.text("title"))},
            fields=_LINK_FIELDS,
        )
    label = _("Ask somebody to do a part of it")
    if step.target.kind == "link":
        label = _("Ask somebody to do a part of: {what}").format(what=step.named("title", 50))
    meaning = _(
        "You stay responsible until they accept; after that they do it and you answer for them."
    )
    return StepWords(label, meaning, fields=_LINK_FIELDS)


def _answer_words(step: _Step) -> StepWords:
    """Returns the label and the explanation of the step that replies to a report, or to all people
    that a measure asked.
    """
    label = _("Reply to everybody")
    if step.target.kind == "feedback":
        label = _("Reply to {who}").format(who=phrases.name(step.target.author))
    links = [link for link in step.thread.of_kind("link") if link.state == "accepted"]
    holders = tuple((_holder_line(link), link.id) for link in links)
    meaning = _(
        "Everybody can read it. If you hold a matter, name a day by which more follows, at most "
        "two weeks on: you then have time until that day, once. If you choose “not ours”, say "
        "whose it is; the time to answer keeps running."
    )
    if not holders:
        return StepWords(label, meaning, fields=("text", "until", "reason"))
    fields = ("text", "until", "reason", "to")
    return StepWords(label, meaning, choices={"to": holders}, fields=fields)


def _holder_line(link: Shown) -> str:
    title = phrases.line_or_hidden(link.text("title"), 50)
    return f"{phrases.name(link.person('to'))}: {title}"


def _merge_words(step: _Step) -> StepWords | None:
    """Returns the label and the explanation of a step about the reader's own report. With this
    step, the reader says whether this report and an earlier report are about the same incident. The
    node names the reports from which the reader can choose the earlier report.
    """
    if "other" not in step.row.texts("ask"):
        return StepWords(
            _("After all, this is another incident"),
            _("Your report then counts as an incident of its own."),
            fields=(),
        )
    measure = step.thread.find(step.target.about)
    others = [step.thread.find(record_id) for record_id in step.row.texts("among")]
    choices = tuple(
        (f"{feedback.report_title(other, measure)} · {phrases.name(other.author)}", other.id)
        for other in others
        if other is not None
    )
    if not choices:
        return None
    label = _("This is the same as what somebody reported before")
    meaning = _("Both reports stay, but count as one incident. You can change this later.")
    return StepWords(label, meaning, choices={"other": choices}, fields=("other",))


def _report_words(step: _Step) -> StepWords:
    """Returns the label and the explanation of the step that answers a measure. If the measure
    counts incidents, and others reported some lately, the form asks: is it one of these?
    """
    words = measures.report_words(step.target)
    if not measures.counts_incidents(step.target):
        return words
    # What has settled counts as it is (R-22.6g). A window settles a day after its end at the soonest.
    unsettled = window_begin(step.reader.clock.day_in(-1), step.target.number("window") or 1)
    since = max(unsettled, step.reader.clock.day_in(-MERGEABLE_DAYS))
    recent = [
        report
        for report in step.thread.of_kind("feedback")
        if report.about == step.target.id
        and (report.text("on") or "") >= since
        and report.author is not None
        and report.author.id != step.reader.me
        and report.value("value") != 0
    ]
    newest = sorted(recent, key=lambda report: report.created, reverse=True)[:_MOST_RECENT]
    if not newest:
        return words
    choices = tuple((_recent_line(report, step), report.id) for report in newest)
    return replace(
        words,
        choices={**words.choices, _SAME: choices},
        extra={_SAME: RecordId(help=_("one of these? Leave it out if yours is another incident"))},
        send=partial(_send_report, step.target.id),
    )


def _recent_line(report: Shown, step: _Step) -> str:
    day = phrases.moment(report.text("on"), step.reader.clock)
    return phrases.dotted([day, feedback.report_title(report, step.target)])


async def _send_report(measure: str, node: NodeConnection, fields: Mapping[str, object]) -> str:
    """Posts a report. If the reader has chosen an earlier report, also says that both are about one
    incident.
    """
    own = {name: value for name, value in fields.items() if name != _SAME}
    answer = await node.call(calls.Post(kind="feedback", fields=own, about=measure))
    other = fields.get(_SAME)
    if other:
        report = Shown(answer).text("id")
        await node.call(calls.Post(kind="same_as", fields={"other": other}, about=report))
    return phrases.posted(answer)


def _action_words(step: _Step) -> StepWords:
    return StepWords(
        _("Take this on: say what you will do, and by when"),
        _("It is yours to do within four weeks. Others may add actions of their own."),
        first={"due": step.reader.clock.day_in(_DAYS)},
        fields=("what", "due"),
    )


def _trial_words(step: _Step) -> StepWords | None:
    # On the page of an idea, the face of the idea has this step.
    is_here = step.target.id == step.row.about
    return trials.step_words(step.row, step.thread.of_kind("measure")) if is_here else None


def _done_words(step: _Step) -> StepWords | None:
    if not matters.is_unfinished(step.target):
        return None
    label = _("Report done: {what}").format(what=step.named("what"))
    return StepWords(label, _("Those who raised the matter then say whether it helped."))


def _verdict_words(step: _Step) -> StepWords | None:
    """Returns the label and the explanation of the step that judges an action. Only people who
    raised the matter get this step.
    """
    if not step.target.flag("i_raised_it"):
        return None
    label = _("Say whether it helped: {what}").format(what=step.named("what"))
    verdict = step.given("fixed")
    return StepWords(
        f"{label} · {labels.state(verdict)}" if verdict else label,
        _("Your latest answer counts. “Partly” and “no” open it again."),
    )


# The words of a step, by its kind and the kind of what it is about.
_FIXED_WORDS = {
    (CLOSE, "service"): StepWords(_("End this service")),
    ("feedback", "service"): StepWords(
        _("Say something about it"),
        _(
            "In your own words. Everybody in the neighbourhood can read it and see that it is "
            "yours. Urgent tells everybody who holds a part of it at once; you can use it "
            "once a week."
        ),
        fields=("text", "on", "urgent"),
    ),
}
_WORDS: dict[tuple[str, str], Callable[[_Step], StepWords | None]] = {
    (ACCEPT, "link"): _accept_words,
    (CLOSE, "link"): _close_words,
    ("link", "service"): _link_words,
    ("link", "link"): _link_words,
    ("measure", "service"): _measure_words,
    ("trial", "service"): _trial_words,
    ("feedback", "measure"): _report_words,
    ("answer", "measure"): _answer_words,
    ("answer", "feedback"): _answer_words,
    ("same_as", "feedback"): _merge_words,
    ("action", "measure"): _action_words,
    ("done", "action"): _done_words,
    ("verdict", "action"): _verdict_words,
}
