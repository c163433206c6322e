"""Addresses in a thread: giving yours to the other party of an agreement, and forgetting it."""

import asyncio
from collections.abc import Iterator
from typing import Any

from protocol.fold.kind import Kind
from protocol.wire.address_gift import ADDRESS
from tui.format import phrases as telling
from tui.i18n import _
from tui.kinds.next_steps import Act
from tui.kinds.thread_data import Case
from tui.node.api_client import Declined
from tui.node.connection import Link

Shown = dict[str, Any]

GIVE, FORGET = "give_address", "forget_address"


class Words(Kind):
    """What the form asks for. It is no kind of record: it goes to one home and is never posted."""

    fields = {"address": ADDRESS}  # noqa: RUF012 -- declared on Kind


async def overlay(link: Link, agreements: list[Shown]) -> None:
    """Lays the address of each agreement over its view, where this home holds one."""
    mine = [one for one in agreements if _other(one, link.me)]
    found = await asyncio.gather(*(_shown(link, one["id"]) for one in mine))
    for one, address in zip(mine, found, strict=True):
        one["address"] = address


def acts(case: Case, me: str | None) -> Iterator[Act]:
    """For each agreement of mine that lives."""
    for one in case.agreements:
        other = _other(one, me)
        if other is None or not (one["state"] == "agreed" or one.get("address")):
            continue
        who = telling.name(other)
        if one["state"] == "agreed" or one.get("repeats"):
            said = _(
                "{who}'s home and yours hold it until the agreement is over, then both forget it. "
                "No other home ever holds it."
            )
            label = _("Give {who} my address").format(who=who)
            yield Act(kind=GIVE, about=one["id"], label=label, said=said.format(who=who))
        if one.get("address"):
            yield Act(
                kind=FORGET,
                about=one["id"],
                label=_("Forget the address"),
                said=_(
                    "It is erased here. If you gave it, it is erased at {who}'s home as well, unless "
                    "they keep it."
                ).format(who=who),
                fields=(),
            )


async def post(link: Link, act: Act, fields: dict[str, Any]) -> str:
    """Does what the act says; how it went. Raises Declined."""
    typed = {"text": fields["address"]} if act.kind == GIVE else {}
    done = await link.call(act.kind, agreement=act.about, **typed)
    if act.kind == FORGET:
        return _("Forgotten.")
    who = telling.name(done["to"])
    if done["state"] == "delivered":
        return _("{who} has it.").format(who=who)
    return _("It goes to {who} as soon as both homes are up.").format(who=who)


async def _shown(link: Link, agreement: str) -> Shown | None:
    try:
        found: Shown = await link.call("show_address", agreement=agreement)
    except Declined:
        return None
    return found


def _other(agreement: Shown, me: str | None) -> Shown | None:
    """The other party, where this home's person is one."""
    parties = [agreement["giver"], agreement["receiver"]]
    others: list[Shown] = [one for one in parties if one["id"] != me]
    return others[0] if len(others) == 1 else None
