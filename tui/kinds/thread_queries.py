"""Fetches a whole thread from the node, with what the reader can do in it."""

import asyncio
from dataclasses import replace

from protocol.wire import calls
from tui.kinds.face import face_of
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.connection import NodeConnection


async def fetch_thread(link: NodeConnection, record_id: str) -> ThreadData:
    """Fetches the thread of a record. Raises Declined."""
    root = await link.fetch_whole(calls.Show(id=record_id, whole=True))
    history = root.rows("history")
    if history and history[0].id != root.id:
        root = await link.fetch_whole(calls.Show(id=history[0].id, whole=True))
    steps, charter = await asyncio.gather(
        link.fetch_rows(calls.NextSteps(id=root.id)), link.fetch_charter()
    )
    thread = ThreadData(root, root.rows("views"), history, steps)
    beside = await face_of(root.kind).fetch_beside(link, thread)
    return replace(thread, charter=charter, beside=beside)


def current_reader(link: NodeConnection) -> Reader:
    """Returns who looks at the screen now."""
    return Reader(link.me, link.clock, link.term)
