"""Whether the files beside this package are the ones that it was installed with.

`protocol` and `tui` are names of other packages too. If somebody installs such a package into the
same environment, its files replace ours, and nothing says so.
"""

import csv
import sys
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

_NAME = "meshcoop"
_PACKAGES = ("protocol", "tui")


def check_files() -> None:
    """Ends the program with a sentence if a file of `protocol` or `tui` is not ours, or is gone.

    Runs before anything is imported from these packages, and imports nothing from them.
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
    """Returns a file whose size differs from what the installation recorded, or None.

    A checkout has no record of its files.
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
