"""Commands by which the roll decides: renew. Proposals and votes are posted like any record."""

from typing import Annotated

from cyclopts import Parameter

from meshcoop.cli.context import Given
from meshcoop.cli.records import Person


def _renew(
    *,
    moderator: Annotated[
        list[str] | None, Parameter(negative=(), help="all of the next term's; repeat for more")
    ] = None,
    vouchers: Annotated[int | None, Parameter(help="members who vouch for a newcomer")] = None,
    share: Annotated[int | None, Parameter(help="percent that a decision exceeds")] = None,
    title: Annotated[str | None, Parameter(help="what it is about, in a few words")] = None,
    as_: Person = None,
    context: Given,
) -> None:
    """Proposes the next term: newcomers join the roll, and everything that holds is kept."""
    with context.node() as node:
        given = {"moderators": moderator, "vouchers": vouchers, "share": share}
        renewal = node.call("renew", **given, title=title, person=as_)
    context.answer(renewal, lambda: str(renewal["id"]))
