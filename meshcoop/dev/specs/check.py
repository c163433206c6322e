"""The written protocol and the code, held together: tables, vectors and rule numbers.

`check` says in one sentence each where specs/ and the code differ; `write` makes the generated
parts again. Both work in a checkout, where specs/ lies beside the packages.
"""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from meshcoop.api.methods.records import Methods
from meshcoop.dev.specs import kind_vectors as vectors_kinds
from meshcoop.dev.specs import relay_vectors as vectors_relays
from meshcoop.dev.specs import story_vectors as vectors_story
from meshcoop.dev.specs import vectors
from protocol import kinds as _kinds
from protocol.fold import kind as schema
from protocol.schema.fields import Field, Many, Moment

if TYPE_CHECKING:
    from meshcoop.node.node import Node

_REMEDY = "run `meshcoop specs`"
_CODE = ("protocol", "meshcoop", "tui")
_MARK = re.compile(r"(<!-- generated: ([a-z_ ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)
_RULE = re.compile(r"R-\d\d\.\d+")
_DEFINITION = re.compile(r"^\*\*(R-\d\d\.\d+)\*\*( \(advice\))?", re.MULTILINE)

assert _kinds.__all__  # importing the package is what fills the registry


def checkout() -> Path | None:
    """The checkout that this program runs from; None when it was installed without specs."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "specs").is_dir() else None


def check(root: Path) -> list[str]:
    """One sentence for each difference between specs/ and the code."""
    return [*_stale_tables(root), *_stale_vectors(root), *_rules(root)]


def write(root: Path) -> list[Path]:
    """Makes tables and vectors again; returns the files that changed."""
    new = {path: _filled(path.read_text()) for path in _documents(root)}
    new |= {_vector_file(root, name): text for name, text in _vector_texts().items()}
    changed = [path for path, text in new.items() if _text(path) != text]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(new[path])
    return changed


# -- vectors --------------------------------------------------------------------------------------


def _stale_vectors(root: Path) -> Iterable[str]:
    for name, text in _vector_texts().items():
        path = _vector_file(root, name)
        if _text(path) != text:
            where = path.relative_to(root)
            yield f"{where} is not what the code makes; {_REMEDY} and look at the difference."


def _vector_texts() -> dict[str, str]:
    parts = (vectors, vectors_kinds, vectors_relays, vectors_story)
    made = {name: one for part in parts for name, one in part.generate().items()}
    return {
        name: json.dumps(one, indent=1, ensure_ascii=False) + "\n" for name, one in made.items()
    }


def _vector_file(root: Path, name: str) -> Path:
    return root / "specs" / "vectors" / f"{name}.json"


# -- tables ---------------------------------------------------------------------------------------


def _stale_tables(root: Path) -> Iterable[str]:
    seen: set[str] = set()
    for path in _documents(root):
        text = path.read_text()
        seen.update(found[2] for found in _MARK.finditer(text))
        if _filled(text) != text:
            yield f"The tables in {path.relative_to(root)} are out of date; {_REMEDY}."
    for name in sorted(_tables().keys() - seen):
        yield f"No document in specs has the generated part `{name}`; add its two markers to one."
    for name in sorted(seen - _tables().keys()):
        yield f"The generated part `{name}` in specs is of nothing that the code has; remove it."


def _filled(text: str) -> str:
    tables = _tables()

    def fill(found: re.Match[str]) -> str:
        make = tables.get(found[2])
        return found[0] if make is None else f"{found[1]}\n{make()}\n\n{found[4]}"

    return _MARK.sub(fill, text)


def _tables() -> dict[str, Callable[[], str]]:
    """What can stand between markers: name → how it is made."""
    found: dict[str, Callable[[], str]] = {"kinds": _kinds_table, "methods": _methods_table}
    for one in schema.describe():
        found[f"kind {one['name']}"] = partial(_kind_table, one)
    return found


def _kinds_table() -> str:
    rows = [
        (
            f"`{one['name']}`",
            "a root" if one["root"] else _words(one["about"]),
            _audience(one),
            "a person" if one["posted"] else "software",
            ", ".join(one["states"]),
        )
        for one in sorted(schema.describe(), key=lambda one: str(one["name"]))
    ]
    return _table(("kind", "about", "audience", "posted by", "states"), rows)


def _methods_table() -> str:
    """The methods that a node answers, `hello` and `subscribe` aside."""
    rows = [
        (f"`{name}`", (method.__doc__ or "").splitlines()[0])
        for name, method in Methods(cast("Node", None)).table().items()
    ]
    return _table(("method", "does"), rows)


def _kind_table(kind: dict[str, Any]) -> str:
    where = "a root" if kind["root"] else f"about {_words(kind['about'])}"
    title = f"**`{kind['name']}`**: {where}; audience {_audience(kind)}."
    if not kind["fields"]:
        title += " It has no fields."
    tables = [_fields_table(kind), _states_table(schema.KINDS[kind["name"]].states)]
    return "\n\n".join([title, *(table for table in tables if table)])


def _fields_table(kind: dict[str, Any]) -> str:
    if not kind["fields"]:
        return ""
    rows = [
        (
            f"`{one['name']}`",
            one["type"],
            _bounds(one, schema.KINDS[kind["name"]].fields[one["name"]]),
            _duties(one),
            one["help"],
        )
        for one in kind["fields"]
    ]
    return _table(("field", "type", "bounds", "", "what it is"), rows)


def _states_table(states: Mapping[str, str]) -> str:
    """When a view of the kind has each state; nothing for a kind without views."""
    if not states:
        return ""
    return _table(("state", "when"), ((f"*{word}*", when) for word, when in states.items()))


def _audience(kind: dict[str, Any]) -> str:
    return f"{kind['audience']}, lasting" if kind["lasting"] else str(kind["audience"])


def _words(about: list[str]) -> str:
    return "any record" if about == ["*"] else ", ".join(f"`{one}`" for one in about)


def _bounds(told: dict[str, Any], field: Field) -> str:
    if told["choices"]:
        return ", ".join(told["choices"])
    if isinstance(field, Moment) and field.day_only:
        return "a day"
    if told["min"] is None:
        return ""
    items = field.of.bounds if isinstance(field, Many) else (None, None)
    each = "" if items[0] is None else f", each {items[0]} to {items[1]}"
    return f"{told['min']} to {told['max']}{each}"


def _duties(field: dict[str, Any]) -> str:
    said = [word for word in ("required", "private", "beside", "filled") if field[word]]
    if field["default"] is not None:
        said.append(f"default {field['default']}")
    return ", ".join(said)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


# -- rules ----------------------------------------------------------------------------------------


def _rules(root: Path) -> Iterable[str]:
    defined: dict[str, list[str]] = defaultdict(list)
    advice: set[str] = set()
    for path in _documents(root):
        for rule, mark in _DEFINITION.findall(path.read_text()):
            defined[rule].append(path.name)
            if mark:
                advice.add(rule)
            if rule[2:4] != path.name[:2]:
                yield f"{rule} is defined in {path.name}; its number belongs to another document."
    in_code = _cited(root, _CODE)
    for rule in sorted(in_code.keys() - defined.keys()):
        yield f"{rule} is cited in {in_code[rule]}, and no document in specs defines it."
    for rule, files in sorted(defined.items()):
        if len(files) > 1:
            yield f"{rule} is defined twice, in {' and in '.join(files)}."
    in_tests = _cited(root, ("tests",))
    for rule in sorted(defined.keys() - in_code.keys() - in_tests.keys() - advice):
        yield f"{rule} in {defined[rule][0]} is cited by no code and no test: show where it holds."


def _cited(root: Path, folders: Iterable[str]) -> dict[str, Path]:
    """The rules that Python files of these folders name, and one file for each."""
    found: dict[str, Path] = {}
    for folder in folders:
        for path in sorted((root / folder).rglob("*.py")):
            for rule in _RULE.findall(path.read_text()):
                found.setdefault(rule, path.relative_to(root))
    return found


def _documents(root: Path) -> list[Path]:
    return sorted((root / "specs").glob("[0-9][0-9]-*.md"))


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
