"""Today: what waits for me, what is new on the board, and what may fit me."""

import asyncio
from collections.abc import Iterator
from datetime import date
from typing import Any

from textual.app import ComposeResult

from tui.format import phrases as telling
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds import activities, matters
from tui.kinds import activity_steps as taking_part
from tui.kinds import decisions as deciding
from tui.kinds import moderation as moderating
from tui.kinds import pacts as together
from tui.kinds.exchange_steps import correction, waits_in
from tui.kinds.next_steps import Act
from tui.kinds.person import vouching
from tui.kinds.proposal_steps import ids
from tui.kinds.suggestions import MOST, Suggested
from tui.kinds.thread_data import Case
from tui.screens.pane import Pane
from tui.widgets.feed import Feed

Shown = dict[str, Any]

KNOCK = "knock:"  # how the id of a card about somebody at the door begins
_NEWS = 20
_LISTS: dict[str, dict[str, Any]] = {
    "requests": {},
    "offers": {},
    "agreements": {"state": "agreed"},
    "receipts": {"state": "proposed"},
    "corrections": {"state": "proposed"},
    "pacts": {"state": "offered"},
    "thanks": {},
    "activities": {},
    "signups": {},
    "suggestions": {"limit": MOST},
    "decisions": {"state": "open"},
    "renewals": {"state": "open"},
    "services": {"state": "open"},
    "matters": {"state": "open"},
    "actions": {},
}


class Today(Pane):
    """Three lists. Opening a card is for the home screen."""

    def compose(self) -> ComposeResult:
        """What waits comes first."""
        yield Feed(
            _("Waits for you"),
            _("Nothing waits for you. Press n to ask for something or to offer something."),
            id="waits",
        )
        yield Feed(
            _("New on the board"),
            _("Nobody asks or offers anything yet. Press n to begin."),
            id="news",
        )
        yield Suggested()

    async def load(self) -> None:
        """Puts together what the lists say."""
        link = self.node_link
        found = await asyncio.gather(
            *(link.call("list", what=what, **only) for what, only in _LISTS.items())
        )
        requests, offers, agreements, receipts, corrections, pacts, thanks, *rest = found
        planned, signups, fitting, decided, renewals, services, open_matters, actions = rest
        intents = {one["id"]: one for one in [*requests, *offers]}
        waits = [*self._knocks(), *self._waits(intents, agreements, receipts)]
        waits += _corrections(corrections, link.me)
        waits += together.waits(pacts, link.me)
        today = link.now().date()
        waits += taking_part.waits(planned, signups, receipts, link.me, today)
        waits += matters.waits(services, open_matters, actions, link.me, today)
        waits += deciding.waits([*decided, *renewals], link.term, today, link.me)
        waits += await self._moderation(today)
        self.query_one("#waits", Feed).offer(waits)
        self.query_one(Suggested).suggest(fitting)
        others = [one for one in [*intents.values(), *planned] if one["author"]["id"] != link.me]
        fresh = [one for one in others if one["state"] == "open"]
        fresh += [one for one in thanks if one["author"]["id"] != link.me]
        fresh.sort(key=lambda one: (one["created"], one["id"]), reverse=True)
        self.query_one("#news", Feed).offer(
            [activities.news(one, today, link.me) for one in fresh[:_NEWS]]
        )

    def knock(self, card_id: str) -> Act:
        """The act behind a knock's card."""
        person = {"id": card_id.removeprefix(KNOCK), "name": _("somebody")}
        found = [one["person"] for one in self.node_link.waiting.get("knocks") or []]
        return vouching(next((one for one in found if one["id"] == person["id"]), person))

    async def _moderation(self, today: date) -> list[Card]:
        """What moderators are asked for; nothing for everybody else."""
        link = self.node_link
        if link.me not in ids(link.term.get("moderators")):
            return []
        flags, hides, removes = await asyncio.gather(
            link.call("list", what="flags", state="open"),
            link.call("list", what="hides", state="said"),
            link.call("list", what="removes", state="said"),
        )
        asked = deciding.waits(deciding.removals(removes), link.term, today, link.me)
        return [*asked, *moderating.waits(flags, hides, link.term, link.me)]

    def _knocks(self) -> Iterator[Card]:
        for one in self.node_link.waiting.get("knocks") or []:
            who = telling.name(one["person"])
            title = _("{who} knocks at the neighbourhood's door").format(who=who)
            yield Card(KNOCK + one["person"]["id"], title, _("Open to vouch for them"))

    def _waits(
        self, intents: dict[str, Shown], agreements: list[Shown], receipts: list[Shown]
    ) -> Iterator[Card]:
        link = self.node_link
        today = link.now().date()
        told_of = {one["about"]: one for one in receipts}
        for root in intents.values():
            theirs = [one for one in agreements if one["intent"] == root["id"]]
            signed = [told_of[one["id"]] for one in theirs if one["id"] in told_of]
            waiting = waits_in(Case(root, theirs, signed), link.me, today)
            if waiting:
                more = f" (+{len(waiting) - 1})" if len(waiting) > 1 else ""
                yield Card(root["id"], waiting[0].label + more, telling.title(root))


def _corrections(found: list[Shown], me: str | None) -> Iterator[Card]:
    for one in found:
        if me is not None and (act := correction(one, me)):
            yield Card(one["id"], act.label, telling.name(one["author"]))
