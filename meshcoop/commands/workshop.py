"""Commands for the curious and for developers: demo, specs."""

import sys
from typing import Annotated

from cyclopts import App, Parameter

from meshcoop.commands.context import Given
from meshcoop.errors import Mistake


def register(app: App) -> None:
    """Adds the commands to `app`."""
    app.command(_demo, name="demo")
    app.command(_specs, name="specs")


def _demo(
    *,
    households: Annotated[int, Parameter(help="how many homes, 3 to 12")] = 5,
    headless: Annotated[bool, Parameter(negative=(), help="tell the story, then end")] = False,
    context: Given,
) -> None:
    """A living neighbourhood of real nodes on this machine."""
    from meshcoop import demo

    del context
    sys.exit(demo.tell(households, stay=not headless and sys.stdout.isatty()))


def _specs(
    *,
    check: Annotated[bool, Parameter(negative=(), help="say what differs from the code")] = False,
    context: Given,
) -> None:
    """Writes the generated parts of the specs anew, or checks them against the code."""
    from meshcoop import specs

    root = specs.checkout()
    if root is None:
        raise Mistake("The specs are in a checkout of the project; run this from one.")
    if not check:
        specs.write(root)
    found = specs.check(root)
    context.answer(found, lambda: "\n".join(found) or "The specs and the code agree.")
    if found:
        sys.exit(1)
