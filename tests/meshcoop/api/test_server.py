import logging
import os
import socket
import stat
import subprocess
import sys
from contextlib import asynccontextmanager, suppress

import pytest
import trio
import trio.testing
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from meshcoop.api import event_hub
from meshcoop.api import server as api
from meshcoop.api.event_hub import EventHub
from meshcoop.api.server import ApiServer, serve_api
from meshcoop.client import Client, NodeGone, program_version
from meshcoop.errors import Mistake
from protocol.errors import Refused
from protocol.wire.local_rpc import Decoder, Error, Event, Request, Response, encode, hello_request
from tests.support.any_call import any_call


class Peer:
    """The client's end of a stream. It sends and receives frames."""

    def __init__(self, stream):
        self.stream = stream
        self.decoder = Decoder()

    async def send(self, *frames):
        await self.stream.send_all(b"".join(map(encode, frames)))

    async def receive(self):
        """Returns the next frame, or None once the node has closed the stream."""
        while (frame := next(iter(self.decoder), None)) is None:
            data = await self.stream.receive_some()
            if not data:
                return None
            self.decoder.feed(data)
        return frame

    async def ask(self, method, **params):
        await self.send(Request(5, method, params))
        return await self.receive()

    async def greet(self):
        await self.send(hello_request(1))
        assert await self.receive() == Response(
            1, result={"version": 1, "program": program_version()}
        )


async def echo(params):
    return params


async def refuse(params):
    raise Refused("R-02.1", "the record is too long")


async def mistake(params):
    raise Mistake("Name a kind.", params["code"])


async def crash(params):
    raise KeyError("who")


async def crash_in_nursery(params):
    async with trio.open_nursery() as nursery:
        nursery.start_soon(crash, params)


async def size(params):
    return "x" * params["size"]


async def unpackable(params):
    return {"when": object()}


METHODS = {
    "echo": echo,
    "refuse": refuse,
    "mistake": mistake,
    "crash": crash,
    "crash_in_nursery": crash_in_nursery,
    "size": size,
    "unpackable": unpackable,
}


def attach(node, nursery):
    ours, theirs = trio.testing.memory_stream_pair()
    nursery.start_soon(node.serve_client, theirs)
    return Peer(ours)


@asynccontextmanager
async def greeted(methods=METHODS, hub=None):
    async with trio.open_nursery() as nursery:
        peer = attach(ApiServer(methods, hub or EventHub()), nursery)
        await peer.greet()
        yield peer
        nursery.cancel_scope.cancel()


@asynccontextmanager
async def served(path, methods=METHODS, hub=None):
    async with trio.open_nursery() as nursery:
        await nursery.start(serve_api, path, methods, hub or EventHub())
        yield
        nursery.cancel_scope.cancel()


async def blocking(function, *args):
    return await trio.to_thread.run_sync(function, *args)


async def test_a_method_answers():
    async with greeted() as peer:
        assert await peer.ask("echo", a=[1, "x"]) == Response(5, result={"a": [1, "x"]})


@pytest.mark.parametrize(
    ("method", "params", "error"),
    [
        ("refuse", {}, Error("refused", "the record is too long", "R-02.1")),
        ("mistake", {"code": 1}, Error("refused", "Name a kind.")),
        ("mistake", {"code": 2}, Error("usage", "Name a kind.")),
    ],
)
async def test_what_a_person_got_wrong_is_said(method, params, error):
    async with greeted() as peer:
        assert await peer.ask(method, **params) == Response(5, error)
        assert (await peer.ask("echo")).error is None


async def test_an_unknown_method_is_said():
    async with greeted() as peer:
        response = await peer.ask("nothing")
        assert response.error.code == "unknown"
        assert response.error.arguments == {"method": "nothing"}


@pytest.mark.parametrize("method", ["crash", "crash_in_nursery", "unpackable"])
async def test_our_own_mistake_is_loud_and_ends_nothing(method, caplog):
    async with greeted() as peer:
        response = await peer.ask(method)
        assert response.error.code == "internal"
        assert "who" not in response.error.message
        assert (await peer.ask("echo")).error is None
    logged = [record for record in caplog.records if record.levelno == logging.ERROR]
    assert logged
    assert logged[0].exc_info


