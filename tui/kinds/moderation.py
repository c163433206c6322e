"""Shows why words were flagged or hidden, and what the moderators and the voters can do then.

A flag asks the moderators to look at some words. With a `hide` record, a moderator asks the other
moderators to hide words, or to show hidden words again. Flags and `hide` records can be about any
record. So the story and the steps of any thread may contain texts and steps from this face.
"""

from collections.abc import Iterator

from protocol.display_text import safe_line, safe_text
from protocol.fold.registry import KINDS
from protocol.local_clock import LocalClock
from tui.format import phrases
from tui.format.phrases import Card, Part
from tui.i18n import _
from tui.kinds.comments import COMMENT, newest_comments
from tui.kinds.decisions import proposal_step, requesters, subject_line
from tui.kinds.face import Face, face
from tui.kinds.next_steps import NextStep, StepWords
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown

_FLAG = "flag"
_HIDE = "hide"
_RETRACT = "retract"
_QUOTE = 40  # characters of a comment in a label
_SHOWING = "no"  # what a hide says that asks to show words again


@face(_FLAG, _HIDE, _RETRACT)
class ModerationFace(Face):
    """How the screen shows flags, and requests to hide words."""

    def waiting_card(self, row: Shown, reader: Reader) -> Card:
        """Makes the card of a flag, or of a request to hide or show words, for a moderator."""
        del reader
        if row.kind == _FLAG:
            label = _("{who} flagged: {what}").format(
                who=phrases.name(row.author), what=subject_line(row.row("concerns"))
            )
        else:
            label = _("{who} asks the moderators: {what}").format(
                who=requesters(row), what=_request_line(row)
            )
        return Card(row.id, label, safe_text(row.text("reason") or ""))

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of a step that flags, hides or shows words, or that
        takes back a flag or a `hide` record.
        """
        if row.kind == _RETRACT:
            return _retract_words(row, thread)
        text = next((text for text in _texts(thread) if text.id == row.about), None)
        if text is None:
            return None
        return _flag_words(text, reader) if row.kind == _FLAG else _hide_words(row, text, reader)

    def remarks(self, thread: ThreadData, reader: Reader) -> Iterator[Part]:
        """Yields what people said about the words of a thread: flags, requests, hidden words."""
        if thread.root.flag("hidden"):
            yield ("\n\n" + _("Some words here are hidden; a vote can show them again."), "bold")
        for hides in _hides_by_text(thread.of_kind(_HIDE), "in force").values():
            if hides[0].text("hidden") != _SHOWING:
                names = _author_names(hides, reader.me)
                yield "\n" + _("Hidden by {who}").format(who=names) + _reasons(hides)
        for hides in _hides_by_text(thread.of_kind(_HIDE), "said").values():
            yield "\n" + _asking_sentence(hides, reader.me)
        for flag in thread.of_kind(_FLAG):
            if flag.state == "open":
                who = phrases.name(flag.author, reader.me)
                sentence = _("{who} flagged this for the moderators").format(who=who)
                yield "\n" + phrases.capitalized(sentence) + _reasons([flag])

    def beginnings(self, thread: ThreadData, reader: Reader) -> Iterator[NextStep]:
        """Yields the steps that ask everybody to hide flagged words, or to show hidden words."""
        flagged_ids = {flag.about for flag in thread.of_kind(_FLAG)}
        for text in _texts(thread):
            who = phrases.name(text.author)
            if text.flag("hidden"):
                yield proposal_step(
                    f"show {text.id}",
                    _("Ask everybody to show again what {who} wrote").format(who=who),
                    _("Show again what {who} wrote").format(who=who),
                )
            elif text.id in flagged_ids and not text.is_by(reader.me):
                yield proposal_step(
                    f"hide {text.id}",
                    _("Ask everybody to hide what {who} wrote").format(who=who),
                    _("Hide what {who} wrote").format(who=who),
                )


def flag_cards(
    flags: list[Shown], hides: list[Shown], clock: LocalClock, me: str | None
) -> list[Card]:
    """Makes a card for each flag or request that waits for any moderator. A request asks to hide
    words, or to show them again.
    """
    cards = [_flag_card(flag, clock, me) for flag in flags if flag.state == "open"]
    for text_id, text_hides in _hides_by_text(hides, "said").items():
        sentence = _asking_sentence(text_hides, me)
        cards.append(Card(text_id, subject_line(text_hides[0].row("concerns")), sentence))
    return cards


def hidden_cards(hides: list[Shown], decisions: list[Shown], me: str | None) -> list[Card]:
    """Makes a card for each post with hidden words. The card says who hid them, and why."""
    cards = {}
    for decision in decisions:
        subject = decision.row("concerns")
        if subject and subject.flag("hidden") and decision.state == "passed":
            detail = _("by a decision: {title}").format(title=phrases.title(decision))
            cards[subject.id] = Card(subject.id, subject_line(subject), detail)
    for text_id, text_hides in _hides_by_text(hides, "in force").items():
        subject = text_hides[0].row("concerns")
        if subject and subject.flag("hidden"):
            names = _author_names(text_hides, me)
            detail = _("by {who}").format(who=names) + _reasons(text_hides)
            cards[text_id] = Card(text_id, subject_line(subject), detail)
    return list(cards.values())


# -- words -----------------------------------------------------------------------------------------


def _flag_words(text: Shown, reader: Reader) -> StepWords | None:
    if text.is_by(reader.me) or text.flag("hidden"):
        return None
    return StepWords(
        _("Flag what {who} wrote").format(who=phrases.name(text.author)) + _quote(text),
        _(
            "This asks the moderators to look. Everybody sees that you asked, and why. It "
            "changes nothing by itself."
        ),
    )


def _hide_words(row: Shown, text: Shown, reader: Reader) -> StepWords | None:
    given = row.row("given")
    shows_again = given is not None and given.text("hidden") == _SHOWING
    if shows_again:
        label = _("As a moderator, show again what {who} wrote")
        meaning = _("When {n} moderators have said so, everybody can read these words again.")
    else:
        label = _("As a moderator, hide what {who} wrote")
        meaning = _(
            "When {n} moderators have said so, these words disappear from every list; minutes "
            "and states stay. You cannot take this back, but moderators or a vote can show "
            "the words again."
        )
        if text.is_by(reader.me):
            return None
    needed = reader.term.number("moderators_needed")
    return StepWords(
        label.format(who=phrases.name(text.author)) + _quote(text),
        meaning.format(n=needed),
        fields=("reason",),
    )


def _retract_words(row: Shown, thread: ThreadData) -> StepWords | None:
    comment = next((text for text in newest_comments(thread) if text.id == row.about), None)
    if comment is None and row.about != thread.root.id:
        return None
    meaning = _("Its words are erased at every home. That cannot be undone.")
    if comment is None:
        return StepWords(_("Take this back"), meaning, fields=())
    return StepWords(_("Take back your comment") + _quote(comment), meaning, fields=())


def _quote(text: Shown) -> str:
    """Returns the words of a comment, for the end of a label. The words show which of many comments
    is meant. For another text, returns an empty text.
    """
    if text.kind != COMMENT:
        return ""
    return f": “{phrases.line_or_hidden(text.text('text'), _QUOTE)}”"


def _texts(thread: ThreadData) -> list[Shown]:
    """Returns the records of a thread whose words can be flagged.

    These are the comments, and the first record if records of its kind have words. On a page, its
    current texts take the place of the first record. In a private thread, no words can be flagged.
    """
    declared = KINDS.get(thread.root.kind)
    if declared is None or declared.is_private or not thread.is_readable:
        return []
    comments = newest_comments(thread)
    if not any(field.is_wording for field in declared.fields.values()):
        return comments
    return [*(thread.root.rows("heads") or [thread.root]), *comments]


# -- flags and hides -------------------------------------------------------------------------------


def _flag_card(flag: Shown, clock: LocalClock, me: str | None) -> Card:
    detail = _("flagged by {who}, {day}: {reason}").format(
        who=phrases.name(flag.author, me),
        day=phrases.moment(flag.created, clock),
        reason=safe_line(flag.text("reason") or _("the reason is hidden, too")),
    )
    return Card(flag.id, subject_line(flag.row("concerns")), detail)


def _hides_by_text(hides: list[Shown], state: str) -> dict[str, list[Shown]]:
    """Maps the id of each text to the `hide` records about this text, oldest first. Takes only
    records in the state `state`.
    """
    by_text: dict[str, list[Shown]] = {}
    for hide in sorted(hides, key=lambda hide: hide.created):
        if hide.state == state:
            by_text.setdefault(hide.about or "", []).append(hide)
    return by_text


def _asking_sentence(hides: list[Shown], me: str | None) -> str:
    sentence = _("{who} asks the other moderators: {what}")
    asking = sentence.format(who=_author_names(hides, me), what=_request_line(hides[0]))
    return asking + _reasons(hides)


def _author_names(records: list[Shown], me: str | None) -> str:
    names = [phrases.name(record.author, me) for record in records]
    return ", ".join(dict.fromkeys(names))  # each name once, in this order


def _request_line(hide: Shown) -> str:
    return _("show them again") if hide.text("hidden") == _SHOWING else _("hide them")


def _reasons(records: list[Shown]) -> str:
    reasons = [f"“{safe_line(text)}”" for record in records if (text := record.text("reason"))]
    return ": " + " / ".join(reasons) if reasons else ""
