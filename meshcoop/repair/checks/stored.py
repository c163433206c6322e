"""Checks the stored records. Also reports damage that the node found when it started."""

from contextlib import closing
from pathlib import Path

from meshcoop.home.folder import Home
from meshcoop.repair import integrity
from meshcoop.repair.finding import Finding, Patient
from meshcoop.store.read_only import ReadOnlyStore
from protocol.display_text import safe_line


def check_store(patient: Patient) -> Finding:
    """Looks for damage in each store of the home. SQLite checks the file, and every record is
    hashed again. A relay has one store for each neighbourhood, besides its own.
    """
    stores = _stores(patient.home)
    faults = {path.name: problems for path in stores if (problems := integrity.problems(path))}
    # A running node may be writing to its write-ahead log: half a frame would look like damage.
    if patient.status is None:
        for path in stores:
            fault = integrity.wal_problem(path)
            if fault is not None:
                faults.setdefault(path.name, []).append(fault)
    if faults:
        listed = "; ".join(f"{name}: {', '.join(of_store)}" for name, of_store in faults.items())
        return Finding(
            "store",
            "wrong",
            f"What is stored here is damaged ({listed}).",
            "`meshcoop down` and `meshcoop up` mend it, with what the neighbours' nodes hold.",
        )
    if not patient.home.store_file.exists():
        return Finding("store", "note", "Nothing is stored here yet.")
    with closing(ReadOnlyStore(patient.home.store_file)) as store:
        count = store.count()
    return Finding("store", "fine", f"All {count} records were read again and are as signed.")


def check_threads(patient: Patient) -> Finding:
    """Says how much is left out because the code of a kind failed (R-10.16c)."""
    errors: list[str] = []
    for path in _stores(patient.home):
        if path.exists():
            with closing(ReadOnlyStore(path)) as store:
                errors += store.failed_threads()
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
    """Says how many records are newer than this program, and of which kinds (R-10.8c)."""
    counts: dict[str, int] = {}
    if patient.home.store_file.exists():
        with closing(ReadOnlyStore(patient.home.store_file)) as store:
            counts = store.newer_counts()
    if not counts:
        return Finding("newer", "fine", "Nothing that is stored is newer than this program.")
    listed = ", ".join(f"{count} {safe_line(kind)}" for kind, count in counts.items())
    return Finding(
        "newer",
        "note",
        f"{sum(counts.values())} records are newer than this program ({listed}).",
        "A later version of meshcoop shows them; a kind with a dot needs the package before the dot.",
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
            f"When the node started, {'; '.join(damage)}.",
            "Look at the disk's health.",
        )
    return Finding("past", "fine", "Nothing had to be mended when the node started.")


def _stores(home: Home) -> list[Path]:
    return [home.store_file, *sorted((home.path / "served").glob("*[0-9a-f].db"))]
