"""Shows a page, which all members write together: its card, its text, and the step that adds a new
text. All functions here are pure.

A head is a current text of the page: no later text has replaced it. If several people write at the
same time, a page has several heads.
"""

from collections.abc import Iterator
from datetime import date

from textual.content import Content

from protocol.display_text import safe_line, safe_text
from tui.format import phrases
from tui.format.phrases import Card, Part, Shown
from tui.i18n import _, plural
from tui.kinds.next_steps import NextStep
from tui.kinds.thread_data import ThreadData


def page_card(view: Shown, today: date, me: str | None) -> Card:
    """Makes the card of a page, with the author and the time of its latest text."""
    heads = view["heads"]
    several = _("{n} texts side by side").format(n=len(heads)) if len(heads) > 1 else ""
    detail = phrases.dotted([several, _signature(heads[-1], today, me)])
    return Card(view["id"], phrases.title(view), detail, quiet=view["state"] == "ended")


def page_story(thread: ThreadData, today: date, me: str | None) -> Content:
    """Shows the current texts of a page. Below them come the earlier texts, with the latest of
    these first.
    """
    return Content.assemble(*_story_parts(thread, today, me))


def revision_step(page: Shown) -> NextStep:
    """Returns the step that writes a new text in place of all current texts of the page."""
    heads = page["heads"]
    return NextStep(
        kind="revision",
        about=page["id"],
        label=_("Merge the texts") if len(heads) > 1 else _("Edit this page"),
        meaning=plural(
            "Your text replaces the current one, which stays readable below it.",
            "Your text replaces the current ones, which stay readable below it.",
            len(heads),
        ),
        given={
            "title": heads[-1]["title"] or "",
            "text": "\n\n".join(head["text"] for head in heads if head["text"]),
        },
        fixed={"after": [head["id"] for head in heads]},
    )


def _story_parts(thread: ThreadData, today: date, me: str | None) -> Iterator[Part]:
    page = thread.root
    if len(page["heads"]) > 1:
        yield (_("Several people wrote at the same time. Anybody can merge the texts."), "dim")
        yield "\n\n"
    for head in page["heads"]:
        yield (safe_line(head["title"] or _("Hidden words")), "bold")
        yield "\n" + safe_text(head["text"] or "").strip()
        yield "\n"
        yield (_signature(head, today, me), "dim")
        yield "\n\n"
    earlier = _earlier_texts(thread)
    if earlier:
        yield (_("Earlier"), "bold")
    for text in reversed(earlier):
        yield "\n"
        yield (_signature(text, today, me) + ": ", "dim")
        yield safe_text(text["text"] or _("hidden")).strip()


def _earlier_texts(thread: ThreadData) -> list[Shown]:
    """Returns the texts of a page that later texts have replaced, oldest first. If the page's first
    text was replaced too, it comes first.
    """
    page = thread.root
    head_ids = {head["id"] for head in page["heads"]}
    replaced = [revision for revision in thread.answers if revision["id"] not in head_ids]
    if page["id"] in head_ids:
        return replaced
    return [{**page, **page["first"]}, *replaced]


def _signature(text: Shown, today: date, me: str | None) -> str:
    author = phrases.capitalized(phrases.name(text["author"], me))
    return phrases.dotted([author, phrases.moment(text["created"], today)])
