"""Each screen on a fake node: what it shows, what its keys do, and what it asks the node for."""

from textual.widgets import TabbedContent

from tests.support.fake_node import (
    SAM,
    FakeNode,
    ident,
    intent,
    on_screen,
    picture,
    shows,
    step_row,
    until,
)
from tui.screens.home import HomeScreen
from tui.widgets.card_list import CardList
from tui.widgets.feed import Feed
from tui.widgets.inputs import LineInput


def empty():
    return FakeNode()


def alone():
    node = FakeNode()
    node.belongs = False
    return node


async def to_board(pilot):
    await shows(pilot, "Needs your answer (2)")
    await pilot.press("2")
    await shows(pilot, "Requests (3)", "Offers (3)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


@on_screen
async def test_today_shows_what_waits_and_what_is_new(pilot, node):
    await shows(pilot, "Rushey Lane · Ada", "2 neighbours: Sam, Maria")
    await shows(pilot, "Agree with Sam", "Confirm the receipt: 1 h", "Three shirts taken in")


@on_screen(node=empty)
async def test_empty_lists_say_what_to_press(pilot, node):
    await shows(pilot, "You are all caught up. Press n", "nobody connected" if False else "Press n")
    await pilot.press("2")
    await shows(pilot, "Nobody asks for anything. Press n", "Nobody offers anything. Press n")


@on_screen(node=alone)
async def test_a_home_that_waits_at_the_door_says_so(pilot, node):
    await shows(pilot, "You have asked to join.")
    node.belongs = True
    node.tell()
    await shows(pilot, "Rushey Lane · Ada")


@on_screen
async def test_tabs_answer_to_digits_arrows_and_the_mouse(pilot, node):
    await to_board(pilot)
    await pilot.press("3")
    await shows(pilot, "People (3)", "hemming, Yoruba,", "balance −2 h 30 min")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down")
    await shows(pilot, "Community nursing", "1 h given")
    assert await pilot.click("#--content-tab-board")
    await shows(pilot, "Requests (3)")


@on_screen
async def test_a_request_opens_as_a_thread_with_what_can_be_done(pilot, node):
    await shows(pilot, "Needs your answer (2)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "You ask · 1 h 30 min · Thu 26 Nov 09:30", "I can fetch you. Ring twice")
    await shows(pilot, "Agree with Sam", "Decline Sam's proposal", "Mon 23 Nov 17:31  Sam resp")
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))


@on_screen
async def test_agreeing_posts_the_agreement(pilot, node):
    await shows(pilot, "Agree with Sam")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "What you can do (4)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "You and Sam will both have agreed")
    await pilot.press("enter")
    await until(pilot, lambda: node.posted)
    assert node.posted == [{"kind": "agreement", "about": ident(31), "fields": {}}]


@on_screen
async def test_confirming_and_declining_go_the_same_way(pilot, node):
    await shows(pilot, "Confirm the receipt")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down", "enter")
    await shows(pilot, "An hour of weeding", "“The roses, too.”", "What you can do (5)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "Maria gave 1 h on Sun 22 Nov")
    await pilot.press("f2")
    await until(pilot, lambda: node.posted)
    assert node.posted == [{"kind": "confirm", "about": ident(13), "fields": {}}]


@on_screen
async def test_responding_begins_with_the_requests_terms(pilot, node):
    node.lists["requests"][1]["starts"] = "2026-11-28"
    await to_board(pilot)
    await pilot.press("down", "down", "enter")
    await shows(pilot, "Three shirts taken in", "Offer to help")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "Nothing is agreed until Maria says yes", "60", "2026-11-28", "Send")
    await pilot.press("f2")
    await until(pilot, lambda: node.posted)
    fields = {"minutes": "60", "when": "2026-11-28"}
    assert node.posted == [{"kind": "response", "about": ident(20), "fields": fields}]


