"""Decisions, renewals and removals: how each stands, and what a person can do in one. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from textual.content import Content

from protocol.authority import terms
from protocol.authority.registers import enough
from protocol.display_text import safe
from tui.format import phrases as telling
from tui.format import vocabulary as words
from tui.format.phrases import Card
from tui.i18n import _, plural
from tui.kinds import charter
from tui.kinds.next_steps import Act
from tui.kinds.proposal_steps import MAJORITY, ids, is_council, removing, restoring
from tui.kinds.thread_data import Case

Shown = dict[str, Any]
Part = Content | str | tuple[str, str]

DECIDED = {"proposal", "renewal", "remove"}  # the kinds whose threads are told here


def cards(views: list[Shown], term: Shown, today: date, me: str | None) -> list[Card]:
    """In a list: what can still be voted on first; else in the order given."""
    return [
        _card(one, term, today, me) for one in sorted(views, key=lambda one: not _live(one, term))
    ]


def story(case: Case, today: date, me: str | None) -> Content:
    """The whole of it, for one pane."""
    return Content.assemble(*_told(case, today, me))


def acts(case: Case, me: str | None) -> list[Act]:
    """What waits for `me` first, then what is possible."""
    if me is None:
        return []
    root, term = case.root, case.term
    if root["kind"] == "remove":
        return list(_about_a_removal(case, me))
    return list(_votes(root, term, me)) if _live(root, term) else []


def waits(views: list[Shown], term: Shown, today: date, me: str | None) -> Iterator[Card]:
    """What `me` has not voted on, and what other moderators ask of them."""
    for one in views:
        if one["kind"] != "remove":
            if _live(one, term) and _may_vote(one, term, me) and _my_vote(one, me) is None:
                yield Card(
                    one["id"], _("Vote: {title}").format(title=title(one)), change(one, today)
                )
        elif one["state"] == "said" and is_council(term, me) and me not in ids(one["said_by"]):
            label = _("{who} asks the moderators to remove {person}")
            people = {"who": _names(one["said_by"]), "person": telling.name(one["person"])}
            yield Card(one["id"], label.format(**people), safe(one.get("why") or ""))


def removals(removes: list[Shown]) -> list[Shown]:
    """Each removal once, with all the moderators who said so."""
    first = {(one["person"]["id"], one["n"]): one for one in removes}  # the newest come first
    return [
        {**one, "said_by": [each["author"] for each in alike(one, removes)]}
        for one in first.values()
    ]


def alike(removal: Shown, removes: list[Shown]) -> list[Shown]:
    """What the moderators posted about one removal, each once, oldest first."""
    about = removal["person"]["id"], removal["n"]
    same = [one for one in removes[::-1] if (one["person"]["id"], one["n"]) == about]
    return list({one["author"]["id"]: one for one in same}.values())


# -- how it is told -------------------------------------------------------------------------------


def title(view: Shown) -> str:
    """What a decision is called."""
    if view["kind"] == "remove":
        return _("{person} is to go").format(person=telling.name(view["person"]))
    return telling.title(view)


def change(view: Shown, today: date, rules: Shown | None = None) -> str:
    """What would change, in plain words; with `rules`, beside what holds now."""
    if view["kind"] == "renewal":
        return _next_term(view)
    if view["kind"] == "remove":
        return _("{person} leaves the neighbourhood").format(person=telling.name(view["person"]))
    what, key, n, value = view.get("change") or (None, "", 0, None)
    if what == terms.RULE:
        return _rule(view, str(key), value, today, rules)
    turned = {
        None: [_("Nothing by itself: a question that all answer")] * 2,
        terms.STANDING: [_("{who} comes back"), _("{who} leaves the neighbourhood")],
        terms.HIDDEN: [_("Shown again: {what}"), _("Hidden: {what}")],
    }
    told = turned.get(what, [_("Something newer than this program knows")] * 2)[n % 2]
    concerns = view.get("concerns")
    if what == terms.STANDING:
        return told.format(who=telling.name(concerns))
    return told.format(what=described(concerns))


def stands(view: Shown, term: Shown) -> str:
    """How it stands, on one line."""
    if view["kind"] == "remove":
        return _removal_stands(view)
    yes, no = len(view["voted"]["yes"]), len(view["voted"]["no"])
    counted = _("{yes} yes, {no} no").format(yes=yes, no=no)
    state = view["state"]
    if _live(view, term):
        share, of = _electorate(view, term)
        needed = _("{n} of {of} needed").format(n=enough(share, of), of=of)
        return f"{counted} · {needed}"
    if state == "open":
        return _("over · {counted}").format(counted=counted)
    unsettled = state in {"passed", "in force"} and not term.get("settled", True)
    told = words.state(state) + (", " + _("not settled yet") if unsettled else "")
    return f"{told} · {counted}"


def described(concerns: Shown | None) -> str:
    """Words that a decision, a flag or a hide is about, as far as they may be shown."""
    if not concerns:
        return _("something that is not at this home")
    kind, who = words.kind(concerns["kind"]), telling.name(concerns["author"])
    told = _("{kind} by {who}").format(kind=kind, who=who)
    named = telling.plain_line(concerns.get("title") or "", 60).plain
    return f"{told}: “{named}”" if named else told


def _card(view: Shown, term: Shown, today: date, me: str | None) -> Card:
    live = _live(view, term)
    due = live and _may_vote(view, term, me) and _my_vote(view, me) is None
    parts = [stands(view, term), _("vote!") if due else ""]
    if view["kind"] == "renewal" or view.get("change"):
        parts.append(change(view, today))
    told = " · ".join(part for part in parts if part)
    return Card(view["id"], title(view), told, quiet=not live and view["state"] != "said")


def _told(case: Case, today: date, me: str | None) -> Iterator[Part]:
    root, term = case.root, case.term
    yield (title(root), "bold")
    at = telling.moment(root["created"], today)
    yield "\n" + " · ".join([words.kind(root["kind"]), telling.name(root["author"], me), at])
    for spoken in (root.get("text"), root.get("why")):
        if spoken:
            yield "\n\n" + safe(spoken).strip()
    yield ("\n\n" + _("What changes") + ": ", "dim")
    yield change(root, today, case.rules)
    yield ("\n" + _("How it stands") + ": ", "dim")
    if root["kind"] == "remove":
        yield from _removal_told(case, me)
        return
    yield stands(root, term)
    if root.get("closes"):
        yield " · " + _("voting until {day}").format(day=telling.moment(root["closes"], today))
    yield from _newcomers(root, term)
    for label, people in ((_("Yes"), root["voted"]["yes"]), (_("No"), root["voted"]["no"])):
        if people:
            yield ("\n" + label + ": ", "dim")
            yield _names(people, me)
    if _live(root, term):
        yield "\n" + _mine(root, term, me)


def _rule(view: Shown, rule: str, value: Any, today: date, rules: Shown | None) -> str:
    new = charter.told(rule, value, today)
    if not rules or view["state"] != "open":
        return new
    held = charter.in_words(rule, rules.get(rule), today)
    return _("{rule} (now {value})").format(rule=new, value=held)


def _next_term(view: Shown) -> str:
    parts = []
    for told, people in (
        (_("joining the vote: {who}"), view.get("joining")),
        (_("leaving it: {who}"), view.get("leaving")),
        (_("moderators: {who}"), view.get("moderators")),
    ):
        if people:
            parts.append(told.format(who=_names(people)))
    if view.get("parts"):
        parts.append(_("and more people"))
    if view.get("vouchers"):
        count = int(view["vouchers"])
        parts.append(plural("{n} neighbour vouches", "{n} neighbours vouch", count).format(n=count))
        parts.append(_("decisions need over {n} %").format(n=view["share"]))
    told = "; ".join(parts)
    return told[:1].upper() + told[1:]


def _newcomers(view: Shown, term: Shown) -> Iterator[Part]:
    """R-03.26: with newcomers in it, the roll alone has to agree as well."""
    roll = ids(term.get("roll"))
    if view["kind"] != "proposal" or not _live(view, term):
        return
    if ids(view.get("newcomers")) - roll:
        needed = enough(term["share"], len(roll))
        told = _("{n} of these from the {of} on the roll")
        yield ", " + told.format(n=needed, of=len(roll))


def _mine(view: Shown, term: Shown, me: str | None) -> str:
    match _my_vote(view, me):
        case "yes":
            return _("You said yes, and a yes stands.")
        case "no":
            return _("You said no; you can still say yes.")
    if _may_vote(view, term, me):
        return _("You have not voted yet.")
    return _("You are not on the roll yet; the next renewal brings you onto it.")


# -- removals by moderators -----------------------------------------------------------------------


def _removal_stands(view: Shown) -> str:
    who = _names(view["said_by"])
    if view["state"] == "said":
        return _("said by {who}; waits for more moderators").format(who=who)
    if view["state"] == "in force":
        return _("removed by {who}").format(who=who)
    return _("over; {who} had said so").format(who=who)


def _removal_told(case: Case, me: str | None) -> Iterator[Part]:
    yield _removal_stands({**case.root, "said_by": _said_by(case)})
    for one in case.answers:
        if one.get("why") and one["id"] != case.root["id"]:
            yield (f"\n{telling.name(one['author'], me)}: ", "dim")
            yield safe(one["why"]).strip()
    yield "\n" + _("The roll can bring them back by a decision.")


def _about_a_removal(case: Case, me: str) -> Iterator[Act]:
    root, term = case.root, case.term
    if root["state"] == "said" and is_council(term, me) and me not in ids(_said_by(case)):
        yield removing(root["person"], term, waits=True)
    if root["state"] == "in force":
        yield restoring(root["person"])


def _said_by(case: Case) -> list[Shown]:
    return [one["author"] for one in case.answers or [case.root]]


# -- votes ----------------------------------------------------------------------------------------


def _votes(root: Shown, term: Shown, me: str) -> Iterator[Act]:
    mine = _my_vote(root, me)
    if not _may_vote(root, term, me) or mine == "yes":
        return
    about, asked = root["id"], f"“{title(root)}”\n"
    yield Act(
        kind="vote",
        about=about,
        label=_("Vote yes") if mine is None else _("Say yes after all"),
        waits=mine is None,
        said=asked + _("A yes stands: it cannot be taken back."),
        fields=(),
        fixed={"choice": "yes"},
    )
    if mine is None:
        yield Act(
            kind="vote",
            about=about,
            label=_("Vote no"),
            waits=True,
            said=asked + _("You can still say yes later, as long as it is open."),
            fields=(),
            fixed={"choice": "no"},
        )


def _live(view: Shown, term: Shown) -> bool:
    """Whether it can still be voted on; a renewal only while the term that it renews holds."""
    return bool(view["state"] == "open" and view.get("parent") in {None, term.get("id")})


def _electorate(view: Shown, term: Shown) -> tuple[int, int]:
    """The share that is to be exceeded, and of how many people."""
    roll = ids(term.get("roll"))
    if view["kind"] == "renewal":
        return MAJORITY, len(roll)
    return term.get("share", MAJORITY), len(roll | ids(view.get("newcomers")))


def _may_vote(view: Shown, term: Shown, me: str | None) -> bool:
    return me in ids(term.get("roll")) | ids(view.get("newcomers"))


def _my_vote(view: Shown, me: str | None) -> str | None:
    """What `me` said."""
    return next((one for one in ("yes", "no") if me in ids(view["voted"][one])), None)


def _names(people: list[Shown], me: str | None = None) -> str:
    return ", ".join(telling.name(one, me) for one in people)
