"""Circles, pacts, pages and muting: what the screen shows, and what it asks the node for."""

from textual.widgets import TabbedContent

from tests.support.fake_circle import together
from tests.support.fake_node import (
    MARIA,
    SAM,
    enter_list,
    ident,
    on_screen,
    picture,
    shows,
    step_row,
    until,
    view,
)
from tui.widgets.card_list import CardList
from tui.widgets.inputs import PickList, TextBox


async def to_circles(pilot):
    await shows(pilot, "Needs your answer (3)")
    await pilot.press("5")
    await shows(pilot, "Circles and pacts (2)", "Pages (1)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def opens(pilot, *texts):
    await pilot.press("enter")
    await shows(pilot, *texts)
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def posted(pilot, node):
    await until(pilot, lambda: node.posted)
    (one,) = node.posted
    return one


@on_screen(node=together)
async def test_circles_pacts_and_pages_have_a_tab(pilot, node):
    await to_circles(pilot)
    await shows(
        pilot, "Knitters", "Sam, you", "We water each other's gardens.", "Maria, you · offered"
    )
    await shows(pilot, "Our shed", "2 texts side by side")
    assert pilot.app.screen.query_one(TabbedContent).active == "circles"


@on_screen
async def test_empty_lists_say_what_to_press(pilot, node):
    await shows(pilot, "Needs your answer (2)")
    await pilot.press("5")
    await shows(pilot, "You are in no circle and no pact.", "Nothing is written yet. Press n")


@on_screen(node=together)
async def test_a_circle_is_read_and_written_to(pilot, node):
    await to_circles(pilot)
    await opens(pilot, "Thursday at four?", "You · Mon 23 Nov 17:52", "And tea.")
    await shows(pilot, "Write to the circle", "Add somebody", "Remove somebody", "Leave the")
    await pilot.press("enter")
    await shows(pilot, "Only people in the circle can read this.")
    await until(pilot, lambda: isinstance(pilot.app.focused, TextBox))
    await pilot.press(*"four is good", "f2")
    fields = {"text": "four is good"}
    assert await posted(pilot, node) == {"kind": "message", "about": ident(50), "fields": fields}


@on_screen(node=together)
async def test_new_words_appear_in_a_circle_that_is_open(pilot, node):
    await to_circles(pilot)
    await opens(pilot, "Thursday at four?")
    late = view(58, "message", SAM, ident(50), "said", text="Four it is.")
    node.lists["messages"].append(late)
    node.tell()
    await shows(pilot, "Four it is.")


@on_screen(node=together)
async def test_somebody_is_taken_in_by_picking_among_those_who_are_not_in_it(pilot, node):
    await to_circles(pilot)
    await opens(pilot, "Add somebody")
    await pilot.press("down", "enter")
    await shows(pilot, "see who was in the circle", "[ ] Maria")
    assert "[ ] Sam" not in picture(pilot.app)
    await until(pilot, lambda: isinstance(pilot.app.focused, PickList))
    await pilot.press("down", "space")
    await shows(pilot, "[x] Maria")
    await pilot.press("f2")
    fields = {"joins": [MARIA["id"]]}
    assert await posted(pilot, node) == {"kind": "members", "about": ident(50), "fields": fields}


@on_screen(node=together)
async def test_somebody_is_let_go_and_one_leaves_oneself(pilot, node):
    await to_circles(pilot)
    await opens(pilot, "Remove somebody")
    await pilot.press("down", "down", "enter")
    await shows(pilot, "[ ] Sam")
    assert "[ ] Ada" not in picture(pilot.app)
    await pilot.press("escape")
    await shows(pilot, "Leave the circle")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down", "enter")
    await shows(pilot, "You cannot read what is written from now on.")
    await pilot.press("enter")
    fields = {"as_state": "withdrawn"}
    assert await posted(pilot, node) == {"kind": "close", "about": ident(50), "fields": fields}


@on_screen(node=together)
async def test_a_circle_that_one_has_left_can_be_read_and_not_written_to(pilot, node):
    node.lists["circles"][0]["members"] = [SAM, MARIA]
    node.steps = [row for row in node.steps if row["about"] != ident(50)]
    await to_circles(pilot)
    await pilot.press("enter")
    await shows(pilot, "You are no longer in this circle.", "Nothing for you to do here.")


@on_screen(node=together)
async def test_a_pact_waits_today_and_is_accepted(pilot, node):
    await shows(pilot, "Accept the pact that Maria offers", "We water each other's gardens.")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("end")
    await opens(pilot, "Waiting for you", "Accept the pact", "Decline the pact")
    await pilot.press("enter")
    await shows(pilot, "By accepting, you promise what the pact says.")
    await pilot.press("enter")
    assert await posted(pilot, node) == {"kind": "accept", "about": ident(53), "fields": {}}


@on_screen(node=together)
async def test_a_pact_that_is_agreed_can_be_ended(pilot, node):
    node.lists["pacts"][0] |= {"state": "agreed", "waiting": []}
    node.steps = [step_row("close", 53, given={"as_state": "ended"}, ask=("why",))]
    await shows(pilot, "Needs your answer")
    await pilot.press("5")
    await shows(pilot, "Maria, you · agreed · 1 h")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down")
    await opens(pilot, "End the pact")
    assert "Waiting for" not in picture(pilot.app)
    await pilot.press("down", "enter")
    await shows(pilot, "Why")
    await pilot.press("f2")
    fields = {"as_state": "ended"}
    assert await posted(pilot, node) == {"kind": "close", "about": ident(53), "fields": fields}


@on_screen(node=together, size=(80, 26))
async def test_a_page_shows_all_its_texts_and_joining_names_them(pilot, node):
    await to_circles(pilot)
    await enter_list(pilot, "#pages-list")
    await opens(pilot, "Several people wrote at the same time.", "Ask Ada.", "A new lock.")
    await shows(pilot, "Earlier", "The key is with Sam.", "Merge the texts")
    await pilot.press("enter")
    await shows(pilot, "Our shed", "Ask Ada.", "which stay readable below")
    await pilot.press("f2")
    fields = {
        "title": "Our shed",
        "text": "Ask Ada.\n\nA new lock.",
        "after": [ident(55), ident(56)],
    }
    assert await posted(pilot, node) == {"kind": "revision", "about": ident(54), "fields": fields}


@on_screen(node=together)
async def test_an_edit_follows_the_text_that_its_author_saw(pilot, node):
    page = node.lists["pages"][0]
    page["heads"] = page["heads"][:1]
    await to_circles(pilot)
    await enter_list(pilot, "#pages-list")
    await opens(pilot, "Edit this page")
    await pilot.press("enter")
    await shows(pilot, "which stays readable below it")
    page["heads"] = together().lists["pages"][0]["heads"]  # meanwhile somebody else wrote
    node.tell()
    await pilot.press("f2")
    assert (await posted(pilot, node))["fields"]["after"] == [ident(55)]


@on_screen(node=together)
async def test_a_circle_is_begun_with_people_picked_from_a_list(pilot, node):
    await shows(pilot, "Needs your answer (3)")
    await pilot.press("n")
    await shows(pilot, "Begin a circle", "Make a promise together", "Write a page")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    cards = pilot.app.focused
    cards.highlighted = cards.get_option_index("circle")
    await pilot.press("enter")
    await shows(pilot, "Only the people you name can read this.", "[ ] Sam", "[ ] Maria")
    await pilot.press(*"Tea")
    await pilot.press("tab", "end", "enter", "f2")
    fields = {"name": "Tea", "members": [SAM["id"]]}
    assert await posted(pilot, node) == {"kind": "circle", "fields": fields}


@on_screen(node=together)
async def test_who_is_muted_is_left_out_until_they_are_heard_again(pilot, node):
    await shows(pilot, "Needs your answer (3)")
    await pilot.press("3")
    await shows(pilot, "People (3)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    cards = pilot.app.focused
    cards.highlighted = cards.get_option_index(SAM["id"])
    await pilot.press("m")
    await shows(pilot, "Sam (muted)", "You have muted this person")
    assert node.muted == [SAM]
    await pilot.press("2")
    await shows(pilot, "Requests (2)", "1 by muted people · m in People")
    assert "shelves" not in picture(pilot.app)
    await pilot.press("5")
    await shows(pilot, "Circles and pacts (1)", "1 by muted people")
    await pilot.press("3")
    await until(pilot, lambda: pilot.app.focused is cards)
    await pilot.press("m")
    await until(pilot, lambda: node.muted == [])
    await pilot.press("2")
    await shows(pilot, "Requests (3)")
    assert "by muted people" not in picture(pilot.app)


@on_screen(node=together, size=(60, 24))
async def test_sixty_columns_stack_the_lists(pilot, node):
    await to_circles(pilot)
    lists = [pilot.app.screen.query_one(one) for one in ("#circles-list", "#pages-list")]
    assert lists[0].region.bottom <= lists[1].region.y
