"""Matters: what signals have opened, who holds it, what was done, and what waits for whom. Pure."""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from textual.content import Content

from protocol.display_text import line, safe
from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.kinds import feedback as reports
from tui.kinds import measures
from tui.kinds.next_steps import Act

Shown = dict[str, Any]
Part = Content | str | tuple[str, str]

MEASURE, SERVICE = "measure", "service"
_DAYS = 14  # a first proposal for how long an action takes
_DONE = {"reported done", "reopened", "confirmed"}


def place(what: str, record: str, why: str = "") -> str:
    """The id of a card that leads to a page: several may lead to one, for different reasons."""
    return f"{what}:{record}:{why}"


def placed(card_id: str) -> tuple[str, str] | None:
    """The page that a card leads to, and the record it is of."""
    what, _colon, rest = card_id.partition(":")
    return (what, rest.partition(":")[0]) if what in {MEASURE, SERVICE} and rest else None


# -- lists ----------------------------------------------------------------------------------------


def waits(
    services: Iterable[Shown],
    matters: Iterable[Shown],
    actions: Iterable[Shown],
    me: str | None,
    today: date,
) -> Iterator[Card]:
    """What needs `me`: what I hold, what is offered to me, what I am asked, what all are to decide."""
    if me is None:
        return
    matters = list(matters)
    for one in matters:
        if one["state"] == "open" and (one["holder"] or {}).get("id") == me and one["answer_by"]:
            by = _("Answer by {day}: {what}").format(
                day=telling.moment(one["answer_by"], today), what=_named(one)
            )
            yield Card(
                place(MEASURE, one["measure"]["id"], one["id"]),
                by,
                telling.line_or_hidden(one["sentence"]),
            )
    for service in services:
        for link in service.get("links") or []:
            if link["state"] == "offered" and link["to"]["id"] == me:
                told = _("{who} hands on to you: {what}").format(
                    who=telling.name(link["author"]), what=telling.line_or_hidden(link["title"])
                )
                yield Card(place(SERVICE, service["id"], link["id"]), told, telling.title(service))
    yield from _of_actions(actions, matters, me, today)
    for one in matters:
        if one["state"] == "open" and one["holder"] is None:
            told = _("Nobody in the chain put it right: {what}").format(what=_named(one))
            detail = _("It has come to the neighbourhood. Open it to propose a decision.")
            yield Card(place(MEASURE, one["measure"]["id"], one["id"]), told, detail)


def came_of(
    said: Iterable[Shown],
    asked: Iterable[Shown],
    matters: Iterable[Shown],
    answers: Iterable[Shown],
    today: date,
) -> list[Card]:
    """What I said, with what came of it; each said in two lines."""
    by_id, opened = {one["id"]: one for one in asked}, {one["id"]: one for one in matters}
    found = []
    for one in said:
        view = by_id.get(one["about"])
        parts = [measures.told_value(view, one.get("value")), line(one.get("text") or "")]
        told = " · ".join(part for part in parts if part)
        told = f"{telling.line_or_hidden(view['question'], 60)} {told}" if view else told
        reply = next((each for each in answers if each["about"] == one["id"]), None)
        matter = opened.get(one.get("matter") or "")
        at = telling.moment(one["on"], today)
        where = place(MEASURE, view["id"], one["id"]) if view else ""
        where = where or place(SERVICE, one["service"], one["id"])
        detail = " · ".join([at, _came(matter, reply, view, today)])
        found.append(Card(where, told, detail, quiet=not matter or matter["state"] != "open"))
    return found


def _of_actions(
    actions: Iterable[Shown], matters: list[Shown], me: str, today: date
) -> Iterator[Card]:
    questions = {one["id"]: _named(one) for one in matters}
    for one in actions:
        where, what = place(MEASURE, one["about"], one["id"]), telling.line_or_hidden(one["what"])
        asked = questions.get(one.get("matter") or "", "")
        if one["state"] in {"reported done", "reopened"} and _may_judge(one, me):
            if one.get("i_said") is None:
                yield Card(where, _("Did it help? {what}").format(what=what), asked)
        elif one["author"]["id"] == me and one["state"] in {"open", "overdue", "reopened"}:
            day = telling.moment(one["due"], today)
            told = {
                "open": _("You do this by {day}: {what}"),
                "overdue": _("This was to be done by {day}: {what}"),
                "reopened": _("People say it is not right yet: {what}"),
            }[one["state"]]
            yield Card(where, told.format(day=day, what=what), asked)


def _came(matter: Shown | None, reply: Shown | None, view: Shown | None, today: date) -> str:
    if matter is None:
        if reply:
            told = _("{who} answered: {text}")
            return told.format(
                who=telling.name(reply["author"]), text=telling.line_or_hidden(reply["text"])
            )
        if view is None:
            return _("nobody has answered yet")
        return _("counted; nothing stands out")
    leading, parts = matter.get("leading"), [_state(matter)]
    if leading:
        parts.append(telling.line_or_hidden(leading["what"], 60))
    if matter.get("outcome"):
        parts.append(line(matter["outcome"]["words"]))
    elif leading:
        parts.append(words.state(leading["state"]))
    else:
        parts.append(_held(matter, None, today))
    return " · ".join(parts)


# -- told -----------------------------------------------------------------------------------------


