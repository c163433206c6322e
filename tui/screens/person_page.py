"""The page of a person: their standing, who may sign for them, their hours, and what the reader can
do. If the person is the reader, it also shows their devices.
"""

import asyncio

from protocol.wire import calls
from tui.format import phrases
from tui.kinds.exchange import balance_story
from tui.kinds.people import Folder, person_steps, person_story
from tui.kinds.thread_queries import current_reader
from tui.node.connection import NodeConnection
from tui.node.shown import Shown
from tui.screens.page import PagePane, PageScreen


class PersonScreen(PageScreen):
    """The page of one person."""

    def __init__(self, node: NodeConnection, person: Shown) -> None:
        super().__init__(node)
        self._person = person

    def make_pane(self) -> "PersonPane":
        """Makes the pane with the person."""
        return PersonPane(self.node, self._person)


class PersonPane(PagePane):
    """The text about a person, and below it the list of what the reader can do."""

    def __init__(self, node: NodeConnection, person: Shown) -> None:
        super().__init__(node)
        self._person = person

    async def load(self) -> None:
        """Fetches the person, the proxies and the person's hours. If the person is the reader, also
        fetches their devices.
        """
        person_id = self._person.id
        reader = current_reader(self.node)
        people, proxies, balance = await asyncio.gather(
            self.node.fetch_list("people"),
            self.node.fetch_list("proxies"),
            self.node.fetch_whole(calls.Balance(person=person_id)),
        )
        devices: list[Shown] = []
        if person_id == reader.me:
            devices = await self.node.fetch_rows(calls.Devices(person=person_id))
        latest = {person.id: person for person in people}.get(person_id, self._person)
        neighbours = frozenset(person.id for person in people if person.id != reader.me)
        folder = Folder(latest, neighbours, proxies, devices)
        hours = balance_story(balance, reader.clock)
        text = person_story(folder, reader) + "\n\n" + hours
        self.show_text(phrases.plain_line(phrases.name(latest.as_person())), text)
        self.show_steps(person_steps(folder, reader))
