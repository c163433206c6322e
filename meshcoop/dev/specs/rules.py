"""Checks the numbered rules of the specs: their form, their places and their citations.

A rule is a paragraph that begins with its number in bold: `**R-03.4** A node MUST …`. Some rules
were split. The first part of such a rule keeps the number. The number of each further part ends
with a letter: a, b and so on. If code cites a number without a letter, this means all parts of the
rule.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

CODE = ("protocol", "meshcoop", "tui")
MAX_WORDS = 60  # in the paragraph of a rule, without its example

_NUMBER = re.compile(r"R-\d\d\.\d+[a-z]?")
_DEFINITION = re.compile(
    r"^\*\*(?P<number>R-\d\d\.\d+[a-z]?)\*\*(?P<advice> \(advice\))?(?P<text>.*?)(?=\n\s*\n|\n\*\*R-|\Z)",
    re.MULTILINE | re.DOTALL,
)
_EXAMPLE = re.compile(r"(?:^|\s)(?:Example:|For example\b)")
_FIRST_ASIDE = re.compile(r"^(?:\||```|<!--|\s*[-*] )", re.MULTILINE)  # a table, a figure, a list
_SPAN = re.compile(r"`[^`]*`")
_WORD = re.compile(r"\w")
_DUTY = re.compile(r"\b(?:MUST|SHOULD|MAY)\b")


@dataclass(frozen=True)
class Rule:
    """A rule of the specs, as its document writes it."""

    number: str
    document: str
    is_advice: bool
    text: str  # the paragraph of the rule, without number, example, table and figure

    @property
    def base(self) -> str:
        """The number of the rule, without the letter that marks a part."""
        return self.number.rstrip("abcdefghijklmnopqrstuvwxyz")

    @property
    def word_count(self) -> int:
        """The number of words in the rule. A formula between backticks counts as one word."""
        text = _SPAN.sub("formula", self.text)
        return sum(1 for word in text.split() if _WORD.search(word))

    @property
    def has_duty(self) -> bool:
        """True if the rule contains MUST, SHOULD or MAY."""
        return _DUTY.search(self.text) is not None


def find_faults(root: Path) -> Iterator[str]:
    """Yields a sentence for each fault of a rule or a citation.

    A rule can be in the wrong document, have the wrong form, or be cited nowhere. A citation can
    name a rule that does not exist.
    """
    rules = [rule for path in documents(root) for rule in read_rules(path)]
    yield from _find_misplaced(rules)
    yield from _find_uncited_or_undefined(root, rules)
    for rule in rules:
        yield from _find_out_of_form(rule)


def documents(root: Path) -> list[Path]:
    """Lists the numbered documents of the specs, in order."""
    return sorted((root / "specs").glob("[0-9][0-9]*-*.md"))


def read_rules(path: Path) -> list[Rule]:
    """Reads the rules that a document defines, in order."""
    return [
        Rule(match["number"], path.name, bool(match["advice"]), _without_asides(match["text"]))
        for match in _DEFINITION.finditer(path.read_text())
    ]


def _without_asides(paragraph: str) -> str:
    """Returns the paragraph of a rule up to its first table, figure, list or example."""
    text = _FIRST_ASIDE.split(paragraph, maxsplit=1)[0]
    return _EXAMPLE.split(text, maxsplit=1)[0].strip()


def _find_misplaced(rules: Iterable[Rule]) -> Iterator[str]:
    for rule in rules:
        if rule.number[2:4] != rule.document[:2]:
            yield (
                f"{rule.number} is defined in {rule.document}; "
                "its number belongs to another document."
            )


def _find_uncited_or_undefined(root: Path, rules: Iterable[Rule]) -> Iterator[str]:
    defined: dict[str, list[Rule]] = defaultdict(list)
    for rule in rules:
        defined[rule.number].append(rule)
    in_code = _find_citations(root, _python_files(root, CODE))
    in_specs = _find_citations(root, _spec_files(root))
    for number, path in sorted({**in_specs, **in_code}.items()):
        if number not in defined:
            yield f"{number} is cited in {path}, and no document in specs defines it."
    for number, twins in sorted(defined.items()):
        if len(twins) > 1:
            names = " and in ".join(rule.document for rule in twins)
            yield f"{number} is defined twice, in {names}."
    in_tests = _find_citations(root, _python_files(root, ("tests",)))
    cited = in_code.keys() | in_tests.keys()
    for number, (rule, *_) in sorted(defined.items()):
        if not rule.is_advice and not cited & {number, rule.base}:
            yield (
                f"{number} in {rule.document} is cited by no code and no test: show where it holds."
            )


def _find_out_of_form(rule: Rule) -> Iterator[str]:
    if rule.word_count > MAX_WORDS:
        yield (
            f"{rule.number} in {rule.document} has {rule.word_count} words, at most {MAX_WORDS}: "
            "split it, or move a part into an example."
        )
    if not rule.has_duty:
        yield f"{rule.number} in {rule.document} says neither MUST nor SHOULD nor MAY."


def _python_files(root: Path, folders: Iterable[str]) -> list[Path]:
    return [path for folder in folders for path in sorted((root / folder).rglob("*.py"))]


def _spec_files(root: Path) -> list[Path]:
    return [path for end in ("md", "json") for path in sorted((root / "specs").rglob(f"*.{end}"))]


def _find_citations(root: Path, paths: Iterable[Path]) -> dict[str, Path]:
    """Returns a map from each cited rule number to the first file that cites this rule."""
    citations: dict[str, Path] = {}
    for path in paths:
        for number in _NUMBER.findall(path.read_text()):
            citations.setdefault(number, path.relative_to(root))
    return citations
