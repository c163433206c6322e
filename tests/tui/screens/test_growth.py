"""Whether newcomers may vote, as the screen asks it: by one key, or by a number that is typed."""

from tests.support.fake_governance import growing, lone_voter, remark
from tests.support.fake_node import ident, on_screen, picture, shows, until
from tui.format.phrases import Card
from tui.screens.post_form import PostFormScreen
from tui.screens.thread_page import ThreadScreen
from tui.widgets.card_list import CardList
from tui.widgets.feed import Feed
from tui.widgets.inputs import LineInput


async def moves_to(pilot, card_id):
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    cards = pilot.app.focused
    while cards.highlighted_id != card_id:
        await pilot.press("down")


@on_screen(node=growing)
async def test_one_key_on_today_says_yes_to_newcomers(pilot, node):
    await shows(pilot, "[y] May Ben, Cho (5ca1e0de) vote from now on?", "Ben: Sam, Maria vouched")
    await shows(pilot, "Cho (5ca1e0de) and Chо (7e11ab1e) are named alike")
    await pilot.press("y")  # the cursor is on another card
    assert "y Yes" not in picture(pilot.app)
    await moves_to(pilot, ident(70))
    await shows(pilot, "y Yes")
    assert node.posted == []
    await pilot.press("y")
    await until(pilot, lambda: node.posted)
    assert node.posted == [{"kind": "vote", "about": ident(70), "fields": {"choice": "yes"}}]


@on_screen(node=growing)
async def test_any_other_change_of_a_term_is_typed(pilot, node):
    await moves_to(pilot, ident(71))
    await pilot.press("y", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ThreadScreen))
    await shows(pilot, "Vote yes", "Vote no")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.focused, LineInput))
    await shows(pilot, "No longer voters: Sam", "Type 4 to agree: so many people vote then")
    await pilot.press("f2")
    await shows(pilot, "Please fill this in.")
    assert node.posted == []
    await pilot.press("4", "f2")
    await until(pilot, lambda: node.posted)
    vote = {"kind": "vote", "about": ident(71), "fields": {"choice": "yes"}, "will_vote": 4}
    assert node.posted == [vote]


@on_screen(node=lone_voter)
async def test_who_votes_alone_lets_others_vote_by_a_number(pilot, node):
    await shows(pilot, "May Ben, Sam vote from now on?", "Who votes: you", "Ada is asked")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("y", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, PostFormScreen))
    await until(pilot, lambda: isinstance(pilot.app.focused, LineInput))
    await pilot.press("3", "f2")
    await until(pilot, lambda: node.renewed)
    (row,) = node.lists["waiting"]
    assert node.renewed == [{**row["step"]["given"], "will_vote": 3}]


@on_screen(node=growing)
async def test_today_says_who_votes_and_who_does_not_yet(pilot, node):
    await shows(pilot, "Who votes: you, Sam, Maria", "Do not vote yet (2)")
    await shows(pilot, "Ben · here since Sat 21 Nov · 1 of the 2 yes needed")
    await shows(pilot, "Cho (5ca1e0de) · here since Sat 21 Nov · wrote on 1 of 2 days")
    node.lists["newcomers"] = []
    node.tell()
    await until(pilot, lambda: "Do not vote yet" not in picture(pilot.app))


def question(number, **more):
    return Card(ident(number), f"May {number} vote?", has_key=True, **more)


@on_screen(node=growing)
async def test_a_key_never_answers_a_question_that_came_under_the_cursor_by_itself(pilot, node):
    """Attacker: somebody who proposes just when the reader presses the key."""
    await shows(pilot, "Needs your answer (4)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    cards = pilot.app.screen.query_one("#waits", Feed).cards
    plain = Card(ident(80), "A lift")
    cards.show_cards([])
    cards.show_latest()
    cards.show_cards([question(1)])
    assert cards.highlighted_id is None
    await pilot.press("down")
    assert cards.show_cards([question(2), question(1)]) == 1  # it waits outside the list
    assert cards.highlighted_id == ident(1)
    cards.show_cards([question(2)])  # somebody else's yes was enough
    assert cards.highlighted_id is None
    cards.show_cards([question(2), plain])
    assert cards.highlighted_id == ident(80)


@on_screen(node=growing)
async def test_a_question_that_does_not_fit_is_opened_first(pilot, node):
    (row,) = [row for row in node.lists["waiting"] if row["id"] == ident(70)]
    row["says"] += [remark("vouched_by", other=row["author"], people=[row["author"]])] * 6
    node.tell()
    await until(pilot, lambda: "[y]" not in picture(pilot.app))
    await moves_to(pilot, ident(70))
    await pilot.press("y", "enter")
    await until(pilot, lambda: isinstance(pilot.app.screen, ThreadScreen))
    assert node.posted == []
