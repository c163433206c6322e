"""The Today tab: what waits for the reader's answer, what is new on the board, what this home
suggests, and who does not vote yet.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from protocol.display_text import safe_line
from protocol.wire import calls
from tui.format import phrases
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds import decisions
from tui.kinds.face import face_of, first_state
from tui.kinds.neighbourhood import ADMIT
from tui.kinds.next_steps import NextStep
from tui.kinds.people import KNOCK_PREFIX, vouch_question, vouch_step, vouching
from tui.kinds.suggestions import MOST, Suggested
from tui.kinds.thread_data import Reader
from tui.kinds.thread_queries import current_reader
from tui.node.api_client import Declined
from tui.node.connection import NodeConnection
from tui.node.shown import Page, Person, Shown
from tui.screens.pane import Pane
from tui.widgets.feed import Feed

# These words begin the ids of cards that are about no record.
_VOTERS_PREFIX = "voters:"  # the question to the only voter
WORDS_CARD = "recovery words"  # the reminder to write the recovery words down
PERSON_PREFIX = "person:"  # a person who does not vote yet

_DAY_CHARS = len("2026-11-23")
_MOST_NEWS = 20
_MOST_NEWCOMERS = 20
_MOST_VOTERS = 8  # names on the line that says who votes
_NOTICE_SECONDS = 5


class TodayTab(Pane):
    """A tab with lists: what waits for the reader, new posts, suggestions, and newcomers who do not
    vote yet. When the reader opens a card, the home screen opens the page for that card.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "say_yes", _("Yes"), id="yes"),
    ]

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(node)
        self._waiting: dict[str, Shown] = {}  # the rows that wait, by the ids of their cards
        self._keyed: set[str] = set()  # the ids of the cards that one key answers

    def compose(self) -> ComposeResult:
        """Lays out the lists. What waits for the reader's answer comes first."""
        yield Static(id="own-vouchers", markup=False)
        yield Feed(
            _("Needs your answer"),
            _("You are all caught up. Press n to ask or offer."),
            id="waits",
        )
        yield Feed(
            _("New on the board"),
            _("Nothing new from your neighbours. Press n to ask or offer."),
            id="news",
        )
        yield Suggested()
        yield Feed(_("Do not vote yet"), _("Everybody votes."), id="newcomers")
        yield Static(id="voters", markup=False)

    async def load(self) -> None:
        """Fetches everything that may concern the reader, and fills the lists."""
        self._show_own_vouchers()  # also if there are no lists, because the reader is no member
        waiting, board, suggestions, newcomers = await asyncio.gather(
            self.node.fetch_list("waiting"),
            self.node.fetch_page(calls.List(what="board")),
            self.node.fetch_page(calls.List(what="suggestions", limit=MOST)),
            self.node.fetch_page(calls.List(what="newcomers", limit=_MOST_NEWCOMERS)),
        )
        reader = current_reader(self.node)
        self._show_waiting(waiting, reader)
        self._show_voters(newcomers, reader)
        self.query_one(Suggested).suggest(suggestions)
        news = [row for row in board.rows if _is_new(row) and not row.is_by(reader.me)]
        cards = [face_of(row.kind).mixed_card(row, reader) for row in news[:_MOST_NEWS]]
        cut = phrases.cut_note(len(news) - len(cards), _("see Board"))
        self.query_one("#news", Feed).show_cards(cards, cut=cut)

    def step_of_card(self, card_id: str) -> NextStep | None:
        """Returns the step to which a card leads: vouching for a person who wants to join, or
        letting others vote. If the card leads to a page, returns None.
        """
        if card_id.startswith(_VOTERS_PREFIX):
            row = self._waiting.get(card_id)
            return None if row is None else decisions.lone_voter_step(row)
        if not card_id.startswith(KNOCK_PREFIX):
            return None
        person_id = card_id.removeprefix(KNOCK_PREFIX)
        people = {person.id: person for person in self._people_to_vouch_for()}
        # Somebody else may have answered the knock since the card appeared.
        return vouch_step(people.get(person_id) or Person(person_id, _("somebody")))

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Returns True if the action can run now. The key for yes works only on a question."""
        del parameters
        return action != "say_yes" or self._question() is not None

    def action_say_yes(self) -> None:
        """Says yes to the question under the cursor."""
        question = self._question()
        if question is not None:
            answer: Callable[[], Awaitable[None]] = partial(self._say_yes, question)
            self.run_worker(answer, group="yes")

    def on_feed_highlighted(self) -> None:
        """Shows the key for yes in the footer, or hides it."""
        self.refresh_bindings()

    def on_descendant_blur(self) -> None:
        """Hides the key for yes when the cursor leaves the list."""
        self.refresh_bindings()

    async def _say_yes(self, question: Shown) -> None:
        try:
            sentence = await self._send_yes(question)
        except Declined as declined:
            sentence = declined.sentence
        self.notify(safe_line(sentence), timeout=_NOTICE_SECONDS, markup=False)

    async def _send_yes(self, question: Shown) -> str:
        """Vouches, or votes yes. Returns a sentence that says what was done."""
        vouch = vouching(question)
        if vouch is not None:
            await self.node.call(vouch)
            return _("You have vouched for them.")
        call = calls.Post(kind=decisions.VOTE, fields={"choice": "yes"}, about=question.id)
        return phrases.posted(await self.node.call(call))

    def _question(self) -> Shown | None:
        """Returns the question under the cursor, if one key answers it."""
        cards = self.query_one("#waits", Feed).cards
        card_id = cards.highlighted_id or ""
        return self._waiting.get(card_id) if cards.has_focus and card_id in self._keyed else None

    def _show_own_vouchers(self) -> None:
        """Tells the reader if too few people have vouched for them, or if all homes run in the same
        hour.
        """
        remarks = [*self.node.own_vouchers, *self.node.running]
        line = self.query_one("#own-vouchers", Static)
        line.display = bool(remarks)
        text = phrases.dotted(map(phrases.remark_in_words, remarks))
        line.update(phrases.plain_line(phrases.capitalized(text)))

    def _show_waiting(self, rows: list[Shown], reader: Reader) -> None:
        cards = []
        self._waiting.clear()
        for row in rows:
            if row.kind == ADMIT:
                card = vouch_question(row)
            else:
                card = face_of(row.kind).todo_card(row, reader)
            step = row.row("step") or Shown({})
            if row.kind == decisions.RENEWAL and step.about is None:
                card = replace(card, id=_VOTERS_PREFIX + card.id)
            self._waiting[card.id] = row
            cards.append(card)
        self._keyed = {card.id for card in cards if card.has_key}
        knocks = [card for card in self._knock_cards() if card.id not in self._waiting]
        self.query_one("#waits", Feed).show_cards(
            [*knocks, *_merge_cards(cards), *self._words_cards()]
        )
        self.refresh_bindings()

    def _show_voters(self, newcomers: Page, reader: Reader) -> None:
        """Shows who votes, and who does not vote yet: since when, and why."""
        voters = self.node.term.people("roll")
        names = phrases.person_names(voters[:_MOST_VOTERS], reader.me)
        more = phrases.cut_note(len(voters) - _MOST_VOTERS, _("see Neighbourhood"))
        line = phrases.dotted([_("Who votes: {who}").format(who=names), more])
        self.query_one("#voters", Static).update(phrases.plain_line(line))
        cards = [
            Card(PERSON_PREFIX + row.id, _newcomer_line(row, reader), quiet=True)
            for row in newcomers.rows
        ]
        feed = self.query_one("#newcomers", Feed)
        feed.display = bool(cards)
        feed.show_cards(cards, cut=phrases.cut_note(newcomers.left_out, _("see Neighbourhood")))

    def _knock_cards(self) -> Iterator[Card]:
        for person in self._people_who_knock():
            title = _("{who} wants to join").format(who=phrases.name(person))
            yield Card(f"{KNOCK_PREFIX}{person.id}", title, _("Press Enter to let them in"))

    def _words_cards(self) -> Iterator[Card]:
        if self.node.status is not None and self.node.status.flag("keeps_recovery_words"):
            title = _("Your recovery words are not on paper yet")
            yield Card(WORDS_CARD, title, _("Without them, a lost machine is lost for good"))

    def _people_to_vouch_for(self) -> Iterator[Person]:
        yield from self._people_who_knock()
        asked = (row.person("person") for row in self._waiting.values() if row.kind == ADMIT)
        yield from (person for person in asked if person is not None)

    def _people_who_knock(self) -> list[Person]:
        people = (knock.person("person") for knock in self.node.waiting.rows("knocks"))
        return [person for person in people if person is not None]


def _is_new(row: Shown) -> bool:
    return row.state == first_state(row.kind)


def _newcomer_line(row: Shown, reader: Reader) -> str:
    since = phrases.moment(row.created[:_DAY_CHARS], reader.clock)
    parts = [
        phrases.name(row.as_person(), reader.me),
        _("here since {day}").format(day=since),
        *(phrases.remark_in_words(remark) for remark in row.rows("says")),
    ]
    return phrases.dotted(parts)


def _merge_cards(cards: Iterable[Card]) -> list[Card]:
    """Merges all cards with the same id into the first of them. The title of this first card then
    says how many other cards there were.
    """
    by_id: dict[str, list[Card]] = {}
    for card in cards:
        by_id.setdefault(card.id, []).append(card)
    return [
        replace(first, title=f"{first.title} (+{len(others)})") if others else first
        for first, *others in by_id.values()
    ]
