"""Checks the stored records. Also reports damage that the node found at its start."""

from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.doctor.finding import Finding, Patient, Unseen
from meshcoop.cli.plain_text import describe_newer, format_remark
from meshcoop.errors import Mistake
from protocol.fold.registry import package_of
from protocol.wire import sync_session

_HIDDEN = "Damage hides this"


def check_store(patient: Patient) -> Finding:
    """Looks for damage in each store of the home. SQLite checks the file, and every record is
    hashed again. A relay has one more store for each neighbourhood.
    """
    stored = patient.stored
    if isinstance(stored, Mistake):
        raise stored
    examined = patient.require_stored()
    faults = examined["faults"]
    if faults:
        listed = "; ".join(
            f"{name}: {', '.join(format_remark(fault) for fault in of_store)}"
            for name, of_store in faults.items()
        )
        return Finding(
            "store",
            "wrong",
            f"What is stored here is damaged ({listed}).",
            "`meshcoop down` and `meshcoop up` mend it, with what the neighbours' nodes hold.",
        )
    if examined["is_lost"]:
        return _describe_empty(patient)
    count = examined["records"] or 0
    return Finding(
        "store", "fine", f"Read again, and all as signed: {format_count(count, 'record')}."
    )


def check_threads(patient: Patient) -> Finding:
    """Says what is left out because the code of a kind failed (R-10.16c)."""
    stored = patient.require_stored()["failed"]
    if stored is None:
        raise Unseen(_HIDDEN)
    errors = list(stored)
    failed = (patient.status or {}).get("failed", ())
    errors += [f"{row['method']}: {row['error']}" for row in failed if "method" in row]
    if not errors:
        return Finding("threads", "fine", "The program understands everything that is stored.")
    further = f" and {len(errors) - 1} more" if len(errors) > 1 else ""
    return Finding(
        "threads",
        "wrong",
        f"The program made a mistake and leaves something out: {errors[0]}{further}.",
        "Report this with the node's log; a new version of the program tries again.",
    )


def check_newer(patient: Patient) -> Finding:
    """Says how many records have a kind that this program does not know, and names these kinds
    (R-10.8c).
    """
    counts = patient.require_stored()["newer"]
    if not counts:
        return Finding("newer", "fine", "Nothing that is stored is newer than this program.")
    rows = [
        {"kind": kind, "records": count, "package": package_of(kind)}
        for kind, count in counts.items()
    ]
    return Finding(
        "newer",
        "note",
        describe_newer(rows, sync_session.VERSION),
        "Install what knows them: the program folds them at its next start.",
    )


def check_past(patient: Patient) -> Finding:
    """Says what the node repaired when it started."""
    if patient.status is None:
        return Finding("past", "unknown", "Only a running node knows whether something was mended.")
    damage = patient.status.get("damage") or []
    if damage:
        return Finding(
            "past",
            "note",
            f"When the node started, {'; '.join(map(format_remark, damage))}.",
            "Look at the disk's health.",
        )
    return Finding("past", "fine", "Nothing had to be mended when the node started.")


def _describe_empty(patient: Patient) -> Finding:
    """Says whether a home without a store has lost its store."""
    if patient.home.is_running():
        remedy = "Put it back, then `meshcoop down` and `meshcoop up`."
        return Finding("store", "wrong", "The store was removed while the node runs.", remedy)
    belongs = patient.keys is not None and patient.keys.neighbourhood is not None
    if belongs or patient.home.served_stores():
        remedy = "`meshcoop up` makes a new one, with what the neighbours' nodes hold."
        return Finding("store", "wrong", "The store is lost.", remedy)
    return Finding("store", "note", "Nothing is stored here yet.")
