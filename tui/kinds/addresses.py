"""Gives a postal address to the other party of an agreement, or forgets one, from the page of a
thread.
"""

import asyncio
from collections.abc import Iterator
from typing import Any

from protocol.fold.kind import Kind
from protocol.schema.shared_rules import ADDRESS
from tui.format import phrases
from tui.format.phrases import Shown
from tui.i18n import _
from tui.kinds.next_steps import NextStep
from tui.kinds.thread_data import ThreadData
from tui.node.api_client import Declined
from tui.node.connection import NodeConnection

GIVE = "give_address"
FORGET = "forget_address"


class Words(Kind):
    """The fields of the form for a postal address. They never become a record: the address goes to
    one other home, and nobody posts it.
    """

    fields = {"address": ADDRESS}  # noqa: RUF012 -- declared on Kind


async def overlay_addresses(link: NodeConnection, agreements: list[Shown]) -> None:
    """Sets the entry `address` in each agreement to which this person is a party. Its value is the
    address that this home holds for the agreement, or None.
    """
    own_agreements = [agreement for agreement in agreements if _other_party(agreement, link.me)]
    addresses = await asyncio.gather(
        *(_fetch_address(link, agreement["id"]) for agreement in own_agreements)
    )
    for agreement, address in zip(own_agreements, addresses, strict=True):
        agreement["address"] = address


def address_steps(thread: ThreadData, me: str | None) -> Iterator[NextStep]:
    """Yields, for each agreement of `me`, the steps that give the other party an address or forget
    the address that this home holds.
    """
    for agreement in thread.agreements:
        other = _other_party(agreement, me)
        if other is None or not (agreement["state"] == "agreed" or agreement.get("address")):
            continue
        if agreement["state"] == "agreed" or agreement.get("repeats"):
            yield _give_step(agreement, phrases.name(other))
        if agreement.get("address"):
            yield _forget_step(agreement, phrases.name(other))


async def post(link: NodeConnection, step: NextStep, fields: dict[str, Any]) -> str:
    """Tells the node to give or to forget an address. Returns a sentence for the reader about the
    result. Raises Declined.
    """
    address = {"text": fields["address"]} if step.kind == GIVE else {}
    answer = await link.call(step.kind, agreement=step.about, **address)
    if step.kind == FORGET:
        return _("Forgotten.")
    who = phrases.name(answer["to"])
    if answer["state"] == "delivered":
        return _("{who} has it.").format(who=who)
    return _("It goes to {who} as soon as both homes are up.").format(who=who)


def _give_step(agreement: Shown, who: str) -> NextStep:
    meaning = _(
        "{who}'s home and yours hold it until the agreement is over, then both forget it. "
        "No other home ever holds it."
    )
    return NextStep(
        kind=GIVE,
        about=agreement["id"],
        label=_("Give {who} my address").format(who=who),
        meaning=meaning.format(who=who),
    )


def _forget_step(agreement: Shown, who: str) -> NextStep:
    meaning = _(
        "It is erased here. If you gave it, it is erased at {who}'s home as well, unless "
        "they keep it."
    )
    return NextStep(
        kind=FORGET,
        about=agreement["id"],
        label=_("Forget the address"),
        meaning=meaning.format(who=who),
        fields=(),
    )


async def _fetch_address(link: NodeConnection, agreement_id: str) -> Shown | None:
    try:
        address: Shown = await link.call("show_address", agreement=agreement_id)
    except Declined:
        return None
    return address


def _other_party(agreement: Shown, me: str | None) -> Shown | None:
    """Returns the other party of an agreement. If `me` is not a party, returns None."""
    parties: list[Shown] = [agreement["giver"], agreement["receiver"]]
    others = [party for party in parties if party["id"] != me]
    return others[0] if len(others) == 1 else None
