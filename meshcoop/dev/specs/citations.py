"""Checks that every document that the code or the specs cite is in the repository."""

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

_FOLDERS = ("protocol", "meshcoop", "tui", "tests")

_EXAMPLE = re.compile(r"```.*?```", re.DOTALL)  # it may name files that a reader will write later
_FILE = re.compile(r"(?<![\w./<*-])[\w./-]*\w\.md\b")
# This matches a name in capitals that stands before a section, a rule, a heading or a quotation.
# Capitals alone are no citation: constants and abbreviations have them too.
_BARE_NAME = re.compile(
    r"(?<![\w`._-])([A-Z]{5,})(?= R-\d| \d|: [a-z]|, [\"“]|,? (?:section|invariant)\b)"
)


def find_faults(root: Path) -> Iterator[str]:
    """Yields a sentence for each cited document that is not in the repository."""
    names = {path.name for path in _papers(root)}
    for path in _papers(root):
        for cited in _FILE.findall(_EXAMPLE.sub("", path.read_text())):
            if not _is_there(root, path, cited):
                yield _absent(path.relative_to(root), cited)
    for path in _python_files(root):
        source = path.read_text()
        if _find_absent(root, path, source, names):  # to find the prose is slow: only if needed
            prose = "\n".join(_prose(source))
            for cited in sorted(_find_absent(root, path, prose, names)):
                yield _absent(path.relative_to(root), cited)


def _find_absent(root: Path, citing: Path, text: str, names: set[str]) -> set[str]:
    """Returns the documents that a text cites and that are not in the repository. `names` are the
    names of the documents that are there.
    """
    files = {cited for cited in _FILE.findall(text) if not _is_there(root, citing, cited)}
    return files | ({f"{name}.md" for name in _BARE_NAME.findall(text)} - names)


def _absent(where: Path, cited: str) -> str:
    return f"{where} cites {cited}, which is not in the repository."


def _is_there(root: Path, citing: Path, cited: str) -> bool:
    """Returns True if a file has the cited name. The file may be in the root, in specs/, or beside
    the citing file.
    """
    return any((folder / cited).is_file() for folder in (root, root / "specs", citing.parent))


def _papers(root: Path) -> list[Path]:
    top = sorted(root.glob("*.md")) + sorted((root / ".github").rglob("*.md"))
    return top + sorted((root / "specs").rglob("*.md"))


def _python_files(root: Path) -> list[Path]:
    return [path for folder in _FOLDERS for path in sorted((root / folder).rglob("*.py"))]


def _prose(source: str) -> Iterator[str]:
    """Yields the comments and docstrings of a module."""
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            yield token.string
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            docstring = ast.get_docstring(node)
            if docstring:
                yield docstring
