"""Examines a home. Tells people in simple words what is wrong and what to do about it.

The doctor changes nothing, and asks nobody for the passphrase. If a node runs, the node looks into
the encrypted stores. If no node runs, the doctor opens the stores with the passphrase from a file.
Without such a file, the doctor looks only at what is not encrypted. Some facts can be learned only
from a running node. Without a node, the doctor reports these facts as unknown.
"""

import os
from typing import Any

from meshcoop.cli.doctor.checks.home_files import check_folder, check_keys, check_settings
from meshcoop.cli.doctor.checks.machine import (
    check_clock,
    check_disk,
    check_packages,
    check_version,
)
from meshcoop.cli.doctor.checks.running_node import (
    check_network,
    check_node,
    check_peers,
    check_port,
    check_relays,
    check_sync,
)
from meshcoop.cli.doctor.checks.stored import check_newer, check_past, check_store, check_threads
from meshcoop.cli.doctor.finding import Check, Finding, Patient, State, Unseen
from meshcoop.client import Client, OtherProgram
from meshcoop.errors import Mistake
from meshcoop.home import key_file
from meshcoop.home.folder import Home
from meshcoop.home.key_file import Keys
from meshcoop.home.passphrase import PASSPHRASE_VARIABLE, obtain_passphrase
from meshcoop.repair.examination import Examined, examine_stores
from meshcoop.store.disk_errors import StoreError
from protocol.wire import calls

# The checks by the name of their finding. Findings of the same state are listed in this order.
CHECKS: dict[str, Check] = {
    "folder": check_folder,
    "keys": check_keys,
    "settings": check_settings,
    "disk": check_disk,
    "clock": check_clock,
    "store": check_store,
    "past": check_past,
    "threads": check_threads,
    "newer": check_newer,
    "node": check_node,
    "port": check_port,
    "network": check_network,
    "relays": check_relays,
    "peers": check_peers,
    "sync": check_sync,
    "packages": check_packages,
    "version": check_version,
}

_WORST_FIRST: tuple[State, ...] = ("wrong", "note", "unknown", "fine")
_ANSWER_SECONDS = 10
_EXAMINATION_SECONDS = 600


def examine_home(home: Home, now: int) -> list[Finding]:
    """Runs all checks as of the time `now` (ms). Returns the findings of the checks. The worst
    finding comes first.

    Never raises. If a check cannot look at something, its finding says "unknown".
    """
    status = None
    is_other_program = False
    try:
        with Client(home.api_socket, _ANSWER_SECONDS) as client:
            status = client.call(calls.Status())
    except OtherProgram:
        is_other_program = True
    except (Mistake, OSError):
        pass
    keys = None if status else _find_keys(home)
    stored = _look_into_stores(home, status, keys)
    patient = Patient(home, now, status, is_other_program, keys, stored)
    findings = [_run(name, check, patient) for name, check in CHECKS.items()]
    return sorted(findings, key=lambda finding: _WORST_FIRST.index(finding.state))


def _find_keys(home: Home) -> Keys | None:
    """Returns the keys of the home. Returns None if somebody would have to type the passphrase."""
    try:
        secret = None
        if key_file.is_locked(home.key_file):
            if PASSPHRASE_VARIABLE not in os.environ:
                return None
            secret = obtain_passphrase()
        return key_file.unlock_key_file(home.key_file, secret).keys
    except Mistake:  # the checks of the files say what is wrong with them
        return None


def _look_into_stores(
    home: Home, status: dict[str, Any] | None, keys: Keys | None
) -> Examined | Mistake | None:
    try:
        if status is not None:
            with Client(home.api_socket, _EXAMINATION_SECONDS) as client:
                examined: Examined = client.call(calls.Examine())
                return examined
        return None if keys is None else examine_stores(home, keys.store_key)
    except Mistake as mistake:
        return mistake


def _run(name: str, check: Check, patient: Patient) -> Finding:
    try:
        return check(patient)
    except Mistake as mistake:
        return Finding(name, "wrong", mistake.sentence)
    except Unseen as unseen:
        return Finding(name, "unknown", f"{unseen}.")
    except (OSError, StoreError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        return Finding(name, "unknown", f"This could not be looked at: {reason}.")
