"""Shows proposals, renewals and removals: how the votes stand, and what a person can do.

The people who vote (the roll) decide on proposals and renewals. For a removal, each moderator who
wants the removal posts a record of their own. Each of these records is shown with the names of all
moderators who ask for the same removal.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial

from textual.content import Content

from protocol.display_text import safe_text
from protocol.schema import register_names
from protocol.schema.fields import Integer
from protocol.wire import calls
from tui.format import labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _, plural
from tui.kinds import neighbourhood
from tui.kinds.face import Face, face
from tui.kinds.next_steps import NextStep, StepWords
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.connection import NodeConnection
from tui.node.shown import Person, Shown

PROPOSAL = "proposal"
RENEWAL = "renewal"
REMOVE = "remove"
VOTE = "vote"

MOST_LINES = 8  # lines below a question; what has more is opened before it is answered

_WILL_VOTE = "will_vote"
_TYPED = {_WILL_VOTE: Integer(required=True, min=1)}
_NEW_VALUE = "new"  # the name of the field for a rule's new value
_CHANGE_PARTS = 4  # what, key, number and value

# Sort of register → what a decision does with the subject, and how it undoes this.
_CHANGES = {
    register_names.STANDING: (_("{subject} leaves the neighbourhood"), _("{subject} comes back")),
    register_names.HIDDEN: (_("Hidden: {subject}"), _("Shown again: {subject}")),
    register_names.MEASURE: (_("Asked from now on: {subject}"), _("No longer asked: {subject}")),
}
# What a decision does with a trial → the words. Its register holds what becomes of it.
_CHANGES_OF_TRIALS = {
    None: _("It begins: {subject}"),
    "adopted": _("We keep it: {subject}"),
    "adapted": _("We change it and try it again: {subject}"),
    "dropped": _("We give it up: {subject}"),
    "stopped": _("It ends now, because it does harm: {subject}"),
}
_SORTS_WITH_WORDS = {*_CHANGES, register_names.RULE, register_names.TRIAL}
assert set(register_names.SORTS) == _SORTS_WITH_WORDS, "every change has words"
assert {*_CHANGES_OF_TRIALS} == {*register_names.TRIAL_CHANGES.values()}, "every step has words"


@face(PROPOSAL, RENEWAL, REMOVE, VOTE)
class DecisionFace(Face):
    """How the screen shows decisions."""

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of a decision."""
        return decision_card(view, reader)

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Describes a decision: what it would change, how the vote stands, and who voted how."""
        if not thread.is_readable:
            return super().story(thread, reader)
        return Content.assemble(*_story_parts(thread, reader))

    def waiting_card(self, row: Shown, reader: Reader) -> Card:
        """Makes the card of a decision that waits for the reader's vote, or of a removal that waits
        for more moderators.
        """
        if row.kind == REMOVE:
            label = _("{who} asks the moderators to remove {person}").format(
                who=requesters(row), person=phrases.name(row.person("person"))
            )
            return Card(row.id, label, safe_text(row.text("why") or ""))
        if row.kind == RENEWAL:
            return renewal_question(row)
        label = _("Vote: {title}").format(title=decision_title(row))
        return Card(row.id, label, change_line(row, reader))

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of a vote. For any other step, returns None, so
        that the step gets no button here.
        """
        return _vote_words(row, thread.root, reader) if row.kind == VOTE else None

    def beginnings(self, thread: ThreadData, reader: Reader) -> Iterator[NextStep]:
        """Yields steps only in the thread of a removal. If the removal is in force, yields the step
        that asks everybody to let the person back in.

        If the reader is a moderator and has not asked for this removal yet, yields the step that
        asks for it.
        """
        root = thread.root
        person = root.person("person")
        if root.kind != REMOVE or person is None:
            return
        asked_ids = {person.id for person in root.people("asked_by")}
        if root.state == "said" and can_moderate(reader) and reader.me not in asked_ids:
            yield replace(removal_step(person, reader.term), waits=not root.is_by(reader.me))
        elif root.state == "in force":
            yield restoration_step(person)


def renewal_question(row: Shown) -> Card:
    """Makes the card that asks the reader whether a next term may begin.

    The reader can answer with one key if the node wants nothing typed, and if the card shows every
    line.
    """
    question, *lines = [phrases.remark_in_words(remark) for remark in row.rows("says")] or [""]
    has_key = not row.flag("is_typed") and len(lines) <= MOST_LINES
    title = _("[y] {question}").format(question=question) if has_key else question
    shown = [phrases.capitalized(line) for line in lines[:MOST_LINES]]
    cut = phrases.cut_note(len(lines) - MOST_LINES, _("press Enter"))
    return Card(row.id, title, more=(*shown, cut), has_key=has_key)


