"""The Today tab: what waits for the reader's answer, what is new on the board, and what this home
suggests.
"""

import asyncio
from collections.abc import Iterable, Iterator
from dataclasses import replace

from textual.app import ComposeResult

from protocol.wire import calls
from tui.format import phrases
from tui.format.phrases import Card
from tui.i18n import _
from tui.kinds.face import face_of, first_state
from tui.kinds.next_steps import NextStep
from tui.kinds.people import vouch_step
from tui.kinds.suggestions import MOST, Suggested
from tui.kinds.thread_queries import current_reader
from tui.node.shown import Person, Shown
from tui.screens.pane import Pane
from tui.widgets.feed import Feed

KNOCK_PREFIX = "knock:"  # begins the id of a card for a person who wants to join
_MOST_NEWS = 20


class TodayTab(Pane):
    """A tab with three lists: what waits for the reader, new posts, and suggestions. When the
    reader opens a card, the home screen opens the page for that card.
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
            _("Nothing new from your neighbours. Press n to ask or offer."),
            id="news",
        )
        yield Suggested()

    async def load(self) -> None:
        """Fetches everything that may concern the reader, and fills the three lists."""
        waiting, board, suggestions = await asyncio.gather(
            self.node.fetch_list("waiting"),
            self.node.fetch_page(calls.List(what="board")),
            self.node.fetch_page(calls.List(what="suggestions", limit=MOST)),
        )
        reader = current_reader(self.node)
        answers = (face_of(row.kind).todo_card(row, reader) for row in waiting)
        cards = [*self._knock_cards(), *_merge_cards(answers)]
        self.query_one("#waits", Feed).show_cards(cards)
        self.query_one(Suggested).suggest(suggestions)
        news = [row for row in board.rows if _is_new(row) and not row.is_by(reader.me)]
        cards = [face_of(row.kind).mixed_card(row, reader) for row in news[:_MOST_NEWS]]
        cut = phrases.cut_note(len(news) - len(cards), _("see Board"))
        self.query_one("#news", Feed).show_cards(cards, cut=cut)

    def step_of_knock(self, card_id: str) -> NextStep:
        """Returns the step that vouches for a person who wants to join.

        `card_id` is the id of the card that shows this person.
        """
        person_id = card_id.removeprefix(KNOCK_PREFIX)
        people = {person.id: person for person in self._people_who_knock()}
        # Somebody else may have answered the knock since the card appeared.
        return vouch_step(people.get(person_id) or Person(person_id, _("somebody")))

    def _knock_cards(self) -> Iterator[Card]:
        for person in self._people_who_knock():
            title = _("{who} wants to join").format(who=phrases.name(person))
            yield Card(f"{KNOCK_PREFIX}{person.id}", title, _("Press Enter to let them in"))

    def _people_who_knock(self) -> list[Person]:
        people = (knock.person("person") for knock in self.node.waiting.rows("knocks"))
        return [person for person in people if person is not None]


def _is_new(row: Shown) -> bool:
    return row.state == first_state(row.kind)


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
