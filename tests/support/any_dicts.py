"""Counts the places where code says that a value is a dict of anything (style rule 8).

`dict[str, Any]` and `dict[str, object]` count. An alias that stands for such a dict or contains one
counts too, under any name and in any module.
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.house import ROOT, product_files

AT_THE_EDGES = (  # here values have no type yet, or no type any more
    Path("protocol/record"),
    Path("protocol/wire"),
    Path("protocol/fold/content.py"),
    Path("meshcoop/api"),
)
_ANYTHING = {"Any", "object"}

Name = tuple[str, str]  # a module, and a name in it


@dataclass(frozen=True, order=True)
class AnyDict:
    """A place where a type says `dict[str, Any]`, directly or through an alias."""

    path: Path
    line: int
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.text}"


@dataclass
class _Module:
    """The names that a module imports, and the types to which the module gives names."""

    path: Path
    nodes: list[ast.AST]  # its whole syntax tree, walked once: each walk takes seconds
    imported: dict[str, Name] = field(default_factory=dict)
    named_types: dict[str, ast.expr] = field(default_factory=dict)


def any_dicts(paths: list[Path], root: Path = ROOT) -> list[AnyDict]:
    """Lists every use of a dict of anything in these files. Follows aliases from file to file."""
    modules = {_module_name(path, root): _read_module(path, root) for path in paths}
    aliases = _aliases(modules)
    return sorted(
        AnyDict(module.path, node.lineno, ast.unparse(node))
        for name, module in modules.items()
        for node in _uses(name, module, aliases)
    )


def counted_files() -> list[Path]:
    """Returns the product's files in which values have types of their own."""
    return [path for path in product_files() if is_counted(path.relative_to(ROOT))]


def is_counted(path: Path) -> bool:
    """Returns False for files at the edges of the program, where bytes or JSON become values."""
    return not any(path.is_relative_to(edge) for edge in AT_THE_EDGES)


def _read_module(path: Path, root: Path) -> _Module:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    module = _Module(path.relative_to(root), list(ast.walk(tree)))
    for node in module.nodes:
        if isinstance(node, ast.ImportFrom) and node.module:
            for alias in node.names:
                module.imported[alias.asname or alias.name] = (node.module, alias.name)
    for statement in tree.body:
        match statement:
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                module.named_types[name] = value
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value):
                module.named_types[name] = value
    return module


def _aliases(modules: dict[str, _Module]) -> set[Name]:
    """Returns the names that stand for a dict of anything, in the modules that define them."""
    aliases: set[Name] = set()
    while True:
        further = {
            (module_name, name)
            for module_name, module in modules.items()
            for name, value in module.named_types.items()
            if _is_type(value) and _has_any_dict(module_name, module, value, aliases)
        }
        # Names that modules pass on by importing them, as an `__init__` does.
        further |= {
            (module_name, name)
            for module_name, module in modules.items()
            for name, source in module.imported.items()
            if source in aliases
        }
        if further <= aliases:
            return aliases
        aliases |= further


def _has_any_dict(name: str, module: _Module, value: ast.expr, aliases: set[Name]) -> bool:
    return any(_is_any_dict(name, module, node, aliases) for node in _type_nodes(ast.walk(value)))


def _is_type(value: ast.expr) -> bool:
    """Returns True if an expression can be a type: it has names, subscripts, unions and lists."""
    parts = (
        ast.Name,
        ast.Attribute,
        ast.Subscript,
        ast.BinOp,
        ast.BitOr,
        ast.Tuple,
        ast.List,
        ast.Constant,
        ast.expr_context,
    )
    return all(isinstance(node, parts) for node in ast.walk(value))


def _uses(name: str, module: _Module, aliases: set[Name]) -> Iterator[ast.expr]:
    for node in _type_nodes(module.nodes):
        if _is_any_dict(name, module, node, aliases):
            yield node


def _type_nodes(nodes: Iterable[ast.AST]) -> Iterator[ast.expr]:
    """Yields the expressions among these nodes of a syntax tree. Also yields the expressions in
    types that are written in quotes.
    """
    for node in nodes:
        if isinstance(node, ast.expr):
            yield node
        for quoted in _quoted_types(node):
            for part in ast.walk(_parse_quoted(quoted.value)):
                if isinstance(part, ast.expr):
                    yield ast.copy_location(part, quoted)


def _parse_quoted(text: str) -> ast.AST:
    """Parses a type that is written in quotes. If the text is a sentence and no type, returns an
    empty node. (`Annotated` may contain sentences.)
    """
    try:
        return ast.parse(text, mode="eval")
    except SyntaxError:
        return ast.Pass()


def _quoted_types(node: ast.AST) -> Iterator[ast.Constant]:
    match node:
        case ast.arg(annotation=annotation) | ast.AnnAssign(annotation=annotation):
            types = [annotation]
        case ast.FunctionDef(returns=returns) | ast.AsyncFunctionDef(returns=returns):
            types = [returns]
        case ast.Call(func=ast.Name(id="cast"), args=[target, _]):
            types = [target]
        case _:
            types = []
    for value in types:
        for part in ast.walk(value) if value is not None else ():
            if isinstance(part, ast.Constant) and isinstance(part.value, str):
                yield part


def _is_any_dict(name: str, module: _Module, node: ast.expr, aliases: set[Name]) -> bool:
    match node:
        case ast.Subscript(
            value=ast.Name(id="dict"),
            slice=ast.Tuple(
                elts=[ast.Name(id="str"), ast.Name(id=what) | ast.Attribute(attr=what)]
            ),
        ):
            return what in _ANYTHING
        case ast.Name(id=text, ctx=ast.Load()):
            return module.imported.get(text, (name, text)) in aliases
        case ast.Attribute(value=ast.Name(id=text), attr=attribute):
            package, imported = module.imported.get(text, ("", text))
            return (f"{package}.{imported}", attribute) in aliases
    return False


def _module_name(path: Path, root: Path) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
