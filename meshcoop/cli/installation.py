"""Checks that the files of `protocol` and `tui` are the files that meshcoop has installed.

Other packages have these names too. If such a package is installed into the same environment, its
files replace those of meshcoop without a warning.
"""

import csv
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

_NAME = "meshcoop"
_PACKAGES = ("protocol", "tui")


def check_files() -> None:
    """Ends the program with a sentence if a file of `protocol` or `tui` is missing or is not
    meshcoop's.

    Runs before anything is imported from these packages, and itself imports nothing from them.
    """
    foreign_file = _find_foreign_file()
    if foreign_file is not None:
        sys.exit(
            f"{foreign_file} is not as meshcoop installed it, because another package of this name "
            "is in the same environment; install meshcoop again, into an environment of its own."
        )


def _find_foreign_file() -> Path | None:
    root = Path(__file__).parent.parent.parent
    for package in _PACKAGES:
        own_file = root / package / "__init__.py"
        spec = find_spec(package)
        if spec is None or spec.origin is None or not own_file.exists():
            return own_file
        if not Path(spec.origin).samefile(own_file):
            return Path(spec.origin)
    return _find_changed_file(root)


def _find_changed_file(root: Path) -> Path | None:
    """Returns a file that is missing, or that has another size than at the installation. Returns
    None if all files are as they were.

    Also returns None if the program runs from a checkout, because then no sizes are noted.
    """
    try:
        record = metadata.distribution(_NAME).read_text("RECORD")
    except metadata.PackageNotFoundError:
        return None
    for name, _hash, size in csv.reader((record or "").splitlines()):
        path = root / name
        is_ours = name.startswith(tuple(f"{package}/" for package in _PACKAGES)) and size
        if is_ours and not (path.exists() and path.stat().st_size == int(size)):
            return path
    return None
