"""The end of a measure on the screen: what it cost and brought, and how people go on."""

from tests.support.fake_node import ADA, CLOCK, SAM, ident, on_screen, step_row
from tests.support.fake_services import BINS, measure, service
from tui.kinds.face import thread_steps
from tui.kinds.services import matters, measures
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown

READER = Reader(ADA["id"], CLOCK)
ACCOUNT = {
    "windows": 50,
    "asked": 400,
    "given": 120,
    "minutes": 120,
    "matters": 2,
    "confirmed": 1,
    "quiet": 0,
    "better": 1,
}


def ending(**more):
    earlier = {"question": "Missed?", "scale": "count", "target": 1, "window": 7}
    known = measure(210, BINS, "Were bins missed?", "count", 2, "as_usual")
    return {**known, "until": "2026-12-14", "account": ACCOUNT, "continues": earlier, **more}


def test_a_measure_says_when_it_ends_and_what_it_cost_and_brought():
    text = "".join(part if isinstance(part, str) else part[0]
                   for part in measures.measure_story(Shown(ending()), CLOCK))  # fmt: skip

    assert "It ends with" in text
    assert "Goes on from: Missed? At most 1 a week." in text
    assert "120 of 400 answers in 50 weeks, about 2 h of everybody's time." in text
    assert "2 matters: 1 confirmed, 0 quiet, 1 better after." in text
    assert measures.standing_sentence(Shown(ending(state="ended"))).endswith("its time is over.")


@on_screen
async def test_going_on_posts_the_measure_and_then_the_proposal(pilot, node):
    given = {"question": "Were bins missed?", "scale": "count"}
    row = step_row("measure", BINS, given=given, ask=("target", "share", "until"))
    root = Shown(service(BINS, SAM, "Bin collection", SAM))
    thread = ThreadData(root, [root, Shown(ending())], steps=[Shown(row)])

    (step,) = thread_steps(thread, READER)

    assert step.words.label == "Go on asking: Were bins missed?"
    assert step.given["target"] == "2"
    await step.words.send(pilot.app.node, {"target": 3})
    first, second = node.posted
    assert first["fields"] == {**given, "target": 3}
    assert second["fields"]["title"] == "Ask: Were bins missed?"
    assert "120 of 400 answers" in second["fields"]["text"]


def test_a_measure_that_ends_soon_asks_to_go_on():
    row = {
        **ending(),
        "title": "Were bins missed?",
        "step": {"kind": "measure", "about": ident(BINS)},
    }

    card = matters.matter_card(Shown(row), CLOCK)

    assert card.title == "Ends soon: Were bins missed?"
