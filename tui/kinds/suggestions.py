"""Shows what this home suggests to the reader: cards on the Today tab, and lines beside a person on
the People tab.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static

from protocol.display_text import safe_line
from protocol.wire import calls
from tui.format import phrases
from tui.format.phrases import Card
from tui.i18n import _
from tui.node.api_client import Declined
from tui.node.connection import NodeConnection
from tui.node.shown import Page, Person, Shown
from tui.widgets.feed import Feed

MOST = 20  # the most cards in the list
_MOST_BESIDE_PERSON = 3


class Suggested(Feed):
    """A list of suggestions. While the list is empty, the screen hides it. When the reader opens a
    card, the screen opens the post or the person that the card suggests.
    """

    class Named(Message):
        """The message that the reader opened a card that suggests a person."""

        def __init__(self, person: str) -> None:
            super().__init__()
            self.person = person

    def __init__(self) -> None:
        super().__init__(_("Suggestions"), _("Nothing fits yet."), id="suggested")
        self._by_id: dict[str, Shown] = {}
        self.display = False

    def suggest(self, suggestions: Page) -> None:
        """Replaces the suggestions in the list with new ones."""
        self._by_id = {suggestion.id: suggestion for suggestion in suggestions.rows}
        self.display = bool(suggestions.rows)
        cards = [suggestion_card(suggestion) for suggestion in suggestions.rows]
        self.show_cards(cards, cut=phrases.cut_note(suggestions.left_out, _("weaker ones")))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Opens the post or the person that the chosen suggestion is about."""
        event.stop()
        event.prevent_default()
        suggestion = self._by_id.get(event.option_id or "")
        subject = suggestion.about if suggestion is not None else None
        if suggestion is None or subject is None:
            return
        if suggestion.text("subject") == "person":
            self.post_message(self.Named(subject))
        else:
            self.post_message(self.Opened(self, subject))


class Between(Static):
    """The lines beside a person. They say what others say of the person, what the reader and the
    person could do together, and who can introduce them to each other.
    """

    def __init__(self, link: NodeConnection) -> None:
        super().__init__(id="between", markup=False)
        self.node_link = link
        self._person_id: str | None = None

    def tell(self, person: Shown | None) -> None:
        """Clears the lines about another person at once. Then loads the lines about this person,
        and shows them.
        """
        person_id = person.id if person is not None else None
        if person_id != self._person_id:
            self._person_id = person_id
            self.update(Content(""))
        if person is not None:
            load: Callable[[], Awaitable[None]] = partial(self._load, person)
            self.run_worker(load, exclusive=True, group="between")

    async def _load(self, person: Shown) -> None:
        try:
            suggestions, introductions = await asyncio.gather(
                self.node_link.fetch_list("suggestions", about=person.id),
                self.node_link.call(calls.Introductions(person=person.id)),
            )
        except Declined:
            return  # the pane itself shows the error
        ways = Shown(introductions).rows("ways")
        self.update(connection_lines(person, suggestions, ways, self.node_link.me))


def suggestion_card(suggestion: Shown) -> Card:
    """Makes the card of a suggestion."""
    what = safe_line(suggestion.text("title") or "")
    label = phrases.code_in_words(suggestion.text("suggests"), {"what": what})
    return Card(suggestion.id, label, phrases.remarks_in_words(suggestion.rows("says")))


def connection_lines(
    person: Shown, suggestions: list[Shown], ways: list[Shown], me: str | None
) -> Content:
    """Writes the lines beside a person. `ways` lists chains of members. Each chain could introduce
    the reader to the person.
    """
    lines = [*_vouch_lines(person, me)]
    if person.id != me:
        lines += [*_suggestion_lines(suggestions, me), *_introduction_lines(ways)]
    return Content("\n").join(phrases.plain_line(text) for text in lines)


def _vouch_lines(person: Shown, me: str | None) -> Iterator[str]:
    for vouch in person.rows("vouches"):
        author = phrases.name(vouch.author, me)
        text = safe_line(vouch.text("text") or "")
        sentence = _("Recommended by {who}: “{text}”") if text else _("Recommended by {who}.")
        yield sentence.format(who=author, text=text)


def _suggestion_lines(suggestions: list[Shown], me: str | None) -> Iterator[str]:
    for_me = [suggestion for suggestion in suggestions if _is_for(suggestion.person("for"), me)]
    if for_me:
        yield _("You could …")
    for suggestion in for_me[:_MOST_BESIDE_PERSON]:
        card = suggestion_card(suggestion)
        yield f"· {card.title}"
        yield f"  {card.detail}"
    if len(for_me) > _MOST_BESIDE_PERSON:
        yield "  " + phrases.cut_note(len(for_me) - _MOST_BESIDE_PERSON, _("weaker ones"))


def _introduction_lines(ways: list[Shown]) -> Iterator[str]:
    # A single way without a go-between means that the two know each other.
    if len(ways) == 1 and len(ways[0].rows("why")) == 1:
        how = phrases.remarks_in_words(ways[0].rows("says"))
        yield _("You know each other: {how}").format(how=how)
    elif ways:
        yield _("Who can introduce you:")
        for way in ways:
            sentence = phrases.remarks_in_words(way.rows("says"))
            yield f"· {phrases.name(way.person('first'))}: {sentence}"


def _is_for(person: Person | None, me: str | None) -> bool:
    return person is not None and person.id == me
