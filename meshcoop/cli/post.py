"""The commands `post` and `renew`.

`post` has a command for each kind of record that people post. This command has an option for every
field of the kind. `renew` proposes the next term.
"""

import json
import sys
from collections.abc import Callable
from dataclasses import replace
from difflib import get_close_matches
from typing import Annotated, Any

from cyclopts import App, Parameter

import protocol.kinds  # noqa: F401  # registers what can be posted
from meshcoop.cli.context import ALREADY_SO, Context, ContextArgument
from meshcoop.cli.kind_options import add_field_options
from meshcoop.cli.plain_text import format_remark
from meshcoop.cli.records import PersonOption, obtain_pin
from meshcoop.client import Client, NodeGone
from meshcoop.errors import Mistake
from protocol.errors import Refused
from protocol.fold.registry import KINDS, DeclaredKind
from protocol.kinds.decisions import Vote
from protocol.wire import calls

AboutOption = Annotated[str, Parameter(help="the id of what this answers")]
RepresentedOption = Annotated[
    str | None, Parameter(name="--for", help="the person you act for, who has given you a proxy")
]

WillVoteOption = Annotated[
    int | None,
    Parameter(
        help="how many people will vote in the next term; needed for more than a few newcomers"
    ),
]

_USAGE = 2
_MAX_LINE = 1024 * 1024
_MOST_NEAR = 3  # kinds that a refusal names
_LINE_KEYS = {"kind", "about", "as", "for", "fields", "will_vote"}


def propose_renewal(
    *,
    joining: Annotated[
        list[str] | None,
        Parameter(negative=(), help="who joins the voters; repeat for each (default: everybody)"),
    ] = None,
    moderators: Annotated[
        list[str] | None,
        Parameter(
            name="--moderator",
            negative=(),
            help="a moderator of the next term; repeat to name all of them",
        ),
    ] = None,
    vouchers: Annotated[int | None, Parameter(help="members who vouch for a newcomer")] = None,
    share: Annotated[
        int | None, Parameter(help="percent of the roll that a decision has to exceed")
    ] = None,
    title: Annotated[str | None, Parameter(help="what it is about, in a few words")] = None,
    will_vote: WillVoteOption = None,
    as_: PersonOption = None,
    context: ContextArgument,
) -> None:
    """Proposes the next term. Newcomers join the roll. Everything that you do not change stays as
    it is.
    """
    call = calls.Renew(
        joining=joining,
        moderators=moderators,
        vouchers=vouchers,
        share=share,
        title=title,
        as_=as_,
        will_vote=will_vote,
    )
    with context.connect_node() as node:
        renewal = node.call(call)
    context.answer(
        renewal, lambda: ALREADY_SO if "already" in renewal else str(renewal["id"]), is_done=True
    )


def _build_post_app() -> App:
    """Builds the command `post`, with a command below it for each kind that people post."""
    app = App(name="post", help="Signs one record and gossips it.", version_flags=())
    for kind in KINDS.values():
        if kind.posted:
            app.command(add_field_options(kind, _make_command(kind)), name=kind.name)
    app.default(_post_lines)
    return app


def _make_command(kind: DeclaredKind) -> Callable[..., None]:
    """Makes the command that posts records of one kind.

    The option `--about` names the record that the new record answers. A record that begins a thread
    answers nothing. So its command lacks this option. In that case, the kind may have a field of
    its own called `about`.
    """

    def post_root(
        *,
        as_: PersonOption = None,
        for_: RepresentedOption = None,
        context: ContextArgument,
        **fields: Any,
    ) -> None:
        call = calls.Post(kind=kind.name, as_=as_, for_=for_, fields=fields)
        _post_record(context, call)

    def post_answer(
        *,
        about: AboutOption,
        as_: PersonOption = None,
        for_: RepresentedOption = None,
        context: ContextArgument,
        **fields: Any,
    ) -> None:
        call = calls.Post(kind=kind.name, about=about, as_=as_, for_=for_, fields=fields)
        _post_record(context, call)

    def post_vote(
        *,
        about: AboutOption,
        will_vote: WillVoteOption = None,
        as_: PersonOption = None,
        for_: RepresentedOption = None,
        context: ContextArgument,
        **fields: Any,
    ) -> None:
        call = calls.Post(
            kind=kind.name, about=about, as_=as_, for_=for_, fields=fields, will_vote=will_vote
        )
        _post_record(context, call)

    command: Callable[..., None] = post_root if kind.is_root else post_answer
    if kind.view_type is Vote:
        command = post_vote
    command.__doc__ = (kind.view_type.__doc__ or "").split("\n", maxsplit=1)[0]
    return command


