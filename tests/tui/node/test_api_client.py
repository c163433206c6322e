"""The client on a real socket: answers that come out of order, in pieces, cut off, refused, or as
garbage.
"""

import asyncio
import tempfile
from pathlib import Path

import pytest

from protocol.wire.local_rpc import REFUSED, Decoder, Error, Event, Response, encode
from tests.support.any_call import any_call
from tui.node.api_client import Client, Declined, NodeGone


def served(answer, scenario):
    """Runs `scenario(client)` against a server that handles each request with `answer`."""

    async def attend(reader, writer):
        decoder = Decoder()
        try:
            while data := await reader.read(65536):
                decoder.feed(data)
                for request in decoder:
                    if request.method == "hello":
                        writer.write(encode(Response(request.id, result={"version": 1})))
                    else:
                        await answer(request, writer)
        except (ConnectionError, asyncio.CancelledError):
            pass
        finally:
            writer.close()

    async def run():
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "s"
            server = await asyncio.start_unix_server(attend, path)
            client = await Client.connect(path)
            try:
                await asyncio.wait_for(scenario(client), 10)
            finally:
                await client.close()
                await client.close()
                server.close()

    asyncio.run(run())


async def echo(request, writer):
    writer.write(encode(Response(request.id, result=request.params)))


def test_calls_side_by_side_get_their_own_answers():
    kept = []

    async def backwards(request, writer):
        kept.append(request)
        if len(kept) == 3:
            for one in reversed(kept):
                await echo(one, writer)

    async def scenario(client):
        found = await asyncio.gather(*(client.call(any_call("echo", n=n)) for n in range(3)))
        assert found == [{"n": 0}, {"n": 1}, {"n": 2}]

    served(backwards, scenario)


def test_an_answer_may_come_byte_by_byte():
    async def slowly(request, writer):
        for byte in encode(Response(request.id, result=request.params)):
            writer.write(bytes([byte]))
            await writer.drain()

    async def scenario(client):
        assert await client.call(any_call("echo", text="é" * 50)) == {"text": "é" * 50}

    served(slowly, scenario)


def test_a_refusal_is_a_sentence():
    async def refuse(request, writer):
        writer.write(encode(Response(request.id, Error("refused", "Not today."))))

    async def scenario(client):
        with pytest.raises(Declined, match="Not today"):
            await client.call(any_call("post"))

    served(refuse, scenario)


def test_events_come_in_order_and_end_with_the_node():
    async def tell(request, writer):
        for n in range(3):
            writer.write(encode(Event("changed", {"n": n})))
        await echo(request, writer)
        writer.close()

    async def scenario(client):
        await client.subscribe()
        assert [(await client.next_event(5)).payload["n"] for _ in range(3)] == [0, 1, 2]
        with pytest.raises(NodeGone, match="stopped"):
            await client.next_event(5)
        with pytest.raises(NodeGone, match="stopped"):
            await client.call(any_call("status"))

    served(tell, scenario)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (encode(Event(REFUSED, {"message": "Too many programs."})), "Too many programs"),
        (b"\xff\xff\xff\xff", "cannot read"),
        (b"\x00\x00\x00\x01\xc1", "cannot read"),
        (b"\x00\x00", "stopped"),
    ],
)
def test_a_node_that_ends_in_the_middle_fails_every_call(data, words):
    async def end(request, writer):
        writer.write(data)
        writer.close()

    async def scenario(client):
        calls = await asyncio.gather(
            client.call(any_call("a")), client.call(any_call("b")), return_exceptions=True
        )
        assert all(isinstance(one, NodeGone) for one in calls)
        assert words in calls[0].sentence

    served(end, scenario)


def test_what_no_frame_carries_is_declined_and_the_link_lives():
    async def scenario(client):
        with pytest.raises(Declined, match="cannot be sent"):
            await client.call(any_call("post", text="x" * 2**20))
        assert await client.call(any_call("echo")) == {}

    served(echo, scenario)


def test_where_nobody_answers_is_gone():
    with tempfile.TemporaryDirectory() as folder, pytest.raises(NodeGone, match="is not running"):
        asyncio.run(Client.connect(Path(folder) / "none"))
