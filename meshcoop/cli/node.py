"""The commands about the node: `run`, `up`, `down`, `log`, `status` and `wait`."""

import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from cyclopts import Parameter

from meshcoop.cli import plain_text
from meshcoop.cli.context import (
    Context,
    ContextArgument,
    ListenOption,
    clock_of_status,
    keep_listen_addresses,
)
from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.person_name import format_person
from meshcoop.clock import now
from meshcoop.errors import Mistake
from meshcoop.home.key_file import UnlockedKeys
from meshcoop.home.log_files import KEPT_DAYS, LogFile, put_away
from meshcoop.node import process, systemd
from meshcoop.node.json_log import JsonLines
from meshcoop.store.disk_errors import disk_error_of
from protocol.display_text import safe_line
from protocol.wire import calls

_LOG = logging.getLogger(__name__)

_DAY_CHECK_SECONDS = 600
_SHOWN_HASH = 16  # hexadecimal digits


def run_node(*, listen: ListenOption = None, context: ContextArgument) -> None:
    """Runs the node in the foreground until somebody interrupts it."""
    from meshcoop.node.slow_tables import load_tables  # late: only a node needs it

    context.require_home()
    with context.home.lock():
        keep_listen_addresses(context, listen)
        unlocked = context.unlock_keys()
        context.home.create()
        load_tables()
        _serve_home(context, unlocked)


def start_node(*, listen: ListenOption = None, context: ContextArgument) -> None:
    """Starts the node in the background and returns when it is ready."""
    context.require_home()
    if not process.running(context.home):
        keep_listen_addresses(context, listen)
    # This is done even if a node seems to run: a node killed a moment ago may still hold the lock.
    with context.connect_node() as node:
        status = node.call(calls.Status())
    context.answer(status, lambda: f"The node is up (process {status['pid']}).", is_done=True)


def stop_node(*, context: ContextArgument) -> None:
    """Stops the node."""
    process.stop(context.home)
    context.answer({"stopped": True}, lambda: "The node is stopped.", is_done=True)


def keep_log(
    state: Annotated[Literal["on", "off"] | None, Parameter(help="shown if left out")] = None,
    /,
    *,
    context: ContextArgument,
) -> None:
    """Says whether this home keeps logs, or turns logs on or off. To turn logs off also deletes
    them.
    """
    context.require_home()
    settings = context.home.read_settings()
    is_running = process.running(context.home)
    if state is not None:
        settings = replace(settings, no_log=state == "off")
        context.home.write_settings(settings)
        if settings.no_log and not is_running:
            context.home.erase_logs()
    sentence = f"Logs are in {context.home.path}, and are kept for {KEPT_DAYS} days."
    if settings.no_log:
        sentence = "No log is kept; `meshcoop log on` keeps one."
    if state is not None and is_running:
        sentence += " The node that runs has to be started again."
    result = {"log": "off" if settings.no_log else "on", "days": KEPT_DAYS}
    context.answer(result, lambda: sentence, is_done=state is not None)


def show_status(*, context: ContextArgument) -> None:
    """Shows the status of this home: people, peers, records, hashes, and who wants to join."""
    with context.connect_node() as node:
        status = node.call(calls.Status())
    context.answer(status, lambda: _describe_status(status))


def wait_for_node(
    *,
    records: Annotated[int, Parameter(help="at least this many are stored")] = 0,
    state_hash: Annotated[str | None, Parameter(help="the state has this hash")] = None,
    id_: Annotated[str | None, Parameter(name="--id", help="this record is stored")] = None,
    peers: Annotated[int, Parameter(help="at least this many are connected")] = 0,
    timeout: Annotated[float, Parameter(help="seconds")] = 30,
    context: ContextArgument,
) -> None:
    """Waits until all given conditions are true. If the time is over first, the exit code is 1."""
    wanted = calls.Wait(
        records=records, state_hash=state_hash, id=id_, peers=peers, timeout=timeout
    )
    with context.connect_node() as node:
        is_so = node.call(wanted)
    context.answer({"so": is_so}, lambda: "It is so." if is_so else "It is not so yet.")
    if not is_so:
        sys.exit(1)


