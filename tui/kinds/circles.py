"""Circles, pacts and pages: how each is told, and what a person can do in one. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from textual.content import Content

from protocol.display_text import line, safe
from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.kinds.next_steps import Act
from tui.kinds.thread_data import Case

Shown = dict[str, Any]
Part = Content | str | tuple[str, str]

ANSWERS = {"circle": "messages", "page": "revisions", "pact": None}  # what a thread is told with


def card(view: Shown, today: date, me: str | None) -> Card:
    """One in a list."""
    detail = {"circle": _circle_line, "pact": _pact_line, "page": _page_line}[view["kind"]]
    over = view["state"] in {"ended", "declined", "withdrawn"}
    return Card(view["id"], telling.title(view), detail(view, today, me), over)


def story(case: Case, today: date, me: str | None) -> Content:
    """The whole of it, for one pane."""
    tell = {"circle": _circle, "pact": _pact, "page": _page}[case.root["kind"]]
    return Content.assemble(*tell(case, today, me))


def acts(case: Case, me: str | None) -> list[Act]:
    """What waits for `me` first, then what is possible."""
    if me is None:
        return []
    offer = {"circle": _in_a_circle, "pact": _in_a_pact, "page": _on_a_page}[case.root["kind"]]
    return list(offer(case.root, me))


def waits(pacts: list[Shown], me: str | None) -> Iterator[Card]:
    """The pacts that wait for `me`."""
    for one in pacts:
        if any(person["id"] == me for person in one["waiting"]):
            who = telling.name(one["author"])
            label = _("Accept the pact that {who} offers").format(who=who)
            yield Card(one["id"], label, telling.title(one))


# -- circles --------------------------------------------------------------------------------------


def _circle_line(view: Shown, today: date, me: str | None) -> str:
    del today
    return _dotted([_names(view["members"], me), _if_not(view, "open")])


def _circle(case: Case, today: date, me: str | None) -> Iterator[Part]:
    root = case.root
    yield (telling.title(root), "bold")
    yield "\n" + (_names(root["members"], me) or words.state(root["state"]))
    if me is not None and me not in _ids(root["members"]):
        yield "\n" + _("You are in this circle no more.")
    if not case.answers:
        yield "\n\n" + _("Nobody has said anything yet.")
    for one in case.answers:
        at = telling.moment(one["created"], today)
        yield "\n\n"
        yield (_dotted([_start(telling.name(one["author"], me)), at]), "dim")
        yield "\n" + safe(one["text"]).strip()


def _in_a_circle(root: Shown, me: str) -> Iterator[Act]:
    members = _ids(root["members"])
    if me not in members:
        return
    about = root["id"]
    yield Act(
        kind="message",
        about=about,
        label=_("Write to the circle"),
        said=_("Only who is in the circle reads this."),
    )
    yield Act(
        kind="members",
        about=about,
        label=_("Take somebody in"),
        said=_("They read what is said from now on, and who was in the circle before."),
        fields=("joins",),
        without=members,
    )
    if len(members) > 1:
        yield Act(
            kind="members",
            about=about,
            label=_("Let somebody go"),
            said=_("They read nothing that is said from now on."),
            fields=("leaves",),
            among=members - {me},
        )
    yield Act(
        kind="close",
        about=about,
        label=_("Leave the circle"),
        said=_("You read nothing that is said from now on."),
        fixed={"as_state": "withdrawn"},
        fields=(),
    )


# -- pacts ----------------------------------------------------------------------------------------


def _pact_line(view: Shown, today: date, me: str | None) -> str:
    parts = [
        _names(view["parties"], me),
        words.state(view["state"]),
        telling.minutes(view.get("minutes")),
        telling.moment(view.get("due"), today),
    ]
    return _dotted(parts)


def _pact(case: Case, today: date, me: str | None) -> Iterator[Part]:
    root = case.root
    yield (safe(root["text"]).strip(), "bold")
    yield "\n\n" + _pact_line(root, today, me)
    if root["waiting"] and root["state"] == "offered":
        yield "\n" + _("Waiting for {who}").format(
            who=", ".join(telling.name(one, me) for one in root["waiting"])
        )


def _in_a_pact(root: Shown, me: str) -> Iterator[Act]:
    about, state, mine = root["id"], root["state"], root["author"]["id"] == me
    if state == "offered" and me in _ids(root["waiting"]):
        yield Act(
            kind="accept",
            about=about,
            label=_("Accept the pact"),
            waits=True,
            said=_("With this, you promise what the pact says. Only its parties see it."),
            fields=(),
        )
        yield _closing(about, _("Decline the pact"), "declined")
    elif state == "offered" and mine:
        yield _closing(about, _("Withdraw the pact"), "withdrawn")
    elif state == "agreed":
        yield _closing(about, _("End the pact"), "ended")


def _closing(about: str, label: str, state: str) -> Act:
    return Act(kind="close", about=about, label=label, fixed={"as_state": state}, fields=("why",))


# -- pages ----------------------------------------------------------------------------------------


def _page_line(view: Shown, today: date, me: str | None) -> str:
    last, several = view["heads"][-1], len(view["heads"])
    parts = [
        _("{n} texts side by side").format(n=several) if several > 1 else "",
        _start(telling.name(last["author"], me)),
        telling.moment(last["created"], today),
    ]
    return _dotted(parts)


def _page(case: Case, today: date, me: str | None) -> Iterator[Part]:
    root = case.root
    several = len(root["heads"]) > 1
    if several:
        yield (_("Several wrote at the same time. Whoever joins the texts ends that."), "dim")
        yield "\n\n"
    for one in root["heads"]:
        yield (line(one["title"] or _("Hidden words")), "bold")
        yield "\n" + safe(one["text"] or "").strip()
        yield "\n"
        yield (_signed(one, today, me), "dim")
        yield "\n\n"
    standing = {one["id"] for one in root["heads"]}
    earlier = [one for one in case.answers if one["id"] not in standing]
    if root["id"] not in standing:
        earlier = [{**root, **root["first"]}, *earlier]
    if earlier:
        yield (_("Earlier"), "bold")
    for one in reversed(earlier):
        yield "\n"
        yield (_signed(one, today, me) + ": ", "dim")
        yield safe(one["text"] or _("hidden")).strip()


def _signed(one: Shown, today: date, me: str | None) -> str:
    return _dotted([_start(telling.name(one["author"], me)), telling.moment(one["created"], today)])


def _on_a_page(root: Shown, me: str) -> Iterator[Act]:
    del me
    heads = root["heads"]
    several = len(heads) > 1
    yield Act(
        kind="revision",
        about=root["id"],
        label=_("Join the texts") if several else _("Write it anew"),
        said=plural(
            "Yours takes the place of the text that stands; that stays readable below it.",
            "Yours takes the place of the texts that stand; they stay readable below it.",
            len(heads),
        ),
        given={
            "title": heads[-1]["title"] or "",
            "text": "\n\n".join(one["text"] for one in heads if one["text"]),
        },
        fixed={"after": [one["id"] for one in heads]},
    )


# -- parts ----------------------------------------------------------------------------------------


def _ids(people: list[Shown]) -> frozenset[str]:
    return frozenset(one["id"] for one in people)


def _names(people: list[Shown], me: str | None) -> str:
    return _start(", ".join(telling.name(one, me) for one in people))


def _start(text: str) -> str:
    return text[:1].upper() + text[1:]


def _if_not(view: Shown, state: str) -> str:
    return words.state(view["state"]) if view["state"] != state else ""


def _dotted(parts: list[str]) -> str:
    return " · ".join(part for part in parts if part)
