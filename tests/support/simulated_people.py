"""Simulates the people of a neighbourhood. They act one at a time."""

from collections.abc import Callable
from random import Random
from typing import Any

from protocol.errors import Refused
from protocol.fold.kind import Kind
from protocol.fold.registry import KINDS
from protocol.fold.view import View
from protocol.kinds.exchange.exchange import Agreement
from tests.support.council import renew
from tests.support.simulated_street import MARK, Home


def act(home: Home, random: Random) -> None:
    """Lets a person do one thing. The person first tries to answer something. If that fails, the
    person begins something new.
    """
    assert home.author is not None
    if home.author.state.epochs.current_key() is None:
        return
    ways = [_respond, _respond, _agree, _agree, _receipt, _confirm, _confirm, _close, _retract]
    ways += [_propose, _vote, _vote, _vote, _renew, _renew, _flag, _hide]
    random.shuffle(ways)
    for way in ways:
        if random.random() < 0.7 and way(home, random):
            return
    _begin(home, random)


def _begin(home: Home, random: Random) -> None:
    count = len(home.posted)
    kind = random.choice(("offer", "request", "request", "profile"))
    if kind == "profile":
        home.post("profile", {"name": home.name, "about": f"seen {count} times"})
    else:
        home.post(kind, {"title": f"{kind} {count} of {home.name}", "minutes": "30"})


def _pick(home: Home, random: Random, kind: str, fits: Callable[[Any], bool]) -> Kind | None:
    assert home.author is not None
    found = [one for one in home.author.state.views.of_kind(KINDS[kind].view_type) if fits(one)]
    return random.choice(found) if found else None


def _respond(home: Home, random: Random) -> bool:
    me = home.identity.person
    kind = random.choice(("offer", "request"))
    one = _pick(home, random, kind, lambda v: v.author != me and v.state == "open")
    words = f"{MARK} {home.name} {len(home.posted)}"
    return bool(one and home.post("response", {"text": words}, one.id))


def _agree(home: Home, random: Random) -> bool:
    assert home.author is not None
    me, views = home.identity.person, home.author.state.views

    def mine(view: Any) -> bool:
        intent = views.find(view.about or b"")
        return view.state == "waiting" and intent is not None and intent.author == me

    one = _pick(home, random, "response", mine)
    return bool(one and home.post("agreement", {}, one.id))


def _receipt(home: Home, random: Random) -> bool:
    me = home.identity.person
    one = _pick(
        home,
        random,
        "agreement",
        lambda v: v.state == "agreed" and me in {v.giver, v.receiver},
    )
    words = f"{MARK} {home.name} {len(home.posted)}"
    given = {"minutes": str(random.randint(1, 90)), "note": words}
    return bool(one and home.post("receipt", given, one.id))


def _confirm(home: Home, random: Random) -> bool:
    me = home.identity.person
    one = _pick(
        home,
        random,
        "receipt",
        lambda v: v.state != "confirmed" and v.author != me and me in {v.giver, v.receiver},
    )
    if one is None:
        return False
    if random.random() < 0.2:
        return bool(home.post("close", {"as_state": "disputed"}, one.id))
    return bool(home.post("confirm", {}, one.id))


def _close(home: Home, random: Random) -> bool:
    me = home.identity.person
    if random.random() < 0.6:
        return False
    kind, word = random.choice(
        (("offer", "withdrawn"), ("response", "withdrawn"), ("agreement", "cancelled"))
    )
    one = _pick(home, random, kind, lambda v: me in _parties(v))
    return bool(one and home.post("close", {"as_state": word}, one.id))


def _parties(view: View) -> set[bytes]:
    """Returns the author of a view, and both people of an agreement."""
    people = {view.giver, view.receiver} if isinstance(view, Agreement) else set()
    return people | {view.author}


def _retract(home: Home, random: Random) -> bool:
    me = home.identity.person
    if random.random() < 0.7:
        return False
    kind = random.choice(("offer", "request", "response", "profile"))
    one = _pick(home, random, kind, lambda v: v.author == me)
    return bool(one and home.post("retract", {}, one.id))


def _propose(home: Home, random: Random) -> bool:
    if random.random() < 0.7:
        return False
    rule = random.choice(("smallest_group", "credit_low=-", "settle_hours", "quota_records"))
    low = {"quota_records": 20_000, "settle_hours": 24}.get(rule, 1)
    value = f"{rule}{'' if '=' in rule else '='}{random.randint(low, 2 * low + 9)}"
    given = {"title": f"{value}? asks {home.name}", "change": f"charter {value}"}
    return bool(home.post("proposal", given))


def _vote(home: Home, random: Random) -> bool:
    kind = random.choice(("proposal", "renewal"))
    one = _pick(home, random, kind, lambda v: v.state == "open")
    choice = "yes" if random.random() < 0.9 else "no"
    return bool(one and home.post("vote", {"choice": choice}, one.id))


def _renew(home: Home, random: Random) -> bool:
    assert home.author is not None
    assert home.author.state.authority is not None
    if _pick(home, random, "renewal", lambda v: v.state == "open"):
        return False  # a rival comes only from a home that has not heard of this renewal
    members = sorted(home.author.state.authority.members)
    council = sorted(random.sample(members, min(3, len(members))))
    try:
        home.posted.append(renew(home.author, moderators=council).id)
    except Refused as refusal:
        home.refused.append(refusal)
        return False
    return True


def _flag(home: Home, random: Random) -> bool:
    kind = random.choice(("offer", "request"))
    one = _pick(home, random, kind, lambda v: v.author != home.identity.person)
    return bool(one and random.random() < 0.3 and home.post("flag", {"reason": "?"}, one.id))


def _hide(home: Home, random: Random) -> bool:
    one = _pick(home, random, "flag", lambda v: v.state == "open")
    return bool(one and home.post("hide", {}, one.about))