def _serve_home(context: Context, unlocked: UnlockedKeys) -> None:
    """Runs the node until a signal or a client stops it. If an error occurs that a person can mend,
    raises a Mistake that says how.
    """
    # Importing libp2p takes a second, and only a node needs it. So the import is here.
    import trio

    from meshcoop.ingest.verifier_process import open_verifier
    from meshcoop.network.libp2p.host import open_host
    from meshcoop.network.libp2p.swarm import HOME_LIMITS, RELAY_LIMITS
    from meshcoop.node.garbage import Garbage
    from meshcoop.node.node import Node, run_node
    from meshcoop.node.start_report import CHECKING, MENDING, StartReport
    from meshcoop.repair.startup import mend_stores

    settings = context.home.read_settings()
    own_log, network_log = _open_logs(context)
    damage = mend_stores(
        context.home, unlocked.keys, now, StartReport(CHECKING), StartReport(MENDING)
    )

    def open_network(seed: bytes, listen: list[str]) -> Any:
        mdns = os.environ.get("MESHCOOP_MDNS", "1") != "0"
        places = RELAY_LIMITS if settings.relay else HOME_LIMITS
        return open_host(seed, listen, log=network_log, mdns=mdns, places=places)

    def tell_ready(node: Node) -> None:
        _announce_ready(context, node.network.peer_id, node.network.addresses)
        _LOG.info("the node is ready for neighbours and programs")
        systemd.notify("READY=1")

    async def main() -> None:
        stop = trio.Event()
        async with open_verifier() as verify, trio.open_nursery() as nursery:
            nursery.start_soon(_watch_signals, stop.set)
            nursery.start_soon(_feed_watchdog)
            nursery.start_soon(garbage.collect_in_steps)
            nursery.start_soon(_turn_days, [own_log, network_log], context.home.screen_log_file)
            await run_node(
                context.home,
                unlocked,
                open_network,
                now,
                os.urandom,
                verify,
                damage,
                stop=stop,
                on_ready=tell_ready,
            )
            systemd.notify("STOPPING=1")
            nursery.cancel_scope.cancel()

    garbage = Garbage()  # before the loop begins, because this looks through all modules
    _run_loop(main)


def _run_loop(main: Callable[[], Awaitable[None]]) -> None:
    """Runs the event loop. If an error occurs that a person can mend, raises a Mistake that says
    how.
    """
    import trio

    from meshcoop.node.step_meter import meters_of_environment

    try:
        trio.run(main, instruments=meters_of_environment())
    except BaseExceptionGroup as group:
        # A nursery wraps every error in a group, also an error that a person can mend.
        mistake = _find_mistake(group)
        if mistake is None:
            raise
        raise mistake from None


def _announce_ready(context: Context, peer_id: str, addresses: list[str]) -> None:
    ready = {"ready": True, "peer_id": peer_id, "addresses": addresses, "pid": os.getpid()}
    context.answer(ready, lambda: " ".join(["ready", peer_id, *addresses]))


def _find_mistake(error: BaseException) -> Mistake | None:
    """Looks for the first error that a person can mend, also inside groups of errors. Returns this
    error as a Mistake. Returns None if no person can mend the errors.
    """
    from meshcoop.network.interface import NetworkError

    if isinstance(error, BaseExceptionGroup):
        mistakes = map(_find_mistake, error.exceptions)
        return next(filter(None, mistakes), None)
    if isinstance(error, NetworkError):
        return Mistake(str(error))
    return error if isinstance(error, Mistake) else disk_error_of(error)


async def _watch_signals(stop: Any) -> None:
    import trio

    with trio.open_signal_receiver(signal.SIGINT, signal.SIGTERM) as signals:
        async for _ in signals:
            stop()


async def _feed_watchdog() -> None:
    """Tells systemd at intervals that the node is alive. This runs on the node's event loop. So if
    the loop hangs, systemd hears nothing more.
    """
    import trio

    seconds = systemd.watchdog_seconds()
    while seconds:
        systemd.notify("WATCHDOG=1")
        await trio.sleep(seconds / 3)


