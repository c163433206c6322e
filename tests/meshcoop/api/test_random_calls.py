"""Whatever a program asks a node, the node answers or refuses it; it never makes a mistake (R-06.15).

The calls are random. The values fit the declared params often enough to get past the first check.
"""

import os
from contextlib import closing
from dataclasses import MISSING, replace
from functools import partial
from random import Random

import pytest
import trio
from trio.testing import MockClock, memory_stream_pair

from meshcoop.api.methods.method_table import Methods
from meshcoop.api.server import ApiServer
from meshcoop.author.founding import Identity, found_neighbourhood
from meshcoop.errors import USAGE_RULES, Mistake
from meshcoop.home import key_file
from meshcoop.home.folder import Home
from meshcoop.home.key_file import HeldDevice
from meshcoop.node.node import run_node
from meshcoop.store.store import Store
from meshcoop.testing.memory_network import MemoryNetwork
from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.wire import calls, param_fields
from protocol.wire.calls import params_of, rule_of
from protocol.wire.local_rpc import Decoder, Request, encode, hello_request

CALLS = 1200
CODE_FAILED = "R-10.16b"  # the rule of a refusal that stands for a fault in a kind's code
NOW = 1_790_000_000_000
STARTS = [
    ("request", {"title": "A lift", "minutes": 30}),
    ("activity", {"title": "Lunch", "starts": "2026-09-21T12:00", "roles": ["cook=1"]}),
    ("service", {"title": "The bins"}),
    ("circle", {"name": "Choir", "members": []}),
    ("proposal", {"title": "A tree?"}),
    ("page", {"title": "The shed", "text": "The key hangs there."}),
]
WORDS = {
    "as": ["Ada"],
    "person": ["Ada"],
    "kind": list(KINDS),
    "what": [
        "waiting",
        "board",
        "people",
        "suggestions",
        *(kind.plural for kind in KINDS.values()),
    ],
    "state": ["open", "in force"],
    "words": ["lift", "the shed", "?"],
    "addresses": [["/ip4/192.0.2.1/tcp/4001"]],
}
JUNK = [
    *(
        None,
        True,
        False,
        0,
        -1,
        2**63 - 1,
        1.5,
        b"",
        b"\x00" * 32,
        "",
        " ",
        "no",
        "\u200b",
        "é" * 99,
    ),
    *("2026-09-21", "0001-01-01", "9999-12-31T23:59", "2026-02-30", "FREQ=DAILY", "cook=2"),
    *([], [None], [[]], [1, "x"], {}, {"": None}, {"cook": [None]}, ["remove", "Ada"]),
    *("remove Ada", "charter review=9999-01-01", "charter x=y", "adopt 00000000", "yes", "ended"),
]


def now():
    return NOW + int(trio.current_time() * 1000)


async def exchange(stream, decoder, request):
    """Sends a request to a node, and returns the answer."""
    await stream.send_all(encode(request))
    while (frame := next(iter(decoder), None)) is None:
        decoder.feed(await stream.receive_some(65536))
    assert frame.id == request.id
    return frame


def found(folder):
    """Founds a neighbourhood of one person in a new home. Returns the home and its keys."""
    home = Home(folder)
    home.create()
    identity = Identity.new(os.urandom)
    held = HeldDevice(
        identity.person, identity.device_seed, identity.statement, key_file.machine_id()
    )
    keys = key_file.new_keys((held,), identity.root_seed)
    with closing(Store(home.store_file, keys.store_key)) as store:
        charter = {"name": "Lane", "quota_records": 100_000}
        author = found_neighbourhood(store, identity, charter, "Ada", now, os.urandom)
    keys = replace(keys, neighbourhood=author.state.neighbourhood)
    unlocked = key_file.create_key_file(home.key_file, "brass kettle", keys)
    return home, unlocked


