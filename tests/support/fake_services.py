"""The fake street with services: their chains, measures, matters, and the actions that people
took.
"""

from tests.support.fake_node import (
    ADA,
    MARIA,
    SAM,
    ident,
    person,
    step_row,
    street,
    view,
    waiting_row,
)

COUNCIL, CONTRACTOR, SUB = person("Council", 6), person("Contractor", 7), person("Sub", 8)
USUAL = "as_usual"
WORSE = "worse_than_usual"
BOTH = "short_and_worse"
SHORT = "short"
BINS, MEALS, LIGHTS, SWINGS = 200, 220, 240, 260
FIRST = 2936  # the window of 6 April 2026
DAYS = 7
MEASURE_FIELDS = (
    *("question", "scale", "better", "target", "share", "window", "min_answers", "who"),
)
MISSED = (1, 2, 0, 2, 1, 3, 1, 2, None, 1, 0, 2, 7)


def link(number, author, to, about, title, state="accepted", **more):
    since = "2026-08-03T09:00:00.000Z" if state != "offered" else None
    more = {"text": None, "instead": None, "depth": 1, "since": since, **more}
    return view(number, "link", author, ident(about), state, to=to, title=title, **more)


def service(number, author, title, holder, *, links=(), chain=(), provider=None, measures=()):
    return view(
        number, "service", author, title=title, text=None, area=None, category=None, contact=None,
        hours=None, provider=provider, answers_for=provider if provider and provider["id"] else author,
        links=list(links), chain=[ident(one) for one in chain], holder=holder,
        held_since="2026-08-03T09:00:00.000Z", parties=[author, holder], measures=list(measures),
    )  # fmt: skip


def measure(number, about, question, scale, target, reading, **more):
    empty = {
        "better": "lower" if scale == "count" else "higher",
        "share": None if scale == "count" else 80,
        "window": DAYS, "min_answers": 1, "who": "everybody", "offset": 0,
        "short": False, "change": None, "matter": None, "points": [], "usual": None,
        "signals": [], "answered": {"people": 9, "of": 41, "parties": None},
    }  # fmt: skip
    asked = {"question": question, "scale": scale, "target": target, "reading": reading}
    state = more.pop("state", "in use")
    return view(number, "measure", MARIA, ident(about), state, **(empty | asked | more))


def brief(one):
    """Shortens a measure to the part that its service shows."""
    known = ("id", "question", "short", "change", "matter", "reading")
    return {name: one[name] for name in known}


def points(counts, *, n=None, limits=None):
    """Makes one point for each count. Each point is for one window, and the first window is in
    April. The count None leaves a gap.
    """
    day = lambda at: f"2026-{4 + at // 4:02d}-{6 + 7 * (at % 4):02d}"  # noqa: E731
    return [
        {
            "window": FIRST + at, "from": day(at), "n": 1 if n is None else n, "bad": bad,
            "by_proxy": 0, "limit": (limits if at > 8 else None),
        }
        for at, bad in enumerate(counts)
        if bad is not None
    ]  # fmt: skip


def signal(at, by="w1", *, short=False, change="worse"):
    return {"window": FIRST + at, "by": by, "short": short, "change": change}


def matter(number, asked, served, holder, reading, **more):
    empty = {
        "closed": None, "quiet": False, "window": FIRST + 12, "from": "2026-07-06", "n": 1, "bad": 7, "short": True,
        "change": "worse", "raised_by": 6, "i_raised_it": False, "level": 1,
        "held_since": "2026-11-21T09:00:00.000Z", "answer_by": "2026-11-24T09:00:00.000Z",
        "missed_at": "2026-11-27T09:00:00.000Z",
        "actions": [], "leading": None, "outcome": None,
    }  # fmt: skip
    named = {
        "measure": {"id": asked["id"], "question": asked["question"]},
        "service": {"id": served["id"], "title": served["title"]},
    }
    told = {"holder": holder, "reading": reading, **named}
    return view(number, "matter", MARIA, asked["id"], **(empty | told | more))


def feedback(number, author, about, served, text=None, **more):
    empty = {"value": None, "on": "2026-11-20", "link": None, "lang": None, "urgent": None}
    told = {"text": text, "service": ident(served)}
    return view(number, "feedback", author, ident(about), "said", **(empty | told | more))


