"""Finds sentences for people in code that must not make sentences.

A text in the code is a sentence if it has three words in a row. Texts that programmers or logs read
do not count. The text of a refusal does not count either, because it is translated as a whole. But
an argument of a refusal counts, because a part of a sentence cannot be translated.
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.support.house import ROOT, product_files

EDGES = (Path("tui"), Path("meshcoop/cli"), Path("meshcoop/dev"), Path("protocol/sentences.py"))

_THREE_WORDS = re.compile(r"[A-Za-z’']+[,;:]? [a-z’'{}]+[,;:]? [a-z’'{}]+")
_SQL = re.compile(
    r"\s*(CREATE|SELECT|FROM|INSERT|WITH|UPDATE|DELETE|PRAGMA|[a-z_.]+ (=|>|<|IN|NOT) )"
)
_REFUSALS = frozenset(
    {
        "Refused",
        "Mistake",
        "NetworkError",
        "NodeGone",
        "UnexpectedPeer",
        "_Ended",
        "__init__",
        "_require",
        "_encode_failure",
        "_damaged",
    }
)
_FOR_PROGRAMMERS = frozenset(
    {"debug", "info", "warning", "error", "exception", "log_disk_errors", "contain_faults"}
)


@dataclass(frozen=True, order=True)
class Sentence:
    """A sentence in code that must not make sentences."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text[:80]}"


def below_the_edges() -> list[Path]:
    """Returns the product's files in which no sentences for people are made."""
    return [path for path in product_files() if not is_at_an_edge(path.relative_to(ROOT))]


def is_at_an_edge(path: Path) -> bool:
    """Returns whether a file belongs to the screen or to the command line."""
    return any(path.is_relative_to(edge) for edge in EDGES)


def find_sentences(path: Path, root: Path = ROOT) -> Iterator[Sentence]:
    """Yields the sentences in a file."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    constants = _texts_of_refusals(tree)
    statements = [statement for statement in tree.body if _name_of(statement) not in constants]
    for line, text in _texts(ast.Module(statements, [])):
        if _THREE_WORDS.search(text) and not _SQL.match(text):
            yield Sentence(path.relative_to(root), line, " ".join(text.split()))


def _texts_of_refusals(tree: ast.Module) -> set[str | None]:
    """Returns the names of constants that are the text of a refusal, or a part of it."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {
        part.id
        for call in calls
        if _name_of_function(call) in _REFUSALS
        for argument in call.args
        for part in ast.walk(argument)
        if isinstance(part, ast.Name)
    }


def _name_of(statement: ast.stmt) -> str | None:
    match statement:
        case ast.Assign(targets=[ast.Name(id=name)]):
            return name
    return None


def _name_of_function(call: ast.Call) -> str:
    return call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")


def _texts(node: ast.AST) -> Iterator[tuple[int, str]]:
    """Yields the line and the text of each literal below a node, for people to read."""
    if _is_for_programmers(node):
        return
    match node:
        case ast.ClassDef(body=statements):  # a kind or a field declares its words in its class
            for statement in statements:
                if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                    yield from _texts(statement)
            return
        case ast.Constant(value=str(text)):
            yield node.lineno, text
        case ast.JoinedStr(values=values):
            yield node.lineno, "".join(_part(value) for value in values)
        case ast.Call():
            yield from _texts_of_call(node)
            return
    for child in ast.iter_child_nodes(node):
        if not isinstance(node, ast.JoinedStr):
            yield from _texts(child)


def _is_for_programmers(node: ast.AST) -> bool:
    """Returns whether a node is an invariant, a docstring or the mistake of a programmer."""
    match node:
        case ast.Assert() | ast.Expr(value=ast.Constant()):
            return True
        case ast.Raise(exc=ast.Call(func=ast.Name(id=name))):
            return name not in _REFUSALS
    return False


def _texts_of_call(call: ast.Call) -> Iterator[tuple[int, str]]:
    name = _name_of_function(call)
    if name in _FOR_PROGRAMMERS:
        return
    arguments = call.args
    if name in _REFUSALS:
        # `Refused(rule, text)`, `Mistake(text)`: the text may be any literal without values in it.
        arguments = [one for one in call.args if not _is_whole_text(one)]
    for child in (call.func, *arguments, *call.keywords):
        yield from _texts(child)


def _is_whole_text(node: ast.expr) -> bool:
    match node:
        case ast.Constant():
            return True
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return all(_is_whole_text(part) or isinstance(part, ast.Name) for part in (left, right))
        case ast.IfExp(body=body, orelse=other):
            return _is_whole_text(body) and _is_whole_text(other)
    return False


def _part(value: ast.expr) -> str:
    return str(value.value) if isinstance(value, ast.Constant) else "{}"
