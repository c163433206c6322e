"""Another package whose name is `protocol` or `tui` lies in the same environment."""

import shutil
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

PACKAGES = ("meshcoop", "protocol", "tui")


@pytest.fixture
def site(tmp_path):
    """A folder into which meshcoop was installed."""
    folder = tmp_path / "site"
    skipped = shutil.ignore_patterns("__pycache__", "locale")
    for package in PACKAGES:
        shutil.copytree(ROOT / package, folder / package, ignore=skipped)
    record = folder / "meshcoop-1.dist-info" / "RECORD"
    record.parent.mkdir()
    (record.parent / "METADATA").write_text("Metadata-Version: 2.1\nName: meshcoop\nVersion: 1\n")
    files = (path for package in PACKAGES for path in (folder / package).rglob("*.*"))
    lines = [f"{path.relative_to(folder)},sha256=x,{path.stat().st_size}\n" for path in files]
    record.write_text("".join(lines))
    return folder


def run(*path):
    return subprocess.run(
        [sys.executable, "-P", "-m", "meshcoop", "kinds", "--help"],
        env={"PYTHONPATH": ":".join(map(str, path)), "PYTHONDONTWRITEBYTECODE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )


def overwrite_beginning(site):
    (site / "protocol" / "__init__.py").write_text("# Another protocol.\nraise SystemExit(7)\n")
    return (site,)


def overwrite_module(site):
    (site / "tui" / "app.py").write_text("# Another screen.\n")
    return (site,)


def remove_folder(site):
    shutil.rmtree(site / "protocol")  # as when the other package is uninstalled
    return (site,)


def remove_module(site):
    (site / "protocol" / "errors.py").unlink()
    return (site,)


def stand_in_front(site):
    folder = site.parent / "other" / "tui"
    folder.mkdir(parents=True)
    (folder / "__init__.py").write_text("raise SystemExit(7)\n")
    return folder.parent, site


def leave_beginning_out(site):
    (site / "tui" / "__init__.py").unlink()  # the other package is a namespace package
    return (site,)


@pytest.mark.parametrize(
    "damage",
    [
        overwrite_beginning,
        overwrite_module,
        remove_folder,
        remove_module,
        stand_in_front,
        leave_beginning_out,
    ],
)
def test_program_says_that_its_files_are_not_its_own(site, damage):
    done = run(*damage(site))

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "an environment of its own" in done.stderr


def test_program_runs_beside_packages_with_other_names(site):
    (site / "protocols").mkdir()

    assert run(site).returncode == 0
