"""A fake node: it speaks `protocol.control` on a real Unix socket, and keeps a street in memory."""

import asyncio
import copy
import os
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path

from protocol.wire import invitation
from protocol.wire.local_rpc import (
    HELLO,
    SUBSCRIBE,
    VERSION,
    Decoder,
    Error,
    Event,
    Response,
    encode,
)
from tests.support.clocks import clock_at
from tui.app import MeshcoopApp
from tui.screens.pane import Pane
from tui.widgets.card_list import CardList

NOW = "2026-11-23T18:00Z"
INVITATION = invitation.encode(
    invitation.Invitation(bytes(range(32)), bytes(range(16)), ("/ip4/192.0.2.7/tcp/4001",))
)
CLOCK = clock_at(NOW)


def ident(number):
    return f"{number:064x}"


def person(name, number):
    return {"id": ident(number), "name": name}


PLANNED = ("activities", "signups", "attendances")
TOGETHER = ("circles", "messages", "pacts", "pages", "revisions")
GOVERNING = ("decisions", "renewals", "removes", "flags", "hides", "proxies", "charters")
SERVING = (
    *("services", "measures", "matters", "actions", "trials", "ideas"),
    *("feedback", "answers", "reports", "verdicts"),
)
ADA, SAM, MARIA = person("Ada", 1), person("Sam", 2), person("Maria", 3)


def intent(number, kind, author, title, **more):
    empty = dict.fromkeys(
        ("text", "minutes", "area", "starts", "until", "repeats", "places", "lang", "tags")
    )
    return {
        **empty,
        "id": ident(number),
        "kind": kind,
        "author": author,
        "created": f"2026-11-23T17:{number % 60:02d}:00.000Z",
        "about": None,
        "state": "open",
        "title": title,
        "responses": [],
        **more,
    }


def response(number, author, about, **more):
    return {
        "id": ident(number),
        "kind": "response",
        "author": author,
        "created": f"2026-11-23T17:{number % 60:02d}:00.000Z",
        "about": about,
        "state": "waiting",
        "minutes": 90,
        "when": "2026-11-26T09:30",
        "text": None,
        "agreement": None,
        **more,
    }


def told(view):
    return {
        "id": view["id"],
        "kind": view["kind"],
        "author": view["author"],
        "created": view["created"],
        "about": view["about"],
        "counted": True,
        "note": None,
    }


def step_row(kind, about, *, given=None, ask=(), suggested=None, among=None, awaited=False):
    """Makes a row of `next_steps`. `about` and `among` are numbers or ids of records."""
    return {
        "kind": kind,
        "about": ident(about) if isinstance(about, int) else about,
        "ask": list(ask),
        "given": given or {},
        "suggested": suggested or {},
        "among": among,
        "awaited": awaited,
        "because": "awaited" if awaited else "possible",
    }


def waiting_row(view, kind, about=None, *, thread=None, title=None, **more):
    """Makes a row of `list waiting`: a view that waits for a record of this kind."""
    return {
        **view,
        **more,
        "title": view.get("title") or title,
        "thread": thread or view["id"],
        "because": "awaited",
        "step": {"kind": kind, "about": about or view["id"]},
    }


