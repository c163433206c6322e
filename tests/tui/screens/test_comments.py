"""Comments on the screen."""

from tests.support.fake_node import ADA, CLOCK, MARIA, SAM, ident, step_row, view
from tui.kinds.face import thread_steps, thread_story
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown

READER = Reader(ADA["id"], CLOCK)


def comment(number, who, text, about=40):
    return Shown(view(number, "comment", who, ident(about), "said", text=text))


def thread(*comments, rows=(), root_kind="request"):
    root = Shown(view(40, root_kind, SAM, title="A lift"))
    return ThreadData(root, [root, *comments], steps=[Shown(row) for row in rows])


def test_a_thread_shows_its_comments_once_with_their_words():
    shown = thread(comment(41, MARIA, "Which day?"), comment(42, ADA, None))

    story = thread_story(shown, READER).plain

    assert story.count("Which day?") == 1
    assert "What neighbours ask and say" in story
    assert "You · Mon 23 Nov 17:42: hidden words" in story


def test_a_thread_shows_the_newest_of_many_comments():
    shown = thread(*(comment(100 + number, MARIA, f"({number})") for number in range(23)))

    story = thread_story(shown, READER).plain

    assert "3 earlier comments are not shown here." in story
    assert "(2)" not in story
    assert "(3)" in story
    assert "(22)" in story


def test_a_comment_can_be_written_flagged_and_taken_back():
    rows = [
        step_row("comment", 40, ask=("text",)),
        step_row("flag", 41, ask=("reason",)),
        step_row("flag", 42, ask=("reason",)),
        step_row("retract", 42),
    ]
    shown = thread(comment(41, MARIA, "Which day?"), comment(42, ADA, "Monday?"), rows=rows)

    labels = [step.words.label for step in thread_steps(shown, READER)]

    assert sorted(labels) == [
        "Ask or say something",
        "Flag what Maria wrote: “Which day?”",
        "Take back your comment: “Monday?”",
    ]


def test_a_circle_has_messages_and_no_comments():
    rows = [step_row("comment", 40, ask=("text",))]

    assert thread_steps(thread(rows=rows, root_kind="circle"), READER) == []
