"""Views told in words on a terminal. Whatever a person wrote is made harmless first."""

from typing import Any

from protocol.text import line, safe

Shown = dict[str, Any]

_TITLE = 48
_HIDDEN = {"id", "kind", "author", "created", "state", "history", "about", "responses", "receipts"}


def listing(found: list[Shown]) -> str:
    """A line a view."""
    return "\n".join(_line(one) for one in found) or "Nothing yet."


def whole(view: Shown) -> str:
    """A view with its fields, and its history."""
    lines = [_line(view)]
    for name, value in view.items():
        if name not in _HIDDEN and value not in (None, [], ""):
            lines.append(f"  {name}: {_value(value)}")
    lines.append("")
    for one in view["history"]:
        if one["automatic"]:
            continue
        note = "" if one["counted"] else f"  (does not count: {line(one['note'])})"
        who = signers(one)
        lines.append(
            f"  {one['created'][:16]}  {who}: {one['kind'] or 'something unreadable'}{note}"
        )
    return "\n".join(lines)


def signers(view: Shown) -> str:
    """Who says it; where one person signed for another, both."""
    who = line(view["author"]["name"], 20)
    return f"{line(view['by']['name'], 20)} for {who}" if view.get("by") else who


def balances(found: list[Shown]) -> str:
    """Minutes by person."""
    rows = [("", "given", "received", "balance")]
    for one in found:
        numbers = (str(one["given"]), str(one["received"]), f"{one['balance']:+d}")
        rows.append((line(one["person"]["name"], 30), *numbers))
    return "\n".join(f"{a:<30} {b:>8} {c:>8} {d:>8}" for a, b, c, d in rows)


def kinds(found: list[Shown]) -> str:
    """A kind and its fields a line."""
    return "\n".join(
        f"{one['name']}: "
        + (
            ", ".join(field["name"] + "!" * field["required"] for field in one["fields"])
            or "no fields"
        )
        for one in found
    )


def _line(view: Shown) -> str:
    title = view.get("title") or view.get("name") or view["kind"] or "unreadable"
    minutes = f"  {view['minutes']} min" if view.get("minutes") else ""
    who = signers(view)
    state = view.get("state", "")
    return f"{view['id'][:8]}  {line(str(title), _TITLE)}{minutes}  {who}  {state}".rstrip()


def _value(value: Any) -> str:
    if isinstance(value, dict):
        return line(str(value.get("name", value)))
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    return safe(str(value)).replace("\n", "\n    ")