class FakeNode:
    """A fake node. `lists` holds the answers of the node. `posted` holds the records that the
    screen asked the node to post. `steps` are all rows of `next_steps`. The awaited rows of `steps`
    also appear in the list `waiting`.
    """

    def __init__(self):
        self.me = ADA
        self.invited = []  # the params of each invitation that was made
        self.points = 60  # of every measure
        self.rehearsed = []  # what the screen asked the node to rehearse
        self.lists = {
            "requests": [],
            "offers": [],
            "agreements": [],
            "receipts": [],
            "activities": [],
            "signups": [],
            "attendances": [],
            "corrections": [],
            "thanks": [],
            "people": [],
            "suggestions": [],
            **{name: [] for name in (*TOGETHER, *GOVERNING, *SERVING)},
        }
        self.lists |= {
            "waiting": [],
            "board": [],
            "newcomers": [],
            "moved": [],
        }  # in addition to rows made from the rest
        self.steps = []
        self.ways = {}  # ways of an introduction to a person, by the person's id
        self.lists["charters"] = [charter()]
        self.term = term([ADA, SAM, MARIA], [MARIA])
        self.vouched = []
        self.devices_here = []
        self.renewed = []
        self.muted = []
        self.balances = []
        self.hours = {}  # lines of a balance, by person
        self.knocks = []
        self.name = "Rushey Lane"
        self.posted = []
        self.approved = []
        self.addresses = {}
        self.given = []
        self.refusal = self.advice = None
        self.belongs = True
        self.peers = [SAM, MARIA]
        self.subscribed = asyncio.Event()
        self._writers = set()
        self._server = None

    # -- what it answers --------------------------------------------------------------------------

    def status(self, params):
        known = {"pid": 1, "ready": True, "peer_id": "12D3", "addresses": [], "time": NOW}
        if not self.belongs:
            nobody = {"neighbourhood": None, "person": None, "device": None, "peers": []}
            return {**known, **nobody, "records": 0, "waiting": {"admission": True}}
        return {
            **known,
            "neighbourhood": {"id": ident(99), "name": self.name},
            "person": self.me,
            "device": ident(98),
            "timezone": None,
            "peers": [
                {"peer_id": "12D3", "person": one, "address": None, "since": "2026-11-23T17:00Z"}
                for one in self.peers
            ],
            "records": 12,
            "muted": self.muted,
            "term": self.term,
            "set_hash": ident(97),
            "state_hash": ident(96),
            "waiting": {"knocks": self.knocks, "vouched": self.vouched, "unplaced": 0},
        }

    def invite(self, params):
        self.invited.append(params)
        return {"invitation": INVITATION, "expires": "2026-11-30T18:00Z"}

    def rehearse(self, params):
        """Answers like a node that knows 60 results of the measure, or what is assumed."""
        self.rehearsed.append(params)
        if self.points < 26 and "rate" not in params:
            raise ValueError(f"There are {self.points} points, and a rehearsal needs 26.")
        (measure,) = [one for one in self.lists["measures"] if one["id"] == params["measure"]]
        numbers = {name: params.get(name, measure[name]) for name in ("target", "share", "window")}
        assumed = "rate" in params
        is_count = measure["scale"] == "count"
        change = {"before": 1.1, "after": 3.1} if is_count else {"before": 90, "after": 70}
        return {
            "measure": measure["id"], "source": measure["id"], "points": self.points, **numbers,
            "assumed": assumed, "rate": params.get("rate"), "answers": params.get("answers"),
            "resamplings": params.get("resamplings", 1000), "of": 1000,
            "replayed": None
            if assumed
            else {"windows": 61, "matters": 2, "opened": ["2025-12-01", "2026-06-08"]},
            "alarms": {"low": 1, "high": 4, "mean": 2.2, "median": 2},
            "by_chance": {"low": 1, "high": 4, "mean": 2.2, "median": 2} if assumed else None,
            "detects": {**change, "low": 3, "high": 6, "mean": 4.4, "median": 4},
        }  # fmt: skip

    def list(self, params):
        found = self.lists[params["what"]]
        if params["what"] == "waiting":
            return copy.deepcopy([*self._awaited(), *found])
        if params["what"] == "board":
            names = ("requests", "offers", "activities", "thanks", "board")
            found = [one for name in names for one in self.lists[name]]
        if params["what"] == "people":
            return [{**one, "muted": self._is_muted(one)} for one in copy.deepcopy(found)]
        wanted = bool(params.get("muted"))
        found = [one for one in found if self._is_muted(one["author"]) == wanted]
        if params.get("state"):
            found = [one for one in found if one["state"] == params["state"]]
        if params["what"] == "suggestions":
            about = params.get("about")
            return copy.deepcopy([one for one in found if about in {None, one["author"]["id"]}])
        if params.get("about") and params["what"] == "matters":
            found = [one for one in found if one["measure"]["id"] == params["about"]]
        elif params.get("about"):
            found = [one for one in found if self._root(one) == params["about"]]
        return copy.deepcopy(sorted(found, key=lambda one: one["created"], reverse=True))

    def show(self, params):
        view = self._views()[params["id"]]
        root = self._root(view)
        thread = [one for one in self._views().values() if self._root(one) == root]
        thread.sort(key=lambda one: one["created"])
        shown = {**view, "history": [told(one) for one in thread]}
        if params.get("whole"):
            shown["views"] = thread
        return copy.deepcopy(shown)

    def next_steps(self, params):
        return copy.deepcopy([row for row in self.steps if self._thread_of(row) == params["id"]])

    def introductions(self, params):
        ways = self.ways.get(params["person"], [])
        return {"person": params["person"], "steps": None, "ways": ways}

    def balance(self, params):
        if params.get("person") is None:
            return self.balances
        rows = {one["person"]["id"]: one for one in self.balances}
        names = ("given", "received", "balance", "gifts_given", "gifts_received")
        nothing = dict.fromkeys(names, 0)
        row = rows.get(
            params["person"], {"person": {"id": params["person"], "name": "?"}, **nothing}
        )
        return {**row, "history": self.hours.get(params["person"], [])}

    def search(self, params):
        words = params["words"].casefold().split()
        return [
            view
            for view in self._views().values()
            if all(word in str(view.get("title", "")).casefold() for word in words)
        ]

    def post(self, params):
        if self.refusal:
            raise ValueError(self.refusal)
        self.posted.append(params)
        advice = {"advice": self.advice} if self.advice else {}
        return {"id": ident(500 + len(self.posted)), **advice}

    def renew(self, params):
        if self.refusal:
            raise ValueError(self.refusal)
        self.renewed.append(params)
        return {"id": ident(499)}

    def devices(self, params):
        assert params["person"] == self.me["id"]
        return self.devices_here

    def mute(self, params):
        (one,) = [one for one in (ADA, SAM, MARIA) if one["id"] == params["person"]]
        self.muted = [each for each in self.muted if each != one]
        self.muted += [] if params.get("off") else [one]
        self.tell()
        return {"person": one, "muted": not params["off"]}

    def _is_muted(self, one):
        return one["id"] in {each["id"] for each in self.muted}

    def show_address(self, params):
        if params["agreement"] not in self.addresses:
            raise ValueError("No address has come yet.")
        return self.addresses[params["agreement"]]

    def give_address(self, params):
        self.given.append(params)
        return {"agreement": params["agreement"], "state": "delivered", "to": MARIA}

    def forget_address(self, params):
        del self.addresses[params["agreement"]]
        return {"agreement": params["agreement"], "state": "forgotten"}

    def approve(self, params):
        self.approved.append(params["person"])
        return {"person": params["person"], "state": "member"}

    def _views(self):
        intents = [*self.lists["requests"], *self.lists["offers"]]
        responses = [each for one in intents for each in one["responses"]]
        rest = [
            one
            for name in ("agreements", "receipts", "corrections", "thanks")
            for one in self.lists[name]
        ]
        rest += [
            one for name in (*TOGETHER, *PLANNED, *GOVERNING, *SERVING) for one in self.lists[name]
        ]
        links = [link for one in self.lists["services"] for link in one["links"]]
        return {one["id"]: one for one in [*intents, *responses, *rest, *links]}

    def _awaited(self):
        views = self._views()
        # Several ways to answer, such as a yes and a no, are one thing that waits.
        awaited = {(row["kind"], row["about"]): row for row in self.steps if row["awaited"]}
        for row in awaited.values():
            root = views[self._thread_of(row)]
            title = root.get("title")
            yield waiting_row(views[row["about"]], row["kind"], thread=root["id"], title=title)

    def _thread_of(self, row):
        return self._root(self._views()[row["about"]])

    def _root(self, view):
        views = self._views()
        while view["about"] in views:
            view = views[view["about"]]
        return view["id"]

    # -- the socket -------------------------------------------------------------------------------

    async def start(self, path):
        self._server = await asyncio.start_unix_server(self._attend, os.fspath(path))

    async def stop(self):
        self._server.close()
        for writer in list(self._writers):
            writer.close()

    def tell(self, topic="changed", payload=None):
        for writer in self._writers:
            writer.write(encode(Event(topic, payload or {"stored": 1})))

    async def _attend(self, reader, writer):
        decoder = Decoder()
        self._writers.add(writer)
        try:
            while data := await reader.read(65536):
                decoder.feed(data)
                for request in decoder:
                    writer.write(encode(self._answer(request)))
                await writer.drain()
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            self._writers.discard(writer)
            writer.close()

    def _answer(self, request):
        if request.method == HELLO:
            return Response(request.id, result={"version": VERSION})
        if request.method == SUBSCRIBE:
            self.subscribed.set()
            return Response(request.id, result={})
        try:
            result = getattr(self, request.method)(request.params)
            if isinstance(result, list):
                result = page(result, request.params)
            return Response(request.id, result=result)
        except ValueError as error:
            return Response(request.id, Error("refused", str(error)))


