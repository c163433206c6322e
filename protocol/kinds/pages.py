"""Kinds of pages that everybody may write on (specs/15-circles-and-pages.md).

A revision names what it follows. Two that follow the same stand side by side, and nobody's words
are lost; one that names both joins them.
"""

from typing import Any

from protocol.fold.kind import Kind, States, kind
from protocol.fold.thread import Entry, Thread, View
from protocol.schema.fields import Many, RecordId, Text

_MOST_NAMED = 8
_WORDS = ("title", "text")
_SHOWN = ("id", "author", "created", *_WORDS)


@kind("page")
class Page(Kind):
    """Something the neighbourhood writes together."""

    states = States(
        {
            "current": "One of its texts is followed by no other.",
            "concurrent": "Several of its texts are followed by no other (`revision`).",
        }
    )
    title = Text(required=True, min=1, max=120)
    text = Text(required=True, min=1, max=2000)

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """A page shows its own first text until somebody revises it (R-15.12)."""
        first = {name: entry.fields[name] for name in _WORDS}
        thread.make_view(entry, state="current", heads=[], revisions=0, first=first)

    def settle_view(self, thread: Thread, view: View) -> None:
        """Shows the last of the texts that no other follows, and lists them all (R-15.12)."""
        revisions = thread.linked_views("revision", "about", view["id"])
        followed = {text_id for revision in revisions for text_id in revision["after"] or ()}
        texts = sorted((view, *revisions), key=lambda text: (text["created"], text["id"]))
        heads = [text for text in texts if text["id"] not in followed]
        view["heads"] = [_show_text(thread, head) for head in heads]
        view["revisions"] = len(revisions)
        for revision in revisions:
            if revision["id"] in followed:
                revision["state"] = "replaced"
        if len(heads) > 1:
            view["state"] = "concurrent"
        if thread.is_hidden(view["id"]):
            view["first"] = dict.fromkeys(_WORDS)
        view.update({name: view["heads"][-1][name] for name in _WORDS})


@kind("revision", about=("page",))
class Revision(Kind):
    """A page as somebody would have it now."""

    states = States(
        {
            "current": "No other text follows it.",
            "replaced": "Another text follows it (`revision`).",
        }
    )
    title = Text(required=True, min=1, max=120)
    text = Text(required=True, min=1, max=2000)
    after = Many(
        of=RecordId(),
        max=_MOST_NAMED,
        filled=True,
        help="the texts that this one follows; all that stand, if left out",
    )

    def complete_fields(self, thread: Thread, entry: Entry, today: str) -> dict[str, Any]:
        """The page's title, and the texts that no other follows, unless others are named (R-15.13)."""
        del today
        page = thread.find_view(entry.about, "page")
        if page is None:
            return entry.fields
        heads = [head["id"] for head in page["heads"][-_MOST_NAMED:]]
        return {"title": page["title"], "after": heads, **entry.fields}

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Current until another text follows it (R-15.12)."""
        thread.make_view(entry, state="current")


def _show_text(thread: Thread, text: View) -> View:
    """A text of a page as its view lists it, without the words where they are hidden (R-14.6)."""
    shown = {name: text[name] for name in _SHOWN}
    if thread.is_hidden(text["id"]):
        shown.update(dict.fromkeys(_WORDS), hidden=True)
    return shown
