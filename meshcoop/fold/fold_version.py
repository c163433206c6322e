"""The version of the fold. The version changes when the program may make other views from the same
records.

The version is derived from three things: how the kinds are declared, the source code that makes
views, and the version of Unicode. (Tables of Unicode bring words to one spelling.) A home notes the
version with which it made its views. When the version changes, the home makes its views again.
"""

import hashlib
import json
import sys
from collections.abc import Iterable
from functools import cache
from importlib import import_module
from importlib.resources import files
from importlib.resources.abc import Traversable
from inspect import getsourcefile
from pathlib import Path
from types import ModuleType
from unicodedata import unidata_version

from protocol.fold.registry import KINDS, describe_kinds

# The packages and modules whose code makes the views, or stores them. A test follows their imports,
# so that none is left out. Rather too many than too few: a rebuild costs little, and a home whose
# views are old finds other things than its neighbours.
_SOURCES = ("meshcoop.errors", "meshcoop.fold", "meshcoop.store", "protocol")


@cache
def fold_version() -> str:
    """Returns the version of the fold for the kinds that are registered now."""
    kinds = {sys.modules[declared.view_type.__module__] for declared in KINDS.values()}
    modules = kinds | {import_module(name) for name in _SOURCES}
    return derive_version(
        json.dumps([unidata_version, describe_kinds()], default=repr),
        (source for module in modules for source in _sources_of(module)),
    )


def derive_version(declarations: str, sources: Iterable[tuple[str, bytes]]) -> str:
    """Returns the version that belongs to `declarations` and `sources`.

    Each source is a pair: its name and its bytes. The order of the sources does not matter.
    """
    hasher = hashlib.sha256(b"meshcoop fold 1\0")
    for name, source in [("", declarations.encode()), *sorted(dict(sources).items())]:
        for part in (name.encode(), source):
            hasher.update(len(part).to_bytes(8, "big") + part)
    return hasher.hexdigest()


def _sources_of(module: ModuleType) -> Iterable[tuple[str, bytes]]:
    """Yields the name and the source of a module, or of all modules in a package."""
    if hasattr(module, "__path__"):
        yield from _sources_in(module.__name__, files(module))
        return
    file = getsourcefile(module)
    if file is not None:
        yield module.__name__, Path(file).read_bytes()


def _sources_in(package: str, folder: Traversable) -> Iterable[tuple[str, bytes]]:
    for entry in folder.iterdir():
        if entry.is_dir():
            yield from _sources_in(f"{package}.{entry.name}", entry)
        elif entry.name.endswith(".py"):
            yield f"{package}.{entry.name.removesuffix('.py')}", entry.read_bytes()
