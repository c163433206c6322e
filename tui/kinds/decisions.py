"""Shows proposals, renewals and removals: how the votes stand, and what a person can do. All
functions here are pure.

The roll votes on proposals and renewals. For a removal, each moderator who wants it posts a record
of their own.
"""

from collections.abc import Iterator
from datetime import date
from typing import Any

from textual.content import Content

from protocol.display_text import safe_text
from protocol.schema import register_names
from protocol.schema.majority import votes_needed
from tui.format import labels, phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _, plural
from tui.kinds import charter
from tui.kinds.electorate import (
    can_be_voted_on,
    ids,
    is_on_council,
    is_vote_due,
    may_vote,
    vote_of,
    yes_votes_needed,
)
from tui.kinds.next_steps import NextStep
from tui.kinds.proposal_steps import removal_step, restoration_step
from tui.kinds.thread_data import ThreadData

DECIDED = {"proposal", "renewal", "remove"}  # the kinds whose threads this module shows


def decision_cards(views: list[Shown], term: Shown, today: date, me: str | None) -> list[Card]:
    """Makes a card for each decision. Decisions on which people can still vote come first.
    Otherwise they keep their order.
    """
    ordered = sorted(views, key=lambda view: not can_be_voted_on(view, term))
    return [_card(view, term, today, me) for view in ordered]


def decision_story(thread: ThreadData, today: date, me: str | None) -> Content:
    """Describes a decision: what it would change, how the vote stands, and who voted how."""
    return Content.assemble(*_story_parts(thread, today, me))


def decision_steps(thread: ThreadData, me: str | None) -> list[NextStep]:
    """Lists what `me` can do about a decision. Things that somebody waits for come first."""
    if me is None:
        return []
    if thread.root["kind"] == "remove":
        return list(_removal_steps(thread, me))
    if not can_be_voted_on(thread.root, thread.term):
        return []
    return list(_vote_steps(thread.root, thread.term, me))


def cards_to_vote_on(
    views: list[Shown], term: Shown, today: date, me: str | None
) -> Iterator[Card]:
    """Yields a card for each decision on which `me` has still to vote. If `me` is a moderator, also
    yields a card for each removal that `me` has not yet supported.
    """
    for view in views:
        if view["kind"] == "remove":
            if view["state"] == "said" and _may_join_removal(view["said_by"], term, me):
                yield _asking_card(view)
        elif is_vote_due(view, term, me):
            label = _("Vote: {title}").format(title=decision_title(view))
            yield Card(view["id"], label, change_line(view, today))


def merge_removals(removes: list[Shown]) -> list[Shown]:
    """Merges all records of one removal into one view, which names every moderator who posted one.
    `removes` must begin with the newest record.
    """
    first = {(remove["person"]["id"], remove["n"]): remove for remove in removes}
    return [
        {**remove, "said_by": [same["author"] for same in removal_posts(remove, removes)]}
        for remove in first.values()
    ]


def removal_posts(removal: Shown, removes: list[Shown]) -> list[Shown]:
    """Returns the records of one removal, oldest first: one record for each moderator who asked for
    the removal.
    """
    register = (removal["person"]["id"], removal["n"])
    by_moderator = {
        remove["author"]["id"]: remove
        for remove in reversed(removes)
        if (remove["person"]["id"], remove["n"]) == register
    }
    return list(by_moderator.values())


def decision_title(view: Shown) -> str:
    """Returns the title that the screen shows for a decision."""
    if view["kind"] == "remove":
        return _("Removal of {person}").format(person=phrases.name(view["person"]))
    return phrases.title(view)


def change_line(view: Shown, today: date, rules: Shown | None = None) -> str:
    """Says in plain words what a decision would change. If `rules`, the charter in force, is given,
    also says what holds now.
    """
    if view["kind"] == "renewal":
        return _next_term_line(view)
    if view["kind"] == "remove":
        return _("{person} leaves the neighbourhood").format(person=phrases.name(view["person"]))
    return _proposed_change_line(view, today, rules)