def lone_voter_step(row: Shown) -> NextStep:
    """Returns the step by which the only voter lets others vote.

    `row` is the row of `list waiting` that asks for this step.
    """
    step = row.row("step") or Shown({})
    given = step.row("given") or Shown({})
    lines = [phrases.remark_in_words(remark) for remark in row.rows("says")]
    meaning = "\n".join(phrases.capitalized(line) for line in lines)
    joining = given.texts("joining")
    label = _("Let others vote") if joining else _("Propose the next term")
    words = StepWords(label, meaning, send=partial(_send_addition, joining))
    return NextStep(RENEWAL, None, words, waits=True, fields=(), extra=_TYPED)


def ordered_cards(views: Iterable[Shown], awaited: Collection[str], reader: Reader) -> list[Card]:
    """Makes a card for each decision. Decisions on which people can still vote come first.

    `awaited` are the ids of the decisions that wait for the reader's vote.
    """
    ordered = sorted(views, key=lambda view: not _can_be_voted_on(view, reader.term))
    return [decision_card(view, reader, is_awaited=view.id in awaited) for view in ordered]


def decision_card(view: Shown, reader: Reader, *, is_awaited: bool = False) -> Card:
    """Makes the card of a decision."""
    parts = [standing_line(view, reader.term), _("vote!") if is_awaited else ""]
    if view.kind == RENEWAL or view.has("change"):
        parts.append(change_line(view, reader))
    quiet = not _can_be_voted_on(view, reader.term) and view.state != "said"
    return Card(view.id, decision_title(view), phrases.dotted(parts), quiet)


def merge_removals(removes: Iterable[Shown]) -> list[Shown]:
    """Keeps one record of each removal, the newest. `removes` must begin with the newest record."""
    first: dict[tuple[str | None, int | None], Shown] = {}
    for remove in removes:
        person = remove.person("person")
        first.setdefault((person.id if person else None, remove.number("n")), remove)
    return list(first.values())


def requesters(view: Shown, me: str | None = None) -> str:
    """Returns the names of the moderators who ask to remove one certain person, or to hide certain
    words.
    """
    people = view.people("asked_by")
    return phrases.person_names(people, me) if people else phrases.name(view.author, me)


def decision_title(view: Shown) -> str:
    """Returns the title that the screen shows for a decision."""
    if view.kind == REMOVE:
        return _("Removal of {person}").format(person=phrases.name(view.person("person")))
    return phrases.title(view)


def change_line(view: Shown, reader: Reader, charter: Shown | None = None) -> str:
    """Says in plain words what a decision would change. If it would change a rule and `charter` is
    given, also says which value the rule has now.
    """
    if view.kind == RENEWAL:
        return _next_term_line(view)
    if view.kind == REMOVE:
        who = phrases.name(view.person("person"))
        return _("{person} leaves the neighbourhood").format(person=who)
    return _proposed_change_line(view, reader, charter)


def standing_line(view: Shown, term: Shown) -> str:
    """Says on one line how a decision stands: its votes and its state."""
    if view.kind == REMOVE:
        return _removal_standing(view)
    votes = _("{yes} yes, {no} no").format(
        yes=len(_voters(view, "yes")), no=len(_voters(view, "no"))
    )
    if _can_be_voted_on(view, term):
        needed = _("{n} of {of} needed").format(n=view.number("needed"), of=view.number("voters"))
        return phrases.dotted([votes, needed if view.has("needed") else ""])
    if view.state == "open":
        return _("over · {counted}").format(counted=votes)
    is_unsettled = view.state in {"passed", "in force"} and term.value("settled") is False
    unsettled = ", " + _("not settled yet") if is_unsettled else ""
    return f"{labels.state(view.state, view.kind)}{unsettled} · {votes}"


def subject_line(concerns: Shown | None) -> str:
    """Describes the post that a decision, a flag or a `hide` record is about. Says its kind and its
    author, and its title if the title may be shown.
    """
    if concerns is None or not concerns.kind:
        return _("something that this home does not have")
    subject = _("{kind} by {who}").format(
        kind=labels.kind(concerns.kind), who=phrases.name(concerns.author)
    )
    title = phrases.plain_line(concerns.text("title") or "", 60).plain
    return f"{subject}: “{title}”" if title else subject


# -- steps that begin a decision -------------------------------------------------------------------


