"""The doctor: what is wrong with a home and what to do about it, in a resident's words first.

It changes nothing and needs neither the passphrase nor the node; what only a running node knows is
asked of it, and else unknown.
"""

import importlib.metadata
import os
import shutil
import stat
import time
from collections.abc import Callable
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal

from meshcoop.client import Client, NodeGone
from meshcoop.errors import Mistake
from meshcoop.home.folder import Home
from meshcoop.home.machine import own_addresses
from meshcoop.repair import integrity
from meshcoop.store.disk_errors import StoreError
from meshcoop.store.read_only import ReadOnlyStore
from protocol.wire import sync_session as sync

State = Literal["fine", "note", "wrong", "unknown"]

_LITTLE_ROOM = 200 * 1024**2  # bytes
_HARDLY_ROOM = 20 * 1024**2
_HOUR_MS = 3_600_000
_OTHERS = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True)
class Finding:
    """What one check found: `said` for people, `remedy` where there is something to do."""

    name: str
    state: State
    said: str
    remedy: str | None = None


@dataclass(frozen=True)
class Patient:
    """What the checks look at. `status`: what the running node says, None where none answers."""

    home: Home
    now: int
    status: dict[str, Any] | None


Check = Callable[[Patient], Finding]


def examine(home: Home, now: int) -> list[Finding]:
    """All checks, the worst first. Raises nothing: what cannot be looked at is unknown."""
    status = None
    with suppress(NodeGone, Mistake, OSError), Client(home.socket, 10) as client:
        status = client.call("status")
    patient = Patient(home, now, status)
    order: tuple[State, ...] = ("wrong", "note", "unknown", "fine")
    return sorted((_done(one, patient) for one in CHECKS), key=lambda one: order.index(one.state))


def _done(check: Check, patient: Patient) -> Finding:
    name = check.__name__.removeprefix("_")
    try:
        return check(patient)
    except Mistake as mistake:
        return Finding(name, "wrong", mistake.sentence)
    except (OSError, StoreError) as error:
        said = getattr(error, "strerror", None) or str(error)
        return Finding(name, "unknown", f"This could not be looked at: {said}.")


# -- the machine ----------------------------------------------------------------------------------


