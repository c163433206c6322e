"""Flags and hidden words: what is said of words, and what moderators and the roll can do. Pure."""

from collections.abc import Iterator
from datetime import date
from typing import Any

from textual.content import Content

from protocol.authority.registers import enough
from protocol.display_text import line, safe
from protocol.fold.kind import KINDS
from protocol.record.envelope import PRIVATE
from tui.format import phrases as telling
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds.decisions import described
from tui.kinds.next_steps import Act
from tui.kinds.proposal_steps import MAJORITY, asking, ids, is_council
from tui.kinds.thread_data import Case

Shown = dict[str, Any]
Part = Content | str | tuple[str, str]


def worded(root: Shown) -> bool:
    """Whether a thread begins with words that all can read, and so can be flagged and hidden."""
    kind = KINDS.get(root.get("kind") or "")
    if kind is None or kind.audience == PRIVATE or "state" not in root:
        return False
    return any(one.wording for one in kind.fields.values())


def story(case: Case, me: str | None) -> Content:
    """What was said of the words of a thread, below what the thread says itself."""
    return Content.assemble(*_told(case, me))


def acts(case: Case, me: str | None) -> list[Act]:
    """What can be said of the words of a thread."""
    if me is None or not worded(case.root):
        return []
    return [act for one in _written(case) for act in _about(one, case, me)]


def waits(flags: list[Shown], hides: list[Shown], term: Shown, me: str | None) -> Iterator[Card]:
    """What moderators are asked for and `me`, one of them, has not answered."""
    if me not in ids(term.get("moderators")):
        return
    for one in flags:
        if one["state"] == "open" and one["author"]["id"] != me:
            label = _("{who} flagged: {what}").format(
                who=telling.name(one["author"]), what=described(one["concerns"])
            )
            yield Card(one["id"], label, safe(one.get("reason") or ""))
    if is_council(term, me):
        for about, said in _by_record(hides, "said").items():
            if me not in ids([one["author"] for one in said]):
                label = _("{who} asks the moderators: {what}").format(
                    who=_authors(said, None), what=_wish(said[0])
                )
                yield Card(about, label, safe(said[0].get("reason") or ""))


def flagged(flags: list[Shown], hides: list[Shown], today: date, me: str | None) -> list[Card]:
    """All that waits for the moderators."""
    found = [
        Card(
            one["id"],
            described(one["concerns"]),
            _("flagged by {who}, {day}: {reason}").format(
                who=telling.name(one["author"], me),
                day=telling.moment(one["created"], today),
                reason=line(one.get("reason") or _("the reason is hidden, too")),
            ),
        )
        for one in flags
        if one["state"] == "open"
    ]
    for about, said in _by_record(hides, "said").items():
        detail = _("{who} asks the other moderators: {what}")
        told = detail.format(who=_authors(said, me), what=_wish(said[0]))
        found.append(Card(about, described(said[0]["concerns"]), told + _reason(said)))
    return found


def hidden(hides: list[Shown], decisions: list[Shown], me: str | None) -> list[Card]:
    """The words that are hidden: by whom and why."""
    found = {}
    for one in decisions:
        about = one.get("concerns") or {}
        if about.get("hidden") and one["state"] == "passed":
            told = _("by a decision: {title}").format(title=telling.title(one))
            found[about["id"]] = Card(about["id"], described(about), told)
    for about_id, said in _by_record(hides, "in force").items():
        if said[0]["concerns"] and said[0]["concerns"]["hidden"]:
            told = _("by {who}").format(who=_authors(said, me)) + _reason(said)
            found[about_id] = Card(about_id, described(said[0]["concerns"]), told)
    return list(found.values())


# -- parts ----------------------------------------------------------------------------------------


