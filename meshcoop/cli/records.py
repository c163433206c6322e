"""The commands about records: `list`, `show`, `next`, `balance`, `introductions`, `kinds`, `search`
and `mute`.
"""

import sys
from dataclasses import replace
from typing import Annotated

from cyclopts import Parameter

from meshcoop.cli import plain_text
from meshcoop.cli.context import Context, ContextArgument, clock_of_status, read_clock
from meshcoop.client import Client
from meshcoop.errors import Mistake
from meshcoop.home import passphrase
from protocol.wire import calls

_USAGE = 2
_MOST_NEWCOMERS = 20

PersonOption = Annotated[str | None, Parameter(name="--as", help="which person of this home posts")]
ReaderOption = Annotated[
    str | None,
    Parameter(name="--as", help="which guest reads, so that what is private to them is shown"),
]
LimitOption = Annotated[int | None, Parameter(help="how many at most")]
AfterOption = Annotated[str | None, Parameter(help="only what comes after this row")]
PageOption = Annotated[
    bool, Parameter(negative=(), help="with --json, says how many there are, and where to go on")
]
MutedOption = Annotated[bool, Parameter(negative=(), help="only what muted people posted")]


def obtain_pin(node: Client, person: str | None) -> str | None:
    """If `person` is a guest of this home, asks for the guest's PIN and returns it.

    If `person` is no guest, returns None.
    """
    if person is None or not node.call(calls.AsksPin(as_=person)):
        return None
    return passphrase.obtain_pin(person)


def list_records(
    what: str,
    /,
    *,
    as_: ReaderOption = None,
    about: Annotated[str | None, Parameter(help="only what answers this id")] = None,
    state: Annotated[str | None, Parameter(help="only those in this state")] = None,
    limit: LimitOption = None,
    after: AfterOption = None,
    page: PageOption = False,
    muted: MutedOption = False,
    context: ContextArgument,
) -> None:
    """Lists requests, offers, the records that wait for you, suggestions, people, decisions and
    more.
    """
    wanted = calls.List(
        what=what, about=about, state=state, limit=limit, after=after, muted=muted, as_=as_
    )
    with context.connect_node() as node:
        _print_list(context, node, replace(wanted, pin=obtain_pin(node, as_)), is_page=page)


def show_record(record: str, /, *, as_: ReaderOption = None, context: ContextArgument) -> None:
    """Shows a record and its history."""
    with context.connect_node() as node:
        view = node.show_whole(calls.Show(id=record, as_=as_, pin=obtain_pin(node, as_)))
        clock = read_clock(node)
    context.answer(view, lambda: plain_text.format_view(view, clock))


def show_next_steps(
    record: str | None = None, /, *, as_: ReaderOption = None, context: ContextArgument
) -> None:
    """Lists the steps that wait for you. If you give the id of a record, lists the steps that you
    can take with this record.
    """
    with context.connect_node() as node:
        steps = node.list_all(calls.NextSteps(id=record, as_=as_, pin=obtain_pin(node, as_)))
        growth = _describe_growth(node) if record is None and not context.json else []
    context.answer(steps, lambda: plain_text.format_steps(steps, growth))


def show_balance(person: str | None = None, /, *, context: ContextArgument) -> None:
    """Shows the minutes that everybody gave and received. If you name a person, shows this person's
    minutes line by line.
    """
    with context.connect_node() as node:
        if person is None:
            rows = node.list_all(calls.Balance())
        else:
            rows = [node.show_whole(calls.Balance(person=person))]
    answer = rows if person is None else rows[0]
    context.answer(answer, lambda: plain_text.format_balances(rows))


def show_introductions(
    person: str, /, *, as_: ReaderOption = None, context: ContextArgument
) -> None:
    """Says who can introduce you to somebody. Shows the shortest ways through people who know each
    other.
    """
    with context.connect_node() as node:
        answer = node.call(calls.Introductions(person=person, as_=as_))
    context.answer(answer, lambda: plain_text.format_introductions(answer))


def list_kinds(*, context: ContextArgument) -> None:
    """Lists the kinds of records with their fields. For each kind, names the package that it comes
    from.
    """
    # The other commands need no kinds. So the import is here.
    from protocol import kinds
    from protocol.fold.registry import describe_kinds

    rows: list[plain_text.Shown] = [
        {**kind, "from": kinds.ORIGINS[kind["name"]]} for kind in describe_kinds()
    ]
    for package, fault in kinds.FAULTS.items():
        print(plain_text.format_package_fault(package, fault), file=sys.stderr)
    context.answer(rows, lambda: plain_text.format_kinds(rows))


def mute_person(
    person: str,
    /,
    *,
    off: Annotated[bool, Parameter(negative=(), help="show what they post again")] = False,
    context: ContextArgument,
) -> None:
    """Hides a person's posts from this home's lists. Nobody else learns that you have muted this
    person.
    """
    with context.connect_node() as node:
        answer = node.call(calls.Mute(person=person, off=off))
    context.answer(answer, lambda: plain_text.format_mute(answer), is_done=True)


def search_records(
    *words: str,
    limit: LimitOption = None,
    after: AfterOption = None,
    page: PageOption = False,
    muted: MutedOption = False,
    context: ContextArgument,
) -> None:
    """Finds the records that hold all of the given words."""
    if not words:
        raise Mistake("Say what to look for: `meshcoop search WORDS`.", _USAGE)
    wanted = calls.Search(words=" ".join(words), limit=limit, after=after, muted=muted)
    with context.connect_node() as node:
        _print_list(context, node, wanted, is_page=page)


def _describe_growth(node: Client) -> list[str]:
    """Says who votes and who does not vote yet. If there are many newcomers, names only the first
    ones.
    """
    status = node.call(calls.Status())
    page = node.list_rows(calls.List(what="newcomers", limit=_MOST_NEWCOMERS))
    voters = status["term"]["roll"] if status["term"] else []
    lines = plain_text.format_growth(voters, [*page.rows], clock_of_status(status))
    if page.next is not None:
        lines.append(f"`meshcoop list newcomers` shows all {page.total}.")
    return lines


def _print_list(
    context: Context, node: Client, call: calls.List | calls.Search, *, is_page: bool
) -> None:
    """Prints the views that a method of the node finds. Says how many views of muted people are
    left out. If there are more views, says how to see these.
    """
    page = node.list_rows(call)
    hidden = 0
    if not (call.muted or context.json or (isinstance(call, calls.List) and call.what == "people")):
        hidden = node.call(replace(call, muted=True, limit=0, after=None))["total"]
    views = page.rows
    newer = ""
    if page.newer:
        newer = plain_text.describe_newer([*page.newer], node.call(calls.Status())["specs"])
    context.answer(
        page._asdict() if is_page else views,
        lambda: plain_text.format_list(views, read_clock(node), hidden, newer),
    )
    if newer and context.json:
        print(newer, file=sys.stderr)
    if page.next is not None:
        print(plain_text.format_cut(page), file=sys.stderr)
