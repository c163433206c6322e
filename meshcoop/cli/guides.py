"""The command `help`: shows the guides. Each guide is a Markdown file about one task
(specs/guides).
"""

import importlib.resources
import re
from pathlib import Path

from meshcoop.cli.context import ContextArgument
from meshcoop.errors import Mistake
from protocol.display_text import safe_text

_USAGE = 2
_ORDER = ("resident", "technician", "developer")  # other guides follow by their names


def find_guides() -> Path | None:
    """Finds the folder of the guides, in the installed package or in a checkout. Returns None if
    the folder is missing.
    """
    package = Path(str(importlib.resources.files("meshcoop")))
    for folder in (package / "guides", package.parent / "specs" / "guides"):
        if folder.is_dir():
            return folder
    return None


def show_guide(topic: str | None = None, /, *, context: ContextArgument) -> None:
    """Shows a guide. If you name no topic, lists the guides."""
    guides = _read_guides()
    if topic is None:
        summaries = {name: _first_sentence(text) for name, text in guides.items()}
        rows = [{"topic": name, "about": about} for name, about in summaries.items()]
        context.answer(rows, lambda: _list_topics(summaries))
    elif topic in guides:
        text = guides[topic]
        context.answer({"topic": topic, "text": text}, text.rstrip)
    else:
        raise Mistake(
            "There is no guide {topic!r}; there are: {choices}.",
            _USAGE,
            topic=topic,
            choices=", ".join(guides),
        )


def _read_guides() -> dict[str, str]:
    """Reads all guides. Returns a map from topics to texts. Raises Mistake if no guides are
    installed.
    """
    folder = find_guides()
    files = sorted(folder.glob("*.md"), key=_place) if folder else []
    if not files:
        raise Mistake("This installation has no guides; `meshcoop --help` lists the commands.")
    return {file.stem: safe_text(file.read_text(encoding="utf-8")) for file in files}


def _place(file: Path) -> tuple[int, str]:
    """Returns the key by which a guide is sorted. Guides in `_ORDER` come first. All other guides
    follow, sorted by name.
    """
    order = _ORDER.index(file.stem) if file.stem in _ORDER else len(_ORDER)
    return order, file.stem


def _list_topics(summaries: dict[str, str]) -> str:
    width = max(map(len, summaries))
    rows = [f"{topic:<{width}}  {about}".rstrip() for topic, about in summaries.items()]
    advice = "`meshcoop help TOPIC` shows a guide; `meshcoop --help` lists the commands."
    return "\n".join([*rows, "", advice])


def _first_sentence(markdown: str) -> str:
    """Returns the first sentence below the headings of a guide. The result is one line, without
    links.
    """
    for paragraph in re.split(r"\n\s*\n", markdown):
        lines = [row.strip() for row in paragraph.splitlines()]
        text = " ".join(row for row in lines if row and not row.startswith(("#", "<!--")))
        if text:
            text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
            return re.split(r"(?<=[.!?])\s", text, maxsplit=1)[0]
    return ""
