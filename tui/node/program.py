"""Runs commands of the command line for the screen: those that need the home's folder or its
passphrase, which the local API never sees.
"""

import asyncio
import json
import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any, NoReturn

from protocol.display_text import safe_line
from tui.i18n import _
from tui.node.api_client import Declined

_PASSPHRASE_FILE = "MESHCOOP_PASSPHRASE_FILE"  # noqa: S105  # a name, no secret


class Program:
    """The program `meshcoop` for one home. `command` is its command line as far as the command, for
    example `["python", "-m", "meshcoop", "--home", "/home/ada"]`.
    """

    def __init__(self, command: Sequence[str]) -> None:
        self._command = list(command)

    async def run(
        self, *words: str, passphrase: str | None = None, secret_file: str | None = None
    ) -> Any:
        """Runs a command and returns its answer. Raises Declined with the sentence of the program
        if the command fails.

        The passphrase goes through a pipe, so that it is on no disk and in no list of processes.
        `secret_file` is the text of a second pipe. The path of this pipe follows `words`.
        """
        with ExitStack() as pipes:
            environment = dict(os.environ)
            readers = []
            if passphrase is not None:
                readers.append(_open_pipe(passphrase, pipes))
                environment[_PASSPHRASE_FILE] = _path_of(readers[-1])
            if secret_file is not None:
                readers.append(_open_pipe(secret_file, pipes))
                words = (*words, _path_of(readers[-1]))
            process = await asyncio.create_subprocess_exec(
                *self._command,
                "--json",
                *words,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env=environment,
                pass_fds=readers,
            )
        try:
            answer, complaint = await process.communicate()
        except asyncio.CancelledError:
            process.terminate()
            await process.wait()
            raise
        if process.returncode:
            raise Declined(_last_line(complaint.decode(errors="replace")))
        return json.loads(answer)

    def become(self, *words: str) -> NoReturn:
        """Runs a command in place of this process."""
        command = [*self._command, *words]
        os.execv(command[0], command)  # noqa: S606  # our own program, and no shell


def _open_pipe(text: str, pipes: ExitStack) -> int:
    """Returns the end of a pipe from which a program reads `text`. The pipe holds a short text, so
    that nobody has to wait for the reader.
    """
    reader, writer = os.pipe()
    pipes.callback(os.close, reader)
    with open(writer, "w", encoding="utf-8") as file:  # noqa: PTH123  # a handle, not a path
        file.write(f"{text}\n")
    return reader


def _path_of(handle: int) -> str:
    return f"/dev/fd/{handle}"


def _last_line(complaint: str) -> str:
    """Returns the sentence with which a command ended."""
    lines = [line for line in complaint.splitlines() if line.strip()]
    if not lines:
        return _("The program ended without a word.")
    return safe_line(lines[-1], 300)
