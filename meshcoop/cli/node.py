"""Commands about the node: run, up, down, status, wait."""

import logging
import os
import signal
import sys
from logging.handlers import RotatingFileHandler
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.cli.context import Context, Given, Listen, keep_listen
from meshcoop.clock import now
from meshcoop.errors import Mistake
from meshcoop.home import key_file as keystore
from meshcoop.home import passphrase
from meshcoop.node import process, systemd
from meshcoop.node.json_log import JsonLines
from protocol.display_text import line

_LOG_BYTES = 1024 * 1024


def _run(*, listen: Listen = None, context: Given) -> None:
    """Runs the node in the foreground until it is interrupted."""
    context.must_exist()
    with context.home.lock():
        keep_listen(context, listen)
        unlocked = keystore.unlock(context.home.keys, passphrase.obtain())
        context.home.create()
        _serve(context, unlocked)


def _up(*, listen: Listen = None, context: Given) -> None:
    """Starts the node in the background and returns when it is ready."""
    context.must_exist()
    if not process.running(context.home):
        keep_listen(context, listen)
    with context.node() as client:  # also where one that was killed a moment ago holds the lock yet
        status = client.call("status")
    context.answer(status, lambda: f"The node is up (process {status['pid']}).")


def _down(*, context: Given) -> None:
    """Stops the node."""
    process.stop(context.home)
    context.answer({"stopped": True}, lambda: "The node is stopped.")


def _status(*, context: Given) -> None:
    """Where this home stands: people, peers, records, hashes, who waits."""
    with context.node() as node:
        status = node.call("status")
    context.answer(status, lambda: _told(status))


def _wait(
    *,
    records: Annotated[int | None, Parameter(help="at least so many are stored")] = None,
    state_hash: Annotated[str | None, Parameter(help="the state has this hash")] = None,
    id_: Annotated[str | None, Parameter(name="--id", help="this record is stored")] = None,
    peers: Annotated[int | None, Parameter(help="at least so many are connected")] = None,
    timeout: Annotated[float, Parameter(help="seconds")] = 30,
    context: Given,
) -> None:
    """Returns once it is so; with exit code 1 if it is not in time."""
    asked = {"records": records, "state_hash": state_hash, "id": id_, "peers": peers}
    with context.node() as node:
        so = node.call("wait", timeout=timeout, **asked)
    context.answer({"so": so}, lambda: "It is so." if so else "It is not so yet.")
    if not so:
        sys.exit(1)


def _serve(context: Context, unlocked: keystore.Unlocked) -> None:
    # Late: libp2p takes a second to import, and only a node needs it.
    import trio

    from meshcoop.ingest.verifier_process import verifier
    from meshcoop.network.libp2p.host import open_host
    from meshcoop.network.libp2p.swarm import OF_A_HOME, OF_A_RELAY
    from meshcoop.node.node import Node, run_node
    from meshcoop.repair.on_start import mend

    settings = context.home.read_settings()
    _log_to(context, as_json=settings.relay is not None)
    damage = mend(context.home, unlocked.keys, now)

    def network(seed: bytes, listen: list[str]) -> Any:
        mdns = os.environ.get("MESHCOOP_MDNS", "1") != "0"
        places = OF_A_RELAY if settings.relay else OF_A_HOME
        return open_host(seed, listen, log_file=context.home.network_log, mdns=mdns, places=places)

    def tell_ready(node: Node) -> None:
        ready: dict[str, Any] = {
            "ready": True,
            "peer_id": node.network.peer_id,
            "addresses": node.network.addresses,
            "pid": os.getpid(),
        }
        context.answer(ready, lambda: " ".join(["ready", ready["peer_id"], *ready["addresses"]]))
        systemd.notify("READY=1")

    async def main() -> None:
        stop = trio.Event()
        async with verifier() as verify, trio.open_nursery() as nursery:
            nursery.start_soon(_watch_signals, stop.set)
            nursery.start_soon(_tell_systemd)
            await run_node(
                context.home,
                unlocked,
                network,
                now,
                os.urandom,
                verify,
                damage,
                stop=stop,
                on_ready=tell_ready,
            )
            systemd.notify("STOPPING=1")
            nursery.cancel_scope.cancel()

    try:
        trio.run(main)
    except BaseExceptionGroup as group:  # a nursery wraps what a person can mend, too
        mistake = _mistake_in(group)
        if mistake is None:
            raise
        raise mistake from None


def _mistake_in(error: BaseException) -> Mistake | None:
    from meshcoop.network.interface import NetworkError

    if isinstance(error, BaseExceptionGroup):
        found = (_mistake_in(one) for one in error.exceptions)
        return next((one for one in found if one), None)
    if isinstance(error, NetworkError):
        return Mistake(str(error))
    return error if isinstance(error, Mistake) else None


async def _watch_signals(stop: Any) -> None:
    import trio

    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            stop()


async def _tell_systemd() -> None:
    """Signs of life: they come from the loop that does everything else."""
    import trio

    seconds = systemd.watchdog_seconds()
    while seconds:
        systemd.notify("WATCHDOG=1")
        await trio.sleep(seconds / 3)


def _log_to(context: Context, *, as_json: bool) -> None:
    # As the network's own log: a stranger who provokes lines must not fill the disk.
    handler = RotatingFileHandler(context.home.log, maxBytes=_LOG_BYTES, backupCount=1)
    plain = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonLines() if as_json else plain)
    logger = logging.getLogger("meshcoop")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False


def _told(status: dict[str, Any]) -> str:
    if status["relay"] is not None:
        return (
            f"The relay {line(status['relay'])} serves {status['serves']} neighbourhoods:"
            f" {status['records']} records, {len(status['peers'])} connected"
        )
    if status["neighbourhood"] is None:
        waiting = status["waiting"]["admission"]
        return "Waiting to be admitted." if waiting else "This home belongs to no neighbourhood."
    person = status["person"]
    lines = [
        f"{line(status['neighbourhood']['name'])}, at the home of "
        + (line(person["name"]) if person else "nobody who belongs"),
        f"{status['records']} records, state {status['state_hash'][:16]}",
        f"{len(status['peers'])} connected: "
        + (", ".join(map(_peer, status["peers"])) or "nobody"),
    ]
    lines += [
        f"{line(one['person']['name'])} has knocked: `meshcoop approve {one['person']['id'][:8]}`"
        for one in status["waiting"]["knocks"]
    ]
    lines += [f"When the node started, {one}." for one in status["damage"]]
    if status["trouble"]:
        lines.append(f"Nothing is signed here: {status['trouble']}.")
    return "\n".join(lines)


def _peer(one: dict[str, Any]) -> str:
    return line(one["person"]["name"]) if one["person"] else "a relay"
