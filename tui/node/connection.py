"""Keeps the screen connected to its node. It reconnects, tells the panes about changes, and passes
the calls of the panes on to the node.
"""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

from textual.app import App
from textual.signal import Signal

from protocol.local_clock import LocalClock, read_time
from protocol.time_zones import local_clock
from protocol.wire import calls
from protocol.wire.calls import Call
from protocol.wire.local_rpc import RESYNC
from tui.i18n import _
from tui.node.api_client import Client, Declined, NodeGone
from tui.node.shown import Page, Person, Shown

RETRY_SECONDS = 1.0  # between two attempts to reach the node
STATUS_SECONDS = 10.0  # between two looks at the status, because peers come and go without an event
_LONG_AGO = "1970-01-01T00:00Z"  # the time before the node has answered
_PARTED = ("history", "views")  # what the node sends in parts
_GATHER_SECONDS = 0.05  # records often come in a row, and one reload serves all of them


class NodeConnection:
    """The connection to the node, which all screens and panes share.

    `status` is the node's latest status; it is None until the first status arrives. `trouble` is a
    sentence for the reader if the node cannot be reached. Otherwise it is None.

    The signal `status_changed` goes out after each update of `status` or `trouble`. The signal
    `changed` goes out when records have changed.
    """

    def __init__(self, app: App[None], path: Path) -> None:
        self.status: Shown | None = None
        self.trouble: str | None = None
        # The drafts: texts that the reader typed and did not post, by the key of the step.
        self.drafts: dict[str, dict[str, str]] = {}
        self.changed: Signal[None] = Signal(app, "changed")
        self.status_changed: Signal[None] = Signal(app, "standing")
        self._path = path
        self._client: Client | None = None

    @property
    def me(self) -> str | None:
        """The id of this home's person. It is None until that person is a member."""
        person: Person | None = self.status.person("person") if self.status else None
        return person.id if person else None

    @property
    def clock(self) -> LocalClock:
        """What the clocks of the neighbourhood showed when the node last sent its status."""
        status = self.status or Shown({})
        return local_clock(read_time(status.text("time") or _LONG_AGO), status.text("timezone"))

    @property
    def term(self) -> Shown:
        """The current term, with its roll and its moderators. It is empty before the node has
        answered.
        """
        return self._part_of_status("term")

    @property
    def waiting(self) -> Shown:
        """The part of the node's status about things that are not settled yet. Above all, these are
        people who want to join.
        """
        return self._part_of_status("waiting")

    @property
    def running(self) -> list[Shown]:
        """What the node says about the hours in which the homes of the neighbourhood run."""
        return self.status.rows("running") if self.status else []

    @property
    def own_vouchers(self) -> list[Shown]:
        """What the node tells this home's person if too few people have vouched for them."""
        return self.status.rows("own_vouchers") if self.status else []

    @property
    def is_in_neighbourhood(self) -> bool:
        """True if this home is in a neighbourhood. If not, there are no lists to show."""
        return self.status is not None and self.status.has("neighbourhood")

    async def call(self, call: Call) -> Any:
        """Calls a method of the node's local API, and returns the answer. Raises Declined."""
        if self._client is None:
            raise NodeGone(self.trouble or _("This home is not ready yet."))
        return await self._client.call(call)

    async def fetch_page(self, call: calls.Listing) -> Page:
        """Calls a method that lists rows, and returns the first page. Raises Declined."""
        answer = Shown(await self.call(call))
        return Page(answer.rows("rows"), answer.number("total") or 0)

    async def fetch_rows(self, call: calls.Listing) -> list[Shown]:
        """Calls a method that lists rows, and returns the rows of all pages. Raises Declined."""
        page = Shown(await self.call(call))
        rows = page.rows("rows")
        while page.has("next"):
            page = Shown(await self.call(replace(call, after=page.text("next"))))
            rows += page.rows("rows")
        return rows

    async def fetch_list(self, what: str, *, about: str | None = None) -> list[Shown]:
        """Fetches all rows of a list. Raises Declined."""
        return await self.fetch_rows(calls.List(what=what, about=about))

    async def fetch_whole(self, call: calls.Show | calls.Balance) -> Shown:
        """Calls a method that shows something with its history. Returns the result with the whole
        history. If the method also shows views of the history's records, returns all of these
        views. Raises Declined.
        """
        answer = dict(await self.call(call))
        while answer.get("earlier") is not None:
            part = await self.call(replace(call, before=answer["earlier"]))
            longer = {name: part[name] + answer[name] for name in _PARTED if name in answer}
            answer |= {**longer, "earlier": part["earlier"]}
        return Shown(answer)

    async def fetch_charter(self) -> Shown:
        """Fetches the charter in force, which holds the neighbourhood's rules. Raises Declined if
        the node refuses the call.
        """
        return Shown(await self.call(calls.Show(id=self._part_of_status("neighbourhood").id)))

    def _part_of_status(self, name: str) -> Shown:
        part = self.status.row(name) if self.status else None
        return part or Shown({})

    async def stay_connected(self) -> None:
        """Connects to the node, and connects again after every failure. Runs until somebody cancels
        the task.
        """
        while True:
            try:
                self._client = await Client.connect(self._path)
                await self._follow_events(self._client)
            except Declined as declined:
                self.trouble = declined.sentence
                self.status_changed.publish(None)
            finally:
                if self._client is not None:
                    client = self._client
                    # This comes first: a call must not use the client while it closes.
                    self._client = None
                    await client.close()
            await asyncio.sleep(RETRY_SECONDS)

    async def _follow_events(self, client: Client) -> None:
        await client.subscribe()
        await self._refresh_status(client)
        self.changed.publish(None)
        while True:
            event = await client.next_event(STATUS_SECONDS)
            if event is not None:
                await asyncio.sleep(_GATHER_SECONDS)
            events = [event, *client.take_waiting_events()]
            topics = {event.topic for event in events if event is not None}
            if RESYNC in topics:
                await client.subscribe()
            await self._refresh_status(client)
            if topics:
                self.changed.publish(None)

    async def _refresh_status(self, client: Client) -> None:
        self.status = Shown(await client.call(calls.Status()))
        self.trouble = None
        self.status_changed.publish(None)
