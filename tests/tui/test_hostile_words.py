"""No text that a person writes can crash a widget or control the terminal."""

import re
import sys

import pytest

from protocol.display_text import safe_line
from tests.support.fake_circle import together
from tests.support.fake_governance import governed
from tests.support.fake_node import (
    MARIA,
    SAM,
    enter_list,
    ident,
    on_screen,
    picture,
    shows,
    street,
    until,
)
from tests.support.hostile_text import NAMED, leftovers, sequences
from tests.support.pseudo_terminal import Terminal
from tui.screens.home import HomeScreen
from tui.widgets.card_list import CardList
from tui.widgets.inputs import LineInput, clean_text

SCREEN = "tests.support.hostile_screen"


def shown(seed, count, *more):
    """Returns the bytes that a terminal receives while a program shows the hostile strings."""
    command = [sys.executable, "-m", SCREEN, str(seed), str(count), *more]
    with Terminal(command, columns=220, lines=110, emulate=False) as terminal:
        code = terminal.wait(seconds=600 + count)  # enough for a busy machine too
        assert code == 0, terminal.raw[-2000:]
        pages = re.findall(rb"page ([0-9]+) ends", terminal.raw)
        assert set(map(int, pages)) == set(range(1, len(set(pages)) + 1)), "each page was painted"
        assert b"all pages were shown" in terminal.raw
        return terminal.raw


@pytest.fixture(scope="module")
def allowed():
    return sequences(shown(1, 100, "plain"))


def check(seed, count, allowed):
    raw = shown(seed, count)
    assert sequences(raw) - allowed == set()
    assert leftovers(raw) == set()


def test_no_escape_sequence_of_theirs_reaches_the_terminal(allowed):
    check(20261123, 300, allowed)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(10))
def test_nor_does_one_in_a_hundred_thousand(seed, allowed):
    check(seed, 10_000, allowed)


def test_the_check_would_see_them():
    for name in ("the clipboard", "the title", "a cleared screen"):
        assert sequences(NAMED[name].encode())
    for name in ("right to left", "zero width", "tags", "NUL and DEL", "marks"):
        assert leftovers(NAMED[name].encode())


def poisoned(text):
    def make():
        node = street()
        node.name = text
        for one in (SAM, MARIA):
            known = {"id": one["id"], "name": text}
            node.peers = [known]
            for people in (node.lists["people"], node.balances):
                for each in people:
                    holder = each.get("person", each)
                    if holder["id"] == one["id"]:
                        holder["name"] = text
        for intents in (node.lists["requests"], node.lists["offers"]):
            for each in intents:
                each.update(title=text, text=text, area=text, tags=[text], repeats=text)
                for answer in each["responses"]:
                    answer.update(text=text, author={"id": answer["author"]["id"], "name": text})
        node.lists["receipts"][0]["note"] = text
        for each in node.lists["people"]:
            each.update(assets=[text], wants=[text], affiliation=text, area=text)
        node.knocks = [{"person": {"id": ident(7), "name": text}, "since": "", "vouchers": []}]
        node.refusal = text
        return node

    return make


