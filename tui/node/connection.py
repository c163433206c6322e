"""The screen's link to its node: kept up, told when something changed, asked by every pane."""

import asyncio
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

from textual.app import App
from textual.signal import Signal

from protocol.wire.local_rpc import RESYNC
from tui.i18n import _
from tui.node.client import Client, Declined, Gone

Shown = dict[str, Any]

AGAIN_SECONDS = 1.0  # between two tries to reach the node
LOOK_SECONDS = 10.0  # peers come and go without an event
_GATHER_SECONDS = 0.05  # records often come in a row: one look for all of them


def _now() -> datetime:
    return datetime.now().astimezone()


class Link:
    """Calls go through `call`; `standing` and `changed` tell what to show anew.

    `status` is the node's last answer, None before the first; `trouble` is a sentence while the
    node is out of reach.
    """

    def __init__(self, app: App[None], path: Path, now: Callable[[], datetime] = _now) -> None:
        self.now = now
        self.status: Shown | None = None
        self.trouble: str | None = None
        self.drafts: dict[str, dict[str, str]] = {}  # typed and not posted, by its act
        self.changed: Signal[None] = Signal(app, "changed")
        self.standing: Signal[None] = Signal(app, "standing")
        self._path = path
        self._client: Client | None = None

    @property
    def me(self) -> str | None:
        """The id of this home's person, once they belong."""
        person = (self.status or {}).get("person")
        return person["id"] if person else None

    @property
    def term(self) -> Shown:
        """Who decides; empty before the node has answered."""
        found: Shown = (self.status or {}).get("term") or {}
        return found

    @property
    def waiting(self) -> Shown:
        """Who waits at the door, and what else is not settled at this node."""
        found: Shown = (self.status or {}).get("waiting") or {}
        return found

    @property
    def belongs(self) -> bool:
        """Whether this home is in a neighbourhood, and so has lists to show."""
        return bool((self.status or {}).get("neighbourhood"))

    async def call(self, method: str, **params: Any) -> Any:
        """Asks the node. Raises Declined."""
        if self._client is None:
            raise Gone(self.trouble or _("The node is not there yet."))
        return await self._client.call(method, **params)

    async def rules(self) -> Shown:
        """The charter as it holds now. Raises Declined."""
        where = (self.status or {}).get("neighbourhood") or {}
        found: Shown = await self.call("show", id=where.get("id"))
        return found

    async def attend(self) -> None:
        """Keeps the link until cancelled, whatever becomes of the node."""
        while True:
            try:
                self._client = await Client.connect(self._path)
                await self._follow(self._client)
            except Declined as declined:
                self.trouble = declined.sentence
                self.standing.publish(None)
            finally:
                client, self._client = self._client, None
                if client is not None:
                    await client.close()
            await asyncio.sleep(AGAIN_SECONDS)

    async def _follow(self, client: Client) -> None:
        await client.subscribe()
        await self._look(client)
        self.changed.publish(None)
        while True:
            event = await client.event(LOOK_SECONDS)
            if event is not None:
                await asyncio.sleep(_GATHER_SECONDS)
            topics = {one.topic for one in [event, *client.drain()] if one is not None}
            if RESYNC in topics:
                await client.subscribe()
            await self._look(client)
            if topics:
                self.changed.publish(None)

    async def _look(self, client: Client) -> None:
        self.status = await client.call("status")
        self.trouble = None
        self.standing.publish(None)
