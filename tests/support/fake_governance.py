"""The fake street with decisions, moderators, flags, hidden words, proxies and devices."""

from tests.support.fake_node import (
    ADA,
    MARIA,
    SAM,
    FakeNode,
    ident,
    intent,
    person,
    profile,
    step_row,
    street,
    term,
    view,
    waiting_row,
)

EVE, WIM = person("Eve", 4), person("Wim", 5)


def proposal(number, author, title, *, yes=(), no=(), **more):
    """Makes a decision. Without a change, the decision is a question."""
    empty = {"text": None, "change": None, "newcomers": [], "closes": None, "concerns": None}
    empty |= {"needed": 2, "voters": 3, "needed_of_roll": None, "roll": 3}
    voted = {"yes": list(yes), "no": list(no)}
    return view(number, "proposal", author, title=title, voted=voted, **(empty | more))


def governed():
    """Makes the street at Ada's home while the neighbours discuss Eve. The moderators are Ada, Sam
    and Maria.
    """
    node = street()
    node.term = term([ADA, SAM, MARIA], [ADA, SAM, MARIA], moderators_needed=2)
    node.lists["people"] += [profile(EVE, [], [])]
    unkind = intent(25, "request", EVE, "Unkind words about Sam", text="He never pays back.")
    node.lists["requests"].append(unkind)
    gone = intent(26, "offer", EVE, None, hidden=True)
    node.lists["offers"].append(gone)
    about = {"id": unkind["id"], "kind": "request", "author": EVE, "hidden": False}
    about["title"] = unkind["title"]
    away = {"id": gone["id"], "kind": "offer", "author": EVE, "title": None, "hidden": True}
    for one in (unkind, gone):
        one["created"] = "2026-11-23T09:00:00.000Z"
    node.lists["decisions"] = [
        proposal(
            60,
            SAM,
            "More time to answer",
            text="Three days are too few for who works shifts.",
            change=["rule", "answer_days", 1, 5],
            yes=[SAM],
            closes="2026-12-01",
        ),
        proposal(61, ADA, "A bench by the well?", yes=[ADA, SAM], no=[MARIA], state="passed"),
        proposal(
            62,
            MARIA,
            "Eve has to go",
            change=["standing", EVE["id"], 1, []],
            concerns=EVE,
            no=[ADA],
        ),
    ]
    node.lists["renewals"] = [
        view(
            63,
            "renewal",
            MARIA,
            title=None,
            parent=ident(90),
            joining=[EVE],
            leaving=[],
            moderators=[ADA, SAM, MARIA],
            vouchers=2,
            share=60,
            parts=[],
            voted={"yes": [MARIA], "no": []},
            needed=2,
            voters=3,
        )
    ]
    flood = {"person": EVE, "why": "A flood of offers.", "n": 1}
    node.lists["removes"] = [view(64, "remove", SAM, state="said", **flood)]
    node.lists["flags"] = [
        view(65, "flag", SAM, unkind["id"], reason="That is not true.", concerns=about)
    ]
    node.lists["hides"] = [
        view(n, "hide", who, gone["id"], "in force", hidden="yes", reason=why, concerns=away)
        for n, who, why in ((66, SAM, "An advert."), (67, MARIA, None))
    ]
    node.lists["proxies"] = [
        view(
            68, "proxy", ADA, state="in force", person=SAM, matters=["request"], until="2026-12-24"
        ),
        view(69, "proxy", MARIA, state="over", person=ADA, matters=["offer"], until="2026-11-01"),
    ]
    node.devices_here = [
        {"device": ident(98)[::-1], "person": ADA, "state": "live", "records": 12, "here": True},
        {"device": ident(97)[::-1], "person": ADA, "state": "revoked", "records": 3, "here": False},
    ]
    _let_ada_answer(node)
    node.vouched = [{"person": WIM, "vouchers": [SAM]}]
    return node


