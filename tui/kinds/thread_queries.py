"""Fetches a whole thread from the node. This takes several calls of the local API."""

import asyncio
from dataclasses import replace

from tui.format.phrases import Shown
from tui.kinds import activity_steps, faces
from tui.kinds.addresses import overlay_addresses
from tui.kinds.decisions import removal_posts
from tui.kinds.moderation import can_be_flagged
from tui.kinds.thread_data import ThreadData
from tui.node.connection import NodeConnection


async def fetch(link: NodeConnection, record_id: str) -> ThreadData:
    """Fetches the whole thread that contains a record. Raises Declined."""
    root = await link.call("show", id=record_id)
    history = root["history"]
    if history and history[0]["id"] != root["id"]:
        root = await link.call("show", id=history[0]["id"])
    thread = ThreadData(root, [], [], history, term=link.term)
    if can_be_flagged(root):
        flags, hides = await _fetch_answers(link, root, "flags", "hides")
        thread = replace(thread, flags=flags, hides=hides)
    match root.get("kind"):
        # If this home cannot read the root, it has no view of the root. Then the key that a case
        # asks for is missing.
        case "request" | "offer" if "responses" in root:
            return await _with_exchange(link, thread)
        case "activity" if "upcoming" in root:
            lists = await _fetch_answers(link, root, *activity_steps.FETCHED_LISTS)
            signups, attendances, receipts = lists
            return replace(thread, receipts=receipts, answers=[*signups, *attendances])
        case "proposal":
            return replace(thread, rules=await link.fetch_charter())
        case "remove" if "state" in root:
            removes = await link.call("list", what="removes")
            return replace(thread, answers=removal_posts(root, removes))
        case kind if answer_list := faces.ANSWERS.get(kind):
            (answers,) = await _fetch_answers(link, root, answer_list)
            return replace(thread, answers=answers)
    return thread


async def _with_exchange(link: NodeConnection, thread: ThreadData) -> ThreadData:
    """Adds the agreements, receipts, corrections and addresses to the thread of a request or an
    offer.
    """
    agreements, receipts, corrections = await _fetch_answers(
        link, thread.root, "agreements", "receipts", "corrections"
    )
    await overlay_addresses(link, agreements)
    return replace(thread, agreements=agreements, receipts=receipts, corrections=corrections)


async def _fetch_answers(link: NodeConnection, root: Shown, *lists: str) -> list[list[Shown]]:
    """Fetches the lists with these names, limited to records of one thread. Each list comes back
    oldest first.
    """
    newest_first = await asyncio.gather(
        *(link.call("list", what=list_name, about=root["id"]) for list_name in lists)
    )
    return [records[::-1] for records in newest_first]