def standing_line(view: Shown, term: Shown) -> str:
    """Says on one line how a decision stands: its votes and its state."""
    if view["kind"] == "remove":
        return _removal_standing(view)
    votes = _("{yes} yes, {no} no").format(
        yes=len(view["voted"]["yes"]), no=len(view["voted"]["no"])
    )
    state = view["state"]
    if can_be_voted_on(view, term):
        needed, voters = yes_votes_needed(view, term)
        return votes + " · " + _("{n} of {of} needed").format(n=needed, of=voters)
    if state == "open":
        return _("over · {counted}").format(counted=votes)
    is_unsettled = state in {"passed", "in force"} and not term.get("settled", True)
    unsettled = ", " + _("not settled yet") if is_unsettled else ""
    return f"{labels.state(state)}{unsettled} · {votes}"


def subject_line(concerns: Shown | None) -> str:
    """Describes the post that a decision, a flag or a hide is about. Says its kind and its author,
    and its title if the title may be shown.
    """
    if not concerns:
        return _("something that this home does not have")
    kind = labels.kind(concerns["kind"])
    subject = _("{kind} by {who}").format(kind=kind, who=phrases.name(concerns["author"]))
    title = phrases.plain_line(concerns.get("title") or "", 60).plain
    return f"{subject}: “{title}”" if title else subject


# -- card and story -------------------------------------------------------------------------------


def _card(view: Shown, term: Shown, today: date, me: str | None) -> Card:
    parts = [standing_line(view, term), _("vote!") if is_vote_due(view, term, me) else ""]
    if view["kind"] == "renewal" or view.get("change"):
        parts.append(change_line(view, today))
    quiet = not can_be_voted_on(view, term) and view["state"] != "said"
    return Card(view["id"], decision_title(view), phrases.dotted(parts), quiet)


def _asking_card(removal: Shown) -> Card:
    label = _("{who} asks the moderators to remove {person}").format(
        who=phrases.person_names(removal["said_by"]), person=phrases.name(removal["person"])
    )
    return Card(removal["id"], label, safe_text(removal.get("why") or ""))


def _story_parts(thread: ThreadData, today: date, me: str | None) -> Iterator[Part]:
    root = thread.root
    author = phrases.name(root["author"], me)
    at = phrases.moment(root["created"], today)
    yield (decision_title(root), "bold")
    yield "\n" + " · ".join([labels.kind(root["kind"]), author, at])
    for text in (root.get("text"), root.get("why")):
        if text:
            yield "\n\n" + safe_text(text).strip()
    yield ("\n\n" + _("What changes") + ": ", "dim")
    yield change_line(root, today, thread.rules)
    yield ("\n" + _("How it stands") + ": ", "dim")
    if root["kind"] == "remove":
        yield from _removal_parts(thread, me)
    else:
        yield from _voting_parts(root, thread.term, today, me)


def _voting_parts(root: Shown, term: Shown, today: date, me: str | None) -> Iterator[Part]:
    yield standing_line(root, term)
    if root.get("closes"):
        yield " · " + _("voting until {day}").format(day=phrases.moment(root["closes"], today))
    yield from _roll_alone_parts(root, term)
    for label, voters in ((_("Yes"), root["voted"]["yes"]), (_("No"), root["voted"]["no"])):
        if voters:
            yield ("\n" + label + ": ", "dim")
            yield phrases.person_names(voters, me)
    if can_be_voted_on(root, term):
        yield "\n" + _own_vote_line(root, term, me)


def _proposed_change_line(view: Shown, today: date, rules: Shown | None) -> str:
    what, key, number, value = view.get("change") or (None, "", 0, None)
    # In a register, an odd number means removed or hidden. An even number undoes that.
    match what:
        case None:
            return _("Nothing by itself: it is a question for everybody")
        case register_names.RULE:
            return _rule_line(view, str(key), value, today, rules)
        case register_names.STANDING:
            sentence = _("{who} leaves the neighbourhood") if number % 2 else _("{who} comes back")
            return sentence.format(who=phrases.name(view.get("concerns")))
        case register_names.HIDDEN:
            sentence = _("Hidden: {what}") if number % 2 else _("Shown again: {what}")
            return sentence.format(what=subject_line(view.get("concerns")))
    return _("Something newer than this program knows")


def _rule_line(view: Shown, rule: str, value: Any, today: date, rules: Shown | None) -> str:
    proposed = charter.rule_line(rule, value, today)
    if not rules or view["state"] != "open":
        return proposed
    current = charter.rule_value(rule, rules.get(rule), today)
    return _("{rule} (now {value})").format(rule=proposed, value=current)


