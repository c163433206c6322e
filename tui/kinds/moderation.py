"""Shows why words were flagged or hidden, and what moderators and the roll can do about it. All
functions here are pure.

A flag asks the moderators to look at some words. With a `hide` record, a moderator asks the other
moderators to hide words, or to show hidden words again.
"""

from collections.abc import Iterator
from datetime import date

from textual.content import Content

from protocol.display_text import safe_line, safe_text
from protocol.fold.kind import KINDS
from tui.format import phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _
from tui.kinds.decisions import subject_line
from tui.kinds.electorate import ids, is_on_council, moderators_needed
from tui.kinds.next_steps import NextStep
from tui.kinds.proposal_steps import proposal_step
from tui.kinds.thread_data import ThreadData


def can_be_flagged(root: Shown) -> bool:
    """Returns whether people can flag and hide the words of a thread. Only words that all members
    can read can be flagged.
    """
    kind = KINDS.get(root.get("kind") or "")
    if kind is None or kind.is_private or "state" not in root:
        return False
    return any(field.is_wording for field in kind.fields.values())


def moderation_story(thread: ThreadData, me: str | None) -> Content:
    """Describes what people said about the words of a thread: flags, requests to hide words, and
    hidden words. The page shows this below the thread's own text.
    """
    return Content.assemble(*_story_parts(thread, me))


def moderation_steps(thread: ThreadData, me: str | None) -> list[NextStep]:
    """Lists what `me` can do about the words of a thread, such as flag or hide the words."""
    if me is None or not can_be_flagged(thread.root):
        return []
    return [step for text in _texts(thread) for step in _steps_about(text, thread, me)]


def waiting_flag_cards(
    flags: list[Shown], hides: list[Shown], term: Shown, me: str | None
) -> Iterator[Card]:
    """Yields a card for each flag that waits for `me`, a moderator. Also yields a card for each
    request to hide or show words, if `me` has not answered it yet.
    """
    if me not in ids(term.get("moderators")):
        return
    for flag in flags:
        if flag["state"] == "open" and flag["author"]["id"] != me:
            label = _("{who} flagged: {what}").format(
                who=phrases.name(flag["author"]), what=subject_line(flag["concerns"])
            )
            yield Card(flag["id"], label, safe_text(flag.get("reason") or ""))
    if not is_on_council(term, me):
        return
    for text_id, text_hides in _hides_by_text(hides, "said").items():
        if me not in ids(_authors(text_hides)):
            label = _("{who} asks the moderators: {what}").format(
                who=_author_names(text_hides, None), what=_request_line(text_hides[0])
            )
            yield Card(text_id, label, safe_text(text_hides[0].get("reason") or ""))


def flag_cards(flags: list[Shown], hides: list[Shown], today: date, me: str | None) -> list[Card]:
    """Makes a card for each flag, and for each request to hide or show words, that waits for any
    moderator.
    """
    cards = [_flag_card(flag, today, me) for flag in flags if flag["state"] == "open"]
    for text_id, text_hides in _hides_by_text(hides, "said").items():
        sentence = _asking_sentence(text_hides, me)
        cards.append(Card(text_id, subject_line(text_hides[0]["concerns"]), sentence))
    return cards


def hidden_cards(hides: list[Shown], decisions: list[Shown], me: str | None) -> list[Card]:
    """Makes a card for each post with hidden words. The card says who hid them, and why."""
    cards = {}
    for decision in decisions:
        subject = decision.get("concerns") or {}
        if subject.get("hidden") and decision["state"] == "passed":
            detail = _("by a decision: {title}").format(title=phrases.title(decision))
            cards[subject["id"]] = Card(subject["id"], subject_line(subject), detail)
    for text_id, text_hides in _hides_by_text(hides, "in force").items():
        subject = text_hides[0]["concerns"]
        if subject and subject["hidden"]:
            names = _author_names(text_hides, me)
            detail = _("by {who}").format(who=names) + _reasons(text_hides)
            cards[text_id] = Card(text_id, subject_line(subject), detail)
    return list(cards.values())


# -- cards and story ------------------------------------------------------------------------------


def _flag_card(flag: Shown, today: date, me: str | None) -> Card:
    detail = _("flagged by {who}, {day}: {reason}").format(
        who=phrases.name(flag["author"], me),
        day=phrases.moment(flag["created"], today),
        reason=safe_line(flag.get("reason") or _("the reason is hidden, too")),
    )
    return Card(flag["id"], subject_line(flag["concerns"]), detail)


def _story_parts(thread: ThreadData, me: str | None) -> Iterator[Part]:
    if thread.root.get("hidden"):
        yield ("\n\n" + _("Some words here are hidden; a vote can show them again."), "bold")
    for hides in _hides_by_text(thread.hides, "in force").values():
        if hides[0].get("hidden") != "no":
            names = _author_names(hides, me)
            yield "\n" + _("Hidden by {who}").format(who=names) + _reasons(hides)
    for hides in _hides_by_text(thread.hides, "said").values():
        yield "\n" + _asking_sentence(hides, me)
    for flag in thread.flags:
        if flag["state"] == "open":
            who = phrases.name(flag["author"], me)
            sentence = _("{who} flagged this for the moderators").format(who=who)
            yield "\n" + phrases.capitalized(sentence) + _reasons([flag])


