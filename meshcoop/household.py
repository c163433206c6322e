"""A home of the demo, spoken to through the command line only."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from meshcoop.errors import Mistake


class Household:
    """Somebody's home, which one of them may share with a guest."""

    def __init__(self, folder: Path, name: str) -> None:
        self.name = name
        self.home = folder / name.lower()

    def run(self, *words: str) -> Any:
        """What a command answers, from its JSON. Raises Mistake with what it said instead."""
        command = [sys.executable, "-m", "meshcoop", "--home", str(self.home), "--json", *words]
        done = subprocess.run(  # noqa: S603
            command, capture_output=True, text=True, check=False,
            close_fds=False,  # the janitor waits for a command that outlives the demo
        )  # fmt: skip
        if done.returncode:
            raise Mistake(f"{self.name}: `{' '.join(words[:2])}` said: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def post(self, kind: str, *words: str) -> str:
        """Posts, and returns the id."""
        return str(self.run("post", kind, *words)["id"])

    def has(self, record: str) -> None:
        """Waits until a record is here."""
        self.run("wait", "--id", record)
