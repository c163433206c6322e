"""Sentences stay right whatever words the program inserts into them."""

import ast
import re

from tests.support.paths import ROOT

# "a {kind}" becomes "a offer". A sentence names the kind without an article.
_ARTICLE = re.compile(r"\b[Aa]n? \{")
_MAYBE_ARTICLE = re.compile(r"\b[Aa]n? [{\"']")  # a string may go on in the next line
# An f-string with "{count} records" says "1 records"; `format_count` does not.
_PLURAL = re.compile(
    r"\{[a-z_]*\} (?:device|home|hour|mistake|neighbour|neighbourhood|record|relay)s\b"
)


def test_no_article_stands_before_an_inserted_word():
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for package in ("protocol", "meshcoop", "tui")
        for path in sorted((ROOT / package).rglob("*.py"))
        for source in [path.read_text(encoding="utf-8")]
        if _MAYBE_ARTICLE.search(source)  # to parse is slow
        for line, text in texts_of(ast.parse(source))
        if _ARTICLE.search(text)
    ]

    assert faults == []


def test_no_plural_stands_after_an_inserted_number():
    faults = [
        f"{path.relative_to(ROOT)}:{line}: {text}"
        for path in [ROOT / "protocol" / "sentences.py", *(ROOT / "meshcoop" / "cli").rglob("*.py")]
        for line, text in texts_of(ast.parse(path.read_text(encoding="utf-8")))
        if _PLURAL.search(text)
    ]

    assert faults == []


def texts_of(tree):
    """Yields the line and the text of each string. Whatever an f-string inserts becomes "{}"."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.lineno, node.value
        elif isinstance(node, ast.JoinedStr):
            parts = (getattr(part, "value", "") for part in node.values)
            yield node.lineno, "".join(part if isinstance(part, str) else "{}" for part in parts)
