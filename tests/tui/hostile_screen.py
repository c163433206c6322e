"""Shows page after page of strings in every widget that shows what people wrote; for a terminal.

    python hostile_screen.py SEED COUNT [plain]

`plain` shows harmless words instead: what the terminal receives then is what it may receive.
"""

import sys
from pathlib import Path

from fake_node import ADA, NOW, SAM, ident, intent, response, told
from hostile import strings
from textual.app import App
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.widgets import Static

import protocol.kinds as _kinds  # noqa: F401  # registers them
from protocol.fields import Many, Person, Text
from protocol.schema import Kind
from protocol.text import line
from tui import telling
from tui.acts import Case
from tui.forms import Form
from tui.link import Link
from tui.screens.people import _about
from tui.story import history, story
from tui.widgets.feed import Feed
from tui.widgets.standing import Standing

A_PAGE = 50


class Page(App):
    CSS = "Horizontal > * { width: 1fr; } Standing { width: 100%; } TextBox { height: 20; }"

    def __init__(self, found):
        super().__init__()
        self.pages = [found[at : at + A_PAGE] for at in range(0, len(found), A_PAGE)]
        self.node_link = Link(self, Path("/nowhere"), now=lambda: NOW)
        self.told = []

    def compose(self):
        with Horizontal():
            yield Feed("Cards", "Nothing", id="cards")
            yield VerticalScroll(Static(id="story", markup=False))
            yield VerticalScroll(
                Static(id="history", markup=False), Static(id="about", markup=False)
            )
            yield Vertical(id="forms")
        yield Vertical(id="standings")
        yield Static(id="page")

    def on_mount(self):
        self.call_after_refresh(self.turn)

    async def turn(self):
        if not self.pages:
            self.exit(message="all pages were shown")
            return
        with self.batch_update():
            self.query_one("#page", Static).update(f"page {len(self.pages)} ends")
            await self.show(self.pages.pop(0))
        self.call_after_refresh(self.set_timer, 0.001, self.turn)

    async def show(self, page):
        date = NOW.date()
        people = [{"id": ident(n), "name": text} for n, text in enumerate(page)]
        views = [intent(n, "request", one, one["name"]) for n, one in enumerate(people)]
        feed = self.query_one("#cards", Feed)
        feed.border_title = telling.plain_line(page[0], 30)
        feed.cards.highlighted = None
        feed.offer([telling.any_view(one, date, None) for one in views])
        feed.cards.scroll_home(animate=False)
        whole = intent(1, "request", people[0], page[0], text=page[1], tags=page[2:5], area=page[5])
        whole["responses"] = [
            response(n, people[n], whole["id"], text=page[n][:60]) for n in range(len(page))
        ]
        self.query_one("#story", Static).update(story(Case(whole, [], []), date, None))
        lines = [{**told(one), "counted": False, "note": one["title"]} for one in views]
        lines[0]["kind"] = page[0]
        self.query_one("#history", Static).update(history(Case(whole, [], [], lines), date, None))
        person = {**ADA, "assets": page, "about": page[1], "affiliation": page[2], "wants": page}
        self.query_one("#about", Static).update(_about(person, None))
        await self._forms(page, people)
        await self._standings(page, people)
        self.clear_notifications()
        self.notify(line(page[-1]), markup=False)

    async def _forms(self, page, people):
        kind = Kind()
        lines = {f"line{n}": Text() for n in range(12)}
        picks = {f"pick{n}": Person() for n in range(2)}
        kind.fields = {**lines, **picks, "box": Text(max=2000), "many": Many(of=Text())}
        given = {name: page[n] for n, name in enumerate(lines)}
        given |= {name: people[n + 12]["id"] for n, name in enumerate(picks)}
        given["box"] = "\n".join(page[20:])[:1500]
        given["many"] = ", ".join(page[:3])
        place = self.query_one("#forms")
        await place.remove_children()
        await place.mount(Form(kind, given, people=people[12:16]))

    async def _standings(self, page, people):
        place = self.query_one("#standings")
        await place.remove_children()
        for n in range(0, len(page) - 4, 8):
            peers = [{"person": people[n + m]} for m in range(2, 4)]
            where = {"id": "", "name": page[n]}
            known = {"person": people[n + 1], "neighbourhood": where, "peers": peers}
            self.node_link.status = known
            self.node_link.trouble = page[n] if n == 0 else None
            await place.mount(Standing(self.node_link))


def main():
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    found = list(strings(seed, count))
    if len(sys.argv) > 3:
        found = [f"bread {n} for {SAM['name']}" for n in range(count)]
    app = Page(found)
    app.run()
    sys.exit(app.return_code)


if __name__ == "__main__":
    main()
