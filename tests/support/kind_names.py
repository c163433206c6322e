"""Finds string literals that are names of kinds. Leaves out the files in which these kinds are
defined (style rule 9).
"""

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from protocol.fold.registry import KINDS, load_kinds
from tests.support.house import ROOT, product_files

_KINDS = Path("protocol/kinds")
_FACES = Path("tui/kinds")
_DEV = Path("meshcoop/dev")  # demos and benches act as people do: they use kinds by name

# The layers below the kinds need a few names themselves. Each stands in one of these files.
BELOW_THE_KINDS = frozenset(
    {Path("protocol/authority/kind_names.py"), Path("protocol/fold/proxies.py")}
)


@dataclass(frozen=True, order=True)
class NamedKind:
    """The place of a string constant that is the name of a kind."""

    path: Path  # from the root of the repository
    line: int
    name: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.name}"


@dataclass(frozen=True, order=True)
class OtherMeaning:
    """A file in which the name of a kind means something else. The field `meaning` says what."""

    path: str
    name: str
    meaning: str


def families_by_name() -> dict[str, str]:
    """Maps the name of each kind to its family: its file or its folder in `protocol/kinds`."""
    load_kinds()
    return {
        name: declared.view_type.__module__.split(".")[2]
        for name, declared in KINDS.items()
        if declared.is_core
    }


def literal_names(families: Mapping[str, str]) -> list[NamedKind]:
    """Lists all places in code that write the name of a kind as a string literal. Leaves out the
    files of the kind's own family.
    """
    paths = (path.relative_to(ROOT) for path in product_files())
    return [
        named
        for path in paths
        if not path.is_relative_to(_DEV) and path not in BELOW_THE_KINDS
        for named in names_in(path, (ROOT / path).read_text(encoding="utf-8"), families)
    ]


def names_in(path: Path, source: str, families: Mapping[str, str]) -> list[NamedKind]:
    """Lists the places in one file that write the name of a kind. Leaves out the kinds of the
    family to which the file belongs.
    """
    family = _family_of(path)
    return [
        NamedKind(path, line, text)
        for text, line in _string_constants(ast.parse(source))
        if text in families and families[text] != family
    ]


def _family_of(path: Path) -> str | None:
    """Returns the family of a file or of a face. Returns None for a file of no family."""
    for folder in (_KINDS, _FACES):
        if path.is_relative_to(folder):
            return path.relative_to(folder).with_suffix("").parts[0]
    return None


def _string_constants(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Yields the string constants of a file and their lines, without docstrings.

    The parts of an f-string are words of a sentence, so they are left out too.
    """
    left_out = set(_words_of_sentences(tree))
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str(text)) if node not in left_out:
                yield text, node.lineno


def _words_of_sentences(tree: ast.Module) -> Iterator[ast.AST]:
    for node in ast.walk(tree):
        match node:
            case ast.Expr(value=ast.Constant() as docstring):
                yield docstring
            case ast.JoinedStr(values=parts):
                yield from parts