async def _turn_days(logs: list[LogFile | None], screen_log: Path) -> None:
    """Begins new files for the logs each day, and deletes the files that are too old. A screen is
    seldom open, so the node also looks after the screen's log.
    """
    import trio

    while True:
        await trio.sleep(_DAY_CHECK_SECONDS)
        for log in filter(None, logs):
            log.turn_day()
        put_away(screen_log)


def _open_logs(context: Context) -> tuple[LogFile | None, LogFile | None]:
    """Opens the log of the node and the log of the network. From then on, entries go there.

    If the home keeps no log, returns None for both, and deletes what an earlier run has left
    (R-01.28e).
    """
    home = context.home
    settings = home.read_settings()
    logger = logging.getLogger("meshcoop")
    logger.propagate = False
    if settings.no_log:
        home.erase_logs()
        logger.addHandler(logging.NullHandler())
        return None, None
    own_log = LogFile(home.log_file, JsonLines() if settings.relay else None)
    logger.addHandler(own_log)
    logger.setLevel(logging.INFO)
    return own_log, LogFile(home.network_log_file)


def _describe_status(status: dict[str, Any]) -> str:
    if status["relay"] is not None:
        served = format_count(status["serves"], "neighbourhood")
        records = format_count(status["records"], "record")
        return (
            f"The relay {safe_line(status['relay'])} serves {served}:"
            f" {records}, {len(status['peers'])} connected"
        )
    if status["neighbourhood"] is None:
        is_waiting = status["waiting"]["admission"]
        return "Waiting to be let in." if is_waiting else "This home is in no neighbourhood yet."
    # A home that has lost its store does not know the name until a neighbour brings the records.
    neighbourhood = safe_line(
        status["neighbourhood"]["name"] or "A neighbourhood without a name yet"
    )
    person = status["person"]
    former = status["former"]
    shown = person or former
    name = format_person(shown) if shown else "nobody who is a member"
    peers = ", ".join(map(_name_peer, status["peers"])) or "nobody"
    lines = [
        f"{neighbourhood}, at the home of {name}",
        f"{format_count(status['records'], 'record')}, state {status['state_hash'][:_SHOWN_HASH]}",
        f"{len(status['peers'])} connected: {peers}",
    ]
    remarks = [*status["own_vouchers"], *status["running"]]
    lines += [plain_text.format_remarks([remark]) for remark in remarks]
    for knock in status["waiting"]["knocks"]:
        who = knock["person"]
        lines.append(f"{format_person(who)} wants to join: `meshcoop approve {who['id'][:8]}`")
    lines += [
        f"When the node started, {plain_text.format_remark(damage)}." for damage in status["damage"]
    ]
    if status["trouble"]:
        lines.append(f"Nothing is signed here: {plain_text.format_refusal(status['trouble'])}.")
    if status["own_clock"]:
        lines.append(plain_text.format_own_clock(status["own_clock"]))
    else:
        lines += map(plain_text.format_other_clock, status["other_clocks"])
    for row in status["ahead"]:
        if row["device"] != status["device"]:
            lines.append(plain_text.format_ahead(row, clock_of_status(status)))
    return "\n".join([*lines, *_describe_lacks(status)])


def _describe_lacks(status: dict[str, Any]) -> Iterator[str]:
    """Yields what this home cannot keep from others, and what it cannot read itself."""
    if status["gone_with_key"]:
        gone = format_count(status["gone_with_key"], "device")
        yield f"What you write today can still be read by {gone} that are gone."
    if status["newer"]:
        yield plain_text.describe_newer(status["newer"], status["specs"])
    if status["failed"]:
        mistakes = format_count(len(status["failed"]), "mistake")
        yield f"The program made {mistakes} and leaves something out: see `meshcoop doctor`."


def _name_peer(peer: dict[str, Any]) -> str:
    return format_person(peer["person"]) if peer["person"] else "a relay"
