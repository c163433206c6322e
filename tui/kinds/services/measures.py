"""Shows a measure: its question, how it stands, its chart, and how people answer it. All functions
here are pure.

A point of the chart is the result of one window. A window is a span of days. The field `n` of a
point is the number of answers; the field `bad` is the number of bad answers. For a measure that
counts incidents, `n` is the number of windows, and `bad` is the number of incidents.
"""

from collections.abc import Iterator
from fractions import Fraction

from textual.content import Content

from protocol.local_clock import LocalClock
from tui.format import control_chart, labels, phrases
from tui.format.phrases import Card, Part
from tui.i18n import _, plural
from tui.kinds.next_steps import StepWords
from tui.node.shown import Shown

COUNT = "count"  # the scale of incidents
IN_USE = "in use"  # the state of a measure that a decision has put into use
ENDED = "ended"

_WEEK = 7
_MARKS_OF_WORSE = {
    "w1": control_chart.WORSE,
    "w4": control_chart.WORSE_4,
    "r8": control_chart.RUN,
}
_CHOICES = {
    "yes_no": ((_("yes"), "1"), (_("no"), "0")),
    "one_to_five": (
        (_("1 – very bad"), "1"),
        ("2", "2"),
        ("3", "3"),
        ("4", "4"),
        (_("5 – very good"), "5"),
    ),
    COUNT: ((_("it happened"), "1"), (_("all is fine: it did not happen"), "0")),
}
_ANSWERS = {
    ("yes_no", 1): _("yes"),
    ("yes_no", 0): _("no"),
    (COUNT, 1): _("it happened"),
}


def counts_incidents(view: Shown) -> bool:
    """Returns True if people report incidents to a measure."""
    return view.text("scale") == COUNT


def needs_attention(view: Shown) -> bool:
    """Returns True if a measure misses its target or is worse than usual."""
    return view.flag("short") or view.text("change") == "worse"


def standing_sentence(view: Shown) -> str:
    """Says in one sentence how a measure stands. If the measure needs attention, the sentence
    begins with "!".
    """
    if view.state == "retired":
        return _("No longer asked: the neighbourhood decided this.")
    if view.state == ENDED:
        return _("No longer asked: its time is over.")
    if not view.has("reading"):
        return _("Proposed: it starts once neighbours vote for it.")
    sentence = phrases.code_in_words(view.text("reading"))
    if needs_attention(view):
        return "! " + sentence
    if view.has("matter"):  # a measure of incidents opens a matter before its window has settled
        return "! " + _("A matter is open.") + " " + sentence
    return sentence


def measure_card(view: Shown) -> Card:
    """Makes the card of a measure, with its question and how it stands."""
    quiet = not needs_attention(view) and not view.has("matter")
    question = phrases.line_or_hidden(view.text("question"))
    return Card(view.id, question, standing_sentence(view), quiet)


def target_sentence(view: Shown) -> str:
    """Says in words what the target of a measure asks for."""
    target = view.number("target")
    window = view.number("window") or 1
    is_lower_better = view.text("better") == "lower"
    if counts_incidents(view):
        return _("At most {n} {span}.").format(n=target, span=_per_window(window))
    if view.text("scale") == "yes_no":
        good = labels.state("no" if is_lower_better else "yes")
    else:
        good = _("at most {value}") if is_lower_better else _("at least {value}")
        good = good.format(value=answer_in_words(view, target))
    sentence = _("In {span}, {share} % of the answers should be: {good}.")
    span = windows_in_words(window, 1)
    return sentence.format(share=view.number("share"), good=good, span=span)


def answer_in_words(view: Shown | None, value: int | None) -> str:
    """Puts the value of an answer into words that fit the scale of its measure. If the answer has a
    text but no value, returns an empty text.
    """
    if view is None or value is None:
        return ""
    scale = view.text("scale") or ""
    if scale == "one_to_five":
        return _("{n} of 5").format(n=value)
    if scale == "minutes":
        return phrases.minutes(value) or _("0 min")
    return _ANSWERS.get((scale, value), _("all is fine"))


