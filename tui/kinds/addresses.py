"""Makes two sorts of steps. One gives a postal address to the other party of an agreement. The
other forgets this address again.

An address never becomes a record. The node sends the address to one other home only.
"""

import asyncio
from collections.abc import Iterator, Mapping

from protocol.display_text import safe_text
from protocol.schema.shared_rules import ADDRESS
from protocol.wire import calls
from tui.format import phrases
from tui.format.phrases import Part
from tui.i18n import _
from tui.kinds.next_steps import NextStep, StepWords
from tui.kinds.thread_data import Reader
from tui.node.api_client import Declined
from tui.node.connection import NodeConnection
from tui.node.shown import Person, Shown

_GIVE = "give_address"
_FORGET = "forget_address"


async def fetch_addresses(link: NodeConnection, agreements: list[Shown]) -> Mapping[str, Shown]:
    """Fetches the addresses that this home holds for the reader's agreements. Returns a map from
    the ids of the agreements to the addresses.
    """
    own = [agreement for agreement in agreements if _other_party(agreement, link.me)]
    answers = await asyncio.gather(*(_fetch_address(link, agreement.id) for agreement in own))
    by_agreement = zip(own, answers, strict=True)
    return {agreement.id: address for agreement, address in by_agreement if address is not None}


def address_parts(address: Shown | None, reader: Reader) -> Iterator[Part]:
    """Shows an address that this home holds, and says how long the home will hold it."""
    if address is None:
        return
    giver = address.person("from")
    is_mine = giver is not None and giver.id == reader.me
    whose = _("The address that you gave") if is_mine else _("The address of {who}")
    until = _("kept here") if address.flag("kept") else _("here until the agreement is over")
    yield "\n"
    yield (f"{whose.format(who=phrases.name(giver))} · {until}", "dim")
    yield f"\n{safe_text(address.text('text') or '').strip()}"


def address_steps(agreement: Shown, address: Shown | None, reader: Reader) -> Iterator[NextStep]:
    """Yields the steps that the reader can take now: to give an address to the other party, and to
    forget the address that this home holds.
    """
    other = _other_party(agreement, reader.me)
    is_alive = agreement.state == "agreed"
    if other is None or not (is_alive or address):
        return
    if is_alive or agreement.text("repeats"):
        yield _give_step(agreement, phrases.name(other))
    if address:
        yield _forget_step(agreement, phrases.name(other))


def _give_step(agreement: Shown, who: str) -> NextStep:
    async def give(link: NodeConnection, fields: Mapping[str, object]) -> str:
        answer = Shown(
            await link.call(calls.GiveAddress(agreement=agreement.id, text=str(fields["address"])))
        )
        to = phrases.name(answer.person("to"))
        if answer.state == "delivered":
            return _("{who} has it.").format(who=to)
        return _("It goes to {who} as soon as both homes are up.").format(who=to)

    meaning = _(
        "{who}'s home and yours hold it until the agreement is over, then both forget it. "
        "No other home ever holds it."
    )
    label = _("Give {who} my address").format(who=who)
    words = StepWords(label, meaning.format(who=who), button=_("Give"), send=give)
    return NextStep(_GIVE, agreement.id, words, fields=(), extra={"address": ADDRESS})


def _forget_step(agreement: Shown, who: str) -> NextStep:
    async def forget(link: NodeConnection, fields: Mapping[str, object]) -> str:
        del fields
        await link.call(calls.ForgetAddress(agreement=agreement.id))
        return _("Forgotten.")

    meaning = _(
        "It is erased here. If you gave it, it is erased at {who}'s home as well, unless "
        "they keep it."
    )
    label = _("Forget the address")
    words = StepWords(label, meaning.format(who=who), button=_("Forget"), send=forget)
    return NextStep(_FORGET, agreement.id, words, fields=())


async def _fetch_address(link: NodeConnection, agreement_id: str) -> Shown | None:
    try:
        return Shown(await link.call(calls.ShowAddress(agreement=agreement_id)))
    except Declined:
        return None


def _other_party(agreement: Shown, me: str | None) -> Person | None:
    """Returns the other party of an agreement. If `me` is not a party, returns None."""
    parties = [agreement.person("giver"), agreement.person("receiver")]
    others = [party for party in parties if party is not None and party.id != me]
    return others[0] if len(others) == 1 else None
