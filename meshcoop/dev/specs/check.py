"""The written protocol and the code, held together: tables, vectors and rule numbers.

`check` says in one sentence each where specs/ and the code differ; `write` makes the generated
parts again. Both work in a checkout, where specs/ lies beside the packages.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from meshcoop.api.methods.records import Methods
from meshcoop.dev.specs import (
    citations,
    kind_vectors,
    relay_vectors,
    rules,
    story_vectors,
    vectors,
)
from protocol import kinds as _kinds
from protocol.fold import kind as schema
from protocol.schema.fields import Field, Many, Moment

if TYPE_CHECKING:
    from meshcoop.node.node import Node

_REMEDY = "run `meshcoop specs`"
_MARK = re.compile(r"(<!-- generated: ([a-z_ ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)

assert _kinds.__all__  # importing the package is what fills the registry


def checkout() -> Path | None:
    """The checkout that this program runs from; None when it was installed without specs."""
    root = Path(__file__).resolve().parents[3]
    return root if (root / "specs").is_dir() else None


def check(root: Path) -> list[str]:
    """One sentence for each difference between specs/ and the code, and each fault in their form."""
    faults = (
        _stale_tables(root),
        _stale_vectors(root),
        rules.find_faults(root),
        citations.find_faults(root),
    )
    return [sentence for part in faults for sentence in part]


def write(root: Path) -> list[Path]:
    """Makes tables and vectors again; returns the files that changed."""
    new = {path: _filled(path.read_text()) for path in rules.documents(root)}
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
    parts = (vectors, kind_vectors, relay_vectors, story_vectors)
    values = {name: value for part in parts for name, value in part.generate().items()}
    return {
        name: json.dumps(value, indent=1, ensure_ascii=False) + "\n"
        for name, value in values.items()
    }


def _vector_file(root: Path, name: str) -> Path:
    return root / "specs" / "vectors" / f"{name}.json"


# -- tables ---------------------------------------------------------------------------------------


def _stale_tables(root: Path) -> Iterable[str]:
    seen: set[str] = set()
    for path in rules.documents(root):
        text = path.read_text()
        seen.update(match[2] for match in _MARK.finditer(text))
        if _filled(text) != text:
            yield f"The tables in {path.relative_to(root)} are out of date; {_REMEDY}."
    for name in sorted(_tables().keys() - seen):
        yield f"No document in specs has the generated part `{name}`; add its two markers to one."
    for name in sorted(seen - _tables().keys()):
        yield f"The generated part `{name}` in specs is of nothing that the code has; remove it."


def _filled(text: str) -> str:
    tables = _tables()

    def fill(match: re.Match[str]) -> str:
        make = tables.get(match[2])
        return match[0] if make is None else f"{match[1]}\n{make()}\n\n{match[4]}"

    return _MARK.sub(fill, text)


def _tables() -> dict[str, Callable[[], str]]:
    """The makers of the generated parts, by the name in the marker."""
    tables: dict[str, Callable[[], str]] = {"kinds": _kinds_table, "methods": _methods_table}
    for kind in schema.describe():
        tables[f"kind {kind['name']}"] = partial(_kind_table, kind)
    return tables


def _kinds_table() -> str:
    rows = [
        (
            f"`{kind['name']}`",
            "a root" if kind["root"] else _words(kind["about"]),
            _audience(kind),
            "a person" if kind["posted"] else "software",
            ", ".join(kind["states"]),
        )
        for kind in sorted(schema.describe(), key=lambda kind: str(kind["name"]))
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
            f"`{field['name']}`",
            field["type"],
            _bounds(field, schema.KINDS[kind["name"]].fields[field["name"]]),
            _duties(field),
            field["help"],
        )
        for field in kind["fields"]
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
    return "any record" if about == ["*"] else ", ".join(f"`{kind}`" for kind in about)


def _bounds(described: dict[str, Any], field: Field) -> str:
    if described["choices"]:
        return ", ".join(described["choices"])
    if isinstance(field, Moment) and field.day_only:
        return "a day"
    if described["min"] is None:
        return ""
    items = field.of.bounds if isinstance(field, Many) else (None, None)
    of_items = "" if items[0] is None else f", each {items[0]} to {items[1]}"
    return f"{described['min']} to {described['max']}{of_items}"


def _duties(field: dict[str, Any]) -> str:
    duties = [word for word in ("required", "private", "beside", "filled") if field[word]]
    if field["default"] is not None:
        duties.append(f"default {field['default']}")
    return ", ".join(duties)


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
