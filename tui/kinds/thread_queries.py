"""A whole thread, fetched from the node."""

import asyncio
from dataclasses import replace
from typing import Any

from tui.kinds import activity_steps as taking_part
from tui.kinds import addresses
from tui.kinds import decisions as deciding
from tui.kinds import faces as together
from tui.kinds import moderation as moderating
from tui.kinds.thread_data import Case
from tui.node.connection import Link

Shown = dict[str, Any]


async def fetch(link: Link, record_id: str) -> Case:
    """The whole thread that a record is in. Raises Declined."""
    root = await link.call("show", id=record_id)
    told = root["history"]
    if told and told[0]["id"] != root["id"]:
        root = await link.call("show", id=told[0]["id"])

    async def answers(what: str) -> list[Shown]:
        found: list[Shown] = await link.call("list", what=what, about=root["id"])
        return found[::-1]

    case = Case(root, [], [], told, term=link.term)
    if moderating.worded(root):
        flags, hides = await asyncio.gather(answers("flags"), answers("hides"))
        case = replace(case, flags=flags, hides=hides)
    match root.get("kind"):
        case "request" | "offer" if "responses" in root:
            agreements, receipts, corrections = await asyncio.gather(
                answers("agreements"), answers("receipts"), answers("corrections")
            )
            await addresses.overlay(link, agreements)
            case = replace(case, corrections=corrections)
            return replace(case, agreements=agreements, receipts=receipts)
        case "activity" if "upcoming" in root:
            signups, attended, receipts = await asyncio.gather(
                *map(answers, taking_part.ANSWER_LISTS)
            )
            return replace(case, receipts=receipts, answers=[*signups, *attended])
        case "proposal":
            return replace(case, rules=await link.rules())
        case "remove" if "state" in root:
            same = deciding.alike(root, await link.call("list", what="removes"))
            return replace(case, answers=same)
        case kind if what := together.ANSWERS.get(kind):
            return replace(case, answers=await answers(what))
    return case