def renewal_step(term: Shown, members: Iterable[Shown]) -> NextStep:
    """Returns the step that proposes a renewal, which begins the next term. In that term, all
    members vote.
    """
    moderators = sorted(person.id or "" for person in term.people("moderators"))
    voters = [member.as_person() for member in members if member.state == "member"]
    return NextStep(
        kind=RENEWAL,
        about=None,
        words=StepWords(
            _("Renew who votes and moderates"),
            _(
                "In a new term everybody who was let in can vote. It names the moderators and "
                "keeps all rules and decisions. It begins when more than half of the voters of "
                "this term say yes; proposing it counts as your yes. You cannot undo it, but you can "
                "hold another one. Then {count} people vote: {who}."
            ).format(count=len(voters), who=phrases.person_names(voters)),
            send=_send_renewal,
        ),
        fields=("title", "moderators", "vouchers", "share"),
        given={
            "moderators": ", ".join(moderators),
            "vouchers": str(term.number("vouchers") or ""),
            "share": str(term.number("share") or ""),
        },
        extra=_TYPED,
    )


def proposal_step(change_words: str, label: str, heading: str) -> NextStep:
    """Returns the step that proposes a given change. The form asks only for the title, the text and
    the closing day.

    `change_words` is the change, written in the form that the node reads.
    """
    meaning = _(
        "All members can vote. It holds when enough say yes. You cannot take back a "
        "proposal or change a yes."
    )
    return NextStep(
        kind=PROPOSAL,
        about=None,
        words=StepWords(label, meaning),
        fields=("title", "text", "closes"),
        given={"title": heading},
        fixed={"change": change_words},
    )


def drafted_step(title: str, text: str) -> NextStep:
    """Returns the step that posts a question to everybody. The caller has drafted this question."""
    return NextStep(
        kind=PROPOSAL,
        about=None,
        words=StepWords(
            _("Ask everybody to decide what happens"),
            _("All members can vote. You cannot take a proposal back."),
        ),
        waits=True,
        fields=("title", "text", "closes"),
        given={"title": title, "text": text},
    )


def rule_step(rule: str, charter: Shown, reader: Reader) -> NextStep | None:
    """Returns the step that proposes a new value for a rule. If only a renewal can change the rule,
    returns None.
    """
    if rule in register_names.BY_RENEWAL:
        return None
    value = charter.value(rule)
    label = neighbourhood.rule_label(rule)
    meaning = _(
        "{name} is now: {value}. It changes when more than {share} % of all members, and of the "
        "voters in this term, say yes. You cannot take a proposal back, but everybody can decide again."
    ).format(
        name=label,
        value=neighbourhood.rule_value(rule, value, reader.clock),
        share=reader.term.number("share"),
    )
    return NextStep(
        kind=PROPOSAL,
        about=None,
        words=StepWords(
            _("Propose a change: {rule}").format(rule=label),
            meaning,
            send=partial(_send_rule, rule),
        ),
        fields=("title", "text", "closes"),
        given={_NEW_VALUE: "" if value is None else str(value), "title": label},
        extra={_NEW_VALUE: replace(neighbourhood.field_of(rule), required=True)},
    )


def removal_step(person: Person, term: Shown) -> NextStep:
    """Returns the step with which a moderator asks to remove a person from the neighbourhood."""
    who = phrases.name(person)
    meaning = _(
        "When {n} moderators have said so, {who} is out, and what they post after that "
        "does not count. You cannot take this back; only a vote can bring {who} back."
    )
    return NextStep(
        kind=REMOVE,
        about=None,
        words=StepWords(
            _("As a moderator, ask to remove {who}").format(who=who),
            meaning.format(n=term.number("moderators_needed"), who=who),
        ),
        fields=("why",),
        fixed={"person": person.id},
    )


def restoration_step(person: Person) -> NextStep:
    """Returns the step that asks the people who vote (the roll) to let a removed person back in."""
    who = phrases.name(person)
    return proposal_step(
        f"restore {person.id}",
        _("Ask everybody to let {who} back in").format(who=who),
        _("{who} comes back").format(who=who),
    )


def expulsion_step(person: Person) -> NextStep:
    """Returns the step that asks everybody to remove a person from the neighbourhood."""
    who = phrases.name(person)
    return proposal_step(
        f"remove {person.id}",
        _("Ask everybody to remove {who}").format(who=who),
        _("{who} leaves the neighbourhood").format(who=who),
    )


def can_moderate(reader: Reader) -> bool:
    """Returns True if the reader is a moderator and there are enough moderators to decide."""
    moderators = reader.term.people("moderators")
    is_moderator = any(person.id == reader.me for person in moderators)
    return is_moderator and reader.term.has("moderators_needed")


