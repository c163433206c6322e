"""Shows matters: which signal opened a matter, who holds it, what people did about it, and what
waits for the reader. All functions here are pure.

A signal of a measure opens a matter, and a person of the service's chain holds the matter. An
action is something that a person takes up to solve it. In a verdict, a person who raised the matter
says whether the action helped.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta

from protocol.display_text import safe_line, safe_text
from tui.format import labels, phrases
from tui.format.phrases import Card, Shown
from tui.i18n import _, plural
from tui.kinds import measures
from tui.kinds.feedback import answer_step
from tui.kinds.next_steps import NextStep

Part = phrases.Part  # also used by the page of a measure, which adds parts of its own

MEASURE = "measure"
SERVICE = "service"

_DAYS = 14  # the form first proposes this many days for an action
_JUDGED_STATES = {"reported done", "reopened", "confirmed"}
_UNFINISHED_STATES = {"open", "overdue", "reopened"}


def page_card_id(page: str, record_id: str, reason: str = "") -> str:
    """Makes the id of a card that leads to a page. If two cards lead to the same page, a different
    `reason` keeps their ids different.
    """
    return f"{page}:{record_id}:{reason}"


def read_page_card_id(card_id: str) -> tuple[str, str] | None:
    """Splits the id of a card that leads to a page. Returns the name of the page and the id of its
    record. For any other card, returns None.
    """
    page, _colon, rest = card_id.partition(":")
    return (page, rest.partition(":")[0]) if page in {MEASURE, SERVICE} and rest else None


# -- lists ----------------------------------------------------------------------------------------


def waiting_matter_cards(
    services: Iterable[Shown],
    matters: Iterable[Shown],
    actions: Iterable[Shown],
    me: str | None,
    today: date,
) -> Iterator[Card]:
    """Yields a card for each thing that waits for `me`: matters that `me` holds, links offered to
    `me`, and actions to finish or to judge. Also yields the matters that the whole neighbourhood
    must decide.
    """
    if me is None:
        return
    matters = list(matters)
    open_matters = [matter for matter in matters if matter["state"] == "open"]
    for matter in open_matters:
        if _holds(matter, me) and matter["answer_by"]:
            yield _answer_by_card(matter, today)
    for service in services:
        for link in service.get("links") or []:
            if link["state"] == "offered" and link["to"]["id"] == me:
                yield _offered_link_card(service, link)
    yield from _action_cards(actions, matters, me, today)
    for matter in open_matters:
        if matter["holder"] is None:
            yield _unsolved_card(matter)


def outcome_cards(
    reports: Iterable[Shown],
    asked_measures: Iterable[Shown],
    matters: Iterable[Shown],
    answers: Iterable[Shown],
    today: date,
) -> list[Card]:
    """Makes a card for each report of the reader. The card says what happened because of the
    report.
    """
    measures_by_id = {measure["id"]: measure for measure in asked_measures}
    matters_by_id = {matter["id"]: matter for matter in matters}
    first_answers: dict[str, Shown] = {}
    for answer in answers:
        first_answers.setdefault(answer["about"], answer)
    return [
        _report_card(
            report,
            measures_by_id.get(report["about"]),
            matters_by_id.get(report.get("matter") or ""),
            first_answers.get(report["id"]),
            today,
        )
        for report in reports
    ]


def _answer_by_card(matter: Shown, today: date) -> Card:
    title = _("Answer by {day}: {what}").format(
        day=phrases.moment(matter["answer_by"], today), what=_title(matter)
    )
    card_id = page_card_id(MEASURE, matter["measure"]["id"], matter["id"])
    return Card(card_id, title, phrases.line_or_hidden(matter["sentence"]))


def _unsolved_card(matter: Shown) -> Card:
    title = _("Nobody responsible fixed this: {what}").format(what=_title(matter))
    detail = _("It is now up to all of us. Open it to propose a decision.")
    return Card(page_card_id(MEASURE, matter["measure"]["id"], matter["id"]), title, detail)


def _offered_link_card(service: Shown, link: Shown) -> Card:
    title = _("{who} asks you to take on: {what}").format(
        who=phrases.name(link["author"]), what=phrases.line_or_hidden(link["title"])
    )
    return Card(page_card_id(SERVICE, service["id"], link["id"]), title, phrases.title(service))


def _action_cards(
    actions: Iterable[Shown], matters: Iterable[Shown], me: str, today: date
) -> Iterator[Card]:
    """Yields a card for each action that `me` still has to finish, or still has to judge."""
    titles = {matter["id"]: _title(matter) for matter in matters}
    for action in actions:
        card_id = page_card_id(MEASURE, action["about"], action["id"])
        what = phrases.line_or_hidden(action["what"])
        detail = titles.get(action.get("matter") or "", "")
        if action["state"] in {"reported done", "reopened"} and _may_judge(action, me):
            if action.get("i_said") is None:
                yield Card(card_id, _("Did it help? {what}").format(what=what), detail)
        elif action["author"]["id"] == me and action["state"] in _UNFINISHED_STATES:
            sentence = {
                "open": _("You do this by {day}: {what}"),
                "overdue": _("This was due by {day}: {what}"),
                "reopened": _("People say it is not fixed yet: {what}"),
            }[action["state"]]
            day = phrases.moment(action["due"], today)
            yield Card(card_id, sentence.format(day=day, what=what), detail)


def _report_card(
    report: Shown,
    measure: Shown | None,
    matter: Shown | None,
    answer: Shown | None,
    today: date,
) -> Card:
    value = measures.answer_in_words(measure, report.get("value"))
    title = phrases.dotted([value, safe_line(report.get("text") or "")])
    if measure:
        title = f"{phrases.line_or_hidden(measure['question'], 60)} {title}"
        card_id = page_card_id(MEASURE, measure["id"], report["id"])
    else:
        card_id = page_card_id(SERVICE, report["service"], report["id"])
    if matter is None:
        outcome = _outcome_without_matter(measure, answer)
    else:
        outcome = _matter_outcome(matter, today)
    detail = f"{phrases.moment(report['on'], today)} · {outcome}"
    return Card(card_id, title, detail, quiet=not matter or matter["state"] != "open")


def _outcome_without_matter(measure: Shown | None, answer: Shown | None) -> str:
    if answer:
        return _("{who} answered: {text}").format(
            who=phrases.name(answer["author"]), text=phrases.line_or_hidden(answer["text"])
        )
    if measure is None:
        return _("nobody has answered yet")
    return _("counted; nothing stands out")


def _matter_outcome(matter: Shown, today: date) -> str:
    parts = [_state(matter)]
    leading = matter.get("leading")  # the action that serves as the answer
    if leading:
        parts.append(phrases.line_or_hidden(leading["what"], 60))
    if matter.get("outcome"):
        parts.append(safe_line(matter["outcome"]["words"]))
    elif leading:
        parts.append(labels.state(leading["state"]))
    else:
        parts.append(_holder_sentence(matter, None, today))
    return " · ".join(parts)


# -- story ----------------------------------------------------------------------------------------


def matter_story(
    matter: Shown, measure: Shown, actions: list[Shown], sayings: list[Shown], today: date,
    me: str | None,
) -> Iterator[Part]:  # fmt: skip
    """Describes a matter, for the page of its measure. `sayings` holds the `done` records and the
    verdicts on its actions.
    """
    at = phrases.moment(matter["created"], today)
    yield (_("A matter, since {day}: {state}").format(day=at, state=_state(matter)), "bold")
    yield "\n" + _("{came}, starting {day}. {sentence}").format(
        came=measures.result_in_words(measure, matter),
        day=phrases.moment(matter["from"], today),
        sentence=phrases.line_or_hidden(matter["sentence"]),
    )
    yield "\n" + _raisers_line(matter)
    if matter["state"] == "open":
        yield "\n" + _holder_sentence(matter, me, today)
    theirs = [action for action in actions if action.get("matter") == matter["id"]]
    for action in sorted(theirs, key=lambda action: not action.get("leads")):
        about = [saying for saying in sayings if saying["about"] == action["id"]]
        yield from _action_parts(action, about, today, me)
    if matter.get("outcome"):
        yield from _outcome_parts(measure, matter["outcome"])


def _raisers_line(matter: Shown) -> str:
    count = int(matter["raised_by"])
    sentence = plural("Raised by {n} person", "Raised by {n} people", count).format(n=count)
    return sentence + (", " + _("you among them") if matter.get("i_raised_it") else "")


def _outcome_parts(measure: Shown, outcome: Shown) -> Iterator[Part]:
    yield ("\n" + _("Before and after") + ": ", "dim")
    yield _("{before}, then {after}. {words}").format(
        before=measures.result_in_words(measure, outcome["before"]),
        after=measures.result_in_words(measure, outcome["after"]),
        words=phrases.line_or_hidden(outcome["words"]),
    )


def _action_parts(
    action: Shown, sayings: list[Shown], today: date, me: str | None
) -> Iterator[Part]:
    sentence = _("{who} took on") if action.get("leads", True) else _("{who} also took on")
    sentence = sentence.format(who=phrases.capitalized(phrases.name(action["author"], me)))
    yield f"\n{sentence}: {phrases.line_or_hidden(action['what'])}"
    yield " · " + _("by {day}").format(day=phrases.moment(action["due"], today))
    yield ("\n  " + _("The person doing it says") + ": ", "dim")
    done = next((saying for saying in sayings if saying["kind"] == "done"), None)
    if done is None:
        yield _("not done yet")
    else:
        yield _("done on {day}").format(day=phrases.moment(done["created"], today))
        if done.get("text"):
            yield f" – “{phrases.line_or_hidden(done['text'])}”"
    yield ("\n  " + _("People say") + ": ", "dim")
    yield _verdict_counts(action) or _("nothing yet")
    yield f" · {labels.state(action['state'])}"
    for saying in sayings:
        if saying["kind"] == "verdict" and saying.get("text"):
            author = phrases.name(saying["author"], me)
            yield f"\n    {author}: “{safe_text(saying['text']).strip()}”"


def _verdict_counts(action: Shown) -> str:
    counts = action.get("fixed") or {}
    return ", ".join(
        f"{labels.state(verdict)} {counts[verdict]}"
        for verdict in ("yes", "partly", "no")
        if counts.get(verdict)
    )


# -- steps ----------------------------------------------------------------------------------------


def matter_steps(
    measure: Shown, service: Shown, matters: list[Shown], actions: list[Shown], me: str | None,
    today: date,
) -> list[NextStep]:  # fmt: skip
    """Lists what `me` can do about a measure and its matters. Things that somebody waits for come
    first.
    """
    if me is None:
        return []
    steps = [
        *_action_steps(actions, me),
        *_take_up_steps(measure, matters, me, today),
        *measures.report_steps(measure),
        answer_step(measure, service),
        *_draft_steps(matters),
        measures.adoption_step(measure),
    ]
    return sorted(steps, key=lambda step: not step.waits)


def _action_steps(actions: list[Shown], me: str) -> Iterator[NextStep]:
    """Yields the step that reports an action done, for each unfinished action of `me`. Also yields
    the step that judges an action, for each action of another person in a matter that `me` raised.
    """
    for action in actions:
        what = phrases.line_or_hidden(action["what"], 60)
        if action["author"]["id"] == me and action["state"] in _UNFINISHED_STATES:
            yield NextStep(
                kind="done",
                about=action["id"],
                label=_("Report done: {what}").format(what=what),
                waits=True,
                meaning=_("Those who raised the matter then say whether it helped."),
            )
        if action["state"] in _JUDGED_STATES and _may_judge(action, me):
            yield NextStep(
                kind="verdict",
                about=action["id"],
                label=_("Say whether it helped: {what}").format(what=what),
                waits=action.get("i_said") is None,
                meaning=_("Your latest answer counts. “Partly” and “no” open it again."),
            )


def _take_up_steps(
    measure: Shown, matters: list[Shown], me: str, today: date
) -> Iterator[NextStep]:
    for matter in matters:
        if matter["state"] == "open" and measure["state"] == measures.IN_USE:
            yield NextStep(
                kind="action",
                about=measure["id"],
                label=_("Take this on: say what you will do, and by when"),
                waits=_holds(matter, me) and bool(matter["answer_by"]),
                meaning=_(
                    "It is yours to do within four weeks. Others may add actions of their own."
                ),
                fields=("what", "due"),
                given={"due": (today + timedelta(_DAYS)).isoformat()},
            )


def _draft_steps(matters: list[Shown]) -> Iterator[NextStep]:
    """Yields the step that posts a proposal about a matter that nobody solved. The node has drafted
    its text.
    """
    for matter in matters:
        if matter["state"] == "open" and matter.get("draft"):
            draft = matter["draft"]
            yield NextStep(
                kind="proposal",
                about=None,
                label=_("Ask everybody to decide what happens"),
                waits=True,
                meaning=_("All current voters decide. You cannot take a proposal back."),
                fields=("title", "text", "closes"),
                given={
                    "title": phrases.line_or_hidden(draft["title"]),
                    "text": safe_text(draft["text"]),
                },
            )


def _may_judge(action: Shown, me: str) -> bool:
    return bool(action.get("i_raised_it")) and action["author"]["id"] != me


def _holds(matter: Shown, me: str) -> bool:
    return (matter["holder"] or {}).get("id") == me


# -- a matter in words ----------------------------------------------------------------------------


def _title(matter: Shown) -> str:
    service = phrases.line_or_hidden(matter["service"]["title"])
    return f"{service}: {phrases.line_or_hidden(matter['measure']['question'])}"


def _state(matter: Shown) -> str:
    return _("open") if matter["state"] == "open" else _("closed: it helped")


def _holder_sentence(matter: Shown, me: str | None, today: date) -> str:
    if matter["holder"] is None:
        return _("Nobody responsible fixed this, so it is now up to all of us.")
    sentence = _("Held by {who} since {day}").format(
        who=phrases.name(matter["holder"], me), day=phrases.moment(matter["held_since"], today)
    )
    if not matter["answer_by"]:
        return sentence + ", " + _("already answered")
    by = phrases.moment(matter["answer_by"], today)
    return sentence + ", " + _("answer due by {day}").format(day=by)
