"""Checks the machine on which a home is stored: its clock, its disk and the installed program."""

import importlib.metadata
import shutil
from datetime import UTC, datetime

from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.doctor.finding import Finding, Patient
from meshcoop.cli.plain_text import format_package_fault
from protocol.fold.registry import KINDS
from protocol.kinds import FAULTS, ORIGINS
from protocol.wire import sync_session as sync

_LITTLE_ROOM = 200 * 1024**2  # bytes
_HARDLY_ROOM = 20 * 1024**2
_GIGABYTE = 1024**3
_HOUR_MS = 3_600_000


def check_clock(patient: Patient) -> Finding:
    """Compares the machine's clock with the time of each device's last record (R-03.18d)."""
    times = patient.require_stored()["head_times"]
    time = datetime.fromtimestamp(patient.now / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
    if not times:
        return Finding("clock", "unknown", f"It is {time} here; there is nothing to compare with.")
    hours = [(signed - patient.now) // _HOUR_MS for signed in times]
    ahead = [number for number in hours if number > 0]
    if not ahead:
        return Finding("clock", "fine", f"The clock says {time}, which fits what was signed.")
    sentence = (
        f"It is {time} here, but {len(ahead)} of {format_count(len(times), 'device')} signed "
        f"something up to {format_count(max(ahead), 'hour')} later."
    )
    if 2 * len(ahead) > len(times):
        remedy = "Set this machine's clock; without the right time nothing is signed here."
        return Finding("clock", "wrong", sentence, remedy)
    remedy = "If this machine's clock is right, ask whom `meshcoop status` names to set theirs."
    return Finding("clock", "note", sentence, remedy)


def check_disk(patient: Patient) -> Finding:
    """Checks that the disk has space for further records."""
    free = shutil.disk_usage(patient.home.path).free
    sentence = f"{free / _GIGABYTE:.1f} GB are free where this home lies."
    if free < _HARDLY_ROOM:
        remedy = "Make room now: nothing more can be stored or signed."
        return Finding("disk", "wrong", sentence, remedy)
    if free < _LITTLE_ROOM:
        return Finding("disk", "note", sentence, "Make some room soon.")
    return Finding("disk", "fine", sentence)


def check_packages(_patient: Patient) -> Finding:
    """Names the packages that add kinds of records. Says which of them have failed and are left
    out.
    """
    if FAULTS:
        sentences = [format_package_fault(package, fault) for package, fault in FAULTS.items()]
        remedy = "Install another version of it, or remove it; then start the node again."
        return Finding("packages", "wrong", " ".join(sentences), remedy)
    packages = sorted({origin for kind, origin in ORIGINS.items() if not KINDS[kind].is_core})
    if packages:
        return Finding("packages", "fine", f"Further kinds come from {', '.join(packages)}.")
    return Finding("packages", "fine", "No further kinds of records are installed.")


def check_version(_patient: Patient) -> Finding:
    """Says which versions are installed. A person who asks for help can pass these versions on."""
    meshcoop = importlib.metadata.version("meshcoop")
    libp2p = importlib.metadata.version("libp2p")
    sentence = f"meshcoop {meshcoop}, sync protocol {sync.VERSION}, libp2p {libp2p}."
    return Finding("version", "fine", sentence)