def windows_in_words(days: int, count: int) -> str:
    """Says in words how long `count` windows are together, for example "3 weeks". `days` is the
    length of one window.
    """
    if days == _WEEK:
        return plural("{n} week", "{n} weeks", count).format(n=count)
    if days == 1:
        return plural("{n} day", "{n} days", count).format(n=count)
    return plural("{days} days", "{n} times {days} days", count).format(n=count, days=days)


def result_in_words(view: Shown, point: Shown) -> str:
    """Puts a point, or the sum of several points, into words. Says how many answers there are, and
    how many of these are good. For a measure that counts incidents, says how many incidents
    happened, and in how much time.
    """
    count, bad = _counts(point)
    if counts_incidents(view):
        span = windows_in_words(view.number("window") or 1, max(1, count))
        return _("{bad} in {span}").format(bad=bad, span=span)
    return _("{good} of {n} answers good").format(good=count - bad, n=count)


def draw_measure(view: Shown, width: int, height: int, clock: LocalClock) -> Content:
    """Says how a measure stands. If the measure has points, draws its chart below this sentence."""
    points = view.rows("points")
    heading = Content.assemble((standing_sentence(view), "bold"), "\n")
    if not points:
        return heading
    chart_points = [_chart_point(view, point, clock) for point in points]
    usual = view.row("usual")
    usual_level = _level(view, *_counts(usual)) if usual else None
    if counts_incidents(view):
        lines = control_chart.ReferenceLines(view.number("target") or 0, usual_level)
    else:
        lines = control_chart.ReferenceLines(view.number("share") or 0, usual_level, "%", 100)
    return heading + control_chart.draw_chart(chart_points, lines, width, height) + "\n"


def measure_story(view: Shown, clock: LocalClock) -> Iterator[Part]:
    """Yields the text below the chart of a measure: how many people answered, and what the target
    is.
    """
    if view.state == IN_USE:
        yield _participation(view) + "\n"
        if view.rows("points") and not view.has("usual"):
            yield _("8 points are needed before it shows what is usual.") + "\n"
    yield (_("Target") + ": ", "dim")
    yield target_sentence(view)
    if view.text("who") == "served":
        yield " " + _("Only people served recently count.")
    yield "\n" + _("Asked by {who}, {day}.").format(
        who=phrases.name(view.author), day=phrases.moment(view.created, clock)
    )
    if view.has("until"):
        until = phrases.moment(view.text("until"), clock)
        yield " " + _("It ends with {day}, unless a matter is open then.").format(day=until)
    balance = view.row("balanced_by")
    if balance is not None:
        yield ("\n" + _("Must not get worse meanwhile") + ": ", "dim")
        yield phrases.line_or_hidden(balance.text("question"))
    earlier = view.row("continues")
    if earlier is not None:
        yield ("\n" + _("Goes on from") + ": ", "dim")
        yield f"{phrases.line_or_hidden(earlier.text('question'))} {target_sentence(earlier)}"
    yield from account_parts(view)


def account_parts(view: Shown) -> Iterator[Part]:
    """Yields what a measure cost and what it brought. Yields nothing before its first result."""
    account = view.row("account")
    if account is None or not account.number("windows"):
        return
    yield ("\n" + _("What it cost and brought") + ": ", "dim")
    yield _("{given} of {asked} answers in {span}, about {minutes} of everybody's time.").format(
        given=account.number("given"),
        asked=account.number("asked"),
        span=windows_in_words(view.number("window") or 1, account.number("windows") or 0),
        minutes=phrases.minutes(account.number("minutes")) or _("0 min"),
    )
    matters = account.number("matters") or 0
    sentence = plural("{n} matter", "{n} matters", matters).format(n=matters)
    yield " " + _("{matters}: {confirmed} confirmed, {quiet} quiet, {better} better after.").format(
        matters=sentence,
        confirmed=account.number("confirmed"),
        quiet=account.number("quiet"),
        better=account.number("better"),
    )


