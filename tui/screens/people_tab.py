"""The People tab: what each member can give and would like, and how much time they gave and
received.
"""

import asyncio
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from protocol.display_text import safe_line, safe_text
from protocol.wire import calls
from tui.format import labels, phrases
from tui.i18n import _
from tui.kinds.suggestions import Between
from tui.node.api_client import Declined
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.screens.pane import Pane
from tui.screens.person_page import PersonScreen
from tui.widgets.feed import Feed

_FIELDS = ("assets", "wants", "languages", "area", "affiliation", "minutes_a_month")


class PeopleTab(Pane):
    """The list of people, with details beside it about the person under the cursor."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("m", "mute", _("Mute/unmute"), id="mute"),
    ]

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(node)
        self._people: dict[str, Shown] = {}
        self._balances: dict[str, Shown] = {}

    def compose(self) -> ComposeResult:
        """Lays out the list of people, and beside it the details about one person."""
        with Container(id="people-and-person"):
            yield Feed(_("People"), _("Nobody is a member yet."), id="people-list")
            with VerticalScroll(id="person"):
                yield Static(id="person-text", markup=False)
                yield Between(self.node)

    async def load(self) -> None:
        """Fetches the people and their balances from the node, and shows them."""
        people, balances = await asyncio.gather(
            self.node.fetch_list("people"), self.node.fetch_rows(calls.Balance())
        )
        self._people = {person.id: person for person in people}
        self._balances = _by_person(balances)
        feed = self.query_one("#people-list", Feed)
        feed.show_cards(
            [
                phrases.person(person, self._balances.get(person.id), self.node.me)
                for person in people
            ]
        )
        self._show_person(feed.cards.highlighted_id)

    def on_feed_highlighted(self, event: Feed.Highlighted) -> None:
        """Shows the details about the person under the cursor."""
        self._show_person(event.card_id)

    async def action_mute(self) -> None:
        """Mutes the person under the cursor, so that the reader no longer sees this person's posts.

        If the person is muted already, ends the muting. No other person learns of it.
        """
        person_id = self.query_one("#people-list", Feed).cards.highlighted_id
        person = self._people.get(person_id or "")
        if person is None or person_id is None:
            return
        try:
            answer = Shown(
                await self.node.call(calls.Mute(person=person_id, off=person.flag("muted")))
            )
        except Declined as declined:
            self.notify(safe_line(declined.sentence), markup=False)
            return
        if answer.flag("muted"):
            sentence = _("You no longer see what {who} posts.")
        else:
            sentence = _("You see what {who} posts again.")
        sentence = sentence.format(who=phrases.name(answer.person("person")))
        self.notify(sentence, timeout=3, markup=False)
        self.reload()

    def on_feed_opened(self, event: Feed.Opened) -> None:
        """Opens the page of the person whose card the reader chose."""
        event.stop()
        person = self._people.get(event.card_id)
        if person is not None:
            self.app.push_screen(PersonScreen(self.node, person))

    def _show_person(self, person_id: str | None) -> None:
        person = self._people.get(person_id or "")
        name = phrases.name(person.as_person()) if person else ""
        text = Content("")
        if person:
            text = _describe_person(person, self._balances.get(person.id))
        self.query_one("#person").border_title = phrases.plain_line(name)
        self.query_one(Between).tell(person)
        self.query_one("#person-text", Static).update(text)


def _by_person(balances: list[Shown]) -> dict[str, Shown]:
    people = ((balance.person("person"), balance) for balance in balances)
    return {person.id: balance for person, balance in people if person and person.id}


def _describe_person(person: Shown, balance: Shown | None) -> Content:
    parts: list[str | tuple[str, str]] = []
    if person.flag("muted"):
        parts += [_("You have muted this person. Press m to see what they post again."), "\n\n"]
    if person.about:
        parts += [safe_text(person.about), "\n\n"]
    for field in _FIELDS:
        text = _format_field(person, field)
        if text:
            parts += [(labels.field(field) + ": ", "dim"), text, "\n"]
    if balance:
        hint = _("Press Enter to see each entry.")
        parts += ["\n", phrases.sums(balance), "\n", (hint, "dim")]
    if not person.texts("assets") and not person.texts("wants"):
        hint = _("They have not said yet what they can give or would like.")
        parts += ["\n\n", (hint, "dim")]
    return Content.assemble(*parts)


def _format_field(person: Shown, field: str) -> str:
    minutes = person.number(field)
    if minutes is not None:
        return safe_line(phrases.minutes(minutes))
    return ", ".join(safe_line(text) for text in person.texts(field)) or safe_line(
        person.text(field) or ""
    )