async def _send_renewal(node: NodeConnection, fields: Mapping[str, object]) -> str:
    """Sends a renewal with the method `renew`, which adds everything in force to the renewal. The
    method `post` would not add this.
    """
    call = calls.Renew(
        moderators=fields.get("moderators"),
        vouchers=fields.get("vouchers"),
        share=fields.get("share"),
        title=fields.get("title"),
        will_vote=_typed_number(fields),
    )
    return phrases.posted(await node.call(call))


async def _send_addition(
    joining: list[str], node: NodeConnection, fields: Mapping[str, object]
) -> str:
    """Sends a renewal that only adds voters."""
    call = calls.Renew(joining=joining, will_vote=_typed_number(fields))
    return phrases.posted(await node.call(call))


async def _send_typed_yes(decision: str, node: NodeConnection, fields: Mapping[str, object]) -> str:
    """Sends a yes, together with the number that the reader typed (R-16.5m)."""
    choice = {"choice": "yes"}
    call = calls.Post(kind=VOTE, fields=choice, about=decision, will_vote=_typed_number(fields))
    return phrases.posted(await node.call(call))


def _typed_number(fields: Mapping[str, object]) -> int | None:
    """Returns the number that the reader typed. The form has checked that the text is a number."""
    typed = fields.get(_WILL_VOTE)
    return int(str(typed)) if typed else None


async def _send_rule(rule: str, node: NodeConnection, fields: Mapping[str, object]) -> str:
    """Posts a proposal to give a rule a new value."""
    others = {name: value for name, value in fields.items() if name != _NEW_VALUE}
    change = f"charter {rule}={fields.get(_NEW_VALUE)}"
    call = calls.Post(kind=PROPOSAL, fields={**others, "change": change})
    answer = await node.call(call)
    return phrases.posted(answer)


# -- story -----------------------------------------------------------------------------------------


def _story_parts(thread: ThreadData, reader: Reader) -> Iterator[Part]:
    root = thread.root
    author = phrases.name(root.author, reader.me)
    at = phrases.moment(root.created, reader.clock)
    yield (decision_title(root), "bold")
    yield "\n" + " · ".join([labels.kind(root.kind), author, at])
    for text in (root.text("text"), root.text("why")):
        if text:
            yield "\n\n" + safe_text(text).strip()
    yield ("\n\n" + _("What changes") + ": ", "dim")
    yield change_line(root, reader, thread.charter)
    if root.rows("adds"):
        yield "\n" + _vouchers_line(root)
    yield ("\n" + _("How it stands") + ": ", "dim")
    if root.kind == REMOVE:
        yield _removal_standing(root) + "\n" + _("A vote can bring them back.")
    else:
        yield from _voting_parts(thread, reader)


def _voting_parts(thread: ThreadData, reader: Reader) -> Iterator[Part]:
    root = thread.root
    yield standing_line(root, reader.term)
    if root.text("closes"):
        day = phrases.moment(root.text("closes"), reader.clock)
        yield " · " + _("voting until {day}").format(day=day)
    if root.has("needed_of_roll") and _can_be_voted_on(root, reader.term):
        sentence = _("{n} of them from the {of} voters of this term")
        yield ", " + sentence.format(n=root.number("needed_of_roll"), of=root.number("roll"))
    for label, choice in ((_("Yes"), "yes"), (_("No"), "no")):
        voters = _voters(root, choice)
        if voters:
            yield ("\n" + label + ": ", "dim")
            yield phrases.person_names(voters, reader.me)
    if _can_be_voted_on(root, reader.term):
        yield "\n" + _own_vote_line(thread, reader.me)


def _proposed_change_line(view: Shown, reader: Reader, charter: Shown | None) -> str:
    change = view.value("change")
    if not isinstance(change, list) or len(change) != _CHANGE_PARTS:
        return _("Nothing by itself: it is a question for everybody")
    what, key, number, value = change
    # In a register, an odd number means removed or hidden. An even number undoes that.
    is_odd = isinstance(number, int) and number % 2 == 1
    match what:
        case register_names.RULE:
            return _rule_line(view, str(key), value, reader, charter)
        case register_names.STANDING:
            subject = phrases.name(view.person("concerns"))
        case _other:
            subject = subject_line(view.row("concerns"))
    if what == register_names.TRIAL and value in _CHANGES_OF_TRIALS:
        return _CHANGES_OF_TRIALS[value].format(subject=subject)
    if what not in _CHANGES:
        return _("Something newer than this program knows")
    done, undone = _CHANGES[what]
    line = (done if is_odd else undone).format(subject=subject)
    if what == register_names.MEASURE and is_odd:
        return phrases.dotted([line, *_adoption_terms(value)])
    return line


