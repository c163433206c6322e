"""Shows what neighbours say or ask about a record. A face is the code that shows one group of
kinds. A comment can be about any record, so this face adds comments to the stories of all threads.
"""

from collections.abc import Collection, Iterator

from protocol.display_text import safe_line, safe_text
from tui.format import phrases
from tui.format.phrases import Part
from tui.i18n import _, plural
from tui.kinds.face import Face, face, face_of
from tui.kinds.next_steps import StepWords
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown

COMMENT = "comment"

_SHOWN = 20  # the newest comments, which a page shows
_WIDTH = 40  # characters of what a comment is about


@face(COMMENT)
class CommentFace(Face):
    """How the screen shows comments, and the step that writes one."""

    is_beside_stories = True

    def step_words(self, row: Shown, thread: ThreadData, reader: Reader) -> StepWords | None:
        """Returns the label and the explanation of the step that comments on the first record of a
        thread. If a thread has pages for its parts, the step can comment on its other records too.

        People of a circle write messages, so there the step has no button.
        """
        del reader
        root_face = face_of(thread.root.kind)
        is_root = row.about == thread.root.id
        if root_face.reads_from_end or not (is_root or root_face.page):
            return None
        meaning = _("Everybody who can read this can read what you ask or say, and can answer.")
        target = thread.find(row.about)
        if is_root or target is None:
            return StepWords(_("Ask or say something"), meaning, rank=1)
        label = _("Ask or say something about: {about}").format(about=_about_line(target))
        return StepWords(label, meaning, rank=1)

    def remarks(self, thread: ThreadData, reader: Reader) -> Iterator[Part]:
        """Yields the newest comments of a thread, in the order of time."""
        comments = thread.of_kind(COMMENT)
        yield from comment_parts(comments, thread, reader, {thread.root.id})


def newest_comments(thread: ThreadData) -> list[Shown]:
    """Returns the comments of a thread that its page shows, oldest first."""
    return thread.of_kind(COMMENT)[-_SHOWN:]


def comments_on(targets: Collection[str], thread: ThreadData) -> list[Shown]:
    """Returns the comments on any of these records, oldest first."""
    return [comment for comment in thread.of_kind(COMMENT) if comment.about in targets]


def comment_parts(
    comments: list[Shown], thread: ThreadData, reader: Reader, plain: Collection[str]
) -> Iterator[Part]:
    """Yields the newest of some comments: who says it, when, about which record, and the words. The
    page itself already shows the records in `plain`, so a comment on them does not name its record.
    """
    if not comments:
        return
    yield ("\n\n" + _("What neighbours ask and say"), "bold")
    earlier = len(comments) - _SHOWN
    if earlier > 0:
        sentence = plural("{n} earlier comment is not shown here.",
                          "{n} earlier comments are not shown here.", earlier)  # fmt: skip
        yield "\n" + sentence.format(n=earlier)
    for comment in comments[-_SHOWN:]:
        target = None if comment.about in plain else thread.find(comment.about)
        parts = [
            phrases.capitalized(phrases.signer_names(comment, reader.me)),
            phrases.moment(comment.created, reader.clock),
            "" if target is None else _("about: {about}").format(about=_about_line(target)),
        ]
        yield (f"\n{phrases.dotted(parts)}: ", "dim")
        text = comment.text("text")
        yield safe_text(text).strip() if text else _("hidden words")


def _about_line(target: Shown) -> str:
    called = target.text("question") or target.text("what") or phrases.title(target)
    return safe_line(called, _WIDTH)