def page(rows, params):
    """Makes a page of rows, as the local API does."""
    keys = [str(one.get("id", number)) for number, one in enumerate(rows)]
    start = keys.index(params["after"]) + 1 if params.get("after") else 0
    end = start + (500 if params.get("limit") is None else params["limit"])
    following = keys[end - 1] if start < end < len(rows) else None
    return {"rows": rows[start:end], "total": len(rows), "next": following}


def street():
    """Makes a fake node at Ada's home, with a small street."""
    node = FakeNode()
    lift = intent(
        30,
        "request",
        ADA,
        "A lift to the eye clinic",
        minutes=90,
        starts="2026-11-26T09:30",
        area="south side",
        tags=["transport"],
        text="I cannot see well enough to take the bus on my own.",
    )
    lift["responses"] = [
        response(31, SAM, lift["id"], text="I can fetch you. Ring twice, the bell is slow.")
    ]
    shirts = intent(20, "request", MARIA, "Three shirts taken in", minutes=60)
    shelves = intent(21, "request", SAM, "Help with the shelves", area="the shop's back room")
    bread = intent(22, "offer", SAM, "Bread rolls on Saturday", minutes=30, area="corner shop")
    yoruba = intent(23, "offer", ADA, "An hour of Yoruba", minutes=60)
    weeding = intent(10, "offer", MARIA, "An hour of weeding", minutes=60)
    weeding["created"] = "2026-11-21T10:00:00.000Z"
    weeding["responses"] = [response(11, ADA, weeding["id"], state="accepted", minutes=60)]
    weeding["responses"][0]["created"] = "2026-11-21T12:00:00.000Z"
    agreement = {
        **told(weeding),
        "id": ident(12),
        "kind": "agreement",
        "author": MARIA,
        "created": "2026-11-22T10:00:00.000Z",
        "about": ident(11),
        "state": "agreed",
        "intent": weeding["id"],
        "giver": MARIA,
        "receiver": ADA,
        "minutes": 60,
        "when": "2026-11-22",
        "receipts": [{"id": ident(13), "state": "proposed", "minutes": 60, "on": "2026-11-22"}],
    }
    receipt = {
        **told(weeding),
        "id": ident(13),
        "kind": "receipt",
        "author": MARIA,
        "created": "2026-11-22T12:00:00.000Z",
        "about": ident(12),
        "state": "proposed",
        "giver": MARIA,
        "receiver": ADA,
        "minutes": 60,
        "on": "2026-11-22",
        "note": "The roses, too.",
        "duplicate": False,
    }
    node.lists["requests"] = [lift, shirts, shelves]
    node.lists["offers"] = [bread, yoruba, {**weeding, "state": "agreed"}]
    node.lists["agreements"] = [agreement]
    node.lists["receipts"] = [receipt]
    node.lists["people"] = [
        profile(ADA, ["hemming", "Yoruba", "listening"], ["a lift now and then"]),
        profile(MARIA, ["blood pressure checks"], ["a Yoruba speaker"], "Community nursing"),
        profile(SAM, ["driving"], ["shirts taken in"]),
    ]
    node.balances = [
        balance(ADA, received=150),
        balance(MARIA, given=60),
        balance(SAM, given=90),
    ]
    terms = {"minutes": 90, "when": "2026-11-26T09:30"}
    node.steps = [
        step_row("agreement", 31, ask=("minutes", "when"), suggested=terms, awaited=True),
        step_row("response", 31, ask=("minutes", "when", "text"), suggested=terms),
        step_row("close", 31, given={"as_state": "declined"}, ask=("why",)),
        step_row("close", 30, given={"as_state": "withdrawn"}, ask=("why",)),
        step_row("confirm", 13, awaited=True),
        step_row("close", 13, given={"as_state": "disputed"}, ask=("why",)),
        step_row("close", 12, given={"as_state": "cancelled"}, ask=("why",)),
        step_row("flag", 10, ask=("reason",)),
        step_row(
            "response",
            20,
            ask=("minutes", "when", "text"),
            suggested={"minutes": 60, "when": "2026-11-28"},
        ),
    ]
    node.lists, node.balances = copy.deepcopy((node.lists, node.balances))
    return node