def _told(case: Case, me: str | None) -> Iterator[Part]:
    if case.root.get("hidden"):
        yield ("\n\n" + _("Words of this are hidden; the roll can bring them back."), "bold")
    for said in _by_record(case.hides, "in force").values():
        if said[0].get("hidden") != "no":
            yield "\n" + _("Hidden by {who}").format(who=_authors(said, me)) + _reason(said)
    for said in _by_record(case.hides, "said").values():
        asked = _("{who} asks the other moderators: {what}")
        yield "\n" + asked.format(who=_authors(said, me), what=_wish(said[0])) + _reason(said)
    for one in case.flags:
        if one["state"] == "open":
            who = telling.name(one["author"], me)
            told = _("{who} flagged this for the moderators").format(who=who)
            yield "\n" + told[:1].upper() + told[1:] + _reason([one])


def _written(case: Case) -> list[Shown]:
    """The records with words: the root, or of a page the texts that stand."""
    return case.root.get("heads") or [case.root]


def _about(one: Shown, case: Case, me: str) -> Iterator[Act]:
    about, term, mine = one["id"], case.term, one["author"]["id"] == me
    who = telling.name(one["author"])
    judges = is_council(term, me) and not _speaks_of(one, case, me)
    judges = judges and not _has_said(case, about, me)
    flags = [flag for flag in case.flags if flag["about"] == about]
    if one.get("hidden"):
        if judges:
            yield _hiding(
                about, term, _("As a moderator, show again what {who} wrote").format(who=who), "no"
            )
        yield asking(
            f"show {about}",
            _("Ask everybody to show again what {who} wrote").format(who=who),
            _("Show again what {who} wrote").format(who=who),
        )
        return
    if not mine and me not in ids([flag["author"] for flag in flags]):
        yield Act(
            kind="flag",
            about=about,
            label=_("Flag what {who} wrote").format(who=who),
            said=_(
                "It asks the moderators to look. Everybody sees that you did, and why. By itself it "
                "changes nothing."
            ),
        )
    if not mine and judges:
        yield _hiding(
            about, term, _("As a moderator, hide what {who} wrote").format(who=who), "yes"
        )
    if flags and not mine:
        yield asking(
            f"hide {about}",
            _("Ask everybody to hide what {who} wrote").format(who=who),
            _("Hide what {who} wrote").format(who=who),
        )


def _hiding(about: str, term: Shown, label: str, choice: str) -> Act:
    needed = enough(MAJORITY, len(ids(term.get("moderators"))))
    said = _(
        "Once {n} moderators have said so, these words are out of every list, and minutes and states "
        "stay. You cannot take your word back; moderators or the roll can show the words again."
    )
    again = _("Once {n} moderators have said so, everybody reads these words again.")
    return Act(
        kind="hide",
        about=about,
        label=label,
        said=(said if choice == "yes" else again).format(n=needed),
        fields=("reason",),
        fixed={"hidden": choice},
    )


def _speaks_of(one: Shown, case: Case, me: str) -> bool:
    """R-14.5: whether words are about `me`, which is for others to judge."""
    root = case.root
    if one["id"] != root["id"]:  # a text of a page answers whoever began it
        return bool(root["author"]["id"] == me)
    fields = KINDS[root["kind"]].fields.items()
    named = [root.get(name) or [] for name, rule in fields if rule.names_people]
    people = [each for each in named for each in (each if isinstance(each, list) else [each])]
    return me in ids(people) - {one["author"]["id"]}


def _has_said(case: Case, about: str, me: str) -> bool:
    """Whether `me` is waiting for other moderators already."""
    said = _by_record(case.hides, "said").get(about, [])
    return me in ids([one["author"] for one in said])


def _by_record(hides: list[Shown], state: str) -> dict[str, list[Shown]]:
    found: dict[str, list[Shown]] = {}
    for one in sorted(hides, key=lambda one: str(one["created"])):
        if one["state"] == state:
            found.setdefault(one["about"], []).append(one)
    return found


def _authors(said: list[Shown], me: str | None) -> str:
    names = [telling.name(one["author"], me) for one in said]
    return ", ".join(dict.fromkeys(names))


def _wish(one: Shown) -> str:
    return _("show them again") if one.get("hidden") == "no" else _("hide them")


def _reason(said: list[Shown]) -> str:
    given = [line(one["reason"]) for one in said if one.get("reason")]
    return ": " + " / ".join(f"“{one}”" for one in given) if given else ""
