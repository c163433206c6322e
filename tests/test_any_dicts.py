"""Code uses dicts whose values may be of any type only at the codec and at the local API (style
rule 8).
"""

from collections import Counter

from tests.support.any_dicts import any_dicts, counted_files, is_counted
from tests.support.house import ROOT, lines_of, product_files

PER_1000 = 3  # uses per 1,000 lines


def test_a_dict_of_anything_is_rare_between_the_edges():
    uses = [use for use in any_dicts(product_files()) if is_counted(use.path)]
    lines = lines_of(counted_files())
    by_file = Counter(str(use.path) for use in uses).most_common()
    worst = [f"{count} in {path}" for path, count in by_file]

    assert len(uses) <= lines / 1000 * PER_1000, "\n".join(
        [f"{len(uses)} uses in {lines} lines, {1000 * len(uses) / lines:.1f} per 1,000:", *worst]
    )


def test_the_edges_are_there():
    paths = {path.relative_to(ROOT) for path in product_files()}

    assert any(not is_counted(path) for path in paths)


def found_in(folder, **sources):
    """Writes these modules into a folder. Returns what is found there, as `module:line: text`."""
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source, encoding="utf-8")
    return [str(use) for use in any_dicts(sorted(folder.glob("*.py")), folder)]


def test_dicts_of_anything_are_found_under_each_of_their_names(tmp_path):
    found = found_in(
        tmp_path,
        names="Row = dict[str, Any]\nRows = list[Row]\nOther: TypeAlias = dict[str, object] | None\n",
        users=(
            "from names import Row, Rows as Many\n"
            "def read(row: Row, rows: 'Many') -> dict[str, int]:\n"
            "    return cast('dict[str, Any]', row)\n"
        ),
        more="from users import Row\nimport typing\nx: Row = {}\ny: dict[str, typing.Any]\n",
    )

    assert found == [
        "more.py:3: Row",
        "more.py:4: dict[str, typing.Any]",
        "names.py:1: dict[str, Any]",
        "names.py:2: Row",
        "names.py:3: dict[str, object]",
        "users.py:2: Many",
        "users.py:2: Row",
        "users.py:3: dict[str, Any]",
    ]


def test_typed_values_are_not_counted(tmp_path):
    found = found_in(
        tmp_path, typed="Names = dict[str, str]\nROWS = {'a': Names}\nrow: Names\nget(ROWS)\n"
    )

    assert found == []