@on_screen
async def test_a_receipt_is_written_once_something_was_agreed(pilot, node):
    node.lists["receipts"].clear()
    node.lists["agreements"][0]["receipts"].clear()
    terms = {"minutes": 60, "on": "2026-11-22"}
    receipt = step_row("receipt", 12, ask=("minutes", "on", "note"), suggested=terms, awaited=True)
    node.steps = [row for row in node.steps if row["about"] != ident(13)] + [receipt]
    await shows(pilot, "Needs your answer (2)")
    node.tell()
    await shows(pilot, "confirm the hours with Maria")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down", "enter")
    await shows(pilot, "An hour of weeding", "What you can do (4)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "60", "2026-11-22", "Sign")
    await pilot.press("f2")
    await until(pilot, lambda: node.posted)
    fields = {"minutes": "60", "on": "2026-11-22"}
    assert node.posted == [{"kind": "receipt", "about": ident(12), "fields": fields}]


@on_screen
async def test_who_knocks_can_be_vouched_for(pilot, node):
    node.knocks = [{"person": {"id": ident(7), "name": "Wim"}, "since": "", "vouchers": []}]
    node.tell()
    await shows(pilot, "Wim wants to join")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("home", "enter")
    await shows(pilot, "You confirm that you know Wim", "Vouch")
    await pilot.press("enter")
    await until(pilot, lambda: node.approved == [ident(7)])


@on_screen
async def test_search_finds_while_typing_and_opens(pilot, node):
    await pilot.press("slash")
    await until(pilot, lambda: isinstance(pilot.app.focused, LineInput))
    await pilot.press(*"yoruba")
    await shows(pilot, "Found (1)", "An hour of Yoruba")
    await pilot.press(*"xyz")
    await shows(pilot, "Nothing found. Try fewer letters.")
    await pilot.press("backspace", "backspace", "backspace", "enter")
    await shows(pilot, "Found (1)")
    await pilot.press("down", "enter") if not isinstance(pilot.app.focused, CardList) else None
    await pilot.press("enter")
    await shows(pilot, "You offer · 1 h · open")


@on_screen
async def test_a_new_record_appears_without_a_key_at_the_top(pilot, node):
    await to_board(pilot)
    node.lists["requests"].append(intent(40, "request", SAM, "A ladder for an hour"))
    node.tell()
    await shows(pilot, "Requests (4)", "A ladder for an hour")


@on_screen
async def test_a_new_record_never_moves_the_row_under_a_reader(pilot, node):
    await to_board(pilot)
    await pilot.press("down")
    cards = pilot.app.screen.query_one("#requests", Feed).cards
    before, row = cards.highlighted_id, cards.highlighted
    node.lists["requests"].append(intent(40, "request", SAM, "A ladder for an hour"))
    node.lists["requests"][2]["title"] = "Help with the tall shelves"
    node.tell()
    await shows(pilot, "1 new · press r", "Help with the tall shelves")
    assert "A ladder" not in picture(pilot.app)
    assert (cards.highlighted_id, cards.highlighted) == (before, row)
    await pilot.press("r")
    await shows(pilot, "Requests (4)", "A ladder for an hour")


@on_screen
async def test_what_is_done_leaves_the_list_and_the_cursor_stays_on_its_card(pilot, node):
    await to_board(pilot)
    await pilot.press("down", "down")
    cards = pilot.app.screen.query_one("#requests", Feed).cards
    chosen = cards.highlighted_id
    node.lists["requests"][0]["state"] = "done"
    node.tell()
    await until(pilot, lambda: cards.option_count == 2)
    assert cards.highlighted_id == chosen
    node.lists["requests"][1]["state"] = "done"
    node.tell()
    await shows(pilot, "Requests (1)")
    assert cards.highlighted == 0


@on_screen
async def test_what_is_over_shows_on_a_key(pilot, node):
    node.lists["offers"].append(intent(41, "offer", SAM, "Apples of last year", state="expired"))
    await to_board(pilot)
    assert "Apples" not in picture(pilot.app)
    await pilot.press("a")
    await shows(pilot, "Apples of last year", "expired")


@on_screen
async def test_a_node_that_goes_and_comes_back_is_waited_for(pilot, node):
    await shows(pilot, "Needs your answer (2)")
    path = pilot.app.node._path
    await node.stop()
    await shows(pilot, "meshcoop up")
    path.unlink(missing_ok=True)
    await node.start(path)
    node.peers = [SAM]
    await shows(pilot, "1 neighbour: Sam")


@on_screen
async def test_events_that_were_lost_are_caught_up_with(pilot, node):
    await to_board(pilot)
    node.subscribed.clear()
    node.lists["requests"].append(intent(40, "request", SAM, "A ladder for an hour"))
    node.tell("resync")
    await shows(pilot, "A ladder for an hour")
    assert node.subscribed.is_set()


@on_screen
async def test_help_opens_with_f1_and_with_a_question_mark(pilot, node):
    for key in ("f1", "question_mark"):
        await pilot.press(key)
        await shows(pilot, "Arrows and Tab move, Enter opens")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))


@on_screen
async def test_ctrl_c_asks_and_asked_twice_leaves(pilot, node):
    await shows(pilot, "Needs your answer (2)")
    await pilot.press("ctrl+c")
    await shows(pilot, "Close the screen?")
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    await pilot.press("ctrl+c", "ctrl+c")
    await until(pilot, lambda: not pilot.app.is_running)
    assert pilot.app.return_code == 0


@on_screen
async def test_the_footer_has_at_most_five_keys(pilot, node):
    from textual.widgets._footer import FooterKey

    for key in ("1", "2", "3", "4", "5", "6", "7"):
        await pilot.press(key)
        await pilot.pause()
        assert len(pilot.app.screen.query(FooterKey)) <= 5


@on_screen(size=(60, 24))
async def test_sixty_columns_stack_the_lists(pilot, node):
    await to_board(pilot)
    lists = pilot.app.screen.query_one("#requests"), pilot.app.screen.query_one("#offers")
    assert lists[0].region.bottom <= lists[1].region.y


@on_screen(size=(120, 30))
async def test_a_wide_terminal_looks_closer(pilot, node):
    await to_board(pilot)
    await shows(pilot, "I cannot see well enough")


@on_screen(size=(40, 12))
async def test_a_tiny_terminal_still_shows_something(pilot, node):
    await shows(pilot, "Rushey Lane")
    for key in ("2", "3", "4", "5", "6", "7"):
        await pilot.press(key)
    await until(pilot, lambda: pilot.app.screen.query_one(TabbedContent).active == "search")
