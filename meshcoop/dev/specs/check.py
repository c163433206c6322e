"""Checks that specs/ agrees with the code: generated tables, test vectors and rule numbers.

`find_differences` says where specs/ and the code differ. `write_generated_parts` makes the
generated parts again. Both need a checkout, in which the folder specs/ lies beside the packages.
"""

import dataclasses
import json
import re
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import protocol.kinds  # noqa: F401  # registers every kind
from meshcoop.api.methods.method_table import Methods
from meshcoop.dev.specs import (
    authority_vectors,
    citations,
    kind_vectors,
    relay_vectors,
    rules,
    story_vectors,
    vectors,
    witness_vectors,
)
from protocol.fold.registry import (
    KINDS,
    UNLIMITED,
    FieldDescription,
    KindDescription,
    describe_kinds,
)
from protocol.fold.view import States
from protocol.schema.fields import Field, Many, Moment
from protocol.sentences import SENTENCES
from protocol.wire import calls
from protocol.wire.calls import Call

if TYPE_CHECKING:
    from meshcoop.node.node import Node

_REMEDY = "run `meshcoop specs`"
_MARK = re.compile(r"(<!-- generated: ([a-z_ ]+) -->\n)(.*?)(<!-- end -->)", re.DOTALL)


def find_checkout() -> Path | None:
    """Finds the checkout from which this program runs. Returns None if the checkout has no folder
    specs/.
    """
    root = Path(__file__).resolve().parents[3]
    return root if (root / "specs").is_dir() else None


def find_differences(root: Path) -> list[str]:
    """Returns a sentence for each fault in the form of specs/, and for each difference between
    specs/ and the code.
    """
    parts = (
        _find_stale_tables(root),
        _find_stale_vectors(root),
        rules.find_faults(root),
        citations.find_faults(root),
    )
    return [sentence for part in parts for sentence in part]


def write_generated_parts(root: Path) -> list[Path]:
    """Writes the generated tables and vectors again. Returns the files that changed."""
    texts = {path: _fill_in(path.read_text()) for path in rules.documents(root)}
    texts |= {_vector_file(root, name): text for name, text in _vector_texts().items()}
    changed = [path for path, text in texts.items() if _read_text(path) != text]
    for path in changed:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(texts[path])
    return changed


# -- Vectors --------------------------------------------------------------------------------------


def _find_stale_vectors(root: Path) -> Iterable[str]:
    for name, text in _vector_texts().items():
        path = _vector_file(root, name)
        if _read_text(path) != text:
            where = path.relative_to(root)
            yield f"{where} is not what the code makes; {_REMEDY} and look at the difference."


def _vector_texts() -> dict[str, str]:
    """Makes the text of every vector file. Returns a map from file names, without `.json`, to
    texts.
    """
    documents = {
        **vectors.make_documents(),
        **authority_vectors.make_documents(),
        **kind_vectors.make_documents(),
        **relay_vectors.make_documents(),
        **story_vectors.make_documents(),
        **witness_vectors.make_documents(),
    }
    return {
        name: json.dumps(document, indent=1, ensure_ascii=False) + "\n"
        for name, document in documents.items()
    }


def _vector_file(root: Path, name: str) -> Path:
    return root / "specs" / "vectors" / f"{name}.json"


# -- Generated tables -----------------------------------------------------------------------------


def _find_stale_tables(root: Path) -> Iterable[str]:
    seen: set[str] = set()
    for path in rules.documents(root):
        text = path.read_text()
        seen.update(match[2] for match in _MARK.finditer(text))
        if _fill_in(text) != text:
            yield f"The tables in {path.relative_to(root)} are out of date; {_REMEDY}."
    for name in sorted(_table_makers().keys() - seen):
        yield f"No document in specs has the generated part `{name}`; add its two markers to one."
    for name in sorted(seen - _table_makers().keys()):
        yield f"The generated part `{name}` in specs describes nothing that the code has; remove it."


def _fill_in(text: str) -> str:
    tables = _table_makers()

    def fill(match: re.Match[str]) -> str:
        make = tables.get(match[2])
        return match[0] if make is None else f"{match[1]}\n{make()}\n\n{match[4]}"

    return _MARK.sub(fill, text)


def _table_makers() -> dict[str, Callable[[], str]]:
    """Returns a map from the name of each marker to a function. In the specs, a marker stands above
    each generated part. The function makes this part.
    """
    tables: dict[str, Callable[[], str]] = {
        "kinds": _make_kinds_table,
        "methods": _make_methods_table,
        "params": _make_params_table,
        "sentences": _make_sentences_table,
    }
    for kind in _describe_core():
        tables[f"kind {kind['name']}"] = partial(_make_kind_table, kind)
    return tables