async def walk(pilot, node):
    """Opens every screen of the program, one after the other."""
    await shows(pilot, "Needs your answer (3)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    for tab in "234567":
        await pilot.press(tab)
        await pilot.pause()
    await pilot.press(*"[/]")
    await pilot.press("escape", "3")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down", "enter")
    await shows(pilot, "Hours")
    await pilot.press("escape", "1")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    for row in range(3):
        await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
        await pilot.press("home", *["down"] * row, "enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HomeScreen))
        await pilot.pause(0.05)
        await pilot.press("enter")
        await pilot.pause(0.05)
        await pilot.press("f2")
        await pilot.pause(0.05)
        while not isinstance(pilot.app.screen, HomeScreen):
            await pilot.press("escape")
            await pilot.pause(0.01)
    await pilot.click(CardList)
    assert pilot.app.is_running
    assert leftovers(picture(pilot.app).encode()) == set()


ALL = " ".join(
    NAMED[one] for one in ("a closing tag", "an action", "the clipboard", "right to left", "marks")
)
test_every_screen_bears_all_of_them = on_screen(walk, node=poisoned(ALL))


def poisoned_together():
    """Makes circles, pacts and pages whose every word and every name is hostile text."""
    node = together()
    someone = {"id": SAM["id"], "name": ALL}
    for name in ("circles", "messages", "pacts", "pages", "revisions"):
        for one in node.lists[name]:
            one.update(author=someone)
            one.update({key: ALL for key in ("name", "title", "text", "due") if key in one})
            for people in ("members", "parties"):
                if people in one:
                    one[people] = [someone, node.me]
            for head in one.get("heads", []):
                head.update(author=someone, title=ALL, text=ALL)
            if "first" in one:
                one["first"] = {"title": ALL, "text": ALL}
    for one in node.lists["people"]:
        if one["id"] == MARIA["id"]:
            one["name"] = ALL
    node.refusal = ALL
    return node


@on_screen(node=poisoned_together)
async def test_circles_pacts_and_pages_bear_all_of_them(pilot, node):
    await shows(pilot, "Needs your answer (3)")
    await pilot.press("5")
    await shows(pilot, "Circles and pacts (2)", "Pages (1)")
    seen = []
    for feed, row in (("#circles-list", 0), ("#circles-list", 1), ("#pages-list", 0)):
        cards = await enter_list(pilot, feed)
        cards.highlighted = row
        await pilot.press("enter")
        await shows(pilot, "What you can do")
        await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
        seen.append(picture(pilot.app))
        for act in range(pilot.app.focused.option_count):
            await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
            pilot.app.focused.highlighted = act
            await pilot.press("enter")
            await pilot.pause(0.05)
            await pilot.press("f2")
            await pilot.pause(0.05)
            seen.append(picture(pilot.app))
            await pilot.press("escape")
            await shows(pilot, "What you can do")
        await pilot.press("escape")
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    assert pilot.app.is_running
    assert leftovers("".join(seen).encode()) == set()
    assert "[/]" in "".join(seen)


STRANGE = (
    ["rule", "answer_days", 1, ALL],
    ["rule", ALL, 1, [b"x", {"a": ALL}]],
    ["rule", "moderators", 1, ALL],
    ["rule", "review", 1, ALL],
    ["rule", "credit_low", 1, {"a": ALL}],
    [ALL, ALL, 1, ALL],
    ["hidden", "00", 1, None],
)


def poisoned_government():
    """Makes decisions, moderation and proxies whose every word, name and value is hostile text."""
    node = governed()
    eve = node.lists["people"][-1]
    known = {one["id"]: {"id": one["id"], "name": ALL} for one in (SAM, MARIA, eve)}
    known[node.me["id"]] = node.me
    named = ("author", "person", "concerns", "joining", "moderators")
    for name in ("decisions", "renewals", "removes", "flags", "hides", "proxies", "requests"):
        for one in node.lists[name]:
            one.update({key: ALL for key in ("title", "text", "why", "reason") if key in one})
            for key in named:
                one.update({key: renamed(one[key], known)} if key in one else {})
            for people in one.get("voted", {}).values():
                people[:] = renamed(people, known)
    for one, change in zip(STRANGE, range(70, 70 + len(STRANGE)), strict=True):
        first = node.lists["decisions"][0]
        node.lists["decisions"].append({**first, "id": ident(change), "change": one})
    node.lists["proxies"][0].update(matters=[ALL], until=ALL)
    node.lists["charters"][0].update(name=ALL, timezone=ALL, review=ALL, quota_bytes=ALL)
    node.devices_here[0].update(person=known[SAM["id"]], state=ALL)
    for key in ("roll", "moderators"):
        node.term[key] = renamed(node.term[key], known)
    node.vouched[0].update(person={"id": ident(5), "name": ALL}, vouchers=[known[SAM["id"]]])
    for one in node.lists["people"]:
        one.update(known[one["id"]])
    node.refusal = ALL
    return node


def renamed(value, known):
    """Returns a copy of the value in which all people have hostile names. If the value describes a
    record, the record gets a hostile title.
    """
    if isinstance(value, list):
        return [renamed(one, known) for one in value]
    if value is None or "kind" not in value:
        return value and known[value["id"]]
    return {**value, "author": known[value["author"]["id"]], "title": ALL}


@on_screen(node=poisoned_government)
async def test_decisions_people_and_hidden_words_bear_all_of_them(pilot, node):
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    await pilot.press("6")
    await shows(pilot, "Decisions (12)", "Members (5)", "What you can do (4)")
    seen = [picture(pilot.app)]
    opened = {
        "#decisions": [ident(60), ident(63), ident(64), ident(71)],
        "#members": [node.me["id"], ident(4)],
        "#rules": ["name"],
        "#neighbourhood-steps": ["hidden"],
    }
    for feed, card in [(feed, card) for feed, cards in opened.items() for card in cards]:
        cards = await enter_list(pilot, feed)
        cards.highlighted = cards.get_option_index(card)
        await pilot.press("enter")
        await until(pilot, lambda: not isinstance(pilot.app.screen, HomeScreen))
        for key in ("enter", "f2", "escape"):
            await pilot.pause(0.02)
            seen.append(picture(pilot.app))
            await pilot.press(key)
        while not isinstance(pilot.app.screen, HomeScreen):
            await pilot.press("escape")
            await pilot.pause(0.01)
    assert pilot.app.is_running
    assert [one for one in seen if leftovers(one.encode())] == []
    assert "[/]" in "".join(seen)


@on_screen
async def test_what_is_pasted_is_made_harmless(pilot, node):
    from textual import events

    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    await pilot.press("7")
    await until(pilot, lambda: isinstance(pilot.app.focused, LineInput))
    field = pilot.app.focused
    field.post_message(events.Paste("lift\x1b]52;c;eA==\x07 \u202eplease\nsecond line"))
    await until(pilot, lambda: "lift" in field.value)
    assert leftovers(field.value.encode()) == set()
    assert "\x1b" not in field.value


def test_what_is_cleaned_leaves_no_stack_of_marks():
    marks = "\u0489" * 5
    assert clean_text(f"{marks}\0{marks}") == "\u25cc" + "\u0489" * 4


def test_titles_keep_what_can_be_read():
    assert safe_line(NAMED["an action"]) == NAMED["an action"]
    assert safe_line(NAMED["a family"]) == NAMED["a family"]
    assert safe_line(NAMED["right-to-left letters"]) == NAMED["right-to-left letters"]
