"""A thread: told with its history, and with what the reader can do in it."""

import asyncio
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.screen import Screen
from textual.widgets import Footer, Static

from tui import activities, addresses, taking_part, together, words
from tui.acts import Act, Case, acts
from tui.language import _
from tui.link import Link
from tui.screens.pane import Pane
from tui.screens.post import PostScreen
from tui.story import history, story
from tui.telling import Card, plain
from tui.widgets.feed import Feed
from tui.widgets.standing import Standing

Shown = dict[str, Any]


class ThreadScreen(Screen[None]):
    """The thread that holds record `record_id`."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,left,h", "back", _("Back"), key_display="Esc", id="back"),
        Binding("n", "app.begin", _("New"), id="new"),
        Binding("f1,question_mark", "app.explain", _("Help"), key_display="F1", id="help"),
    ]

    def __init__(self, link: Link, record_id: str) -> None:
        super().__init__()
        self.node_link = link
        self._record_id = record_id

    def compose(self) -> ComposeResult:
        """The thread under the line that says where we are."""
        yield Standing(self.node_link)
        yield ThreadPane(self.node_link, self._record_id)
        yield Footer(show_command_palette=False)

    def action_back(self) -> None:
        """Back to where the reader came from."""
        self.dismiss()


class ThreadPane(Pane):
    """Told, what can be done, what happened."""

    def __init__(self, link: Link, record_id: str) -> None:
        super().__init__(link)
        self._record_id = record_id
        self._acts: list[Act] = []
        self._begun = False

    def compose(self) -> ComposeResult:
        """Three parts; each scrolls by itself."""
        with VerticalScroll(id="told"):
            yield Static(plain(_("One moment…")), id="told-words", markup=False)
        yield Feed(_("What you can do"), _("Nothing for you to do here."), id="acts")
        with VerticalScroll(id="happened"):
            yield Static(id="happened-words", markup=False)

    def on_mount(self) -> None:
        """Titles of the parts."""
        super().on_mount()
        self.query_one("#happened").border_title = plain(_("What happened"))

    async def load(self) -> None:
        """The root, its agreements, receipts and corrections."""
        link = self.node_link
        case = await fetch(link, self._record_id)
        today = link.now().date()
        self.query_one("#told").border_title = plain(words.kind(case.root["kind"] or ""))
        shared = case.root.get("kind") in together.ANSWERS and "state" in case.root
        planned = _is_activity(case.root)
        tell = activities.story if planned else together.story if shared else story
        self.query_one("#told-words", Static).update(tell(case, today, link.me))
        if case.root.get("kind") == "circle":  # the last words are what is read first
            self.call_after_refresh(self.query_one("#told").scroll_end, animate=False)
        self.query_one("#happened-words", Static).update(history(case, today, link.me))
        if planned:
            self._acts = taking_part.acts(case, link.me, today)
        elif shared:
            self._acts = together.acts(case, link.me)
        else:
            self._acts = [*acts(case, link.me, today), *addresses.acts(case, link.me)]
        feed = self.query_one("#acts", Feed)
        feed.offer([_card(act) for act in self._acts])
        if not self._begun:
            self._begun = True
            (feed.cards if self._acts else self.query_one("#told")).focus()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the form of an act."""
        event.stop()
        for act in self._acts:
            if _card(act).id == event.card_id:
                self.app.push_screen(PostScreen(self.node_link, act))


async def fetch(link: Link, record_id: str) -> Case:
    """The whole thread that a record is in. Raises Declined."""
    root = await link.call("show", id=record_id)
    told = root["history"]
    if told and told[0]["id"] != root["id"]:
        root = await link.call("show", id=told[0]["id"])
    about = root["id"]
    if root.get("kind") in together.ANSWERS:
        what = together.ANSWERS[root["kind"]]
        answers = await link.call("list", what=what, about=about) if what else []
        return Case(root, [], [], told, answers[::-1])
    if _is_activity(root):
        signups, attended, receipts = await asyncio.gather(
            *(link.call("list", what=what, about=about) for what in taking_part.ANSWERS)
        )
        return Case(root, [], receipts[::-1], told, [*signups[::-1], *attended[::-1]])
    if root.get("kind") not in {"request", "offer"} or "responses" not in root:
        return Case(root, [], [], told)
    agreements, receipts, corrections = await asyncio.gather(
        link.call("list", what="agreements", about=about),
        link.call("list", what="receipts", about=about),
        link.call("list", what="corrections", about=about),
    )
    await addresses.overlay(link, agreements)
    return Case(root, agreements[::-1], receipts[::-1], told, corrections=corrections[::-1])


def _is_activity(root: Shown) -> bool:
    return root.get("kind") == "activity" and "upcoming" in root


def _card(act: Act) -> Card:
    fixed = ",".join(str(one) for one in act.fixed.values())
    asked = ",".join(act.fields or ())
    return Card(f"{act.kind}:{fixed}:{asked}:{act.about}", act.label, quiet=not act.waits)
