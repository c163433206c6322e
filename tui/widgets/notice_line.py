"""A line with notices about this home. It is above all lists of the screen."""

from textual.widgets import Static

from protocol.display_text import safe_line
from tui.format.phrases import plain
from tui.i18n import _, plural
from tui.node.connection import NodeConnection
from tui.node.shown import Shown

_MOST_KINDS = 3
_NAME_WIDTH = 30  # columns


class NoticeLine(Static):
    """A line with notices. It tells that the home has no passphrase, that the program does not know
    some records, or that the program has made mistakes.

    The line is shown only if there is something to say.
    """

    DEFAULT_CSS = """
    NoticeLine {
        height: auto;
        padding: 0 1;
        color: $warning;
    }
    """

    def __init__(self, node: NodeConnection) -> None:
        super().__init__(markup=False)
        self._node = node

    def on_mount(self) -> None:
        """Asks the connection to tell this line about each new status."""
        self._node.status_changed.subscribe(self, self._refresh_text)
        self._refresh_text()

    def _refresh_text(self, _signal: None = None) -> None:
        status = self._node.status or Shown({})
        sentences = [
            *_describe_open_keys(status),
            *_describe_gone_devices(status),
            *_describe_newer(status),
            *_describe_failed(status),
        ]
        self.display = bool(sentences)
        self.update(plain(" ".join(sentences)))


def _describe_open_keys(status: Shown) -> list[str]:
    if not status.flag("open_keys"):
        return []
    return [_("This home has no passphrase: whoever takes its disk reads everything.")]


def _describe_gone_devices(status: Shown) -> list[str]:
    count = status.number("gone_with_key") or 0
    if not count:
        return []
    sentence = plural(
        "{n} device that is gone can still read what you write today.",
        "{n} devices that are gone can still read what you write today.",
        count,
    )
    return [sentence.format(n=count)]


def _describe_newer(status: Shown) -> list[str]:
    rows = status.rows("newer")
    if not rows:
        return []
    count = sum(row.number("records") or 0 for row in rows)
    kinds = [_describe_kind(row, status) for row in rows[:_MOST_KINDS]]
    further = len(rows) - len(kinds)
    if further:
        kinds.append(
            plural("{n} further kind", "{n} further kinds", further).format(n=further),
        )
    sentence = plural(
        "{n} record is newer than this program: {kinds}.",
        "{n} records are newer than this program: {kinds}.",
        count,
    )
    return [sentence.format(n=count, kinds=", ".join(kinds))]


def _describe_kind(row: Shown, status: Shown) -> str:
    kind = f"{row.number('records')} {safe_line(row.kind, _NAME_WIDTH)}"
    package = row.text("package")
    if package is not None:
        return _("{kind} (from the package {package})").format(
            kind=kind, package=safe_line(package, _NAME_WIDTH)
        )
    specs = status.number("specs")
    return _("{kind} (from a version of the specs after {specs})").format(kind=kind, specs=specs)


def _describe_failed(status: Shown) -> list[str]:
    if not status.rows("failed"):
        return []
    return [_("The program made a mistake and leaves something out: see `meshcoop doctor`.")]
