"""Kinds of pages that everybody may write on (specs/15-circles-and-pages.md).

A revision names the texts that it follows, and replaces them. If two revisions follow the same
text, both are shown, so nobody's words are lost. A later revision can follow both and join them.
"""

from collections.abc import Iterable
from typing import NotRequired, TypedDict

from protocol.errors import AlreadySo
from protocol.fold.kind import Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Thread
from protocol.fold.view import States
from protocol.schema.declare import Many, RecordId, Text
from protocol.schema.values import PersonId, TimeMs

_MOST_NAMED = 8


class PageWords(TypedDict):
    """The title and the text of one version of a page. They are None if they are hidden."""

    title: str | None
    text: str | None


class PageHead(PageWords):
    """A current version of a page, as the view of the page lists it."""

    id: bytes
    author: PersonId
    created: TimeMs
    hidden: NotRequired[bool]  # true if its words are hidden; absent if they are shown


@kind("page")
class Page(Kind):
    """Something the neighbourhood writes together."""

    class State(States):
        """The states of a page."""

        CURRENT = "current", "One of its texts is followed by no other."
        CONCURRENT = "concurrent", "Several of its texts are followed by no other (`revision`)."

    wording = Words("Page", begin="Write a page", happened="{who} wrote the page")
    example = {"title": "The tool shed", "text": "The key hangs behind the door."}

    title: str | None = Text(required=True, min=1, max=120)
    text: str | None = Text(required=True, min=1, max=2000)

    heads: list[PageHead]
    revisions: int = 0
    first: PageWords

    def fold_entry(self, thread: Thread) -> None:
        """Makes the view of a page, with the text of this first record (R-15.12).

        This text is shown until somebody revises the page.
        """
        self.first = {"title": self.title, "text": self.text}
        thread.add_view(self)

    def settle(self, thread: Thread) -> None:
        """Finds the current texts of the page, which no other text follows (R-15.12).

        The view lists the current texts, and shows the last of them as the page's title and text.
        """
        revisions = thread.linked_views(Revision, "about", self.id)
        followed = {text_id for revision in revisions for text_id in revision.after or ()}
        texts: list[Page | Revision] = [self, *revisions]
        texts.sort(key=lambda text: text.order)
        self.heads = [_show_text(thread, text) for text in texts if text.id not in followed]
        self.revisions = len(revisions)
        for revision in revisions:
            if revision.id in followed:
                revision.state = Revision.State.REPLACED
        if len(self.heads) > 1:
            self.state = self.State.CONCURRENT
        if thread.is_hidden(self.id):
            self.first = {"title": None, "text": None}
        self.title = self.heads[-1]["title"]
        self.text = self.heads[-1]["text"]

    def texts(self) -> Iterable[str]:
        """Returns the titles and texts that are current."""
        for head in self.heads:
            yield from filter(None, (head["title"], head["text"]))


@kind("revision", about=("page",))
class Revision(Kind):
    """A new text of a page, as its author wants the page to be now."""

    class State(States):
        """The states of a revision."""

        CURRENT = "current", "No other text follows it."
        REPLACED = "replaced", "Another text follows it (`revision`)."

    wording = Words("Page, edited", happened="{who} edited the page")
    example = {"title": "The tool shed", "text": "The key hangs at number 12."}

    title: str | None = Text(required=True, min=1, max=120)
    text: str | None = Text(required=True, min=1, max=2000)
    after: list[bytes] | None = Many(
        of=RecordId(),
        max=_MOST_NAMED,
        filled=True,
        help="the texts that this one follows; all that stand, if left out",
    )

    def complete(self, thread: Thread) -> None:
        """Sets `title` to the title of the page, and `after` to its current texts (R-15.13).

        A field that the author filled in stays as it is.
        """
        page = thread.find_view(self.about, Page)
        if page is None:
            return
        if self.title is None:
            self.title = page.title
        if self.after is None:
            self.after = [head["id"] for head in page.heads[-_MOST_NAMED:]]

    def check_before_signing(self, thread: Thread) -> None:
        """Raises AlreadySo if the page has exactly these words already (R-15.13)."""
        page = thread.find_view(self.about, Page)
        if page is None or len(page.heads) != 1:
            return
        if (page.title, page.text) == (self.title, self.text):
            raise AlreadySo("R-15.13", "the page says so already", page.heads[0]["id"])

    def fold_entry(self, thread: Thread) -> None:
        """Adds the revision to the views. The revision is current until another text follows it
        (R-15.12).
        """
        thread.add_view(self)


def _show_text(thread: Thread, text: Page | Revision) -> PageHead:
    """Returns one text of a page, as the view of the page lists it.

    Hidden words are left out (R-14.6).
    """
    head: PageHead = {
        "id": text.id,
        "author": text.author,
        "created": text.created,
        "title": text.title,
        "text": text.text,
    }
    if thread.is_hidden(text.id):
        head["title"] = None
        head["text"] = None
        head["hidden"] = True
    return head