def _post_record(context: Context, call: calls.Post) -> None:
    with context.connect_node() as node:
        posted = node.call(replace(call, pin=obtain_pin(node, call.as_)))
    context.answer(posted, lambda: str(posted["id"] or ""), is_done=True)
    if "already" in posted and not context.json:
        print(ALREADY_SO, file=sys.stderr)
    if "advice" in posted and not context.json:
        print(format_remark(posted["advice"]) + ".", file=sys.stderr)


def _post_lines(
    *kind: str,
    lines: Annotated[
        bool,
        Parameter(
            negative=(),
            help="JSON objects {kind, about?, as?, for?, fields, will_vote?}, one a line, on stdin",
        ),
    ] = False,
    context: ContextArgument,
    **options: Annotated[str, Parameter(show=False)],
) -> None:
    """Posts many records: one for each line of input. Answers a line as soon as its record is
    safely stored.

    If somebody types a kind that nobody can post, this command runs too, with the options that were
    meant for that kind. Then the answer is about the kind, not about the options.
    """
    if not lines or kind:
        raise _no_kind(kind[0]) if kind else _no_kind_named()
    if options:
        raise Mistake("Unknown option: --{name}.", _USAGE, name=next(iter(options)))
    has_refusal = False
    with context.connect_node() as node:
        # JSON is UTF-8, whatever the terminal speaks.
        for number, line in enumerate(iter(lambda: sys.stdin.buffer.readline(_MAX_LINE), b""), 1):
            if line.strip():
                answer = _post_line(node, line)
                has_refusal = has_refusal or "error" in answer
                _print_line_answer(context, number, answer)
    if has_refusal:
        sys.exit(1)


def _no_kind(typed: str) -> Mistake:
    names = _names_to_post()
    near = get_close_matches(typed.lower(), names, _MOST_NEAR)
    if near:
        return Mistake(
            "There is no kind {typed!r} to post; perhaps you mean {near}.",
            _USAGE,
            typed=typed,
            near=" or ".join(near),
        )
    return Mistake(
        "There is no kind {typed!r} to post; there are: {names}.",
        _USAGE,
        typed=typed,
        names=", ".join(names),
    )


def _no_kind_named() -> Mistake:
    return Mistake(
        "Say what to post; there are: {names}.", _USAGE, names=", ".join(_names_to_post())
    )


def _names_to_post() -> list[str]:
    return sorted(declared.name for declared in KINDS.values() if declared.posted)


def _print_line_answer(context: Context, number: int, answer: dict[str, Any]) -> None:
    try:
        context.print_json(answer)
    except BrokenPipeError:
        raise
    except OSError as error:
        done = "is signed" if "id" in answer else "is refused"
        raise Mistake(
            "Line {number} {done} and the later ones are not read, because its answer cannot be "
            "written ({reason}): {answer}",
            number=number,
            done=done,
            reason=error.strerror or "nobody knows why",
            answer=answer.get("id") or answer["error"],
        ) from None


def _post_line(node: Client, line: bytes) -> dict[str, Any]:
    """Posts the record that one line of input describes.

    Returns the answer of the node. If the post fails, returns the error as a sentence.
    """
    try:
        params = json.loads(line.decode("utf-8-sig"))
        if type(params) is not dict or not set(params) <= _LINE_KEYS:
            return {
                "error": "A line is a JSON object with kind, about, as, for, fields and will_vote."
            }
        call = calls.Post.read(params)
        posted: dict[str, Any] = node.call(replace(call, pin=obtain_pin(node, call.as_)))
    except NodeGone:
        # The fault is not in this line, and later lines cannot be posted either.
        raise
    except Mistake as mistake:
        return {"error": mistake.sentence}
    except Refused as refusal:
        return {"error": f"{refusal}."}
    except (ValueError, RecursionError) as error:
        return {"error": f"This line is not JSON: {error}."}
    return posted


post_app = _build_post_app()
