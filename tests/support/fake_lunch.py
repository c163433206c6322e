"""The fake street with a weekly lunch. Sam organises the lunch, Maria has the last place, and Ada
waits for a place.
"""

from tests.support.fake_node import ADA, MARIA, SAM, step_row, street, view

DAY, PAST = "2026-11-26", "2026-11-19"


def role(name, places, has=(), waits=()):
    return {"role": name, "places": places, "has": list(has), "waits": list(waits)}


def occurrence(on, *roles, came=(), attended=False, missed=()):
    return {
        "on": on, "state": "open", "roles": list(roles), "attended": attended,
        "came": list(came), "missed": list(missed),
    }  # fmt: skip


def signup(number, author, root, name="cook", **more):
    about = {"role": name, "on": DAY, "accepted": False}
    return view(number, "signup", author, root["id"], **({"state": "placed"} | about | more))


def lunch(organiser=SAM):
    node = street()
    days = [occurrence(DAY, role("cook", 1, [MARIA], [ADA]), role("server", 4))]
    root = view(
        60, "activity", organiser, title="Lunch at the hall", text="Soup, and who likes sings.",
        starts=f"{PAST}T12:30", minutes=90, repeats="FREQ=WEEKLY", area="the hall", lang=None,
        roles={"cook": 1, "server": 4}, offset=0, occurrences=days,
        upcoming=[DAY, "2026-12-03"],
    )  # fmt: skip
    node.lists["activities"] = [root]
    node.lists["signups"] = [signup(61, MARIA, root), signup(62, ADA, root, state="waiting")]
    node.steps += [
        *(step_row("signup", 60, given={"on": "2026-12-03", "role": one}) for one in root["roles"]),
        step_row("close", 62, given={"as_state": "withdrawn"}, ask=("why",)),
        step_row("flag", 60, ask=("reason",)),
    ]
    return node


def organised():
    """Makes the street with the weekly lunch, as the home of the organiser Sam shows it after the
    first lunch.
    """
    node = lunch(ADA)
    (root,) = node.lists["activities"]
    root["occurrences"].insert(0, occurrence(PAST, role("cook", 1, [SAM]), role("server", 4)))
    node.lists["signups"].append(signup(63, SAM, root, on=PAST))
    return node


def attended():
    """Makes the street with the weekly lunch after the organiser Sam has written down who came."""
    node = organised()
    (root,) = node.lists["activities"]
    root["occurrences"][0] |= {"attended": True, "came": [SAM], "missed": []}
    node.lists["attendances"] = [
        view(64, "attendance", ADA, root["id"], "written", people=[SAM, ADA], on=PAST, held=None)
    ]
    return node
