"""The wheel holds all files that it should, and its package names collide with no other package."""

import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from configparser import ConfigParser
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.support.paths import ROOT

OURS = {"meshcoop", "protocol", "tui"}
GUIDES = ROOT / "specs" / "guides"
UV = os.environ.get("UV") or shutil.which("uv")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    if UV is None:
        pytest.skip("Building the wheel needs uv: run `pip install uv`.")
    folder = tmp_path_factory.mktemp("dist")
    # `uv run` has installed the checkout with the same build backend, so uv finds it in its cache.
    subprocess.run(
        [UV, "build", "--wheel", "--python", sys.executable, "--out-dir", str(folder), str(ROOT)],
        capture_output=True, check=True, timeout=120,
    )  # fmt: skip
    (built,) = folder.glob("*.whl")
    with zipfile.ZipFile(built) as archive:
        yield archive


def test_the_wheel_holds_three_packages_and_nothing_else(wheel):
    tops = {name.partition("/")[0] for name in wheel.namelist()}
    (info,) = {name for name in tops if name.endswith(".dist-info")}
    assert tops - {info} == OURS
    shipped = {Path(name) for name in wheel.namelist() if not name.startswith(info)}
    here = {
        path.relative_to(ROOT)
        for package in OURS
        for path in (ROOT / package).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    guides = {Path("meshcoop/guides") / path.name for path in GUIDES.iterdir()}
    assert shipped == here | guides


def test_the_wheel_brings_the_guides_as_they_are_in_the_specs(wheel):
    for path in GUIDES.iterdir():
        assert wheel.read(f"meshcoop/guides/{path.name}") == path.read_bytes()


def test_the_wheel_says_that_its_packages_are_typed(wheel):
    assert {f"{package}/py.typed" for package in OURS} <= set(wheel.namelist())


@pytest.fixture(scope="module")
def entry_points(wheel):
    """Maps each group of entry points in the wheel to its entries. Each entry is a name and a
    target: the module or function that the name calls up.
    """
    (entry,) = (name for name in wheel.namelist() if name.endswith("/entry_points.txt"))
    points = ConfigParser()
    points.read_string(wheel.read(entry).decode())
    return {section: dict(points[section]) for section in points.sections()}


def test_the_wheel_brings_one_command(entry_points):
    assert set(entry_points) == {"console_scripts", "meshcoop.kinds", "meshcoop.faces"}
    assert entry_points["console_scripts"] == {"meshcoop": "meshcoop.__main__:main"}


def test_the_wheel_names_every_family_of_kinds(entry_points):
    folder = ROOT / "protocol" / "kinds"
    families = {
        path.relative_to(folder).parts[0].removesuffix(".py")
        for path in folder.rglob("*.py")
        if "\n@kind(" in path.read_text(encoding="utf-8")
    }

    assert entry_points["meshcoop.kinds"] == {name: f"protocol.kinds.{name}" for name in families}


def test_the_faces_that_the_wheel_names_are_there(entry_points):
    for module in entry_points["meshcoop.faces"].values():
        assert importlib.util.find_spec(module), module


def test_no_other_distribution_has_packages_of_these_names():
    owners = packages_distributions()
    assert owners["trio"] == ["trio"]  # this shows that the check looks at all packages
    for name in OURS:
        assert set(owners.get(name, [])) <= {"meshcoop"}, name
