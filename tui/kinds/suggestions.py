"""What this home suggests: cards on Today, and beside a person what the two of you could do."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import Any

from textual.content import Content
from textual.message import Message
from textual.widgets import OptionList, Static

from protocol.display_text import line
from tui.format import phrases as telling
from tui.format.phrases import Card
from tui.i18n import _
from tui.node.api_client import Declined
from tui.node.connection import Link
from tui.widgets.feed import Feed

Shown = dict[str, Any]

MOST = 20  # cards
_LINES = 3  # suggestions beside a person

_SUGGESTS = {
    "you could help": _("You could help: {what}"),
    "you may want": _("You may want: {what}"),
    "ways to give back": _("A way to give back: {what}"),
}


class Suggested(Feed):
    """Cards; one of a post opens it, one of a person goes to the people. Gone while there are none."""

    class Named(Message):
        """Somebody wants to see a suggested person."""

        def __init__(self, person: str) -> None:
            super().__init__()
            self.person = person

    def __init__(self) -> None:
        super().__init__(_("Suggestions"), _("Nothing fits yet."), id="suggested")
        self._about: dict[str, Shown] = {}
        self.display = False

    def suggest(self, found: list[Shown]) -> None:
        """The suggestions as they are now."""
        self._about = {one["id"]: one for one in found}
        self.display = bool(found)
        self.offer([card(one) for one in found])

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Opens what a card is about, rather than the card."""
        event.stop()
        event.prevent_default()
        one = self._about.get(event.option_id or "")
        if one is not None and one["subject"] == "person":
            self.post_message(self.Named(one["about"]))
        elif one is not None:
            self.post_message(self.Opened(self, one["about"]))


class Between(Static):
    """What others say of a person, what the two of you could do, and who can bring you together."""

    def __init__(self, link: Link) -> None:
        super().__init__(id="between", markup=False)
        self.node_link = link
        self._who: str | None = None

    def tell(self, person: Shown | None) -> None:
        """Tells of the person pointed at; who was pointed at before is forgotten."""
        who = person["id"] if person is not None else None
        if who != self._who:
            self._who = who
            self.update(Content(""))
        if person is not None:
            load: Callable[[], Awaitable[None]] = partial(self._load, person)
            self.run_worker(load, exclusive=True, group="between")

    async def _load(self, person: Shown) -> None:
        call, who = self.node_link.call, person["id"]
        try:
            found, ways = await asyncio.gather(
                call("list", what="suggestions", about=who), call("introductions", person=who)
            )
        except Declined:
            return  # the pane says what is wrong
        self.update(between(person, found, ways["ways"], self.node_link.me))


def card(one: Shown) -> Card:
    """A suggestion in a list."""
    label = _SUGGESTS.get(one["suggests"], "{what}").format(what=line(str(one["title"])))
    return Card(one["id"], label, line(str(one["sentence"])))


def between(person: Shown, found: list[Shown], ways: list[Shown], me: str | None) -> Content:
    """What there is to say beside a person."""
    return Content("\n").join(telling.plain_line(one) for one in _lines(person, found, ways, me))


def _lines(person: Shown, found: list[Shown], ways: list[Shown], me: str | None) -> Iterator[str]:
    for one in person.get("vouches") or ():
        who, text = telling.name(one["author"], me), line(one["text"] or "")
        said = _("{who} vouches: “{text}”") if text else _("{who} puts in a good word.")
        yield said.format(who=who[:1].upper() + who[1:], text=text)
    if person["id"] == me:
        return
    mine = [one for one in found if one["for"]["id"] == me]
    if mine:
        yield _("You could …")
    for one in mine[:_LINES]:
        told = card(one)
        yield f"· {told.title}"
        yield f"  {told.detail}"
    if len(ways) == 1 and len(ways[0]["why"]) == 1:
        yield _("You know each other: {how}").format(how=line(ways[0]["sentence"]))
    elif ways:
        yield _("Who can introduce you:")
        for way in ways:
            yield f"· {telling.name(way['first'])}: {line(way['sentence'])}"
