"""The command `post`: an option for every field of every kind that people post."""

import json
import sys
from typing import Annotated, Any

from cyclopts import App, Parameter

import protocol.kinds  # noqa: F401  # registers what can be posted
from meshcoop.cli.context import Context, Given
from meshcoop.cli.kind_options import of_kind
from meshcoop.cli.records import Person, asked
from meshcoop.client import Client, NodeGone
from meshcoop.errors import Mistake
from protocol.display_text import line
from protocol.fold.kind import KINDS, Kind

About = Annotated[str, Parameter(help="the id of what this answers")]
Represented = Annotated[
    str | None, Parameter(name="--for", help="for whom, who has given you a proxy")
]

_USAGE = 2
_MAX_LINE = 1024 * 1024


def _posting() -> App:
    """A command for every kind that people post."""
    app = App(name="post", help="Signs and gossips one record.", version_flags=())
    for kind in KINDS.values():
        if kind.posted:
            app.command(of_kind(kind, _poster(kind)), name=kind.name)
    app.default(_post_lines)
    return app


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


post = _posting()
