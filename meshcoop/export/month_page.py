"""The page of a month, which a neighbourhood can print: what was asked, what was heard, what was done,
and whether it helped. Made from what the lists of the local API say, so it is the same at every home.

One HTML file without scripts and without anything that is fetched. It says of what people answered
only what those lists say: nothing of what fewer than the smallest group said (R-22.8).
"""

from calendar import month_name
from collections.abc import Iterable, Iterator
from html import escape
from typing import Any

from protocol.display_text import safe_line

Shown = dict[str, Any]

_MONTH = len("2026-11")
_STYLE = """
body { font: 11pt/1.4 serif; max-width: 42em; margin: 2em auto; padding: 0 1em; }
h1, h2, h3 { line-height: 1.2; } h2 { border-bottom: 1px solid; margin-top: 2em; }
table { border-collapse: collapse; } th, td { text-align: left; padding: .1em 1.5em .1em 0; }
td + td { font-variant-numeric: tabular-nums; } .small { font-size: 9pt; }
@media print { body { margin: 0; max-width: none; } section { break-inside: avoid; } }
"""


class Month:
    """One month, `month` as "2026-11", of what is here: rows of the lists that have these names."""

    def __init__(
        self,
        month: str,
        *,
        services: Iterable[Shown],
        measures: Iterable[Shown],
        matters: Iterable[Shown],
        actions: Iterable[Shown],
    ) -> None:
        self._month = month
        self._services = sorted(services, key=lambda one: (one["created"], one["id"]))
        self._measures = sorted(measures, key=lambda one: (one["created"], one["id"]))
        self._matters = sorted(matters, key=lambda one: (one["created"], one["id"]))
        self._actions = {one["id"]: one for one in actions}

    def page(self, neighbourhood: str, least: int) -> str:
        """The page. `least`: how many people make the smallest group of which something is shown."""
        year, _, number = self._month.partition("-")
        title = f"{_text(neighbourhood)}, {month_name[int(number)]} {year}"
        told = "\n".join(part for one in self._services for part in self._service(one))
        return (
            f'<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n<title>{title}</title>\n'
            f"<style>{_STYLE}</style>\n<h1>{title}</h1>\n"
            "<p>What we asked, what we heard, what was done, and whether it helped.</p>\n"
            f"{told or '<p>Nothing was asked this month.</p>'}\n"
            f'<p class="small">Where fewer than {least} people answered, nothing is shown.</p>\n'
            "</html>\n"
        )

    def _service(self, service: Shown) -> Iterator[str]:
        told = [
            self._measure(one)
            for one in self._measures
            if one["about"] == service["id"] and self._was_in_use(one)
        ]
        if not told:
            return
        yield f"<h2>{_text(service['title'])}</h2>"
        answers = _name(service["answers_for"])
        yield f"<p>{_name(service['holder'])} holds it; {answers} answers for it.</p>"
        waiting = [one for one in service["links"] if one["state"] == "offered"]
        for link in waiting:
            yield f"<p>{_text(link['title'])}: offered to {_name(link['to'])}, not accepted.</p>"
        yield from told

    def _was_in_use(self, measure: Shown) -> bool:
        """What was proposed in vain, or only later, was not asked."""
        begun = measure["created"][:_MONTH] <= self._month
        return begun and (measure["state"] == "in use" or bool(self._points(measure)))

    def _measure(self, measure: Shown) -> str:
        matters = [one for one in self._matters if one["measure"]["id"] == measure["id"]]
        parts = [
            f"<h3>{_text(measure['question'])}</h3>",
            f"<p><b>Asked:</b> {_target(measure)}</p>",
            self._heard(measure),
        ]
        parts += [
            part for one in matters if self._concerns(one) for part in self._matter(measure, one)
        ]
        return "<section>\n" + "\n".join(parts) + "\n</section>"

    def _points(self, measure: Shown) -> list[Shown]:
        points = measure.get("points") or []
        return [one for one in points if one["from"][:_MONTH] == self._month]

    def _heard(self, measure: Shown) -> str:
        points = self._points(measure)
        if not points:
            return "<p><b>Heard:</b> too little to say anything.</p>"
        counts = measure["scale"] == "count"
        rows = [
            f"<tr><td>{one['from']}</td><td>{one['bad']}</td>"
            + ("" if counts else f"<td>{one['n']}</td>")
            + "</tr>"
            for one in points
        ]
        heads = ("from", "times") if counts else ("from", "short of it", "answers")
        head = "".join(f"<th>{one}</th>" for one in heads)
        return f"<p><b>Heard:</b></p>\n<table><tr>{head}</tr>{''.join(rows)}</table>"

    def _concerns(self, matter: Shown) -> bool:
        """Whether it was open in this month."""
        closed = matter["closed"] or self._month
        return bool(matter["created"][:_MONTH] <= self._month <= closed[:_MONTH])

    def _matter(self, measure: Shown, matter: Shown) -> Iterator[str]:
        raised = f"{matter['raised_by']} people raised it on {matter['created'][:10]}."
        yield f"<p><b>What it says:</b> {_text(matter['sentence'])} {raised}</p>"
        done = [self._actions[one] for one in matter["actions"] if one in self._actions]
        told = "".join(f"<li>{self._action(one)}</li>" for one in done)
        nothing = "nobody has taken it up yet."
        yield f"<p><b>Done:</b>{'' if done else ' ' + nothing}</p>" + (told and f"<ul>{told}</ul>")
        yield f"<p><b>Whether it helped:</b> {_came(measure, matter)}</p>"

    def _action(self, action: Shown) -> str:
        said = ", ".join(f"{word} {count}" for word, count in sorted(action["fixed"].items()))
        verdicts = f" Those who raised it said of “fixed?”: {said}." if said else ""
        owner = _name(action["author"])
        return f"{_text(action['what'])} ({owner}; {_text(action['state'])}).{verdicts}"


def _came(measure: Shown, matter: Shown) -> str:
    came = matter["outcome"]
    if came is None:
        return "it is open." if matter["closed"] is None else "too few answered afterwards to say."
    before, after = (_times(measure, came[when]) for when in ("before", "after"))
    return f"{before} before, {after} after. {_text(came['words'])}"


def _times(measure: Shown, many: Shown) -> str:
    if measure["scale"] == "count":
        times = "once" if many["bad"] == 1 else f"{many['bad']} times"
        return f"{times} in {many['n'] * measure['window']} days"
    return f"{many['bad']} of {many['n']} answers short of it"


def _target(measure: Shown) -> str:
    days, target, share = measure["window"], measure["target"], measure["share"]
    if measure["scale"] == "count":
        return f"it may happen at most {target} times in {days} days."
    lower = measure["better"] == "lower"
    good = f"{'at most' if lower else 'at least'} {target}"
    if measure["scale"] == "yes_no":
        good = "no" if lower else "yes"
    unit = " minutes" if measure["scale"] == "minutes" else ""
    return f"{share} of a hundred answers shall be {good}{unit}, counted by {days} days."


def _name(person: Shown | None) -> str:
    return _text(person["name"]) if person else "nobody"


def _text(words: Any) -> str:
    """What people wrote, harmless in a page."""
    return escape(safe_line(str(words)))
