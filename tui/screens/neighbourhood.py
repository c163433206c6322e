"""The neighbourhood: what is decided, who belongs, which rules hold, and how to begin a decision."""

import asyncio
from typing import Any

from textual.app import ComposeResult
from textual.containers import Container

from tui.format import phrases as telling
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds import charter
from tui.kinds import decisions as deciding
from tui.kinds import moderation as moderating
from tui.kinds import person as resident
from tui.kinds import proposal_steps as proposing
from tui.kinds.person import vouching
from tui.screens.moderation import HiddenScreen
from tui.screens.pane import Pane
from tui.screens.person import ResidentScreen
from tui.screens.post_form import PostScreen, beginning
from tui.screens.thread import ThreadScreen
from tui.widgets.feed import Feed

Shown = dict[str, Any]

_PROPOSE, _RENEW, _HIDDEN, _MINE = "propose", "renew", "hidden", "mine"
_RECENT = 50


class Neighbourhood(Pane):
    """Four lists. Each opens what it shows."""

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self._people: dict[str, Shown] = {}
        self._rules: Shown = {}

    def compose(self) -> ComposeResult:
        """What is decided stands first."""
        with Container(id="governing"):
            yield Feed(
                _("Decisions"),
                _("Nothing is to be decided. Tab leads to what you can do."),
                id="decisions",
            )
            yield Feed(_("Who belongs"), _("Nobody belongs yet."), id="members")
            yield Feed(_("What you can do"), _("Nothing yet."), id="doings")
            yield Feed(_("Rules in force"), _("The rules have not arrived yet."), id="rules")

    async def load(self) -> None:
        """All four lists."""
        link = self.node_link
        call = link.call
        proposals, renewals, removes, flags, hides, people, rules = await asyncio.gather(
            *(call("list", what=what) for what in ("decisions", "renewals", "removes")),
            *(call("list", what=what) for what in ("flags", "hides", "people")),
            link.rules(),
        )
        self._people, self._rules = {one["id"]: one for one in people}, rules
        today = link.now().date()
        decided = [*proposals, *renewals, *deciding.removals(removes)]
        decided.sort(key=lambda one: str(one["created"]), reverse=True)
        away = sum([await self.hidden("list", what=one) for one in ("decisions", "renewals")])
        self._feed("#decisions").offer(
            deciding.cards(decided[:_RECENT], link.term, today, link.me), hidden=away
        )
        waiting = [resident.at_the_door(one, link.me) for one in resident.door(link.waiting)]
        self._feed("#members").offer([*waiting, *resident.members(people, link.term, link.me)])
        self._feed("#rules").offer(charter.cards(rules, today))
        self._feed("#doings").offer(
            self._doings(
                len(moderating.flagged(flags, hides, today, link.me)),
                len(moderating.hidden(hides, proposals, link.me)),
            )
        )

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens a decision, a person, a rule's change, or what can be done."""
        event.stop()
        opened = {
            "decisions": self._decision,
            "members": self._person,
            "rules": self._rule,
            "doings": self._doing,
        }
        opened[event.feed.id or ""](event.card_id)

    def _decision(self, record_id: str) -> None:
        self.app.push_screen(ThreadScreen(self.node_link, record_id))

    def _person(self, person_id: str) -> None:
        link = self.node_link
        if person_id in self._people:
            self.app.push_screen(ResidentScreen(link, self._people[person_id]))
            return
        for one in resident.door(link.waiting):
            if one["person"]["id"] == person_id:
                if link.me in proposing.ids(one.get("vouchers")):
                    told = _("You have vouched for {who}; somebody else has to, as well.")
                    words = told.format(who=telling.name(one["person"]))
                    self.notify(words, timeout=5, markup=False)
                else:
                    self.app.push_screen(PostScreen(link, vouching(one["person"])))

    def _rule(self, rule: str) -> None:
        link = self.node_link
        today = link.now().date()
        act = charter.change(rule, self._rules, link.term, today)
        if act is not None:
            self.app.push_screen(PostScreen(link, act))
        else:
            self._doing(_RENEW)

    def _doing(self, what: str) -> None:
        link = self.node_link
        if what == _PROPOSE:
            self.app.push_screen(PostScreen(link, beginning("proposal", {})))
        elif what == _HIDDEN:
            self.app.push_screen(HiddenScreen(link))
        elif what == _MINE and link.me in self._people:
            self.app.push_screen(ResidentScreen(link, self._people[link.me]))
        elif what == _RENEW:
            if link.me in proposing.ids(link.term.get("roll")):
                self.app.push_screen(PostScreen(link, proposing.renewing(link.term)))
            else:
                told = _("Only a renewal changes this, and only who is on the roll proposes one.")
                self.notify(told, timeout=5, markup=False)

    def _doings(self, waiting: int, hidden: int) -> list[Card]:
        link = self.node_link
        found = [Card(_PROPOSE, _("Ask everybody to decide something"), quiet=True)]
        if link.me in proposing.ids(link.term.get("roll")):
            found.append(Card(_RENEW, _("Renew who votes and moderates"), quiet=True))
        told = _("Flags ({flags}) and hidden words ({hidden})")
        found.append(Card(_HIDDEN, told.format(flags=waiting, hidden=hidden), quiet=not waiting))
        found.append(Card(_MINE, _("Your devices, and who acts for you"), quiet=True))
        return found

    def _feed(self, name: str) -> Feed:
        return self.query_one(name, Feed)