def balance(person, given=0, received=0, gifts_given=0, gifts_received=0):
    sums = {"given": given, "received": received, "balance": given - received}
    return {
        "person": person,
        **sums,
        "gifts_given": gifts_given,
        "gifts_received": gifts_received,
    }


def view(number, kind, author, about=None, state="open", **more):
    return {
        "id": ident(number),
        "kind": kind,
        "author": author,
        "created": f"2026-11-23T17:{number % 60:02d}:00.000Z",
        "about": about,
        "state": state,
        **more,
    }


def term(roll, moderators, **more):
    """Makes a term: `roll` are the people who vote, `moderators` the people who moderate."""
    known = {"roll": roll, "moderators": moderators, "vouchers": 1, "share": 50}
    return {"id": ident(90), "since": "2026-11-01T10:00:00.000Z", **known, "settled": True, **more}


def charter():
    """Makes the rules of a new charter."""
    rules = {
        "name": "Rushey Lane",
        "moderators": [MARIA],
        "vouchers": 1,
        "share": 50,
        "quota_records": 250,
        "quota_bytes": 262144,
        "credit_low": -600,
        "credit_high": 1200,
        "smallest_group": 3,
        "room": 10,
        "settle_hours": 72,
        "answer_days": 3,
        "offset": 0,
        "timezone": None,
        "review": None,
    }
    return view(99, "charter", MARIA, state="in force", founders=[], **rules)


