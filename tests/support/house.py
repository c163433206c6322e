"""Measures of the house: names that say nothing, parallel assignments, long functions, rooms.

Run as a program it prints what breaks a rule, a line each: `python tests/support/house.py [PATH ...]`.
"""

import ast
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("meshcoop", "protocol", "tui")

EMPTY_NAMES = frozenset({"one", "found", "known", "told", "said", "some", "mine", "each"})
LONGEST_FUNCTION = 60  # lines, from `def` to its end
PARALLEL_PER_1000 = 1  # assignments of a tuple to a tuple, per 1,000 lines


@dataclass(frozen=True)
class Breach:
    """A line that breaks a rule: where it is, and what is wrong there."""

    path: Path
    line: int
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.detail}"


def product_files() -> list[Path]:
    """The Python files of the three packages."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


def breaches(path: Path) -> list[Breach]:
    """What breaks a rule in one file: empty names, parallel assignments, long functions."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    return [
        *(Breach(path, line, "empty name", name) for name, line in _empty_names(nodes)),
        *(Breach(path, line, "parallel assignment", "") for line in _parallel_assignments(nodes)),
        *(Breach(path, line, "long function", detail) for line, detail in _long_functions(nodes)),
    ]


def _empty_names(nodes: list[ast.AST]) -> Iterator[tuple[str, int]]:
    """Names that are bound or defined here, and say nothing (style rule 1)."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                pass
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                pass
            case ast.Attribute(attr=name, ctx=ast.Store()) | ast.MatchAs(name=str(name)):
                pass
            case ast.alias(asname=str(name)):
                pass
            case _:
                continue
        if name.strip("_").lower() in EMPTY_NAMES:
            yield name, getattr(node, "lineno", 0)


def _parallel_assignments(nodes: list[ast.AST]) -> Iterator[int]:
    """Lines like `a, b = x, y` (style rule 4)."""
    for node in nodes:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Tuple):
            if any(isinstance(target, ast.Tuple) for target in node.targets):
                yield node.lineno


def _long_functions(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {lines} lines"


def main() -> None:
    """Prints every breach in the files and folders that are named, else in the whole product."""
    named = [Path(word) for word in sys.argv[1:]]
    files = [file for path in named for file in (path.rglob("*.py") if path.is_dir() else [path])]
    everything = [breach for path in files or product_files() for breach in breaches(path)]
    for breach in everything:
        print(breach)
    counts: dict[str, int] = {}
    for breach in everything:
        counts[breach.rule] = counts.get(breach.rule, 0) + 1
    print(counts)


if __name__ == "__main__":
    main()