def _adoption_terms(value: object) -> Iterator[str]:
    """If a decision adopts a measure that counts everybody's answers only in 1 of several windows,
    yields a line that says so.
    """
    match value:
        case [int(), int(cycle)] if cycle > 1:
            yield _("everybody's answers count in 1 of {n} windows").format(n=cycle)


def _rule_line(view: Shown, rule: str, value: object, reader: Reader, charter: Shown | None) -> str:
    proposed = neighbourhood.rule_line(rule, value, reader.clock)
    if charter is None or not charter.names or view.state != "open":
        return proposed
    current = neighbourhood.rule_value(rule, charter.value(rule), reader.clock)
    return _("{rule} (now {value})").format(rule=proposed, value=current)


def _vouchers_line(renewal: Shown) -> str:
    """Says who vouched for each person that a renewal adds."""
    sentences = [
        _("{vouchers} vouched for {who}").format(
            vouchers=phrases.person_names(added.people("vouchers")),
            who=phrases.name(added.person("person")),
        )
        for added in renewal.rows("adds")
    ]
    return phrases.capitalized("; ".join(sentences))


def _next_term_line(view: Shown) -> str:
    parts = []
    for sentence, name in (
        (_("new voters: {who}"), "joining"),
        (_("no longer voters: {who}"), "leaving"),
        (_("moderators: {who}"), "moderators"),
    ):
        people = view.people(name)
        if people:
            parts.append(sentence.format(who=phrases.person_names(people)))
    if view.value("parts"):
        parts.append(_("and more people"))
    count = view.number("vouchers")
    if count:
        vouchers = plural(
            "a newcomer needs {n} neighbour", "a newcomer needs {n} neighbours", count
        )
        parts.append(vouchers.format(n=count))
        parts.append(_("decisions need more than {n} % yes").format(n=view.number("share")))
    return phrases.capitalized("; ".join(parts))


def _removal_standing(removal: Shown) -> str:
    who = requesters(removal)
    if removal.state == "said":
        return _("asked by {who}; waits for more moderators").format(who=who)
    if removal.state == "in force":
        return _("removed by {who}").format(who=who)
    return _("over; {who} had asked for it").format(who=who)


# -- votes -----------------------------------------------------------------------------------------


def _can_be_voted_on(view: Shown, term: Shown) -> bool:
    """Returns True if people can still vote on a decision. A renewal is over once another term has
    begun.
    """
    return view.state == "open" and view.text("parent") in {None, term.id}


def _voters(view: Shown, choice: str) -> list[Person]:
    voted = view.row("voted")
    return voted.people(choice) if voted else []


def _vote_of(view: Shown, me: str | None) -> str | None:
    """Returns the reader's vote, "yes" or "no". If the reader has not voted, returns None."""
    for choice in ("yes", "no"):
        if me is not None and any(voter.id == me for voter in _voters(view, choice)):
            return choice
    return None


def _own_vote_line(thread: ThreadData, me: str | None) -> str:
    match _vote_of(thread.root, me):
        case "yes":
            return _("You voted yes. You cannot change a yes.")
        case "no":
            return _("You voted no. You can still vote yes.")
    if any(row.kind == VOTE for row in thread.steps):
        return _("You have not voted yet.")
    if thread.root.kind == RENEWAL:
        return _("You cannot vote on this: you become a voter when the next term begins.")
    return _("You cannot vote on this: it was proposed before you came.")


def _vote_words(row: Shown, root: Shown, reader: Reader) -> StepWords | None:
    given = row.row("given")
    choice = given.text("choice") if given else None
    heading = f"“{decision_title(root)}”\n"
    if choice == "yes":
        has_voted = _vote_of(root, reader.me) is not None
        label = _("Vote yes after all") if has_voted else _("Vote yes")
        meaning = heading + _("You cannot change a yes afterwards.")
        if not row.has("will_vote"):
            return StepWords(label, meaning)
        lines = [phrases.capitalized(phrases.remark_in_words(part)) for part in row.rows("says")]
        return StepWords(
            label,
            "\n".join([*lines, _("You cannot change a yes afterwards.")]),
            extra=_TYPED,
            send=partial(_send_typed_yes, root.id),
        )
    if choice == "no":
        meaning = heading + _("You can still vote yes while it is open.")
        return StepWords(_("Vote no"), meaning)
    return None