def _clock(patient: Patient) -> Finding:
    """Against what was last signed here and what the neighbours signed."""
    latest = _latest(patient.home)
    told = datetime.fromtimestamp(patient.now / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if latest is None:
        return Finding("clock", "unknown", f"It is {told} here; there is nothing to compare with.")
    ahead = latest - patient.now
    if ahead > _HOUR_MS:
        return Finding(
            "clock",
            "wrong",
            f"It is {told} here, but something was signed {ahead // _HOUR_MS} hours later.",
            "Set this machine's clock; without the right time nothing is signed here.",
        )
    return Finding("clock", "fine", f"The clock says {told}, which fits what was signed.")


def _latest(home: Home) -> int | None:
    with closing(ReadOnlyStore(home.store)) as store:
        return store.latest_time()


def _disk(patient: Patient) -> Finding:
    """Room for what comes."""
    free = shutil.disk_usage(patient.home.path).free
    said = f"{free / 1024**3:.1f} GB are free where this home lies."
    if free < _HARDLY_ROOM:
        remedy = "Make room now: nothing more can be stored or signed."
        return Finding("disk", "wrong", said, remedy)
    if free < _LITTLE_ROOM:
        return Finding("disk", "note", said, "Make some room soon.")
    return Finding("disk", "fine", said)


def _folder(patient: Patient) -> Finding:
    """Who else can get at the home."""
    found = patient.home.path.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        return Finding(
            "folder", "wrong", f"{patient.home.path} is not a folder of yours.", "Name another one."
        )
    if found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        remedy = f"Keep others out with `chmod 700 {patient.home.path}`."
        return Finding("folder", "wrong", "Others can change what lies in this home.", remedy)
    return Finding("folder", "fine", f"This home lies in {patient.home.path}.")


def _keys(patient: Patient) -> Finding:
    """The key file: there, and its owner's alone."""
    path = patient.home.keys
    try:
        found = path.lstat()
    except FileNotFoundError:
        remedy = "`meshcoop found` or `meshcoop join` make them; or `meshcoop restore` a backup."
        return Finding("keys", "wrong", "There are no keys in this home.", remedy)
    if not stat.S_ISREG(found.st_mode):
        return Finding("keys", "wrong", "The key file is no file.", "Restore a backup.")
    if found.st_mode & _OTHERS:
        remedy = f"Keep others out with `chmod 600 {path}`; until then it is not opened."
        return Finding("keys", "wrong", "Others can read the key file.", remedy)
    return Finding("keys", "fine", "The keys are there, and nobody else can read them.")


def _settings(patient: Patient) -> Finding:
    """Whether the settings can be read."""
    settings = patient.home.read_settings()
    if settings.relay:
        return Finding("settings", "fine", f"This home is the relay {settings.relay}.")
    if settings.neighbourhood:
        return Finding("settings", "fine", "This home belongs to a neighbourhood.")
    if settings.invitation:
        return Finding(
            "settings", "note", "This home waits to be admitted; a neighbour has to open."
        )
    return Finding("settings", "note", "This home belongs to no neighbourhood yet.")


def _version(patient: Patient) -> Finding:
    """Which program this is, for whoever is asked for help."""
    del patient
    versions = {name: importlib.metadata.version(name) for name in ("meshcoop", "libp2p")}
    said = f"meshcoop {versions['meshcoop']}, sync protocol {sync.VERSION}"
    return Finding("version", "fine", f"{said}, libp2p {versions['libp2p']}.")


# -- the store ------------------------------------------------------------------------------------


def _store(patient: Patient) -> Finding:
    """SQLite's own check, and every record hashed again; of a relay, each of its stores."""
    stores = [patient.home.store, *sorted((patient.home.path / "served").glob("*[0-9a-f].db"))]
    bad = {path.name: found for path in stores if (found := integrity.problems(path))}
    if patient.status is None:
        for path in stores:
            dropped = integrity.wal_problem(path)
            if dropped is not None:
                bad.setdefault(path.name, []).append(dropped)
    if bad:
        said = "; ".join(f"{name}: {', '.join(found)}" for name, found in bad.items())
        return Finding(
            "store",
            "wrong",
            f"What is stored here is damaged ({said}).",
            "`meshcoop down` and `meshcoop up` mend it, with what the neighbours' nodes hold.",
        )
    if not patient.home.store.exists():
        return Finding("store", "note", "Nothing is stored here yet.")
    with closing(ReadOnlyStore(patient.home.store)) as store:
        count = store.count()
    return Finding("store", "fine", f"All {count} records were read again and are as signed.")


def _past(patient: Patient) -> Finding:
    """What the node found when it started."""
    if patient.status is None:
        return Finding("past", "unknown", "Whether something was mended, only the node knows.")
    damage = patient.status.get("damage") or []
    if damage:
        said = "; ".join(damage)
        return Finding(
            "past", "note", f"When the node started, {said}.", "Look at the disk's health."
        )
    return Finding("past", "fine", "Nothing had to be mended when the node started.")


# -- the node and its neighbours ------------------------------------------------------------------


def _node(patient: Patient) -> Finding:
    """Whether a node runs and answers."""
    if patient.status is not None:
        trouble = patient.status.get("trouble")
        if trouble:
            return Finding("node", "wrong", f"The node runs, and signs nothing: {trouble}.")
        return Finding("node", "fine", f"The node runs (process {patient.status['pid']}).")
    if patient.home.running():
        remedy = f"Wait a moment; if that does not help, look into {patient.home.log}."
        return Finding("node", "wrong", "A node runs, and does not answer.", remedy)
    return Finding("node", "note", "No node runs in this home.", "`meshcoop up` starts it.")


def _port(patient: Patient) -> Finding:
    """Where others dial this home; who else has the port, while the node does not run."""
    if patient.status is not None:
        where = ", ".join(one.split("/p2p/")[0] for one in patient.status["addresses"])
        return Finding("port", "fine", f"The node listens at {where}.")
    settings = patient.home.read_settings()
    if not settings.listen and settings.port is None:
        return Finding("port", "unknown", "No port has been chosen yet.")
    wanted = list(settings.listen) or patient.home.default_listen()
    taken = [address for address in wanted if not _free(address)]
    if taken:
        return Finding(
            "port",
            "wrong",
            f"The node cannot listen at {', '.join(taken)}: another program does, or the address is"
            " no longer this machine's.",
            "Stop that program, or name another address: `meshcoop up --listen /ip4/…/tcp/…`.",
        )
    return Finding("port", "fine", f"The node's port is free: {', '.join(wanted)}.")


def _free(address: str) -> bool:
    from meshcoop.network.interface import NetworkError
    from meshcoop.network.libp2p.address import check_listen

    try:
        check_listen(address)
    except NetworkError:
        return False
    return True


def _network(patient: Patient) -> Finding:
    """Behind what kind of router this machine is, as far as somebody has said."""
    own = [one for one in own_addresses() if not one.startswith("127.")]
    if not own:
        remedy = "Connect to the home network or the internet."
        return Finding("network", "wrong", "This machine is in no network.", remedy)
    seen = (patient.status or {}).get("seen_as") or []
    here = ", ".join(own)
    if not seen:
        return Finding("network", "unknown", f"This machine is {here}; no relay has seen it yet.")
    if set(seen) & set(own):
        return Finding("network", "fine", f"This machine is {here}, and others can dial it there.")
    said = f"This machine is {here}, behind a router that shows it as {', '.join(seen)}."
    relays = (patient.status or {}).get("reserved", 0)
    if relays:
        return Finding("network", "fine", f"{said} Neighbours reach it through {relays} relays.")
    return Finding(
        "network", "note", said, "A relay lets neighbours reach it: `meshcoop relay list`."
    )


def _relays(patient: Patient) -> Finding:
    """Which relays there are, and which are reached."""
    status = patient.status
    if status is None:
        return Finding("relays", "unknown", "Which relays are reached, only the node knows.")
    if status.get("relay"):
        served = status["serves"]
        return Finding("relays", "fine", f"This is a relay, and serves {served} neighbourhoods.")
    known, there = status.get("relays", 0), sum(one["person"] is None for one in status["peers"])
    if not known:
        remedy = "Fine on one street's network; else a technician's ticket: `meshcoop relay enrol`."
        return Finding("relays", "note", "The neighbourhood has no relay.", remedy)
    if not there:
        remedy = "Ask its technician; see whether this machine reaches the internet."
        return Finding("relays", "wrong", f"None of {known} relays is reached.", remedy)
    return Finding("relays", "fine", f"{there} of {known} relays are connected.")


def _peers(patient: Patient) -> Finding:
    """Who is connected, and when somebody last was."""
    if patient.status is not None:
        homes = [one for one in patient.status["peers"] if one["person"]]
        if homes:
            return Finding("peers", "fine", f"{len(homes)} neighbours' homes are connected.")
    met = _last_met(patient.home)
    if met is None:
        said = "No neighbour's home has been met yet."
        return Finding("peers", "note", said, "Keep the node up; invite somebody.")
    ago = (patient.now - met) / 86_400_000
    when = f"{ago:.0f} days ago" if ago >= 1 else "today"
    return Finding("peers", "note", f"No neighbour's home is connected; one was met {when}.")


def _last_met(home: Home) -> int | None:
    with closing(ReadOnlyStore(home.store)) as store:
        return store.last_meeting()


def _sync(patient: Patient) -> Finding:
    """When notes were last compared with another node."""
    if patient.status is None:
        return Finding("sync", "unknown", "When notes were last compared, only the node knows.")
    last = patient.status.get("settled")
    if last is None:
        return Finding("sync", "note", "Notes have not been compared with anybody since the start.")
    began = datetime.fromisoformat(last).timestamp()
    ago = max(0, int(time.time() - began))
    return Finding("sync", "fine", f"Notes were last compared with another node {ago} s ago.")


CHECKS: tuple[Check, ...] = (
    _folder, _keys, _settings, _disk, _clock, _store, _past, _node, _port, _network, _relays,
    _peers, _sync, _version,
)  # fmt: skip