async def with_node(folder, use, *, has_lost_store=False):
    """Runs a node in memory, and passes its methods to `use`."""
    home, unlocked = found(folder)
    if has_lost_store:
        for file in folder.glob("store.db*"):
            file.unlink()
    network = MemoryNetwork(Random(1))
    stop = trio.Event()
    ready, nodes = trio.open_memory_channel(1)
    async with trio.open_nursery() as nursery:
        run = partial(run_node, stop=stop, on_ready=ready.send_nowait)
        nursery.start_soon(run, home, unlocked, lambda *_: network.host("ada"), now, os.urandom)
        await use(Methods(await nodes.receive()))
        stop.set()


class Caller:
    """Draws calls at random. `ids` are records that the node knows."""

    def __init__(self, seed, table):
        self.dice = Random(seed)
        self.table = {name: method for name, method in table.items() if name != "stop"}
        self.ids = []

    def draw(self):
        """Returns the name of a method, and params that may or may not fit."""
        name = self.dice.choice([*self.table, *["post"] * 20, "list", "show"])
        params = {
            param: self.value(param, rule_of(field))
            for param, field in params_of(self.table[name].call_type).items()
            if self.dice.random() < (0.95 if field.default is MISSING else 0.3)
        }
        if name == "post" and self.dice.random() < 0.9:
            params = self.draw_record()
        if self.dice.random() < 0.05:
            params[self.dice.choice(["asx", "", "fields ", "x" * 200])] = self.junk()
        return name, params

    def value(self, name, rule):
        if self.dice.random() < 0.1:
            return self.junk()
        if name in {"id", "about", "agreement"}:
            return self.dice.choice(self.ids)
        if name in WORDS:
            return self.dice.choice(WORDS[name])
        if isinstance(rule, param_fields.ListOf):
            return [self.value(name, rule.of) for _ in range(self.dice.randrange(3))]
        fitting = {
            param_fields.Flag: [True, False],
            param_fields.Count: [0, 1, 7, 10**9],
            param_fields.Seconds: [0, 1, 0.5],
            param_fields.IdPrefix: [*self.ids, "0" * 64],
            param_fields.Hexadecimal: ["0" * 64, "ab" * 99],
            param_fields.RecordWire: [self.dice.randbytes(40)],
        }
        return self.dice.choice(fitting.get(type(rule), [*self.ids, "Ada"]))

    def junk(self):
        return self.dice.choice([*JUNK, *self.ids])

    def draw_record(self):
        declared = self.dice.choice([declared for declared in KINDS.values() if declared.posted])
        example = {**declared.view_type.example, "title": "A", "name": "Ada", "as_state": "ended"}
        fields = {
            name: self.junk() if self.dice.random() < 0.15 else example.get(name, self.junk())
            for name, rule in declared.fields.items()
            if self.dice.random() < (0.95 if rule.required else 0.3)
        }
        about = {} if declared.is_root else {"about": self.dice.choice(self.ids)}
        return {"kind": declared.name, "fields": plain(fields), **about}


def plain(value):
    """Returns an example of a field as programs type it: people and records as texts."""
    match value:
        case bytes() if len(value) == 32:
            return "Ada"
        case list():
            return [plain(part) for part in value]
        case dict():
            return {name: plain(part) for name, part in value.items()}
    return value


def fits(call_type, params):
    """Returns whether a method takes params of these names, with booleans where it wants some."""
    declared = params_of(call_type)
    return params.keys() <= declared.keys() and all(
        type(params[name]) in {bool, type(None)}
        for name, field in declared.items()
        if isinstance(rule_of(field), param_fields.Flag) and name in params
    )