async def test_an_answer_that_is_too_large_is_asked_for_in_pages():
    async with greeted() as peer:
        response = await peer.ask("size", size=1024 * 1024)
        assert response.error.code == "refused"
        assert "pages" in response.error.message
        assert len((await peer.ask("size", size=1000_000)).result) == 1000_000


async def test_a_sentence_with_a_broken_file_name_is_still_said():
    async def broken(params):
        raise Mistake("No such file: \udcff" + "x" * 3000)

    async with greeted({"broken": broken}) as peer:
        assert (await peer.ask("broken")).error.message.startswith("No such file: ?xxx")


async def test_requests_are_answered_side_by_side():
    gate = trio.Event()

    async def wait(params):
        await gate.wait()

    async with greeted({"wait": wait, "echo": echo}) as peer:
        await peer.send(Request(1, "wait"), Request(2, "echo"))
        assert (await peer.receive()).id == 2
        gate.set()
        assert (await peer.receive()).id == 1


async def test_a_client_has_so_many_requests_under_way_and_no_more():
    gate = trio.Event()
    started = []

    async def wait(params):
        started.append(params["n"])
        await gate.wait()

    async with greeted({"wait": wait}) as peer:
        total = api.MAX_REQUESTS + 5
        await peer.send(*[Request(n, "wait", {"n": n}) for n in range(total)])
        await trio.testing.wait_all_tasks_blocked()
        assert sorted(started) == list(range(api.MAX_REQUESTS))
        gate.set()
        answered = {(await peer.receive()).id for _ in range(total)}
        assert answered == set(range(total))


async def test_a_request_ends_with_its_client():
    ended = trio.Event()

    async def wait(params):
        try:
            await trio.sleep_forever()
        finally:
            ended.set()

    async with greeted({"wait": wait}) as peer:
        await peer.send(Request(1, "wait"))
        await trio.testing.wait_all_tasks_blocked()
        await peer.stream.aclose()
        await ended.wait()


@pytest.mark.parametrize(
    "first", [Request(3, "echo"), Request(3, "hello"), Request(3, "hello", {"version": 9})]
)
async def test_a_client_that_does_not_shake_hands_is_told_and_ended(first):
    async with trio.open_nursery() as nursery:
        peer = attach(ApiServer(METHODS, EventHub()), nursery)
        await peer.send(first)
        assert (await peer.receive()).error.code == "refused"
        assert await peer.receive() is None


async def test_a_silent_client_is_ended(autojump_clock):
    async with trio.open_nursery() as nursery:
        peer = attach(ApiServer(METHODS, EventHub()), nursery)
        assert await peer.receive() is None


async def test_a_client_that_greets_by_one_byte_a_second_is_ended(autojump_clock):
    async with trio.open_nursery() as nursery:
        peer = attach(ApiServer(METHODS, EventHub()), nursery)
        with suppress(trio.BrokenResourceError):
            for byte in encode(hello_request(1)):
                await peer.stream.send_all(bytes([byte]))
                await trio.sleep(1)
    assert trio.current_time() < 2 * api.HELLO_SECONDS


@pytest.mark.parametrize(
    "garbage",
    [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc1", encode(Event("a")), encode(Response(1))],
)
async def test_garbage_ends_that_client_only(garbage):
    node = ApiServer(METHODS, EventHub())
    async with trio.open_nursery() as nursery:
        peer, other = attach(node, nursery), attach(node, nursery)
        await peer.greet()
        await other.greet()
        await peer.stream.send_all(garbage)
        assert (await peer.receive()).topic == "refused"
        assert await peer.receive() is None
        assert (await other.ask("echo")).error is None
        nursery.cancel_scope.cancel()


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=300), st.booleans())
def test_no_bytes_hurt_the_node(caplog, garbage, politely):
    async def main():
        node = ApiServer(METHODS, EventHub())
        async with trio.open_nursery() as nursery:
            peer = attach(node, nursery)
            with suppress(trio.BrokenResourceError):
                await peer.stream.send_all(
                    (encode(hello_request(1)) if politely else b"") + garbage
                )
            await peer.stream.aclose()
        async with trio.open_nursery() as nursery:
            peer = attach(node, nursery)
            await peer.greet()
            nursery.cancel_scope.cancel()

    trio.run(main)
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


