from contextlib import AsyncExitStack

import pytest
import trio

from meshcoop.network.interface import NetworkError
from tests.support.libp2p_nodes import node, until


async def test_bytes_both_ways_and_an_end():
    got = []

    async def collect(stream):
        assert stream.peer == one.peer_id
        while data := await stream.read():
            assert len(data) <= 64 * 1024
            got.append(data)
        await stream.write(b"thanks")
        await stream.close()

    blob = bytes(range(256)) * 4096 * 3  # 3 MiB
    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        registered.enter_context(two.serve("/blob/1", collect))
        await one.connect(two.addresses[0])
        stream = await one.open_stream(two.peer_id, "/blob/1")
        assert stream.peer == two.peer_id
        with trio.fail_after(60):
            await stream.write(b"")
            await stream.write(blob)
            await stream.close()
            await until(lambda: sum(map(len, got)) == len(blob))
            assert b"".join(got) == blob
            assert await stream.read() == b"thanks"
            assert await stream.read() == b""
        with pytest.raises(NetworkError):
            await stream.write(b"too late")
        await stream.close()


async def test_a_lost_connection_is_no_end_of_file():
    # libp2p reports a lost connection as an end of file. With that, a transfer that was cut would
    # look complete.
    async def half(stream):
        await stream.write(b"half")
        await trio.sleep_forever()

    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        registered.enter_context(two.serve("/half/1", half))
        await one.connect(two.addresses[0])
        stream = await one.open_stream(two.peer_id, "/half/1")
        with trio.fail_after(60):
            assert await stream.read() == b"half"
            await two.drop(one.peer_id)
            with pytest.raises(NetworkError):
                await stream.read()
            with pytest.raises(NetworkError):
                await stream.write(b"anyone?")
        await stream.close()


async def test_a_writer_waits_for_a_busy_reader():
    # libp2p gives up if the peer takes no data for 5 s.
    size = 8 * 1024 * 1024  # more than the receive window can be by then
    done = trio.Event()
    got = 0

    async def busy(stream):
        nonlocal got
        await trio.sleep(6)
        while data := await stream.read():
            got += len(data)
        done.set()

    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        registered.enter_context(two.serve("/busy/1", busy))
        await one.connect(two.addresses[0])
        stream = await one.open_stream(two.peer_id, "/busy/1")
        with trio.fail_after(60):
            await stream.write(bytes(size))
            await stream.close()
            await done.wait()
        assert got == size


async def test_a_stream_is_closed_when_its_handler_returns():
    async def brief(stream):
        await stream.write(b"bye")

    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        registered.enter_context(two.serve("/brief/1", brief))
        await one.connect(two.addresses[0])
        for _ in range(5):
            stream = await one.open_stream(two.peer_id, "/brief/1")
            with trio.fail_after(60):
                assert await stream.read() == b"bye"
                assert await stream.read() == b""
            await stream.close()
        (connection,) = one.swarm.get_connections()
        ids = {each.stream_id for each in connection.muxed_conn.streams.values()}
        assert stream._muxed.stream_id not in ids