def profile(one, assets, wants, affiliation=None):
    return {
        **one,
        "kind": "person",
        "author": one,
        "created": "2026-11-20T10:00:00.000Z",
        "state": "member",
        "about": None,
        "assets": assets,
        "wants": wants,
        "languages": [],
        "area": None,
        "affiliation": affiliation,
        "minutes_a_month": None,
    }


@asynccontextmanager
async def opened(node, *, size=(80, 24), guides=None):
    """Opens the screen on `node` in the pilot, Textual's test driver. Waits until the screen knows
    the node's status.
    """
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "api.sock"
        await node.start(path)
        app = MeshcoopApp(path, guides)
        app.animation_level = "none"
        try:
            async with app.run_test(size=size) as pilot:
                await until(pilot, lambda: app.node.status is not None)
                yield pilot
        finally:
            await node.stop()


def on_screen(scenario=None, *, node=None, size=(80, 24)):
    """Makes a test of `scenario`, a function that gets the pilot and the node.

    The scenario runs in asyncio, because the async tests of the suite run in Trio.
    """

    def make(scenario):
        def test():
            async def run():
                there = (node or street)()
                async with opened(there, size=size) as pilot:
                    await scenario(pilot, there)

            asyncio.run(run())

        test.__name__, test.__doc__ = scenario.__name__, scenario.__doc__
        return test

    return make if scenario is None else make(scenario)


async def until(pilot, condition, tries=1500):
    """Waits until `condition` holds. If this takes too long, fails and prints the screen."""
    for _ in range(tries):
        if condition():
            return
        await pilot.pause(0.01)
    raise AssertionError("it did not come; the screen shows:\n" + picture(pilot.app))


async def enter_list(pilot, selector):
    """Puts the focus on the cards of a list, and returns them.

    First waits until the pane around the list has put the focus on a list of its own choice. It
    does so once it has loaded, so it would take the focus away again.
    """
    feed = pilot.app.screen.query_one(selector)
    pane = next((above for above in feed.ancestors if isinstance(above, Pane)), None)
    if pane is not None:
        await until(pilot, lambda: pilot.app.focused in pane.query(CardList))
    feed.cards.focus()
    await until(pilot, lambda: feed.cards.has_focus)
    return feed.cards


async def shows(pilot, *texts, tries=1500):
    """Waits until the screen shows all these texts."""
    await until(pilot, lambda: all(text in picture(pilot.app) for text in texts), tries)


async def chooses(pilot, label):
    """Opens the card whose label begins with `label`, in the list that has the cursor."""
    cards = pilot.app.focused
    labels = [str(cards.get_option_at_index(n).prompt) for n in range(cards.option_count)]
    cards.highlighted = next(n for n, one in enumerate(labels) if one.startswith(label))
    await pilot.press("enter")


def picture(app):
    """Returns the text that the terminal would show now."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(part.text for part in strip).rstrip() for strip in strips)