async def test_one_client_too_many_is_told_and_ended():
    node = ApiServer(METHODS, EventHub())
    async with trio.open_nursery() as nursery:
        peers = [attach(node, nursery) for _ in range(api.MAX_CLIENTS)]
        for peer in peers:
            await peer.greet()
        late = attach(node, nursery)
        assert (await late.receive()).topic == "refused"
        assert await late.receive() is None
        await peers[0].stream.aclose()
        await trio.testing.wait_all_tasks_blocked()
        await attach(node, nursery).greet()
        nursery.cancel_scope.cancel()


async def test_events_reach_who_has_subscribed():
    hub = EventHub()
    async with greeted(hub=hub) as peer:
        hub.publish("record", {"id": b"0"})
        assert await peer.ask("subscribe") == Response(5, result={})
        hub.publish("record", {"id": b"1"})
        hub.publish("peer")
        assert await peer.receive() == Event("record", {"id": b"1"})
        assert await peer.receive() == Event("peer")


async def test_a_new_subscription_takes_the_place_of_the_old():
    hub = EventHub()
    async with greeted(hub=hub) as peer:
        await peer.ask("subscribe", topics=["record"])
        await peer.ask("subscribe", topics=["peer"])
        hub.publish("record")
        hub.publish("peer")
        assert await peer.receive() == Event("peer")


async def test_topics_are_a_list_of_texts():
    async with greeted() as peer:
        for topics in ("record", [1]):
            assert (await peer.ask("subscribe", topics=topics)).error.code == "usage"


async def test_a_subscription_that_overflows_is_cut_and_told():
    hub = EventHub()
    async with greeted(hub=hub) as peer:
        await peer.ask("subscribe")
        for number in range(event_hub.MAX_EVENTS + 10):
            hub.publish("record", number)
        seen = []
        while (event := await peer.receive()) != Event("resync", {}):
            seen.append(event.payload)
        assert seen == list(range(len(seen)))
        assert len(seen) in {
            event_hub.MAX_EVENTS,
            event_hub.MAX_EVENTS + 1,
        }  # one event may be on its way already
        await peer.ask("subscribe")
        hub.publish("record", "again")
        assert await peer.receive() == Event("record", "again")


@pytest.mark.parametrize("payload", [object(), "x" * (event_hub.MAX_EVENT + 1)])
async def test_an_event_that_cannot_be_told_is_loud_and_cuts(payload, caplog):
    hub = EventHub()
    async with greeted(hub=hub) as peer:
        await peer.ask("subscribe")
        hub.publish("record", payload)
        assert await peer.receive() == Event("resync", {})
    assert [record for record in caplog.records if record.levelno == logging.ERROR]


async def test_a_hub_forgets_who_has_left():
    hub = EventHub()
    async with greeted(hub=hub) as peer:
        await peer.ask("subscribe")
    hub.publish("record", object())  # raises an error if anybody still listens


async def test_the_socket_is_for_its_owner_alone_and_goes_with_the_node(tmp_path):
    path = tmp_path / "api.sock"
    async with served(path):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert not path.exists()


async def test_several_blocking_clients_at_once(tmp_path):
    path = tmp_path / "api.sock"

    def use(number):
        with Client(path) as client, Client(path) as other:
            other.call(any_call("echo"))
            return client.call(any_call("echo", n=number))

    results = []

    async def run(number):
        results.append((await blocking(use, number))["n"])

    async with served(path), trio.open_nursery() as nursery:
        for number in range(4):
            nursery.start_soon(run, number)
    assert sorted(results) == [0, 1, 2, 3]


def leave_stale_socket(path):
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(os.fspath(path))


async def test_a_stale_socket_is_replaced(tmp_path):
    path = tmp_path / "api.sock"
    leave_stale_socket(path)
    async with served(path):
        assert await blocking(call, path, "echo") == {}


