import struct
from contextlib import AsyncExitStack

import pytest
import trio
from libp2p.stream_muxer.yamux.yamux import TYPE_DATA, YAMUX_HEADER_FORMAT

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p import yamux as muxer
from tests.support.libp2p_nodes import alive, call, node, stranger, until


class SlowLine:
    """A secured connection that holds back data with `marker` in it, until a test lets the data
    go.
    """

    def __init__(self, connection, marker=b""):
        self._connection = connection
        self._marker = marker
        self.stuck = trio.Event()
        self.go_on = trio.Event()

    def __getattr__(self, name):
        return getattr(self._connection, name)

    async def write(self, data):
        if self._marker in data:
            self.stuck.set()
            await self.go_on.wait()
        await self._connection.write(data)


async def test_a_cancelled_write_leaves_the_connection_whole():
    async def echo(stream):
        while data := await stream.read():
            await stream.write(data)

    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        registered.enter_context(two.serve("/echo/1", echo))
        await one.connect(two.addresses[0])
        stream = await one.open_stream(two.peer_id, "/echo/1")
        (connection,) = one.swarm.get_connections()
        line = SlowLine(connection.muxed_conn.secured_conn, b"first")
        connection.muxed_conn.secured_conn = line
        async with trio.open_nursery() as nursery:
            with trio.CancelScope() as scope:
                nursery.start_soon(_cancel_then_go_on, line, scope)
                await stream.write(b"first")
                await trio.sleep_forever()
        await stream.write(b"second")
        got = b""
        with trio.fail_after(60):
            while len(got) < len(b"firstsecond"):
                got += await stream.read()
        assert got == b"firstsecond"


async def _cancel_then_go_on(line, scope):
    await line.stuck.wait()
    scope.cancel()
    await trio.testing.wait_all_tasks_blocked()
    line.go_on.set()


async def test_a_peer_that_takes_nothing_loses_its_connection(monkeypatch):
    monkeypatch.setattr(muxer, "WRITE_WITHIN", 0.3)
    async with node(1) as one, node(2) as two, AsyncExitStack() as registered:
        registered.enter_context(two.serve("/any/1", lambda stream: stream.read()))
        await one.connect(two.addresses[0])
        stream = await one.open_stream(two.peer_id, "/any/1")
        (connection,) = one.swarm.get_connections()
        connection.muxed_conn.secured_conn = SlowLine(connection.muxed_conn.secured_conn)
        with trio.fail_after(60), pytest.raises(NetworkError):
            await stream.write(b"anyone?")
        await until(lambda: not one.peers())


async def test_a_peer_that_ignores_the_window_loses_its_connection(monkeypatch):
    monkeypatch.setattr(muxer, "UNREAD_BYTES", 1024 * 1024)
    async with node(1) as ours, stranger() as them, AsyncExitStack() as registered:

        async def never(_stream):
            await trio.sleep_forever()

        registered.enter_context(ours.serve("/wait/1", never))
        stream = await call(them, ours, "/wait/1")
        connection = stream.muxed_stream.conn
        header = struct.pack(
            YAMUX_HEADER_FORMAT, 0, TYPE_DATA, 0, stream.muxed_stream.stream_id, 65536
        )
        with trio.fail_after(60):
            while not connection.event_shutting_down.is_set():
                try:
                    await connection._write_frame(header + bytes(65536))
                except Exception:  # noqa: BLE001 -- cut off, as it should be
                    break
        await until(lambda: not ours.peers())
        await alive(ours)