def _asking_sentence(hides: list[Shown], me: str | None) -> str:
    sentence = _("{who} asks the other moderators: {what}")
    asking = sentence.format(who=_author_names(hides, me), what=_request_line(hides[0]))
    return asking + _reasons(hides)


# -- steps ----------------------------------------------------------------------------------------


def _texts(thread: ThreadData) -> list[Shown]:
    """Returns the records of a thread whose words can be flagged. For a page, these are its current
    texts; for any other thread, its first record.
    """
    return thread.root.get("heads") or [thread.root]


def _steps_about(text: Shown, thread: ThreadData, me: str) -> Iterator[NextStep]:
    if text.get("hidden"):
        yield from _showing_steps(text, thread, me)
    elif text["author"]["id"] != me:
        yield from _hiding_steps(text, thread, me)


def _showing_steps(text: Shown, thread: ThreadData, me: str) -> Iterator[NextStep]:
    who = phrases.name(text["author"])
    if _may_judge(text, thread, me):
        label = _("As a moderator, show again what {who} wrote").format(who=who)
        yield _hide_step(text["id"], thread.term, label, "no")
    yield proposal_step(
        f"show {text['id']}",
        _("Ask everybody to show again what {who} wrote").format(who=who),
        _("Show again what {who} wrote").format(who=who),
    )


def _hiding_steps(text: Shown, thread: ThreadData, me: str) -> Iterator[NextStep]:
    who = phrases.name(text["author"])
    flags = [flag for flag in thread.flags if flag["about"] == text["id"]]
    if me not in ids(_authors(flags)):
        yield NextStep(
            kind="flag",
            about=text["id"],
            label=_("Flag what {who} wrote").format(who=who),
            meaning=_(
                "This asks the moderators to look. Everybody sees that you asked, and why. It "
                "changes nothing by itself."
            ),
        )
    if _may_judge(text, thread, me):
        label = _("As a moderator, hide what {who} wrote").format(who=who)
        yield _hide_step(text["id"], thread.term, label, "yes")
    if flags:
        yield proposal_step(
            f"hide {text['id']}",
            _("Ask everybody to hide what {who} wrote").format(who=who),
            _("Hide what {who} wrote").format(who=who),
        )


def _hide_step(text_id: str, term: Shown, label: str, choice: str) -> NextStep:
    hiding = _(
        "When {n} moderators have said so, these words disappear from every list; minutes "
        "and states stay. You cannot take this back, but moderators or a vote can show "
        "the words again."
    )
    showing = _("When {n} moderators have said so, everybody can read these words again.")
    meaning = hiding if choice == "yes" else showing
    return NextStep(
        kind="hide",
        about=text_id,
        label=label,
        meaning=meaning.format(n=moderators_needed(term)),
        fields=("reason",),
        fixed={"hidden": choice},
    )


def _may_judge(text: Shown, thread: ThreadData, me: str) -> bool:
    """Returns whether `me` may ask to hide or show some words. `me` must be one of at least three
    moderators, must not have asked already, and must not be the person that the words are about.
    """
    if not is_on_council(thread.term, me) or _is_about(text, thread, me):
        return False
    hides = _hides_by_text(thread.hides, "said").get(text["id"], [])
    return me not in ids(_authors(hides))


def _is_about(text: Shown, thread: ThreadData, me: str) -> bool:
    """Returns whether some words are about `me`. If they are, other moderators have to judge them
    (R-14.5).
    """
    root = thread.root
    if text["id"] != root["id"]:  # a revision of a page is about the person who began the page
        return bool(root["author"]["id"] == me)
    people: list[Shown] = []
    for name, field in KINDS[root["kind"]].fields.items():
        if field.names_people:
            value = root.get(name) or []
            people += value if isinstance(value, list) else [value]
    return me in ids(people) - {text["author"]["id"]}


# -- hides ----------------------------------------------------------------------------------------


def _hides_by_text(hides: list[Shown], state: str) -> dict[str, list[Shown]]:
    """Returns the `hide` records with this state, oldest first, in a list for each text. The key is
    the id of the text that they are about.
    """
    by_text: dict[str, list[Shown]] = {}
    for hide in sorted(hides, key=lambda hide: str(hide["created"])):
        if hide["state"] == state:
            by_text.setdefault(hide["about"], []).append(hide)
    return by_text


def _authors(records: list[Shown]) -> list[Shown]:
    return [record["author"] for record in records]


def _author_names(records: list[Shown], me: str | None) -> str:
    names = [phrases.name(author, me) for author in _authors(records)]
    return ", ".join(dict.fromkeys(names))  # each name once, in this order


def _request_line(hide: Shown) -> str:
    return _("show them again") if hide.get("hidden") == "no" else _("hide them")


def _reasons(records: list[Shown]) -> str:
    reasons = [f"“{safe_line(record['reason'])}”" for record in records if record.get("reason")]
    return ": " + " / ".join(reasons) if reasons else ""