def named_alike(name, start):
    """Makes a person whose name another person has too. The id begins with `start`."""
    return {"id": start.ljust(64, "0"), "name": name, "mark": start}


BEN, CHO = person("Ben", 4), named_alike("Cho", "5ca1e0de")
LIKE_CHO = named_alike("Chо", "7e11ab1e")  # with a Cyrillic letter


def remark(code, **arguments):
    return {"code": code, "arguments": arguments}


def growing():
    """Makes a street that asks Ada whether newcomers may vote: once by one key, once by a number
    that she types.
    """
    node = street()
    by_key = [
        remark("may_vote", people=[BEN, CHO]),
        remark("vouched_by", other=BEN, people=[SAM, MARIA]),
        remark("vouched_by", other=CHO, people=[SAM]),
        remark("named_alike", actor=CHO, people=[LIKE_CHO]),
    ]
    by_number = [
        remark("may_term_begin"),
        remark("join_voters", people=[BEN, CHO]),
        remark("leave_voters", people=[SAM]),
        remark("type_to_agree", count=4),
    ]
    for number, says, count, is_typed in ((70, by_key, 5, False), (71, by_number, 4, True)):
        renewal = view(number, "renewal", SAM, title=None, parent=ident(90), moderators=[MARIA])
        renewal |= {"voted": {"yes": [SAM], "no": []}, "needed": 2, "voters": 3, "adds": []}
        renewal |= {"will_vote": count, "is_typed": is_typed}
        node.lists["renewals"].append(renewal)
        node.lists["waiting"].append(waiting_row(renewal, "vote", says=says))
        typed = count if is_typed else None
        node.steps += [
            {**row, "awaited": False, "says": says, "will_vote": typed}
            for row in vote_rows(renewal["id"])
        ]
    node.lists["newcomers"] = [
        newcomer(BEN, "votes_are_missing", count=1, total=2),
        newcomer(CHO, "wrote_too_little", count=1),
    ]
    return node


def lone_voter():
    """Makes a street in which Ada votes alone, and could let two others vote."""
    node = FakeNode()
    node.term = term([ADA], [ADA])
    says = [
        remark("may_vote", people=[BEN, SAM]),
        remark("vouched_by", other=BEN, people=[ADA]),
        remark("vouched_by", other=SAM, people=[ADA]),
        remark("type_to_agree", count=3),
    ]
    question = view(90, "renewal", ADA, title=None, will_vote=3, is_typed=True, says=says)
    step = {"kind": "renewal", "about": None, "given": {"joining": [BEN["id"], SAM["id"]]}}
    node.lists["waiting"] = [
        {**question, "because": "awaited", "step": step, "thread": ident(90), "thread_title": None}
    ]
    node.lists["newcomers"] = [newcomer(one, "one_is_asked", actor=ADA) for one in (BEN, SAM)]
    return node


def newcomer(one, code, **arguments):
    says = [remark(code, **arguments)]
    created = "2026-11-21T09:00:00.000Z"
    return {
        **one,
        "kind": "newcomer",
        "author": one,
        "created": created,
        "state": code,
        "says": says,
    }


def vote_rows(about):
    """Makes the two steps of somebody who can vote and has not voted."""
    return [
        step_row("vote", about, given={"choice": choice}, awaited=True) for choice in ("yes", "no")
    ]


def _let_ada_answer(node):
    """Gives Ada the steps of a voter and moderator, and what waits for her."""
    (removal,) = node.lists["removes"]
    (flag,) = node.lists["flags"]
    node.steps += [
        *vote_rows(60),
        *vote_rows(63),
        step_row("vote", 62, given={"choice": "yes"}),
        step_row("flag", 25, ask=["reason"]),
        step_row("hide", 25, ask=["reason"], given={"hidden": "yes"}),
        step_row("hide", 26, ask=["reason"], given={"hidden": "no"}),
    ]
    node.lists["waiting"] += [
        waiting_row(removal, "remove"),
        waiting_row(flag, "hide", about=ident(25), thread=ident(25)),
    ]
