"""A relay's figures for Prometheus, served on loopback only. The figures are amounts. They show no
contents and name no people.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

import trio
from prometheus_client import CollectorRegistry, Counter, Gauge, start_http_server

from meshcoop.errors import Mistake
from meshcoop.network.interface import TaskStatus
from meshcoop.relay.relay import Relay
from meshcoop.store.disk_errors import log_disk_errors

_LOG = logging.getLogger(__name__)

HOST = "127.0.0.1"
_REFRESH_SECONDS = 5

_PER_TENANT = ("neighbourhood",)


class Metrics:
    """The figures of one relay.

    The metrics library serves the figures from an operating-system thread of its own. This thread
    reads only the figures that `refresh` stored. The thread never touches the relay.
    """

    def __init__(self, relay: Relay) -> None:
        self._relay = relay
        self.registry = CollectorRegistry()
        self._served = self._gauge("neighbourhoods", "Neighbourhoods that are served")
        self._homes = self._gauge("connected", "Nodes that have proved to belong", _PER_TENANT)
        self._records = self._gauge("records", "Records held", _PER_TENANT)
        self._used = self._gauge("used_bytes", "What the records take of the room", _PER_TENANT)
        self._room = self._gauge("room_bytes", "What they may take", _PER_TENANT)
        self._waiting = self._gauge(
            "waiting_records", "Records that cannot be placed yet", _PER_TENANT
        )
        self._reservations = self._gauge("reservations", "Homes reached through this relay")
        self._circuits = self._gauge("circuits", "Connections that are passed on now")
        self._carried = Counter(
            "meshcoop_relay_carried_bytes",
            "Bytes passed on since the start",
            registry=self.registry,
        )
        self._counted = 0  # bytes that `_carried` has counted already

    async def run(self, port: int, *, task_status: TaskStatus = trio.TASK_STATUS_IGNORED) -> None:
        """Serves the figures until cancelled. Raises Mistake if the port is taken."""
        with self.served_at(port):
            task_status.started()
            while True:
                await trio.sleep(_REFRESH_SECONDS)
                try:
                    with log_disk_errors("the metrics are old"):
                        self.refresh()
                except Exception:  # noqa: BLE001  # logged loudly, but the relay goes on
                    _LOG.exception("the metrics are old")

    def refresh(self) -> None:
        """Stores the relay's present figures, so that they can be served."""
        relay = self._relay
        self._served.set(len(relay.tenants))
        # Removes the figures of neighbourhoods that are no longer served.
        for gauge in (self._homes, self._records, self._used, self._room, self._waiting):
            gauge.clear()
        for neighbourhood, tenant in relay.tenants.items():
            label = neighbourhood.hex()[:16]
            self._homes.labels(label).set(len(tenant.mesh.conversations))
            self._records.labels(label).set(tenant.store.records.count())
            self._used.labels(label).set(tenant.storage.used)
            self._room.labels(label).set(tenant.storage.limits.room)
            self._waiting.labels(label).set(len(tenant.inbox.pool))
        self._reservations.set(relay.carrying.reservation_count)
        self._circuits.set(relay.carrying.circuit_count)
        self._carried.inc(relay.carrying.bytes_relayed - self._counted)
        self._counted = relay.carrying.bytes_relayed

    @contextmanager
    def served_at(self, port: int) -> Iterator[None]:
        """Serves the figures at a port of loopback until the block ends.

        Raises Mistake if the port is taken.
        """
        self.refresh()
        try:
            server, thread = start_http_server(port, addr=HOST, registry=self.registry)
        except OSError as error:
            raise Mistake(
                (
                    "The metrics cannot be served at {host}:{port} ({strerror}); name another port "
                    "with `meshcoop relay metrics PORT`."
                ),
                host=HOST,
                port=port,
                strerror=error.strerror,
            ) from None
        try:
            yield
        finally:
            server.shutdown()
            server.server_close()
            thread.join()

    def _gauge(self, name: str, meaning: str, labels: tuple[str, ...] = ()) -> Gauge:
        return Gauge(f"meshcoop_relay_{name}", meaning, labels, registry=self.registry)