@pytest.mark.parametrize(
    ("seed", "count"), [(1, CALLS), pytest.param(2, 50 * CALLS, marks=pytest.mark.long)]
)
def test_random_calls_are_answered_or_refused(tmp_path, seed, count):
    async def call_often(methods):
        table = methods.table()
        caller = Caller(seed, table)
        ours, theirs = memory_stream_pair()
        decoder = Decoder()
        codes = set()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(ApiServer(table, None).serve_client, theirs)
            assert (await exchange(ours, decoder, hello_request(0))).error is None
            for number, (kind, fields) in enumerate(STARTS, 1):
                params = {"kind": kind, "fields": fields}
                answer = await exchange(ours, decoder, Request(number, "post", params))
                caller.ids.append(answer.result["id"])
            for number in range(10, 10 + count):
                name, params = caller.draw()
                answer = await exchange(ours, decoder, Request(number, name, params))
                code = answer.error.code if answer.error else None
                assert code in {None, "refused", "usage"}, (name, params, answer.error)
                is_fault = code is not None and answer.error.rule == CODE_FAILED
                assert not is_fault, (name, params, answer.error)
                assert fits(table[name].call_type, params) or code == "usage", (name, params)
                codes.add(code)
                if name == "post" and code is None and answer.result["id"]:
                    caller.ids = [*caller.ids, answer.result["id"]][-40:]
            await ours.aclose()
        assert codes == {None, "refused", "usage"}

    trio.run(with_node, tmp_path / "home", call_often, clock=MockClock(autojump_threshold=0))


def test_each_method_is_answered_or_refused_at_a_home_that_has_lost_its_store(tmp_path):
    async def call_each(methods):
        table = methods.table()
        caller = Caller(1, table)
        caller.ids = ["ab" * 32]
        with pytest.raises(Mistake, match="no member of the neighbourhood"):
            await table["plan_leave"]({"person": "ab" * 32})
        faults = {}
        for name in caller.table:
            for _ in range(3):
                params = {
                    param: caller.value(param, rule_of(field))
                    for param, field in params_of(table[name].call_type).items()
                    if field.default is MISSING
                }
                try:
                    await table[name](params)
                except (Mistake, Refused):
                    pass
                except Exception as error:  # noqa: BLE001 -- each kind of fault is reported
                    faults[name] = repr(error)
        assert faults == {}

    run = partial(with_node, has_lost_store=True)
    trio.run(run, tmp_path / "home", call_each, clock=MockClock(autojump_threshold=0))


@pytest.mark.parametrize(
    ("method", "params", "words"),
    [
        ("invite", {"approve": "no"}, "approve must be true or false"),
        ("mute", {"person": "Ada", "off": 1}, "off must be true or false"),
        ("post", {"kind": "offer", "asx": "Grace"}, "post takes no 'asx'"),
        ("post", {"fields": {}}, "kind is missing"),
        ("list", {"what": "offers", "limit": True}, "limit must be a whole number"),
        ("status", {"verbose": True}, "status takes no 'verbose'"),
    ],
)
def test_a_call_that_does_not_fit_is_refused_in_words(method, params, words):
    table = Methods(None).table()  # the params are checked before the node is asked
    with pytest.raises(Refused) as refusal:
        trio.run(table[method], params)
    assert refusal.value.rule in USAGE_RULES
    assert words in str(refusal.value)


@pytest.mark.parametrize("change", [[None], [[]], [1, "x"], {}, b"", 7, [], ["remove", None]])
def test_a_change_that_is_no_text_is_refused_in_words(change):
    with pytest.raises(Refused, match="change must be remove PERSON"):
        KINDS["proposal"].read_input({"change": change}, bytes)


CALL_TYPES = [
    value
    for value in vars(calls).values()
    if isinstance(value, type) and issubclass(value, calls.Call) and hasattr(value, "METHOD")
]


@pytest.mark.parametrize("call_type", CALL_TYPES, ids=lambda call: call.METHOD)
def test_a_call_is_read_back_as_it_was_sent(call_type):
    needed = {
        name: {
            "boolean": True,
            "integer": 1,
            "number": 1,
            "seconds": 1,
            "map": {},
            "any value": "x",
        }.get(rule_of(field).type_name, [] if rule_of(field).is_list else "00" * 32)
        for name, field in params_of(call_type).items()
    }
    call = call_type.read(needed)
    assert call.params == needed
    assert call_type.read(call.params) == call