def call(path, method, **params):
    with Client(path) as client:
        return client.call(any_call(method, **params))


async def fails_to_serve(path):
    with pytest.raises(Mistake) as caught:
        await serve_api(path, METHODS, EventHub())
    return caught.value.sentence


async def test_a_socket_that_somebody_answers_on_is_left_alone(tmp_path):
    path = tmp_path / "api.sock"
    async with served(path):
        assert "Another node answers" in await fails_to_serve(path)
        assert await blocking(call, path, "echo") == {}


async def test_what_is_no_socket_is_left_alone(tmp_path):
    path = tmp_path / "api.sock"
    path.write_text("mine")
    assert "in the way" in await fails_to_serve(path)
    assert path.read_text() == "mine"


async def test_a_folder_that_is_not_there_is_said(tmp_path):
    assert "cannot be a socket" in await fails_to_serve(tmp_path / "none" / "api.sock")


async def test_a_blocking_client_gets_sentence_and_exit_code(tmp_path):
    path = tmp_path / "api.sock"

    def use(method, params):
        with pytest.raises(Mistake) as caught:
            call(path, method, **params)
        return caught.value.sentence, caught.value.code

    async with served(path):
        assert await blocking(use, "refuse", {}) == ("the record is too long (R-02.1).", 1)
        assert await blocking(use, "mistake", {"code": 2}) == ("Name a kind.", 2)
        assert (await blocking(use, "crash", {}))[1] == 1
        assert (await blocking(use, "nothing", {}))[1] == 1
        assert (await blocking(use, "echo", {"what": object()}))[1] == 2


async def test_a_blocking_client_is_told_that_it_is_one_too_many(tmp_path, monkeypatch):
    monkeypatch.setattr(api, "MAX_CLIENTS", 0)
    path = tmp_path / "api.sock"

    def use():
        with pytest.raises(Mistake) as caught:
            call(path, "echo")
        return caught.value.sentence

    async with served(path):
        assert "close one" in await blocking(use)


async def test_a_node_that_ends_in_the_middle_of_a_call_is_noticed(tmp_path):
    path = tmp_path / "api.sock"
    calling = trio.Event()

    async def wait(params):
        calling.set()
        await trio.sleep_forever()

    def use():
        with pytest.raises(NodeGone):
            call(path, "wait")

    async with trio.open_nursery() as outer, served(path, {"wait": wait}):
        outer.start_soon(blocking, use)
        await calling.wait()


def test_where_no_node_runs_the_remedy_is_said(tmp_path):
    with pytest.raises(NodeGone, match="meshcoop up"):
        call(tmp_path / "api.sock", "echo")


async def test_a_node_that_answers_nonsense_is_said(tmp_path):
    path = tmp_path / "api.sock"

    async def babble(stream):
        async with stream:
            await stream.send_all(b"\xff\xff\xff\xff")

    def use():
        with pytest.raises(Mistake, match="cannot read"):
            call(path, "echo")

    listening = trio.socket.socket(trio.socket.AF_UNIX)
    await listening.bind(os.fspath(path))
    listening.listen()
    async with trio.open_nursery() as nursery:
        nursery.start_soon(trio.serve_listeners, babble, [trio.SocketListener(listening)])
        await blocking(use)
        nursery.cancel_scope.cancel()


async def test_a_blocking_client_reads_events(tmp_path):
    path = tmp_path / "api.sock"
    hub = EventHub()

    async def publish(params):
        hub.publish("record", 1)
        hub.publish("record", 2)

    def use():
        with Client(path) as client:
            client.subscribe("record")
            client.call(any_call("publish"))
            events = client.events(60)
            seen = [next(events), next(events)]
            return seen, list(client.events(0))

    async with served(path, {"publish": publish}, hub):
        seen, later = await blocking(use)
    assert seen == [Event("record", 1), Event("record", 2)]
    assert later == []


def test_short_commands_do_not_import_trio():
    program = "import sys, meshcoop.client, meshcoop.node.process; sys.exit('trio' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