def report_words(view: Shown) -> StepWords:
    """Returns the label of the step that answers a measure, and the answers that its form offers.
    These answers come from the scale of the measure.
    """
    if counts_incidents(view):
        label = _("Report: {question}")
        meaning = _(
            "Tell us when it happens – and sometimes that all is well; no answer counts as no "
            "answer. Everybody in the neighbourhood can read who said what."
        )
    else:
        label = _("Answer: {question}")
        meaning = _(
            "Your latest answer in {span} counts. Everybody in the neighbourhood can read who "
            "said what; screens show it once a few have answered."
        ).format(span=windows_in_words(view.number("window") or 1, 1))
    choices = _CHOICES.get(view.text("scale") or "")
    return StepWords(
        label.format(question=phrases.line_or_hidden(view.text("question"), 60)),
        meaning,
        choices={"value": choices} if choices else {},
        fields=("value", "text", "on", "urgent"),
        rank=-1,
    )


def _counts(point: Shown) -> tuple[int, int]:
    """Returns the numbers `n` and `bad` of a point in the chart."""
    return point.number("n") or 0, point.number("bad") or 0


def _chart_point(view: Shown, point: Shown, clock: LocalClock) -> control_chart.ChartPoint:
    count, bad = _counts(point)
    limit = point.number("limit")
    window = point.number("window") or 0
    return control_chart.ChartPoint(
        window=window,
        value=_level(view, count, bad),
        limit=None if limit is None else _level(view, count, limit),
        mark=_mark(view, point),
        day=phrases.moment(point.text("from"), clock),
    )


def _level(view: Shown, count: int, bad: int) -> Fraction:
    """Returns the height of a point in the chart. This is the percentage of good answers. For a
    measure that counts incidents, it is the number of incidents in a window.
    """
    if counts_incidents(view):
        return Fraction(bad, max(1, count))
    return Fraction(100 * (count - bad), max(1, count))


def _mark(view: Shown, point: Shown) -> str:
    """Returns the character that marks a point. If the window gives no signal, returns the ordinary
    mark.

    A signal can say that several windows together miss the target. Even so, a point is not marked
    as a miss if its own window keeps the target.
    """
    for signal in view.rows("signals"):
        if signal.number("window") == point.number("window"):
            change = signal.text("change")
            if change == "worse":
                return _MARKS_OF_WORSE.get(signal.text("by") or "", control_chart.WORSE)
            if signal.flag("short") and _misses_target(view, point):
                return control_chart.SHORT
            return control_chart.BETTER if change == "better" else control_chart.ORDINARY
    return control_chart.ORDINARY


def _misses_target(view: Shown, point: Shown) -> bool:
    level = _level(view, *_counts(point))
    if counts_incidents(view):
        return level > (view.number("target") or 0)
    return level < (view.number("share") or 0)


def _participation(view: Shown) -> str:
    answered = view.row("answered") or Shown({})
    sentence = _("{people} of {of} have answered so far in this {span}.").format(
        people=answered.number("people") or 0,
        of=answered.number("of") or 0,
        span=_window_noun(view.number("window") or 1),
    )
    points = view.rows("points")
    by_proxy = points[-1].number("by_proxy") if points else None
    if by_proxy:
        sentence += " " + _("Last time, {n} by proxy.").format(n=by_proxy)
    parties = answered.row("parties")
    if parties is not None:
        sentence += "\n" + _("Apart from that, those who provide it say: {told}.").format(
            told=_parties_result(view, parties)
        )
    return sentence


def _parties_result(view: Shown, point: Shown) -> str:
    """Puts into words what the providers of the service report themselves. For a measure that
    counts incidents, gives only the number of their reports.
    """
    if not counts_incidents(view):
        return result_in_words(view, point)
    _windows, count = _counts(point)
    return plural("{n} report", "{n} reports", count).format(n=count)


def _per_window(days: int) -> str:
    if days == _WEEK:
        return _("a week")
    return _("a day") if days == 1 else _("in {days} days").format(days=days)


def _window_noun(days: int) -> str:
    if days == _WEEK:
        return _("week")
    return _("day") if days == 1 else _("time of {days} days").format(days=days)
