"""The kind of comments: what neighbours say or ask about a record of any thread (specs/14)."""

from collections.abc import Iterable

from protocol.errors import Refused
from protocol.fold.facets import Way
from protocol.fold.kind import Kind, Words
from protocol.fold.registry import kind
from protocol.fold.thread import Entry, Thread
from protocol.fold.view import States, Tombstone
from protocol.schema.declare import Text


@kind("comment", about=("*",))
class Comment(Kind):
    """Words about a record, such as a question about an offer."""

    class State(States):
        """The state of a comment."""

        STATED = "said", "Always."

    wording = Words("Comment", happened="{who} commented", submit="Post")
    example = {"text": "Which day suits you?"}
    begins_branch = True
    is_sure = True

    text: str | None = Text(required=True, min=1, max=2000)

    @classmethod
    def ways(cls, thread: Thread, target: Entry, person: bytes) -> Iterable[Way]:
        """Yields one way to comment on a record, if the record is shown and is no comment."""
        del person
        view = thread.views.get(target.id)
        if view is not None and not isinstance(view, Comment | Tombstone):
            yield Way()

    def check_before_signing(self, thread: Thread) -> None:
        """Raises Refused if nothing of the record is shown, because it has no view (R-14.9c)."""
        view = thread.views.get(thread.target(self).id)
        if view is None or isinstance(view, Tombstone):
            raise Refused(
                "R-14.9", "nothing of it is shown; comment on the record that it is about"
            )

    def fold_entry(self, thread: Thread) -> None:
        """Adds the comment to the views. Changes nothing else (R-14.9).

        Raises Refused if the comment is about another comment. So each comment is a branch of its
        own, and homes fold each branch alone. A new comment then costs no more if there are many
        comments already (R-14.9b).
        """
        target = thread.target(self)
        if target.kind == self.kind:
            raise Refused("R-14.9", "comment on the record that the other comment is about")
        thread.add_view(self)
