"""The fake street with a circle, a pact and a page."""

from tests.support.fake_node import ADA, MARIA, SAM, step_row, street, view


def together():
    """Makes the street with a circle, a pact that waits for Ada, and a page with two texts."""
    node = street()
    knitters = view(50, "circle", SAM, name="Knitters", members=[SAM, ADA])
    node.lists["circles"] = [knitters]
    node.lists["messages"] = [
        view(51, "message", SAM, knitters["id"], "said", text="Thursday at four?"),
        view(52, "message", ADA, knitters["id"], "said", text="I bring the red wool.\nAnd tea."),
    ]
    promise = "We water each other's gardens."
    pact = {"parties": [MARIA, ADA], "waiting": [ADA], "minutes": 60, "due": "2026-12-01"}
    node.lists["pacts"] = [view(53, "pact", MARIA, state="offered", text=promise, **pact)]
    page = view(54, "page", MARIA, state="concurrent")
    first = {"title": "The tool shed", "text": "The key is with Sam."}
    texts = [
        view(55, "revision", SAM, page["id"], "current", title="The tool shed", text="Ask Ada."),
        view(56, "revision", ADA, page["id"], "current", title="Our shed", text="A new lock."),
    ]
    shown = ("id", "author", "created", "title", "text")
    heads = [{name: one[name] for name in shown} for one in texts]
    last = {"title": "Our shed", "text": "A new lock."}
    node.lists["pages"] = [{**page, **last, "first": first, "heads": heads, "revisions": 2}]
    node.lists["revisions"] = [{**one, "after": [page["id"]]} for one in texts]
    node.steps += [
        step_row("message", 50, ask=("text",)),
        step_row("members", 50, ask=("joins",), among=[MARIA["id"]]),
        step_row("members", 50, ask=("leaves",), among=[SAM["id"]]),
        step_row("close", 50, given={"as_state": "withdrawn"}, ask=("why",)),
        step_row("accept", 53, awaited=True),
        step_row("close", 53, given={"as_state": "declined"}, ask=("why",)),
        step_row("revision", 54, ask=("title", "text")),
        step_row("flag", 55, ask=("reason",)),
    ]
    return node
