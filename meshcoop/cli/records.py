"""Commands about records: list, show, balance, kinds, search, mute."""

from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.cli import plain_text as told
from meshcoop.cli.context import Context, Given
from meshcoop.client import Client
from meshcoop.errors import Mistake
from meshcoop.home import passphrase

Person = Annotated[str | None, Parameter(name="--as", help="which person of this home posts")]
Reader = Annotated[
    str | None, Parameter(name="--as", help="which guest reads: what is private to them opens")
]
Muted = Annotated[bool, Parameter(negative=(), help="only what muted people posted")]


def asked(node: Client, person: str | None) -> dict[str, str]:
    """The PIN of a guest of this home, which is asked for; nothing for everybody else."""
    if person is None or not node.call("asks_pin", **{"as": person}):
        return {}
    return {"pin": passphrase.obtain_pin(person)}


def _list(
    what: str,
    /,
    *,
    as_: Reader = None,
    about: Annotated[str | None, Parameter(help="only what answers this id")] = None,
    state: Annotated[str | None, Parameter(help="only those in this state")] = None,
    limit: Annotated[int | None, Parameter(help="at most so many")] = None,
    muted: Muted = False,
    context: Given,
) -> None:
    """Lists requests, offers, suggestions, people, decisions, reciprocity, pages and more."""
    wanted = {"what": what, "about": about, "state": state, "limit": limit}
    _find(context, "list", wanted, muted=muted, as_=as_)


def _show(record: str, /, *, as_: Reader = None, context: Given) -> None:
    """Shows a record, and what happened around it."""
    with context.node() as node:
        view = node.call("show", id=record, **{"as": as_}, **asked(node, as_))
    context.answer(view, lambda: told.whole(view))


def _balance(person: str | None = None, /, *, context: Given) -> None:
    """Minutes given and received, of everybody, or of one person with their history."""
    with context.node() as node:
        found = node.call("balance", person=person)
    context.answer(found, lambda: told.balances(found if isinstance(found, list) else [found]))


def _introductions(person: str, /, *, as_: Reader = None, context: Given) -> None:
    """Who can introduce you to somebody: the shortest ways through people who know each other."""
    with context.node() as node:
        found = node.call("introductions", person=person, **{"as": as_})
    context.answer(found, lambda: told.introductions(found))


def _list_kinds(*, context: Given) -> None:
    """The kinds of records and their fields."""
    import protocol.kinds  # noqa: F401  # registers them; late, for other commands need none
    from protocol.fold.kind import describe

    found = describe()
    context.answer(found, lambda: told.kinds(found))


def _find(
    context: Context, method: str, wanted: dict[str, Any], *, muted: bool, as_: str | None = None
) -> None:
    """Shows what was found, and says how much muted people posted that is left out."""
    with context.node() as node:
        wanted |= {"as": as_, **asked(node, as_)}
        found = node.call(method, **wanted, muted=muted)
        hidden = 0
        if not (muted or context.json or wanted.get("what") == "people"):
            hidden = len(node.call(method, **wanted, muted=True))
    context.answer(found, lambda: told.listing(found, hidden))


def _mute(
    person: str,
    /,
    *,
    off: Annotated[bool, Parameter(negative=(), help="show what they post again")] = False,
    context: Given,
) -> None:
    """Leaves what a person posts out of this home's lists; nobody else learns of it."""
    with context.node() as node:
        done = node.call("mute", person=person, off=off)
    context.answer(done, lambda: told.muted(done))


def _search(*words: str, muted: Muted = False, context: Given) -> None:
    """Finds what holds all these words."""
    if not words:
        raise Mistake("Say what to look for: `meshcoop search WORDS`.", 2)
    _find(context, "search", {"words": " ".join(words)}, muted=muted)
