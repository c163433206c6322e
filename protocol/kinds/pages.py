"""Kinds of pages that everybody may write on (specs/15-circles-and-pages.md).

A revision names the texts that it follows, and replaces them. If two revisions follow the same
text, both are shown, so nobody's words are lost. A later revision can follow both and join them.
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
        """Makes the view of a page, with the text of this first record (R-15.12).

        This text is shown until somebody revises the page.
        """
        first = {name: entry.fields[name] for name in _WORDS}
        thread.make_view(entry, state="current", heads=[], revisions=0, first=first)

    def settle_view(self, thread: Thread, view: View) -> None:
        """Finds the current texts of the page, which no other text follows (R-15.12).

        The view lists the current texts, and shows the last of them as the page's title and text.
        """
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
    """A new text of a page, as its author would have the page now."""

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
        """Fills in the title of the page, and in `after` the texts that are current (R-15.13).

        A field that the author filled in stays as it is.
        """
        del today
        page = thread.find_view(entry.about, "page")
        if page is None:
            return entry.fields
        heads = [head["id"] for head in page["heads"][-_MOST_NAMED:]]
        return {"title": page["title"], "after": heads, **entry.fields}

    def fold_entry(self, thread: Thread, entry: Entry) -> None:
        """Adds the revision to the views. It is current until another text follows it (R-15.12)."""
        thread.make_view(entry, state="current")


def _show_text(thread: Thread, text: View) -> View:
    """Returns the entry for one text in the list of a page. Hidden words are left out (R-14.6)."""
    shown = {name: text[name] for name in _SHOWN}
    if thread.is_hidden(text["id"]):
        shown.update(dict.fromkeys(_WORDS), hidden=True)
    return shown
