"""The Neighbourhood tab: decisions, members, the rules in force, and ways to begin a decision."""

import asyncio

from textual.app import ComposeResult
from textual.containers import Container

from protocol.wire import calls
from tui.format import phrases
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds import decisions, moderation, neighbourhood
from tui.kinds.people import list_newcomers, member_cards, newcomer_card, vouch_step
from tui.kinds.thread_queries import current_reader
from tui.node.connection import NodeConnection
from tui.node.shown import Person, Shown
from tui.screens.moderation_page import ModerationScreen
from tui.screens.pane import Pane
from tui.screens.person_page import PersonScreen
from tui.screens.post_form import PostFormScreen, new_post_step
from tui.screens.thread_page import ThreadScreen
from tui.widgets.feed import Feed

# The ids of the cards under "What you can do".
_PROPOSE = "propose"
_RENEW = "renew"
_MODERATION = "hidden"
_MYSELF = "myself"

_MOST_DECISIONS = 50
_NOTICE_SECONDS = 5


class NeighbourhoodTab(Pane):
    """Four lists: decisions, members, what the reader can do, and rules. A card opens its decision,
    person or form.
    """

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(node)
        self._people: dict[str, Shown] = {}
        self._charter = Shown({})

    def compose(self) -> ComposeResult:
        """Lays out the four lists. The decisions come first."""
        with Container(id="decision-lists"):
            yield Feed(
                _("Decisions"),
                _("No decisions right now. Press Tab for actions."),
                id="decisions",
            )
            yield Feed(_("Members"), _("Nobody is a member yet."), id="members")
            yield Feed(_("What you can do"), _("Nothing yet."), id="neighbourhood-steps")
            yield Feed(_("Rules in force"), _("The rules have not arrived yet."), id="rules")

    async def load(self) -> None:
        """Fetches the decisions, the members, the flags and the rules, and shows the four lists."""
        lists = ("decisions", "renewals", "removes", "flags", "hides", "people", "waiting")
        fetched, self._charter = await asyncio.gather(
            asyncio.gather(*(self.node.fetch_list(what) for what in lists)),
            self.node.fetch_charter(),
        )
        proposals, renewals, removals, flags, hides, people, waiting = fetched
        self._people = {person.id: person for person in people}
        reader = current_reader(self.node)
        awaited = {row.id for row in waiting}
        views = [*proposals, *renewals, *decisions.merge_removals(removals)]
        await self._show_decisions(views, awaited)
        self._show_members(people)
        self._feed("#rules").show_cards(neighbourhood.rule_cards(self._charter, reader.clock))
        flagged = moderation.flag_cards(flags, hides, reader.clock, reader.me)
        hidden = moderation.hidden_cards(hides, proposals, reader.me)
        self._feed("#neighbourhood-steps").show_cards(self._step_cards(len(flagged), len(hidden)))

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens what the card is about: a decision, a person, the form that changes a rule, or
        another form.
        """
        event.stop()
        open_card = {
            "decisions": self._open_decision,
            "members": self._open_person,
            "rules": self._change_rule,
            "neighbourhood-steps": self._take_step,
        }[event.feed.id or ""]
        open_card(event.card_id)

    async def _show_decisions(self, views: list[Shown], awaited: set[str]) -> None:
        newest = sorted(views, key=lambda view: view.created, reverse=True)
        muted = sum(
            [await self.count_muted(calls.List(what=what)) for what in ("decisions", "renewals")]
        )
        cards = decisions.ordered_cards(
            newest[:_MOST_DECISIONS], awaited, current_reader(self.node)
        )
        cut = phrases.older_note(len(newest) - _MOST_DECISIONS)
        self._feed("#decisions").show_cards(cards, muted=muted, cut=cut)

    def _show_members(self, people: list[Shown]) -> None:
        reader = current_reader(self.node)
        newcomers = list_newcomers(self.node.waiting)
        waiting = [newcomer_card(entry, reader.me) for entry in newcomers]
        self._feed("#members").show_cards([*waiting, *member_cards(people, reader)])

    def _open_decision(self, record_id: str) -> None:
        self.app.push_screen(ThreadScreen(self.node, record_id))

    def _open_person(self, person_id: str) -> None:
        if person_id in self._people:
            self.app.push_screen(PersonScreen(self.node, self._people[person_id]))
            return
        for knock in list_newcomers(self.node.waiting):
            person = knock.person("person")
            if person is not None and person.id == person_id:
                self._answer_knock(person, knock.people("vouchers"))

    def _answer_knock(self, person: Person, vouchers: list[Person]) -> None:
        if any(voucher.id == self.node.me for voucher in vouchers):
            words = _("You have vouched for {who}. Another neighbour has to vouch too.")
            self._show_notice(words.format(who=phrases.name(person)))
        else:
            self.app.push_screen(PostFormScreen(self.node, vouch_step(person)))

    def _change_rule(self, rule: str) -> None:
        step = decisions.rule_step(rule, self._charter, current_reader(self.node))
        if step is not None:
            self.app.push_screen(PostFormScreen(self.node, step))
        else:
            self._take_step(_RENEW)

    def _take_step(self, card_id: str) -> None:
        if card_id == _PROPOSE:
            self.app.push_screen(PostFormScreen(self.node, new_post_step(decisions.PROPOSAL, {})))
        elif card_id == _MODERATION:
            self.app.push_screen(ModerationScreen(self.node))
        elif card_id == _MYSELF and self.node.me in self._people:
            self.app.push_screen(PersonScreen(self.node, self._people[self.node.me]))
        elif card_id == _RENEW:
            self._begin_renewal()

    def _begin_renewal(self) -> None:
        if self._is_on_roll():
            self.app.push_screen(
                PostFormScreen(
                    self.node, decisions.renewal_step(self.node.term, self._people.values())
                )
            )
        else:
            self._show_notice(
                _("Only a new term changes this, and only voters of this term can propose one.")
            )

    def _step_cards(self, flagged: int, hidden: int) -> list[Card]:
        cards = [Card(_PROPOSE, _("Ask everybody to decide something"), quiet=True)]
        if self._is_on_roll():
            cards.append(Card(_RENEW, _("Renew who votes and moderates"), quiet=True))
        title = _("Flags ({flags}) and hidden words ({hidden})")
        title = title.format(flags=flagged, hidden=hidden)
        cards.append(Card(_MODERATION, title, quiet=not flagged))
        cards.append(Card(_MYSELF, _("Your devices, and who acts for you"), quiet=True))
        return cards

    def _is_on_roll(self) -> bool:
        return any(person.id == self.node.me for person in self.node.term.people("roll"))

    def _show_notice(self, sentence: str) -> None:
        self.notify(sentence, timeout=_NOTICE_SECONDS, markup=False)

    def _feed(self, selector: str) -> Feed:
        return self.query_one(selector, Feed)
