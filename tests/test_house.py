"""The code keeps its rules of style: packages, layers, names and lengths (.github/CONTRIBUTING.md,
Style).
"""

from collections import defaultdict
from pathlib import Path

import pytest

from tests.support.house import (
    PACKAGES,
    PARALLEL_PER_1000,
    ROOT,
    breaches,
    circles,
    import_graph,
    lines_of,
    package_graph,
    product_files,
)

AT_THE_TOP = {"__init__.py", "__main__.py", "errors.py", "clock.py", "client.py"}
MODULES_IN_A_FOLDER = 25
IN_EVERY_PACKAGE = {"__init__.py", "__main__.py", "errors.py"}
# In these folders, a module is named after the command, method or kind that it serves. So the same
# name occurs in several folders.
NAMED_FOR_OTHERS = (Path("meshcoop/cli"), Path("meshcoop/api/methods"), Path("tui/kinds"))


@pytest.fixture(scope="module")
def modules():
    return import_graph()


@pytest.mark.parametrize("rule", ["empty name", "long function", "next without default"])
def test_product_code_breaks_no_rule_of_style(rule):
    broken = [str(item) for path in product_files() for item in breaches(path) if item.rule == rule]

    assert broken == []


def test_a_next_without_a_default_is_found_where_it_ends_a_coroutine(tmp_path):
    path = tmp_path / "searches.py"
    path.write_text(
        "def pick(rows):\n    return next(row for row in rows)\n"
        "async def read(rows):\n    return next(iter(rows)), next(self.numbers), next(rows, None)\n"
        "def walk(rows):\n    yield next(rows)\n"
        "def first(rows):\n    return next(iter(rows))\n",
        encoding="utf-8",
    )

    found = [item.line for item in breaches(path) if item.rule == "next without default"]
    assert sorted(found) == [2, 4, 6]


def test_assignments_stand_alone():
    files = product_files()
    parallel = [
        str(item) for path in files for item in breaches(path) if item.rule == "parallel assignment"
    ]

    assert len(parallel) <= lines_of(files) / 1000 * PARALLEL_PER_1000, parallel


def test_packages_import_each_other_in_no_circle(modules):
    assert circles(package_graph(modules)) == []


def test_modules_import_each_other_in_no_circle(modules):
    assert circles(modules) == []


def test_only_what_everything_needs_lies_directly_in_meshcoop():
    assert {path.name for path in (ROOT / "meshcoop").glob("*.py")} == AT_THE_TOP


def test_no_folder_is_crowded():
    folders = defaultdict(list)
    for path in product_files():
        if path.name != "__init__.py":
            folders[path.parent].append(path.name)
    crowded = {str(folder): len(names) for folder, names in folders.items()}

    assert {name: count for name, count in crowded.items() if count > MODULES_IN_A_FOLDER} == {}


def test_a_name_of_a_module_recurs_only_for_a_command_a_method_or_a_face():
    places = defaultdict(list)
    for path in product_files():
        where = path.relative_to(ROOT)
        if where.name not in IN_EVERY_PACKAGE and not set(NAMED_FOR_OTHERS) & set(where.parents):
            places[where.name].append(str(where))

    assert [paths for paths in places.values() if len(paths) > 1] == []


def test_every_package_begins_with_its_contract():
    bare = [
        str(init.relative_to(ROOT))
        for package in PACKAGES
        for init in (ROOT / package).rglob("__init__.py")
        if not init.read_text(encoding="utf-8").startswith('"""')
    ]

    assert bare == []


def test_a_circle_is_found_wherever_it_is():
    graph = {"a": {"b"}, "b": {"c"}, "c": {"b", "d"}, "d": set(), "e": {"a"}}

    assert circles(graph) == [["b", "c"]]
    assert circles(graph | {"d": {"e"}}) == [["a", "b", "c", "d", "e"]]
