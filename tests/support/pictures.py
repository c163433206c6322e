"""The screens as pictures: texts that the tests compare, and drawings for the README.

python -m tests.support.pictures [SCENE …]     writes both again; look at them before you commit
"""

import asyncio
import os
import re
import sys
import time

from textual.widgets import Footer
from textual.widgets._footer import FooterKey

from tests.support.fake_circle import together
from tests.support.fake_governance import governed, growing, lone_voter
from tests.support.fake_lunch import lunch
from tests.support.fake_node import (
    FakeNode,
    enter_list,
    ident,
    opened,
    picture,
    shows,
    street,
    until,
)
from tests.support.fake_services import BINS, served
from tests.support.paths import ROOT, SPECS
from tui.screens.home import HomeScreen
from tui.widgets.card_list import CardList
from tui.widgets.inputs import LineInput

TEXTS = ROOT / "tests" / "tui" / "snapshots"
DRAWINGS = SPECS / "pictures"
DRAWN = {
    *("today", "board", "thread", "request", "circle", "neighbourhood", "service", "measure"),
    *("rehearsal", "invite"),
}


async def today(pilot):
    await shows(pilot, "Needs your answer (2)", "New on the board (3)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def growth(pilot):
    await shows(pilot, "[y] May", "Do not vote yet (2)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def lone(pilot):
    await shows(pilot, "vote from now on?")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "Voters then", "Type 3 to agree")
    await until(pilot, lambda: isinstance(pilot.app.focused, LineInput))


async def invite(pilot):
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    await pilot.press("i", "enter")
    await shows(pilot, "They start meshcoop")


async def waiting(pilot):
    await shows(pilot, "Waiting to be let in")
    await pilot.app.screen.query("LoadingIndicator").remove()  # it moves


def outside():
    node = FakeNode()
    node.belongs = False
    return node


async def nothing(pilot):
    await shows(pilot, "You are all caught up.", "Rushey Lane")


async def tab(pilot, key, *texts):
    await today(pilot)
    await pilot.press(key)
    await shows(pilot, *texts)
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def board(pilot):
    await tab(pilot, "2", "Requests (3)", "Offers (3)")


async def people(pilot):
    await tab(pilot, "3", "People (3)", "Can help with: hemming")


async def circles(pilot):
    await shows(pilot, "Needs your answer (3)")
    await pilot.press("5")
    await shows(pilot, "Circles and pacts (2)", "Pages (1)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def circle(pilot):
    await circles(pilot)
    await pilot.press("enter")
    await shows(pilot, "Thursday at four?", "Write to the circle", "Sam began the circle")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def pact(pilot):
    await circles(pilot)
    await pilot.press("down", "enter")
    await shows(pilot, "Waiting for you", "Accept the pact", "Maria offered the pact")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def page(pilot):
    await circles(pilot)
    await pilot.press("tab", "enter")
    await shows(pilot, "Several people wrote", "Earlier", "Merge the texts", "Sam edited the page")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def joins(pilot):
    await circle(pilot)
    await pilot.press("down", "enter")
    await shows(pilot, "[ ] Maria")
    await pilot.press("down", "space")
    await shows(pilot, "[x] Maria")


async def activity(pilot):
    await shows(pilot, "Needs your answer (2)")
    await pilot.press("2")
    await shows(pilot, "Activities (1)")
    await enter_list(pilot, "#activities")
    await pilot.press("down", "enter")
    await shows(pilot, "Sam organises this", "What you can do (4)", "Sam planned this")


async def neighbourhood(pilot):
    await shows(pilot, "Needs your answer (6)")
    await pilot.press("6")
    await shows(pilot, "Decisions (5)", "Members (5)")


async def opened_there(pilot, feed, card, *texts):
    await neighbourhood(pilot)
    cards = await enter_list(pilot, feed)
    cards.highlighted = cards.get_option_index(card)
    await pilot.press("enter")
    await shows(pilot, *texts)


async def decision(pilot):
    await opened_there(pilot, "#decisions", ident(60), "Three days", "Vote no", "Sam proposed it")


async def rule(pilot):
    await opened_there(pilot, "#rules", "answer_days", "New value *", "is now: 3 days")


async def renewal(pilot):
    await opened_there(pilot, "#rules", "share", "[x] Maria", "Percent *")


async def hidden(pilot):
    await opened_there(pilot, "#neighbourhood-steps", "hidden", "flagged by Sam", "An advert.")


async def resident(pilot):
    await opened_there(pilot, "#neighbourhood-steps", "myself", "Your devices", "Stop Sam acting")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def services(pilot):
    await shows(pilot, "Needs your answer")
    await pilot.press("4")
    await shows(pilot, "Services (4)", "What needs me (4)", "What happened with my reports (2)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def service(pilot):
    await services(pilot)
    cards = pilot.app.focused
    cards.highlighted = cards.get_option_index(ident(BINS))
    await pilot.press("enter")
    await shows(pilot, "offered, not accepted", "How it goes (1)", "What you can do")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def measure(pilot):
    await service(pilot)
    pilot.app.screen.query_one("#measures").cards.focus()
    await pilot.press("enter")
    await shows(pilot, "worse: one point", "Say whether it helped")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def rehearsal(pilot):
    await measure(pilot)
    cards = pilot.app.focused
    cards.highlighted = next(
        n for n, one in enumerate(cards.options) if "Rehearse" in str(one.prompt)
    )
    await pilot.press("enter")
    await shows(pilot, "1000 of 1000", "Try other numbers")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def share(pilot):
    await services(pilot)
    cards = pilot.app.focused
    cards.highlighted = next(n for n, one in enumerate(cards.options) if "Meals" in str(one.prompt))
    await pilot.press("enter")
    await shows(pilot, "City kitchen provides it", "How it goes (2)")
    pilot.app.screen.query_one("#measures").cards.focus()
    await pilot.press("down", "up", "enter")
    await shows(pilot, "usual", "80%")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def reports(pilot):
    await measure(pilot)
    await pilot.press("end", "enter")
    await shows(pilot, "What people said (3)")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("down")
    await shows(pilot, "Reply to Sam")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def search(pilot):
    await today(pilot)
    await pilot.press("slash")
    await until(pilot, lambda: isinstance(pilot.app.focused, LineInput))
    await pilot.press(*"hour")
    await shows(pilot, "Found (2)")
    await pilot.press("enter")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def thread(pilot):
    await today(pilot)
    await pilot.press("enter")
    await shows(pilot, "I can fetch you", "What you can do (4)", "Sam responded")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def agree(pilot):
    await thread(pilot)
    await pilot.press("enter")
    await shows(pilot, "You and Sam will both have agreed")


async def request(pilot):
    await today(pilot)
    await pilot.press("n")
    await shows(pilot, "Ask for something", "Offer something")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "Title *")
    await until(pilot, lambda: isinstance(pilot.app.focused, LineInput))
    form = pilot.app.screen.query_one("Form")
    for name, text in (("title", "A ladder for an hour"), ("minutes", "an hour")):
        next(row for row in form.rows if row.field_name == name)._input.value = text
    await pilot.press("f2")
    await shows(pilot, "This must be a whole number", "Please fix the highlighted fields.")


async def explain(pilot):
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    await pilot.press("f1")
    await shows(pilot, "Arrows and Tab move")


async def leave(pilot):
    await today(pilot)
    await pilot.press("ctrl+c")
    await shows(pilot, "Close the screen?")


SCENES = {
    "today": (today, street, (80, 24)),
    "growth": (growth, growing, (80, 24)),
    "growth-60": (growth, growing, (60, 24)),
    "lone-voter": (lone, lone_voter, (80, 24)),
    "invite": (invite, street, (80, 24)),
    "waiting": (waiting, outside, (80, 24)),
    "empty": (nothing, FakeNode, (80, 24)),
    "board": (board, street, (80, 24)),
    "board-60": (board, street, (60, 24)),
    "board-120": (board, street, (120, 30)),
    "people": (people, street, (80, 24)),
    "search": (search, street, (80, 24)),
    "services": (services, served, (80, 24)),
    "services-60": (services, served, (60, 24)),
    "services-120": (services, served, (120, 40)),
    "service": (service, served, (80, 24)),
    "measure": (measure, served, (80, 24)),
    "measure-120": (measure, served, (120, 40)),
    "rehearsal": (rehearsal, served, (80, 24)),
    "measure-no-color": (measure, served, (80, 24)),
    "share": (share, served, (80, 24)),
    "reports": (reports, served, (80, 24)),
    "circles": (circles, together, (80, 24)),
    "circle": (circle, together, (80, 24)),
    "joins": (joins, together, (80, 24)),
    "pact": (pact, together, (80, 24)),
    "page": (page, together, (80, 24)),
    "activity": (activity, lunch, (80, 24)),
    "neighbourhood": (neighbourhood, governed, (80, 24)),
    "neighbourhood-60": (neighbourhood, governed, (60, 24)),
    "neighbourhood-120": (neighbourhood, governed, (120, 40)),
    "decision": (decision, governed, (80, 24)),
    "rule": (rule, governed, (80, 24)),
    "renewal": (renewal, governed, (80, 24)),
    "hidden": (hidden, governed, (80, 24)),
    "resident": (resident, governed, (80, 24)),
    "thread": (thread, street, (80, 24)),
    "agree": (agree, street, (80, 24)),
    "request": (request, street, (80, 24)),
    "help": (explain, street, (80, 24)),
    "leave": (leave, street, (80, 24)),
}


def take(name):
    """Returns a scene as text and as a drawing."""
    scene, node, size = SCENES[name]
    if name.endswith("-no-color"):
        os.environ["NO_COLOR"] = "1"

    async def run():
        async with opened(node(), size=size) as pilot:
            await scene(pilot)
            cursor = getattr(pilot.app.focused, "_pause_blink", None)
            if cursor:
                cursor(visible=True)
            await settled(pilot)
            return picture(pilot.app) + "\n", drawing(pilot.app)

    try:
        return asyncio.run(run())
    finally:
        os.environ.pop("NO_COLOR", None)


async def settled(pilot):
    """Waits until nothing on the screen moves any more. The footer comes last, and late on a busy
    machine.
    """
    feet = pilot.app.screen.query(Footer)
    await until(pilot, lambda: all(one.query(FooterKey) for one in feet))
    before = None
    while before != (now := picture(pilot.app)):
        before = now
        await pilot.pause(0.05)


def drawing(app):
    """Returns the screen as an SVG that loads nothing from elsewhere."""
    whole = app.export_screenshot()
    whole = re.sub(r"@font-face \{.*?\}\s*", "", whole, flags=re.DOTALL)
    return re.sub(r"Fira Code, monospace", "DejaVu Sans Mono, Menlo, Consolas, monospace", whole)


def main(names):
    os.environ["TZ"] = "UTC"
    time.tzset()
    TEXTS.mkdir(exist_ok=True)
    DRAWINGS.mkdir(exist_ok=True)
    for name in names or SCENES:
        text, svg = take(name)
        (TEXTS / f"{name}.txt").write_text(text, encoding="utf-8")
        if name in DRAWN:
            (DRAWINGS / f"{name}.svg").write_text(svg, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
