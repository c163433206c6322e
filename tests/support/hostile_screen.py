"""Shows page after page of strings on a terminal, in every widget that shows what people wrote.

    python hostile_screen.py SEED COUNT [plain]

With `plain`, it shows harmless words instead. From hostile strings, a terminal may receive only
escape sequences that it also receives from harmless words.
"""

import sys
from pathlib import Path

from textual.app import App
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Select, Static, TextArea

from protocol.display_text import safe_line
from protocol.fold.registry import load_kinds
from protocol.schema.fields import Many, Person, Text
from tests.support.fake_node import ADA, CLOCK, SAM, ident, intent, response, told, view
from tests.support.fake_services import served
from tests.support.hostile_text import strings
from tui.format import phrases as telling
from tui.kinds.face import face_of, load_faces, thread_history, thread_story
from tui.kinds.services import chains, matters
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.screens.people_tab import _describe_person
from tui.widgets.feed import Feed
from tui.widgets.form import Form
from tui.widgets.inputs import clean_text
from tui.widgets.status_line import StatusLine

A_PAGE = 50
AFRESH = 10
READER = Reader(None, CLOCK)


class Page(App):
    CSS = "Horizontal > * { width: 1fr; } StatusLine { width: 100%; } TextBox { height: 20; }"

    def __init__(self, found):
        super().__init__()
        self.pages = [found[at : at + A_PAGE] for at in range(0, len(found), A_PAGE)]
        self.links = [NodeConnection(self, Path("/nowhere")) for _ in range(8)]
        self.told = []

    def compose(self):
        with Horizontal():
            yield Feed("Cards", "Nothing", id="cards")
            yield VerticalScroll(Static(id="story", markup=False))
            yield VerticalScroll(
                Static(id="history", markup=False),
                Static(id="about", markup=False),
                Static(id="service", markup=False),
                Static(id="matter", markup=False),
            )
            yield Vertical(id="forms")
        yield from (StatusLine(link) for link in self.links)
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
        people = [{"id": ident(n), "name": text} for n, text in enumerate(page)]
        views = [intent(n, "request", one, one["name"]) for n, one in enumerate(people)]
        feed = self.query_one("#cards", Feed)
        feed.border_title = telling.plain_line(page[0], 30)
        feed.cards.highlighted = None
        feed.show_cards([face_of(one["kind"]).mixed_card(Shown(one), READER) for one in views])
        feed.cards.scroll_home(animate=False)
        whole = intent(1, "request", people[0], page[0], text=page[1], tags=page[2:5], area=page[5])
        whole["responses"] = [
            response(n, people[n], whole["id"], text=page[n][:60]) for n in range(10)
        ]
        two = {"giver": people[6], "receiver": people[7], "minutes": 60, "on": "2026-11-23"}
        receipt = view(2, "receipt", people[6], state="disputed", why=page[8], note=page[9], **two)
        right = view(3, "correction", people[7], receipt["id"], "proposed", why=page[10], **two)
        records = [Shown(one) for one in (whole, *whole["responses"], receipt, right)]
        story = thread_story(ThreadData(records[0], records), READER)
        self.query_one("#story", Static).update(story)
        lines = [{**told(one), "counted": False, "note": one["title"]} for one in views]
        lines[0]["kind"] = page[0]
        case = ThreadData(records[0], history=[Shown(line) for line in lines])
        self.query_one("#history", Static).update(thread_history(case, READER))
        person = {**ADA, "assets": page[6:16], "about": page[1], "affiliation": page[2]}
        self.query_one("#about", Static).update(_describe_person(Shown(person), None))
        self._served(page, people)
        await self._forms(page, people)
        self._standings(page, people)
        self.clear_notifications()
        self.notify(safe_line(page[-1]), markup=False)

    def _served(self, page, people):
        node = served()
        root, (asked, *_rest) = node.lists["services"][0], node.lists["measures"]
        root |= {"title": page[0], "text": page[1], "area": page[2], "contact": page[3]}
        root |= {"holder": people[4], "answers_for": people[5]}
        for one, text in zip(root["links"], page[6:9], strict=True):
            one |= {"title": text, "to": people[9]}
        root["measures"][0] |= {"question": page[10], "reading": page[11]}
        said = {**node.lists["feedback"][0], "author": people[12], "text": page[13]}
        story = chains.service_story(Shown(root), [Shown(said)], READER)
        self.query_one("#service", Static).update(story)
        matter, (action,) = node.lists["matters"][0], node.lists["actions"]
        action |= {"what": page[14], "author": people[15]}
        words = [*node.lists["reports"], *node.lists["verdicts"]]
        for one, text in zip(words, page[16:18], strict=True):
            one["text"] = text
        matter |= {"reading": page[18], "holder": people[19], "answer_by": page[20]}
        parts = matters.matter_story(
            Shown(matter), Shown(asked), [Shown(action)], [Shown(one) for one in words], READER
        )
        self.query_one("#matter", Static).update(Content.assemble(*parts))

    async def _forms(self, page, people):
        place = self.query_one("#forms")
        if len(self.pages) % AFRESH and place.query(
            Form
        ):  # mounting is slow, so most pages only change the values
            rows = place.query_one(Form).rows
            for row, text in zip(rows, page[12:], strict=False):
                match row._input:
                    case Select() as select:
                        select.set_options([(telling.plain(text), text)])
                        select.value = text
                    case TextArea() as box:
                        box.text = clean_text("\n".join(page[20:])[:1500])
                    case field:
                        field.value = clean_text(text)
            return
        lines = {f"line{n}": Text() for n in range(12)}
        picks = {f"pick{n}": Person() for n in range(2)}
        fields = {**lines, **picks, "box": Text(max=2000), "many": Many(of=Text())}
        given = {name: page[n] for n, name in enumerate(lines)}
        given |= {name: people[n + 12]["id"] for n, name in enumerate(picks)}
        given["box"] = "\n".join(page[20:])[:1500]
        given["many"] = ", ".join(page[:3])
        await place.remove_children()
        await place.mount(Form(fields, given, people=[Shown(one) for one in people[12:16]]))

    def _standings(self, page, people):
        for n, link in enumerate(self.links):
            known = {"id": "", "name": page[4 * n]}
            peers = [{"person": people[4 * n + m]} for m in (2, 3)]
            status = {"person": people[4 * n + 1], "neighbourhood": known, "peers": peers}
            link.status = Shown(status)
            link.trouble = page[0] if n == 0 else None
            link.status_changed.publish(None)


def main():
    load_kinds()
    load_faces()
    seed, count = int(sys.argv[1]), int(sys.argv[2])
    found = list(strings(seed, count))
    if len(sys.argv) > 3:
        found = [f"bread {n} for {SAM['name']}" for n in range(count)]
    app = Page(found)
    app.run()
    sys.exit(app.return_code)


if __name__ == "__main__":
    main()
