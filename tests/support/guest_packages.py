"""Installs packages with kinds of their own for tests. It writes the files that an installer would
leave beside the program.
"""

import os
import subprocess
import sys
import tomllib

from tests.support.paths import ROOT

TOOLLIB = ROOT / "tests" / "toollib"


def install_package(folder, name, *, module, version="1.0", points=None):
    """Writes what an installer leaves of a package: its module, its metadata and entry points.

    `module` is the source of the module. `points` maps the name of each family of kinds to its
    module.
    """
    place = name.replace("-", "_")
    (folder / f"{place}.py").write_text(module, encoding="utf-8")
    info = folder / f"{place}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n", encoding="utf-8"
    )
    lines = [f"{point} = {target}" for point, target in (points or {place: place}).items()]
    (info / "entry_points.txt").write_text(
        "\n".join(["[meshcoop.kinds]", *lines, ""]), encoding="utf-8"
    )


def install_toollib(folder):
    """Installs tests/toollib, with the name, version and entry points of its pyproject.toml."""
    declared = tomllib.loads((TOOLLIB / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    install_package(
        folder,
        declared["name"],
        module=(TOOLLIB / "toollib.py").read_text(encoding="utf-8"),
        version=declared["version"],
        points=declared["entry-points"]["meshcoop.kinds"],
    )


def environment(folder):
    """Returns the environment of a program that finds the packages in this folder."""
    paths = [str(folder), str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def run_beside(folder, *words):
    """Runs a new Python interpreter with these arguments. The interpreter finds the packages in
    this folder.
    """
    return subprocess.run(
        [sys.executable, *words],
        env=environment(folder), cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
