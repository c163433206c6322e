"""Ideas on the screen."""

from tests.support.fake_node import ADA, CLOCK, MARIA, SAM, ident, step_row, view
from tui.kinds.face import face_of, thread_steps, thread_story
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown

READER = Reader(ADA["id"], CLOCK)


def idea(**more):
    fields = {"title": "Empty the bins on two days", "text": "They are full.", **more}
    return Shown(view(300, "idea", SAM, None, "open", supporters=[MARIA, ADA], **fields))


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
