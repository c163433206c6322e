"""The kinds of records. Importing this package registers all kinds.

Each file or folder here has one family of kinds. A home's owner can install packages with further
families beside the program. The program finds all families by the entry points of the group
`meshcoop.kinds` (R-10.13 to R-10.16).
"""

from importlib.metadata import EntryPoint, entry_points
from itertools import groupby

from protocol.display_text import safe_line
from protocol.fold.registry import KINDS, DeclaredKind
from protocol.record.envelope import OPEN

GROUP = "meshcoop.kinds"
OWN_PACKAGE = "meshcoop"

ORIGINS: dict[str, str] = {}  # kind → the package that it comes from, with its version
FAULTS: dict[str, str] = {}  # package → why its kinds are not registered


def list_families() -> list[EntryPoint]:
    """Lists the installed families of kinds, our own first. Imports none of them."""
    families = entry_points(group=GROUP)
    return sorted(families, key=lambda point: (not _is_own(point), _package_of(point), point.name))


def _register_all() -> None:
    """Registers the kinds of every package. If a package fails, none of its kinds is registered."""
    for package, members in groupby(list_families(), key=_package_of):
        families = list(members)
        before = dict(KINDS)
        try:
            for family in families:
                family.load()
            if not _is_own(families[0]):
                guests = [kind for name, kind in KINDS.items() if name not in before]
                _check_guests(guests, _prefix_of(families[0]))
        except Exception as error:  # whatever a package does wrong
            if _is_own(families[0]):
                raise
            _restore(before)
            FAULTS[package] = safe_line(f"{type(error).__name__}: {error}".rstrip("."))
        ORIGINS.update((name, package) for name in KINDS if name not in before)
    assert ORIGINS, "the program is installed, so its own families are found"
    _restore(dict(sorted(KINDS.items(), key=lambda item: (not item[1].is_core, item[0]))))


def _check_guests(kinds: list[DeclaredKind], prefix: str) -> None:
    """Raises ValueError if an installed package must not declare these kinds (R-10.13, R-10.14)."""
    for kind in kinds:
        if not (kind.name.startswith(prefix) and kind.plural.startswith(prefix)):
            raise ValueError(f"the names of kind {kind.name} must begin with {prefix!r}")
        if kind.audience == OPEN or kind.view_type.judged_by_authority:
            raise ValueError(f"kind {kind.name} is open, and only the program's own kinds are")
        if not isinstance(kind.answers, tuple) or not all(
            name.startswith(prefix) for name in kind.answers
        ):
            raise ValueError(f"kind {kind.name} is about kinds of another package")


def _restore(kinds: dict[str, DeclaredKind]) -> None:
    KINDS.clear()
    KINDS.update(kinds)


def _is_own(family: EntryPoint) -> bool:
    return family.dist is None or family.dist.name == OWN_PACKAGE


def _package_of(family: EntryPoint) -> str:
    return f"{family.dist.name} {family.dist.version}" if family.dist else OWN_PACKAGE


def _prefix_of(family: EntryPoint) -> str:
    """Returns the prefix of the kind names of a package: `tool_lib.` for the package tool-lib."""
    return _package_of(family).split()[0].lower().replace("-", "_") + "."


_register_all()
