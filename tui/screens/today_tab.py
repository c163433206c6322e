"""The Today tab: what waits for the reader's answer, what is new on the board, and what this home
suggests.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from textual.app import ComposeResult

from tui.format import phrases
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds import (
    activities,
    activity_steps,
    decisions,
    matters,
    moderation,
    pacts,
)
from tui.kinds.electorate import ids
from tui.kinds.exchange_steps import confirm_correction_step, waiting_exchange_steps
from tui.kinds.next_steps import NextStep
from tui.kinds.person import vouch_step
from tui.kinds.suggestions import MOST, Suggested
from tui.kinds.thread_data import ThreadData
from tui.screens.pane import Pane
from tui.widgets.feed import Feed

Shown = dict[str, Any]

KNOCK_PREFIX = "knock:"  # begins the id of a card for a person who wants to join
_MOST_NEWS = 20
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


class TodayTab(Pane):
    """Three lists: what waits for the reader, new posts, and suggestions. The home screen opens
    their cards.
    """

    def compose(self) -> ComposeResult:
        """Lays out the three lists. What waits for the reader's answer comes first."""
        yield Feed(
            _("Needs your answer"),
            _("You are all caught up. Press n to ask or offer."),
            id="waits",
        )
        yield Feed(
            _("New on the board"),
            _("Nobody asks or offers anything yet. Press n to begin."),
            id="news",
        )
        yield Suggested()

    async def load(self) -> None:
        """Fetches everything that may concern the reader, and fills the three lists."""
        views = await asyncio.gather(
            *(self.node.call("list", what=what, **only) for what, only in _LISTS.items())
        )
        lists = dict(zip(_LISTS, views, strict=True))
        waiting = [*self._knock_cards(), *self._waiting_cards(lists)]
        waiting += await self._moderation_cards()
        self.query_one("#waits", Feed).show_cards(waiting)
        self.query_one(Suggested).suggest(lists["suggestions"])
        self.query_one("#news", Feed).show_cards(self._news_cards(lists))

    def step_of_knock(self, card_id: str) -> NextStep:
        """Returns the step that vouches for a person who wants to join. `card_id` is the id of the
        card that shows this person.
        """
        person_id = card_id.removeprefix(KNOCK_PREFIX)
        people = [knock["person"] for knock in self.node.waiting.get("knocks") or []]
        # Somebody else may have answered the knock since the card appeared.
        unknown = {"id": person_id, "name": _("somebody")}
        return vouch_step({person["id"]: person for person in people}.get(person_id, unknown))

    def _knock_cards(self) -> Iterator[Card]:
        for knock in self.node.waiting.get("knocks") or []:
            person = knock["person"]
            title = _("{who} wants to join").format(who=phrases.name(person))
            yield Card(KNOCK_PREFIX + person["id"], title, _("Press Enter to let them in"))

    def _waiting_cards(self, lists: dict[str, list[Shown]]) -> Iterator[Card]:
        me = self.node.me
        today = self.node.now().date()
        receipts = lists["receipts"]
        services = lists["services"]
        proposals = [*lists["decisions"], *lists["renewals"]]
        yield from self._exchange_cards(_intents(lists), lists["agreements"], receipts)
        yield from _correction_cards(lists["corrections"], me)
        yield from pacts.waiting_pact_cards(lists["pacts"], me)
        yield from activity_steps.waiting_activity_cards(
            lists["activities"], lists["signups"], receipts, me, today
        )
        yield from matters.waiting_matter_cards(
            services, lists["matters"], lists["actions"], me, today
        )
        yield from decisions.cards_to_vote_on(proposals, self.node.term, today, me)

    def _exchange_cards(
        self, intents: list[Shown], agreements: list[Shown], receipts: list[Shown]
    ) -> Iterator[Card]:
        receipt_of = {receipt["about"]: receipt for receipt in receipts}
        today = self.node.now().date()
        for root in intents:
            own = [agreement for agreement in agreements if agreement["intent"] == root["id"]]
            ids_of_own = [agreement["id"] for agreement in own]
            written = [receipt_of[record] for record in ids_of_own if record in receipt_of]
            steps = waiting_exchange_steps(ThreadData(root, own, written), self.node.me, today)
            if steps:
                more = f" (+{len(steps) - 1})" if len(steps) > 1 else ""
                yield Card(root["id"], steps[0].label + more, phrases.title(root))

    async def _moderation_cards(self) -> list[Card]:
        """Makes a card for each thing that waits for the reader as a moderator. If the reader is no
        moderator, returns an empty list.
        """
        node = self.node
        if node.me not in ids(node.term.get("moderators")):
            return []
        flags, hides, removals = await asyncio.gather(
            node.call("list", what="flags", state="open"),
            node.call("list", what="hides", state="said"),
            node.call("list", what="removes", state="said"),
        )
        proposals = decisions.merge_removals(removals)
        asked = decisions.cards_to_vote_on(proposals, node.term, node.now().date(), node.me)
        return [*asked, *moderation.waiting_flag_cards(flags, hides, node.term, node.me)]

    def _news_cards(self, lists: dict[str, list[Shown]]) -> list[Card]:
        me = self.node.me
        posts = [*_intents(lists), *lists["activities"]]
        news = [post for post in posts if post["state"] == "open"]
        news += lists["thanks"]
        news = [post for post in news if post["author"]["id"] != me]
        news.sort(key=lambda post: (post["created"], post["id"]), reverse=True)
        today = self.node.now().date()
        return [activities.board_card(post, today, me) for post in news[:_MOST_NEWS]]


def _intents(lists: dict[str, list[Shown]]) -> list[Shown]:
    """Returns the requests and the offers from the fetched lists, as one list."""
    return [*lists["requests"], *lists["offers"]]


def _correction_cards(corrections: list[Shown], me: str | None) -> Iterator[Card]:
    if me is None:
        return
    for view in corrections:
        step = confirm_correction_step(view, me)
        if step:
            yield Card(view["id"], step.label, phrases.name(view["author"]))
