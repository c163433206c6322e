"""Ideas on the screen."""

from tests.support.fake_node import ADA, CLOCK, MARIA, SAM, ident, step_row, view
from tests.support.fake_services import measure
from tui.kinds.face import face_of, thread_steps, thread_story
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown

READER = Reader(ADA["id"], CLOCK)


def idea(**more):
    fields = {"title": "Empty the bins on two days", "text": "They are full.", **more}
    about = fields.pop("about", None)
    return Shown(view(300, "idea", SAM, about, "open", supporters=[MARIA, ADA], **fields))


def test_a_card_of_an_idea_says_how_many_support_it():
    card = face_of("idea").card(idea(), READER)

    assert card.title == "Empty the bins on two days"
    assert "Sam" in card.detail
    assert "2 supporters" in card.detail


def test_an_idea_shows_who_supports_it_and_offers_to_support_it():
    rows = [
        step_row("support", 300),
        step_row("close", 301, given={"as_state": "withdrawn"}, ask=("why",)),
    ]
    support = Shown(view(301, "support", ADA, ident(300), "in force"))
    thread = ThreadData(idea(), [idea(), support], steps=[Shown(row) for row in rows])

    story = thread_story(thread, READER).plain
    assert "They are full." in story
    assert "Supported by: Maria, you" in story
    labels = [step.words.label for step in thread_steps(thread, READER)]
    assert labels == ["Support this idea", "Take back your support"]


def test_an_idea_becomes_a_trial_by_the_question_that_shows_whether_it_helps():
    question = measure(210, 200, "Were bins missed?", "count", 2, "as_usual")
    thread = ThreadData(idea(), [idea()], beside={ident(210): Shown(question)})

    (step,) = thread_steps(thread, READER)

    assert step.words.label == "Make a trial of this idea"
    assert step.words.choices == {"measures": (("Were bins missed?", ident(210)),)}
    assert step.given == {"what": "Empty the bins on two days"}


def test_an_idea_about_a_service_is_tried_in_this_service():
    question = measure(210, 200, "Were bins missed?", "count", 2, "as_usual")
    beside = {ident(210): Shown(question)}

    for about, count in ((200, 1), (220, 0)):
        root = idea(about=ident(about))
        assert len(thread_steps(ThreadData(root, [root], beside=beside), READER)) == count