def _describe_core() -> list[KindDescription]:
    """Describes the kinds of records that the specs define. Leaves out the kinds of other
    packages.
    """
    return [kind for kind in describe_kinds() if KINDS[kind["name"]].is_core]


def _make_kinds_table() -> str:
    rows = [
        (
            f"`{kind['name']}`",
            "a root" if kind["root"] else _list_kinds(kind["about"]),
            _describe_audience(kind),
            _describe_signers(kind),
            ", ".join(kind["states"]),
        )
        for kind in sorted(_describe_core(), key=lambda kind: str(kind["name"]))
    ]
    return _format_table(("kind", "about", "audience", "posted by", "states"), rows)


def _make_methods_table() -> str:
    """Makes the table of the methods that a node answers. Leaves out `hello` and `subscribe`."""
    rows = [
        (f"`{name}`", (call_type.__doc__ or "").splitlines()[0], call_type.RESULT)
        for name, call_type in _call_types()
    ]
    return _format_table(("method", "does", "result"), rows)


def _make_params_table() -> str:
    """Makes the table of the params that the methods take."""
    rows = [
        (f"`{method}`", f"`{name}`", calls.rule_of(param).type_name, *_describe_param(param))
        for method, call_type in _call_types()
        for name, param in calls.params_of(call_type).items()
    ]
    return _format_table(("method", "param", "type", "default", "what it is"), rows)


def _describe_param(param: dataclasses.Field[Any]) -> tuple[str, str]:
    """Returns two texts about a param: its default, and what it means. If a param has no default,
    the first text is "needed".
    """
    default = "needed" if param.default is dataclasses.MISSING else json.dumps(param.default)
    return default.replace("null", "nil"), calls.rule_of(param).help


def _call_types() -> Iterable[tuple[str, type[Call]]]:
    methods = Methods(cast("Node", None)).table()
    yield from ((name, method.call_type) for name, method in methods.items())


def _make_sentences_table() -> str:
    """Makes the table of codes and sentences. A node answers with a code. People read the sentence
    for this code.
    """
    rows = [(f"`{code}`", sentence) for code, sentence in SENTENCES.items()]
    return _format_table(("code", "in English"), rows)


def _make_kind_table(kind: KindDescription) -> str:
    where = "a root" if kind["root"] else f"about {_list_kinds(kind['about'])}"
    title = f"**`{kind['name']}`**: {where}; audience {_describe_audience(kind)}."
    if not kind["fields"]:
        title += " It has no fields."
    tables = [_make_fields_table(kind), _make_states_table(KINDS[kind["name"]].states)]
    return "\n\n".join([title, *(table for table in tables if table)])


def _make_fields_table(kind: KindDescription) -> str:
    if not kind["fields"]:
        return ""
    rows = [
        (
            f"`{field['name']}`",
            field["type"],
            _describe_bounds(field, KINDS[kind["name"]].fields[field["name"]]),
            _describe_duties(field),
            field["help"],
        )
        for field in kind["fields"]
    ]
    return _format_table(("field", "type", "bounds", "", "what it is"), rows)


def _make_states_table(states: Iterable[States]) -> str:
    """Makes the table of the states of a kind. If the kind has no views, returns ""."""
    if not states:
        return ""
    return _format_table(("state", "when"), ((f"*{state}*", state.sentence) for state in states))


def _describe_audience(kind: KindDescription) -> str:
    return f"{kind['audience']}, lasting" if kind["lasting"] else str(kind["audience"])


def _describe_signers(kind: KindDescription) -> str:
    """Says who posts records of a kind. Also says how many of these records software may sign by
    itself in a day.
    """
    signers = "a person" if kind["posted"] else "software"
    most = kind["automatic_a_day"]
    if not most:
        return signers
    return f"{signers}; by itself " + ("as due" if most >= UNLIMITED else f"{most} a day")


def _list_kinds(about: list[str]) -> str:
    return "any record" if about == ["*"] else ", ".join(f"`{kind}`" for kind in about)


def _describe_bounds(described: FieldDescription, field: Field) -> str:
    if described["choices"]:
        return ", ".join(described["choices"])
    if isinstance(field, Moment):
        span = f"{field.days_back} days back to {field.days_ahead} ahead"
        return f"a day, {span}" if field.day_only else span
    if described["min"] is None:
        return ""
    bounds = f"{described['min']} to {described['max']}"
    if not isinstance(field, Many):
        return bounds
    least, most = field.of.bounds
    return bounds if least is None else f"{bounds}, each {least} to {most}"


def _describe_duties(field: FieldDescription) -> str:
    duties = [word for word in ("required", "private", "beside", "filled") if field[word]]
    if field["default"] is not None:
        duties.append(f"default {field['default']}")
    return ", ".join(duties)


def _format_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


def _read_text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