def story(
    matter: Shown, view: Shown, actions: list[Shown], words_said: list[Shown], today: date,
    me: str | None,
) -> Iterator[Part]:  # fmt: skip
    """A matter on the page of its measure. `words_said`: reports that it is done, and verdicts."""
    at = telling.moment(matter["created"], today)
    yield (_("A matter, since {day}: {state}").format(day=at, state=_state(matter)), "bold")
    yield "\n" + _("{came} in the time from {day}. {sentence}").format(
        came=measures.came(view, matter),
        day=telling.moment(matter["from"], today),
        sentence=telling.line_or_hidden(matter["sentence"]),
    )
    raised = int(matter["raised_by"])
    told = plural("Raised by {n} person", "Raised by {n} people", raised).format(n=raised)
    yield "\n" + told + (", " + _("you among them") if matter.get("i_raised_it") else "")
    if matter["state"] == "open":
        yield "\n" + _held(matter, me, today)
    mine = [one for one in actions if one.get("matter") == matter["id"]]
    for one in sorted(mine, key=lambda one: not one.get("leads")):
        yield from _action(one, words_said, today, me)
    if matter.get("outcome"):
        came = matter["outcome"]
        yield ("\n" + _("Before and after") + ": ", "dim")
        yield _("{before}, then {after}. {words}").format(
            before=measures.came(view, came["before"]),
            after=measures.came(view, came["after"]),
            words=telling.line_or_hidden(came["words"]),
        )


def _action(one: Shown, said: list[Shown], today: date, me: str | None) -> Iterator[Part]:
    who = telling.name(one["author"], me)
    told = _("{who} does") if one.get("leads", True) else _("{who} helps")
    due = telling.moment(one["due"], today)
    yield (
        "\n"
        + told.format(who=who[:1].upper() + who[1:])
        + f": {telling.line_or_hidden(one['what'])}"
    )
    yield " · " + _("by {day}").format(day=due)
    yield ("\n  " + _("Who does it says") + ": ", "dim")
    done = [each for each in said if each["about"] == one["id"] and each["kind"] == "done"]
    yield (
        _("done on {day}").format(day=telling.moment(done[0]["created"], today))
        if done
        else (_("not done yet"))
    )
    if done and done[0].get("text"):
        yield f" – “{telling.line_or_hidden(done[0]['text'])}”"
    yield ("\n  " + _("People say") + ": ", "dim")
    fixed = one.get("fixed") or {}
    counted = [
        f"{words.state(word)} {fixed[word]}" for word in ("yes", "partly", "no") if fixed.get(word)
    ]
    yield ", ".join(counted) if counted else _("nothing yet")
    yield f" · {words.state(one['state'])}"
    for each in said:
        if each["about"] == one["id"] and each["kind"] == "verdict" and each.get("text"):
            yield f"\n    {telling.name(each['author'], me)}: “{safe(each['text']).strip()}”"


# -- acts -----------------------------------------------------------------------------------------


def acts(
    view: Shown, service: Shown, matters: list[Shown], actions: list[Shown], me: str | None,
    today: date,
) -> list[Act]:  # fmt: skip
    """What can be done about a measure. What waits for `me` comes first."""
    if me is None:
        return []
    found = [
        *_doing(view, matters, actions, me, today),
        *measures.saying(view),
        *reports.answering(view, service),
        *_proposing(matters),
        *measures.deciding(view),
    ]
    return sorted(found, key=lambda act: not act.waits)


def _doing(
    view: Shown, matters: list[Shown], actions: list[Shown], me: str, today: date
) -> Iterator[Act]:
    for one in actions:
        what = telling.line_or_hidden(one["what"], 60)
        if one["author"]["id"] == me and one["state"] in {"open", "overdue", "reopened"}:
            yield Act(
                kind="done",
                about=one["id"],
                label=_("Report done: {what}").format(what=what),
                waits=True,
                said=_("Who raised the matter then says whether it helped."),
            )
        if one["state"] in _DONE and _may_judge(one, me):
            yield Act(
                kind="verdict",
                about=one["id"],
                label=_("Say whether it helped: {what}").format(what=what),
                waits=one.get("i_said") is None,
                said=_("Your latest word counts. “Partly” and “no” open it again."),
            )
    for one in matters:
        if one["state"] == "open" and view["state"] == measures.IN_USE:
            held = (one["holder"] or {}).get("id") == me
            yield Act(
                kind="action",
                about=view["id"],
                label=_("Take it up: say what you will do, and by when"),
                waits=held and bool(one["answer_by"]),
                said=_(
                    "It is yours to do, within four weeks. Others may help with actions of theirs."
                ),
                fields=("what", "due"),
                given={"due": (today + timedelta(_DAYS)).isoformat()},
            )


def _proposing(matters: list[Shown]) -> Iterator[Act]:
    for one in matters:
        if one["state"] == "open" and one.get("draft"):
            draft = one["draft"]
            yield Act(
                kind="proposal",
                about=None,
                label=_("Ask everybody what shall become of it"),
                waits=True,
                said=_("Everybody on the roll votes. A proposal cannot be taken back."),
                fields=("title", "text", "closes"),
                given={
                    "title": telling.line_or_hidden(draft["title"]),
                    "text": safe(draft["text"]),
                },
            )


def _may_judge(action: Shown, me: str) -> bool:
    return bool(action.get("i_raised_it")) and action["author"]["id"] != me


def _named(matter: Shown) -> str:
    return f"{telling.line_or_hidden(matter['service']['title'])}: {telling.line_or_hidden(matter['measure']['question'])}"


def _state(matter: Shown) -> str:
    return _("open") if matter["state"] == "open" else _("closed: it helped")


def _held(matter: Shown, me: str | None, today: date) -> str:
    if matter["holder"] is None:
        return _("It has come to the neighbourhood: nobody in the chain put it right.")
    who = telling.name(matter["holder"], me)
    told = _("Held by {who} since {day}").format(
        who=who, day=telling.moment(matter["held_since"], today)
    )
    if matter["answer_by"]:
        by = telling.moment(matter["answer_by"], today)
        return told + ", " + _("to answer by {day}").format(day=by)
    return told + ", " + _("who has answered")