def _next_term_line(view: Shown) -> str:
    parts = []
    for sentence, people in (
        (_("new voters: {who}"), view.get("joining")),
        (_("no longer voters: {who}"), view.get("leaving")),
        (_("moderators: {who}"), view.get("moderators")),
    ):
        if people:
            parts.append(sentence.format(who=phrases.person_names(people)))
    if view.get("parts"):
        parts.append(_("and more people"))
    if view.get("vouchers"):
        count = int(view["vouchers"])
        parts.append(
            plural(
                "a newcomer needs {n} neighbour", "a newcomer needs {n} neighbours", count
            ).format(n=count)
        )
        parts.append(_("decisions need more than {n} % yes").format(n=view["share"]))
    return phrases.capitalized("; ".join(parts))


def _roll_alone_parts(view: Shown, term: Shown) -> Iterator[Part]:
    """Says how many yes votes must come from the roll alone. This matters only if newcomers vote
    too, because then the roll alone must also agree (R-03.26).
    """
    roll = ids(term.get("roll"))
    if view["kind"] != "proposal" or not can_be_voted_on(view, term):
        return
    if ids(view.get("newcomers")) - roll:
        needed = votes_needed(term["share"], len(roll))
        sentence = _("{n} of them from the {of} current voters")
        yield ", " + sentence.format(n=needed, of=len(roll))


def _own_vote_line(view: Shown, term: Shown, me: str | None) -> str:
    match vote_of(view, me):
        case "yes":
            return _("You voted yes. You cannot change a yes.")
        case "no":
            return _("You voted no. You can still vote yes.")
    if may_vote(view, term, me):
        return _("You have not voted yet.")
    return _("You cannot vote yet. You can vote from the next term on.")


# -- removals by moderators -----------------------------------------------------------------------


def _removal_standing(removal: Shown) -> str:
    who = phrases.person_names(removal["said_by"])
    if removal["state"] == "said":
        return _("asked by {who}; waits for more moderators").format(who=who)
    if removal["state"] == "in force":
        return _("removed by {who}").format(who=who)
    return _("over; {who} had asked for it").format(who=who)


def _removal_parts(thread: ThreadData, me: str | None) -> Iterator[Part]:
    yield _removal_standing({**thread.root, "said_by": _removing_moderators(thread)})
    for remove in thread.answers:
        if remove.get("why") and remove["id"] != thread.root["id"]:
            yield (f"\n{phrases.name(remove['author'], me)}: ", "dim")
            yield safe_text(remove["why"]).strip()
    yield "\n" + _("A vote can bring them back.")


def _removal_steps(thread: ThreadData, me: str) -> Iterator[NextStep]:
    root = thread.root
    said_by = _removing_moderators(thread)
    if root["state"] == "said" and _may_join_removal(said_by, thread.term, me):
        yield removal_step(root["person"], thread.term, is_awaited=True)
    if root["state"] == "in force":
        yield restoration_step(root["person"])


def _removing_moderators(thread: ThreadData) -> list[Shown]:
    return [remove["author"] for remove in thread.answers or [thread.root]]


def _may_join_removal(said_by: list[Shown], term: Shown, me: str | None) -> bool:
    return is_on_council(term, me) and me not in ids(said_by)


# -- votes ----------------------------------------------------------------------------------------


def _vote_steps(root: Shown, term: Shown, me: str) -> Iterator[NextStep]:
    vote = vote_of(root, me)
    if not may_vote(root, term, me) or vote == "yes":
        return
    heading = f"“{decision_title(root)}”\n"
    yield NextStep(
        kind="vote",
        about=root["id"],
        label=_("Vote yes") if vote is None else _("Vote yes after all"),
        waits=vote is None,
        meaning=heading + _("You cannot change a yes afterwards."),
        fields=(),
        fixed={"choice": "yes"},
    )
    if vote is None:
        yield NextStep(
            kind="vote",
            about=root["id"],
            label=_("Vote no"),
            waits=True,
            meaning=heading + _("You can still vote yes while it is open."),
            fields=(),
            fixed={"choice": "no"},
        )
