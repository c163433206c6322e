"""Commands about records: post, list, show, balance, kinds, search, mute."""

import json
import sys
from typing import Annotated, Any

from cyclopts import App, Parameter

from meshcoop import passphrase
from meshcoop.client import Client, NodeGone
from meshcoop.commands import told
from meshcoop.commands.context import Context, Given
from meshcoop.commands.options import of_kind
from meshcoop.errors import Mistake
from protocol.schema import KINDS, Kind, describe
from protocol.text import line

About = Annotated[str, Parameter(help="the id of what this answers")]
Person = Annotated[str | None, Parameter(name="--as", help="which person of this home posts")]
Represented = Annotated[
    str | None, Parameter(name="--for", help="for whom, who has given you a proxy")
]
Reader = Annotated[
    str | None, Parameter(name="--as", help="which guest reads: what is private to them opens")
]
Muted = Annotated[bool, Parameter(negative=(), help="only what muted people posted")]

_USAGE = 2
_MAX_LINE = 1024 * 1024


def register(app: App) -> None:
    """Adds the commands to `app`."""
    post = App(name="post", help="Signs and gossips one record.", version_flags=())
    for kind in KINDS.values():
        if kind.posted:
            of_kind(post, kind.name, kind, _poster(kind))
    post.default(_post_lines)
    app.command(post)
    app.command(_list, name="list")
    app.command(_show, name="show")
    app.command(_balance, name="balance")
    app.command(_introductions, name="introductions")
    app.command(_list_kinds, name="kinds")
    app.command(_search, name="search")
    app.command(_mute, name="mute")


def _poster(kind: Kind) -> Any:
    """The command for one kind; a root is about nothing, and may have a field of that name."""

    def root(
        *, as_: Person = None, for_: Represented = None, context: Given, **fields: Any
    ) -> None:
        _post(context, {"kind": kind.name, "as": as_, "for": for_, "fields": fields})

    def answer(
        *,
        about: About,
        as_: Person = None,
        for_: Represented = None,
        context: Given,
        **fields: Any,
    ) -> None:
        who = {"as": as_, "for": for_}
        _post(context, {"kind": kind.name, "about": about, **who, "fields": fields})

    command = root if kind.root else answer
    command.__doc__ = (kind.__doc__ or "").split("\n", maxsplit=1)[0]
    return command


def _post(context: Context, given: dict[str, Any]) -> None:
    with context.node() as node:
        posted = node.call("post", **given, **asked(node, given["as"]))
    context.answer(posted, lambda: str(posted["id"]))
    if "advice" in posted and not context.json:
        print(line(posted["advice"]) + ".", file=sys.stderr)


def _post_lines(
    *kind: str,
    lines: Annotated[
        bool,
        Parameter(
            negative=(), help="JSON objects {kind, about?, as?, for?, fields}, one a line, on stdin"
        ),
    ] = False,
    context: Given,
) -> None:
    """Posts many records: each line of standard input is answered once it is safely stored."""
    if not lines or kind:
        posted = ", ".join(sorted(one.name for one in KINDS.values() if one.posted))
        what = f"There is no kind {kind[0]!r} to post" if kind else "Say what to post"
        raise Mistake(f"{what}; there are: {posted}.", _USAGE)
    refused = False
    with context.node() as node:
        for text in iter(lambda: sys.stdin.readline(_MAX_LINE), ""):
            if text.strip():
                answer = _post_line(node, text)
                refused = refused or "error" in answer
                print(json.dumps(answer, ensure_ascii=False), flush=True)
    if refused:
        sys.exit(1)


def _post_line(node: Client, text: str) -> dict[str, Any]:
    try:
        given = json.loads(text)
        if type(given) is not dict or not set(given) <= {"kind", "about", "as", "for", "fields"}:
            return {"error": "A line is a JSON object with kind, about, as, for and fields."}
        posted: dict[str, Any] = node.call("post", **given, **asked(node, given.get("as")))
    except NodeGone:
        raise
    except Mistake as mistake:
        return {"error": mistake.sentence}
    except (ValueError, RecursionError) as error:
        return {"error": f"This line is not JSON: {error}."}
    return posted


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
        raise Mistake("Say what to look for: `meshcoop search WORDS`.", _USAGE)
    _find(context, "search", {"words": " ".join(words)}, muted=muted)
