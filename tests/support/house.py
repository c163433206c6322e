"""Measures the style of the code: names that say nothing, parallel assignments, long functions,
imports.

`uv run python tests/support/house.py [PATH ...]` prints each line that breaks a rule; `uv run
python tests/support/house.py graph` prints which package imports which.
"""

import ast
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("meshcoop", "protocol", "tui")

EMPTY_NAMES = frozenset({"one", "found", "known", "told", "said", "some", "mine", "each"})
LONGEST_FUNCTION = 60  # lines, from `def` to its end
PARALLEL_PER_1000 = 1  # assignments of a tuple to a tuple, per 1,000 lines


@dataclass(frozen=True)
class Breach:
    """A breach of a rule in one line: where the line is, and what is wrong there."""

    path: Path
    line: int
    rule: str
    detail: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.rule}: {self.detail}"


def product_files() -> list[Path]:
    """Returns the Python files of the three packages."""
    return sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))


@cache
def breaches(path: Path) -> list[Breach]:
    """Lists all breaches of rules in one file: empty names, parallel assignments, long functions,
    searches that cannot fail in words.
    """
    tree = ast.parse(path.read_text(encoding="utf-8"))
    nodes = list(ast.walk(tree))
    return [
        *(Breach(path, line, "empty name", name) for name, line in _empty_names(nodes)),
        *(Breach(path, line, "parallel assignment", "") for line in _parallel_assignments(nodes)),
        *(Breach(path, line, "long function", detail) for line, detail in _long_functions(nodes)),
        *(Breach(path, line, "next without default", "") for line in _searches(nodes)),
    ]


def _empty_names(nodes: list[ast.AST]) -> Iterator[tuple[str, int]]:
    """Yields the names that this file defines and that say nothing (style rule 1)."""
    for node in nodes:
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name):
                pass
            case (
                ast.FunctionDef(name=name)
                | ast.AsyncFunctionDef(name=name)
                | ast.ClassDef(name=name)
            ):
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
    """Yields lines like `a, b = x, y` (style rule 4)."""
    for node in nodes:
        if not isinstance(node, ast.Assign) or not isinstance(node.value, ast.Tuple):
            continue
        if any(isinstance(target, ast.Tuple) for target in node.targets):
            yield node.lineno


def _long_functions(nodes: list[ast.AST]) -> Iterator[tuple[int, str]]:
    for node in nodes:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > LONGEST_FUNCTION:
                yield node.lineno, f"{node.name} has {lines} lines"


def _searches(nodes: list[ast.AST]) -> Iterator[int]:
    """Yields lines that search with `next` and have no answer if nothing is found.

    Python turns the StopIteration into a RuntimeError if a coroutine or a generator waits for the
    search. Nobody catches that, and nobody can read it.
    """
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="next"), args=[ast.GeneratorExp()]):
                yield node.lineno
            case ast.AsyncFunctionDef() | ast.FunctionDef():
                yield from _bare_nexts(node)


def _bare_nexts(function: ast.FunctionDef | ast.AsyncFunctionDef) -> Iterator[int]:
    """Yields the lines of `next(...)` without a default in a coroutine or a generator. An attribute
    is taken for a counter, which never ends.
    """
    nodes = list(ast.walk(function))
    yields = any(isinstance(node, ast.Yield | ast.YieldFrom) for node in nodes)
    if not yields and not isinstance(function, ast.AsyncFunctionDef):
        return
    for node in nodes:
        match node:
            case ast.Call(func=ast.Name(id="next"), args=[ast.Attribute() | ast.GeneratorExp()]):
                pass
            case ast.Call(func=ast.Name(id="next"), args=[_]):
                yield node.lineno


def lines_of(paths: list[Path]) -> int:
    """Counts the lines of all these files together."""
    return sum(len(path.read_text(encoding="utf-8").splitlines()) for path in paths)


def import_graph() -> dict[str, set[str]]:
    """Maps each module to the modules of ours that it imports. An import that only types need
    counts too.
    """
    graph = grimp.build_graph(*PACKAGES, cache_dir=None)
    return {
        module: set(graph.find_modules_directly_imported_by(module)) for module in graph.modules
    }


def package_of(module: str) -> str:
    """Returns the first two parts of a module's name. For `meshcoop.sync.mesh`, this is
    `meshcoop.sync`.
    """
    return ".".join(module.split(".")[:2])


def package_graph(modules: dict[str, set[str]]) -> dict[str, set[str]]:
    """Maps each package to the packages that its modules import."""
    packages: dict[str, set[str]] = {package_of(module): set() for module in modules}
    for module, imported in modules.items():
        packages[package_of(module)] |= {package_of(name) for name in imported}
    return {package: imported - {package} for package, imported in packages.items()}


def circles(graph: dict[str, set[str]]) -> list[list[str]]:
    """Groups the nodes of a graph that reach each other. If the graph has no circle, returns no
    group.
    """
    remaining = {node: set(targets) & graph.keys() for node, targets in graph.items()}
    while leaves := {node for node, targets in remaining.items() if not targets}:
        remaining = {
            node: targets - leaves for node, targets in remaining.items() if node not in leaves
        }
    in_circles = []
    for node in sorted(remaining):
        reached = _reachable(remaining, node)
        group = sorted(other for other in reached if node in _reachable(remaining, other))
        if group and group not in in_circles:
            in_circles.append(group)
    return in_circles


def _reachable(graph: dict[str, set[str]], start: str) -> set[str]:
    reached: set[str] = set()
    waiting = [start]
    while waiting:
        for target in graph[waiting.pop()] - reached:
            reached.add(target)
            waiting.append(target)
    return reached


def print_package_graph() -> None:
    """Prints for each package which packages it imports. Then prints every circle of imports."""
    modules = import_graph()
    packages = package_graph(modules)
    for package in sorted(packages):
        print(f"{package}: {' '.join(sorted(packages[package])) or '-'}")
    print("circles between packages:", circles(packages) or "none")
    print("circles between modules:", circles(modules) or "none")


def print_breaches(paths: list[Path]) -> None:
    """Prints every breach in these files, and the number of breaches of each rule."""
    everything = [breach for path in paths for breach in breaches(path)]
    for breach in everything:
        print(breach)
    print(dict(Counter(breach.rule for breach in everything)), "in", lines_of(paths), "lines")


def main(words: list[str]) -> None:
    """Prints the graph of packages if the only word is `graph`.

    Otherwise prints the breaches in these paths, or in the product if there are no paths.
    """
    if words == ["graph"]:
        print_package_graph()
        return
    named = [Path(word) for word in words]
    files = [file for path in named for file in (path.rglob("*.py") if path.is_dir() else [path])]
    print_breaches(files or product_files())


if __name__ == "__main__":
    main(sys.argv[1:])
