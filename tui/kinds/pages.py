"""Shows pages, which all members write together.

A head is a current text of the page: no later text has replaced it. If several people write at the
same time, a page has several heads.
"""

from collections.abc import Iterator

from textual.content import Content

from protocol.display_text import safe_line, safe_text
from protocol.local_clock import LocalClock
from tui.format import phrases
from tui.format.phrases import Card, Part
from tui.i18n import _, plural
from tui.kinds.face import Face, face
from tui.kinds.next_steps import StepWords
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown


@face("page", "revision")
class PageFace(Face):
    """How the screen shows a page and its texts."""

    def card(self, view: Shown, reader: Reader) -> Card:
        """Makes the card of a page, with the author and the time of its latest text."""
        heads = view.rows("heads")
        if not heads:
            return super().card(view, reader)
        several = _("{n} texts side by side").format(n=len(heads)) if len(heads) > 1 else ""
        detail = phrases.dotted([several, _signature(heads[-1], reader.clock, reader.me)])
        return Card(view.id, phrases.title(view), detail, quiet=view.state == "ended")

    def story(self, thread: ThreadData, reader: Reader) -> Content:
        """Shows the current texts of a page. Below them come the earlier texts, latest first."""
        return Content.assemble(*_story_parts(thread, reader))

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of the step that writes a new text in place of all
        current texts.
        """
        if row.kind != "revision":
            return super().step_words(row, thread, reader)
        heads = thread.root.rows("heads")
        texts = [head.text("text") for head in heads]
        return StepWords(
            label=_("Merge the texts") if len(heads) > 1 else _("Edit this page"),
            meaning=plural(
                "Your text replaces the current one, which stays readable below it.",
                "Your text replaces the current ones, which stay readable below it.",
                len(heads),
            ),
            first={
                "title": (heads[-1].text("title") or "") if heads else "",
                "text": "\n\n".join(text for text in texts if text),
            },
            # The text replaces those that its author saw, whatever others write meanwhile.
            fixed={"after": [head.id for head in heads]},
            fields=("title", "text"),
        )


def _story_parts(thread: ThreadData, reader: Reader) -> Iterator[Part]:
    heads = thread.root.rows("heads")
    if len(heads) > 1:
        yield (_("Several people wrote at the same time. Anybody can merge the texts."), "dim")
        yield "\n\n"
    for head in heads:
        yield (safe_line(head.text("title") or _("Hidden words")), "bold")
        yield "\n" + safe_text(head.text("text") or "").strip()
        yield "\n"
        yield (_signature(head, reader.clock, reader.me), "dim")
        yield "\n\n"
    earlier = _earlier_texts(thread)
    if earlier:
        yield (_("Earlier"), "bold")
    for text in reversed(earlier):
        yield "\n"
        yield (_signature(text, reader.clock, reader.me) + ": ", "dim")
        yield safe_text(text.text("text") or _("hidden")).strip()


def _earlier_texts(thread: ThreadData) -> list[Shown]:
    """Returns the texts that later texts have replaced, oldest first."""
    page = thread.root
    head_ids = {head.id for head in page.rows("heads")}
    replaced = [view for view in thread.of_kind("revision") if view.id not in head_ids]
    first = page.row("first")
    if page.id in head_ids or first is None:
        return replaced
    return [page.overlaid_with(first), *replaced]


def _signature(text: Shown, clock: LocalClock, me: str | None) -> str:
    author = phrases.capitalized(phrases.name(text.author, me))
    return phrases.dotted([author, phrases.moment(text.created, clock)])
