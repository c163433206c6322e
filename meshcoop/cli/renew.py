"""The command `renew`: proposes the next term. The command `post` posts all other proposals and
votes.
"""

from typing import Annotated

from cyclopts import Parameter

from meshcoop.cli.context import ALREADY_SO, ContextArgument
from meshcoop.cli.records import PersonOption
from protocol.wire import calls


def propose_renewal(
    *,
    moderator: Annotated[
        list[str] | None,
        Parameter(negative=(), help="a moderator of the next term; repeat to name all of them"),
    ] = None,
    vouchers: Annotated[int | None, Parameter(help="members who vouch for a newcomer")] = None,
    share: Annotated[
        int | None, Parameter(help="percent of the roll that a decision has to exceed")
    ] = None,
    title: Annotated[str | None, Parameter(help="what it is about, in a few words")] = None,
    as_: PersonOption = None,
    context: ContextArgument,
) -> None:
    """Proposes the next term: newcomers join the roll, and everything else stays as it is."""
    call = calls.Renew(
        moderators=moderator, vouchers=vouchers, share=share, title=title, person=as_
    )
    with context.connect_node() as node:
        renewal = node.call(call)
    context.answer(
        renewal, lambda: ALREADY_SO if "already" in renewal else str(renewal["id"]), is_done=True
    )
