"""Views told in words on a terminal. Whatever a person wrote is made harmless first."""

from typing import Any

from protocol.display_text import line, safe

Shown = dict[str, Any]

_TITLE = 48
_HIDDEN = {
    *("id", "kind", "author", "created", "state", "history", "about"),
    *("responses", "receipts", "corrections", "heads", "after", "first"),
    *("occurrences", "offset"),
}
_SPOKEN = {"message", "pact", "thanks"}  # known by their words


def listing(found: list[Shown], hidden: int = 0) -> str:
    """A line a view, and how many are left out because somebody is muted."""
    lines = [_line(one) for one in found] or ["Nothing yet."]
    if hidden:
        lines.append(f"({hidden} by people you muted left out; add --muted to see them.)")
    return "\n".join(lines)


def muted(done: Shown) -> str:
    """What muting somebody does."""
    who = line(done["person"]["name"])
    if done["muted"]:
        return f"What {who} posts is left out of your lists; `meshcoop mute {who} --off` undoes it."
    return f"What {who} posts is in your lists again."


def whole(view: Shown) -> str:
    """A view with its fields, and its history."""
    lines = [_line(view)]
    for name, value in view.items():
        if name not in _HIDDEN and value not in (None, [], ""):
            lines.append(f"  {name}: {_value(value)}")
    for one in view["heads"] if view["kind"] == "page" and len(view["heads"]) > 1 else ():
        lines.append(f"\n  as {line(one['author']['name'])} would have it ({one['id'][:8]}):")
        lines.append(f"    {line(one['title'])}\n    {_value(one['text'])}")
    for one in view.get("occurrences") or ():
        lines.extend(_day(one))
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
    """Minutes by person; of one person, line by line as well."""
    rows = [("", "given", "received", "balance", "gifts")]
    for one in found:
        gifts = one["gifts_given"] or one["gifts_received"]
        numbers = (str(one["given"]), str(one["received"]), f"{one['balance']:+d}")
        gave = f"+{one['gifts_given']} −{one['gifts_received']}" if gifts else ""
        rows.append((line(one["person"]["name"], 30), *numbers, gave))
    lines = [f"{a:<30} {b:>8} {c:>8} {d:>8}  {e}".rstrip() for a, b, c, d, e in rows]
    for one in found[0].get("history", ()) if found else ():
        what = {"receipt": "", "thanks": "  (a gift)"}.get(one["kind"], f"  ({one['kind']})")
        who = line(one["person"]["name"], 30)
        lines.append(f"  {one['on'][:10]}  {who}  {one['minutes']:+d}  {one['balance']:+d}{what}")
    return "\n".join(lines)


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


def introductions(found: Shown) -> str:
    """Who can introduce one to somebody."""
    who = line(found["person"]["name"])
    if not found["ways"]:
        return f"Nobody whom you know knows somebody who knows {who}, as far as your home can tell."
    ways = found["ways"]
    if found["steps"] == 1:
        return f"You know {who}. {line(ways[0]['sentence'])}"
    return "\n".join(f"Ask {line(one['first']['name'])}. {line(one['sentence'])}" for one in ways)


def _suggestion(view: Shown) -> str:
    told = f"{line(view['suggests'])}: {line(view['title'], _TITLE)}"
    if view["suggests"] == "you may want" or view["subject"] != "person":
        told += f"  ({line(view['author']['name'], 20)})"
    whom = line(view["for"]["name"], 20)
    return f"{view['about'][:8]}  for {whom}  {told}\n          {line(view['sentence'])}"


def _quarter(view: Shown) -> str:
    told = (
        f"{view['quarter']}  {view['both']} gave and received, {view['only_gave']} only gave, "
        f"{view['only_received']} only received, {view['neither']} did neither"
    )
    names = ", ".join(line(one["name"], 20) for one in view["ask_them"])
    return f"{told}\n         What would they like? {names}" if names else told


def _line(view: Shown) -> str:
    own = {"suggestion": _suggestion, "reciprocity": _quarter}.get(view["kind"])
    if own is not None:
        return own(view)
    words = view.get("text") if view["kind"] in _SPOKEN else None
    title = view.get("title") or view.get("name") or words or view["kind"] or "unreadable"
    minutes = f"  {view['minutes']} min" if view.get("minutes") else ""
    who = signers(view)
    state = "muted" if view.get("muted") else view.get("state", "")
    return f"{view['id'][:8]}  {line(str(title), _TITLE)}{minutes}  {who}  {state}".rstrip()


def _day(one: Shown) -> list[str]:
    """A day of an activity: who has a place, who waits, who came."""
    lines = [f"\n  {one['on']}:"]
    for role in one["roles"]:
        waits = f"; waiting: {_value(role['waits'])}" if role["waits"] else ""
        count = f"{len(role['has'])}/{role['places']}"
        lines.append(
            f"    {line(role['role'] or 'who comes')} ({count}) {_value(role['has'])}{waits}"
        )
    if one["attended"]:
        lines.append(f"    came: {_value(one['came']) or 'nobody'}")
    return lines


def _value(value: Any) -> str:
    if isinstance(value, dict) and "name" not in value:
        return ", ".join(f"{line(name)}={_value(one)}" for name, one in value.items())
    if isinstance(value, dict):
        return line(str(value["name"]))
    if isinstance(value, list):
        return ", ".join(_value(one) for one in value)
    return safe(str(value)).replace("\n", "\n    ")
