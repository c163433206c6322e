"""Checks a home's folder, its key file and its settings."""

import os
import stat

from meshcoop.cli.doctor.finding import Finding, Patient
from meshcoop.home.private_files import OTHERS, OTHERS_WRITE


def check_folder(patient: Patient) -> Finding:
    """Checks that other users cannot change the files of the home."""
    path = patient.home.path
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.geteuid():
        return Finding("folder", "wrong", f"{path} is not a folder of yours.", "Name another one.")
    if status.st_mode & OTHERS_WRITE:
        remedy = f"Keep others out with `chmod 700 {path}`."
        return Finding("folder", "wrong", "Others can change what lies in this home.", remedy)
    return Finding("folder", "fine", f"This home lies in {path}.")


def check_keys(patient: Patient) -> Finding:
    """Checks that the key file exists and that other users cannot read it."""
    path = patient.home.key_file
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        remedy = "`meshcoop found` or `meshcoop join` make them; or `meshcoop restore` a backup."
        return Finding("keys", "wrong", "There are no keys in this home.", remedy)
    if not stat.S_ISREG(mode):
        return Finding("keys", "wrong", "The key file is no file.", "Restore a backup.")
    if mode & OTHERS:
        remedy = f"Keep others out with `chmod 600 {path}`; until then it is not opened."
        return Finding("keys", "wrong", "Others can read the key file.", remedy)
    return Finding("keys", "fine", "The keys are there, and nobody else can read them.")


def check_settings(patient: Patient) -> Finding:
    """Checks that the settings can be read. Says whether the home is a relay, and whether it
    belongs to a neighbourhood.
    """
    settings = patient.home.read_settings()
    if settings.relay:
        return Finding("settings", "fine", f"This home is the relay {settings.relay}.")
    if patient.status is not None:
        belongs = patient.status["neighbourhood"] is not None
        has_asked = patient.status["waiting"].get("admission") is True
    elif patient.keys is not None:
        belongs = patient.keys.neighbourhood is not None
        has_asked = patient.keys.invitation is not None
    else:
        return Finding("settings", "fine", "The settings can be read.")
    if belongs:
        return Finding("settings", "fine", "This home belongs to a neighbourhood.")
    if has_asked:
        return Finding(
            "settings", "note", "This home waits to be admitted; a neighbour has to open."
        )
    return Finding("settings", "note", "This home belongs to no neighbourhood yet.")