def served():
    """Makes the street at Ada's home. She has reported missed bins, is responsible for the stair
    lights, and has an offer to take over the meals.
    """
    node = street()
    for one in (COUNCIL, CONTRACTOR, SUB):
        node.lists["people"].append({**node.lists["people"][0], **one, "author": one})
    bins = measure(
        210, BINS, "Were bins missed?", "count", 2, BOTH, short=True, change="worse",
        points=points(MISSED, limits=7), usual={"n": 8, "bad": 12},
        signals=[signal(12, short=True)], matter=ident(215),
        answered={"people": 9, "of": 41, "parties": {"n": 3, "bad": 1}},
    )  # fmt: skip
    good = (0, 1, 2, 0, 1, 1, 2, 0, 1, 0, 1, 6, 0)
    meals = measure(
        230, MEALS, "Was the meal warm?", "one_to_five", 4, USUAL,
        points=points(good, n=10, limits=6), usual={"n": 80, "bad": 7}, signals=[signal(11)],
    )  # fmt: skip
    lights = measure(
        250, LIGHTS, "Are the stairs lit?", "yes_no", 1, SHORT, short=True, matter=ident(255),
        points=points((3, 4, 3), n=6), signals=[signal(1, None, short=True, change=None)],
    )  # fmt: skip
    swings = measure(
        270, SWINGS, "How long was the swing broken?", "minutes", 60, WORSE, change="worse",
        matter=ident(275), points=points((3,), n=3), better="lower",
    )  # fmt: skip
    new = measure(231, MEALS, "Is it enough?", "yes_no", 1, None, state="proposed")
    outside = {"id": None, "name": "City kitchen"}
    first = link(201, COUNCIL, CONTRACTOR, BINS, "All of it")
    second = link(202, CONTRACTOR, SUB, 201, "The south side", "offered", depth=2)
    gone = link(203, COUNCIL, SAM, BINS, "All of it", "ended")
    offered = link(221, MARIA, ADA, MEALS, "Bringing them round", "offered")
    node.lists["services"] = [
        service(BINS, COUNCIL, "Bin collection", CONTRACTOR, provider=COUNCIL,
                links=[first, second, gone], chain=[201], measures=[brief(bins)]),
        service(MEALS, MARIA, "Meals at home", MARIA, provider=outside, links=[offered],
                measures=[brief(meals), brief(new)]),
        service(LIGHTS, ADA, "Stair lights", ADA, measures=[brief(lights)]),
        service(SWINGS, COUNCIL, "The playground", COUNCIL, measures=[brief(swings)]),
    ]  # fmt: skip
    bin_service, _meals, light_service, swing_service = node.lists["services"]
    for number, one in zip((58, 57, 56, 55), node.lists["services"], strict=True):
        one["created"] = f"2026-08-01T17:{number}:00.000Z"
    node.lists["measures"] = [bins, meals, new, lights, swings]
    did = {"id": ident(216), "owner": CONTRACTOR, "what": "A second lorry", "due": "2026-11-25"}
    node.lists["matters"] = [
        matter(
            215, bins, bin_service, CONTRACTOR, BOTH, i_raised_it=True, answer_by=None,
            leading={**did, "state": "reported done", "fixed": {"partly": 1}},
            actions=[ident(216)],
            outcome={
                "before": {"n": 1, "bad": 7}, "after": {"n": 1, "bad": 1},
                "result": "fewer",
            },
        ),
        matter(255, lights, light_service, ADA, SHORT, n=6, bad=3, change=None),
        matter(
            275, swings, swing_service, None, WORSE, n=3, bad=3, level=-1, answer_by=None,
        ),
    ]  # fmt: skip
    cited = {"window": FIRST + 12, "n": 1, "bad": 7, "answers": "00" * 32}
    node.lists["actions"] = [
        view(
            216, "action", CONTRACTOR, bins["id"], "reported done", owner=CONTRACTOR,
            what="A second lorry", due="2026-11-25", done=[ident(217)], matter=ident(215),
            leads=True, fixed={"partly": 1}, i_raised_it=True, i_said=None, **cited,
        )
    ]  # fmt: skip
    node.lists["reports"] = [
        view(217, "done", CONTRACTOR, ident(216), "said", text="It runs since Monday.")
    ]
    node.lists["verdicts"] = [
        view(218, "verdict", SAM, ident(216), "said", fixed="partly", text="Not on the hill.")
    ]
    node.lists["feedback"] = [
        feedback(211, ADA, 210, BINS, "Missed again.", value=1, matter=ident(215)),
        feedback(212, SAM, 210, BINS, "Ours as well.", value=1),
        feedback(213, MARIA, 210, BINS, None, held_back=True),
        feedback(222, ADA, MEALS, MEALS, "The soup was good.", on="2026-11-18"),
    ]
    node.lists["answers"] = [
        view(223, "answer", MARIA, ident(222), "said", text="Thank you!", reason=None, to=None),
        view(219, "answer", CONTRACTOR, bins["id"], "said", text="The lorry broke down.",
             reason="explained", to=None),
    ]  # fmt: skip
    _let_ada_answer(node)
    return node


def _let_ada_answer(node):
    """Gives Ada the steps of somebody who uses these services, and what waits for her."""
    for number in (BINS, MEALS, LIGHTS, SWINGS):
        node.steps += [
            step_row("feedback", number, ask=["text", "on", "urgent"]),
            step_row("measure", number, ask=MEASURE_FIELDS),
        ]
    for number in (210, 230, 231, 250, 270):
        node.steps.append(step_row("answer", number, ask=["text", "reason", "to"]))
    for number in (210, 230, 250, 270):  # 231 is not in use
        node.steps += [
            step_row("feedback", number, ask=["value", "text", "on", "urgent"]),
            step_row("action", number, ask=["what", "due"]),
        ]
    node.steps += [
        step_row("accept", 221, awaited=True),
        step_row("close", 221, ask=["why"], given={"as_state": "declined"}),
        step_row("link", LIGHTS, ask=["to", "title", "text"]),
        step_row("close", LIGHTS, ask=["why"], given={"as_state": "ended"}),
        *(step_row("answer", report, ask=["text", "reason", "to"]) for report in (211, 212, 213)),
        *report_rows(),
    ]
    for fixed in ("yes", "partly", "no"):
        given = {"fixed": fixed}
        node.steps.append(step_row("verdict", 216, ask=["text"], given=given, awaited=True))
    _missed, _warm, _enough, lit, broken = node.lists["measures"]
    _about_bins, about_lights, about_swings = node.lists["matters"]
    node.lists["waiting"] += [
        waiting_row(lit, "action", thread=ident(LIGHTS), matter=about_lights),
        {
            **waiting_row(broken, "proposal", thread=ident(SWINGS), matter=about_swings),
            "step": {"kind": "proposal", "about": None},  # it begins a thread
        },
    ]


def report_rows():
    """Makes the steps with which Ada says whether her report is about the same incident as Sam's."""
    return [
        step_row("same_as", 211, ask=["other"], among=[ident(212)]),
        step_row("same_as", 211),
    ]
