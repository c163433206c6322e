"""Runs a program in a real pseudo-terminal and shows what a terminal would show (pyte)."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import termios
import time

import pyte

_QUIET_ROUNDS = 15  # Textual queues 30 pictures before it waits


class Terminal:
    """A terminal with `columns` × `lines` that runs `command`. `raw` holds every byte that the
    command sent.
    """

    def __init__(self, command, *, columns=80, lines=24, env=None, emulate=True):
        self._emulate = emulate  # this is slow: a page of 220 × 110 takes a second
        self.raw = b""
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self.pid, self._handle = pty.fork()
        if self.pid == 0:
            try:
                size = struct.pack("HHHH", lines, columns, 0, 0)
                fcntl.ioctl(0, termios.TIOCSWINSZ, size)
                whole = {**os.environ, "TERM": "xterm-256color", "TZ": "UTC", **(env or {})}
                for name in ("NO_COLOR", "COLORTERM", "TEXTUAL", "TERM_PROGRAM"):
                    if name not in (env or {}):
                        whole.pop(name, None)
                os.execve(command[0], command, whole)
            finally:
                os._exit(127)
        self.code = None

    def __enter__(self):
        return self

    def __exit__(self, *error):
        if self.code is None:
            os.kill(self.pid, signal.SIGKILL)
            self.code = os.waitpid(self.pid, 0)[1]
        if self._handle is not None:
            os.close(self._handle)

    @property
    def text(self):
        return "\n".join(line.rstrip() for line in self._screen.display)

    def type(self, text):
        os.write(self._handle, text.encode())

    def send(self, number):
        os.kill(self.pid, number)

    def pause(self, seconds):
        """Reads for some time, as a terminal does while its reader looks on."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass

    def stop_reading(self, keys):
        """Types keys and reads nothing, until the program cannot write any more and waits."""
        quiet_rounds = 0
        while quiet_rounds < _QUIET_ROUNDS:
            unread = self._unread
            for key in keys:
                self.type(key)
                select.select([], [], [], 0.03)
            quiet_rounds = quiet_rounds + 1 if unread == self._unread else 0

    def hang_up(self):
        """Ends the terminal, as the closing of its window does."""
        os.close(self._handle)
        self._handle = None

    def has_ended(self, seconds):
        """Returns whether the program ends within some seconds, though nobody reads what it
        writes.
        """
        deadline = time.monotonic() + seconds
        while self.code is None and time.monotonic() < deadline:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.code = os.waitstatus_to_exitcode(status)
            else:
                select.select([], [], [], 0.02)
        return self.code is not None

    def until(self, *texts, seconds=40):
        """Reads until the terminal shows all texts. If this takes too long, fails and prints what
        it shows.
        """
        deadline = time.monotonic() + seconds
        while not all(text in self.text for text in texts):
            if not self._read(deadline):
                raise AssertionError(f"{texts} did not come; the terminal shows:\n{self.text}")
        return self

    def until_gone(self, text, seconds=40):
        deadline = time.monotonic() + seconds
        while text in self.text:
            if not self._read(deadline):
                raise AssertionError(f"{text!r} stayed; the terminal shows:\n{self.text}")

    def wait(self, seconds=40):
        """Reads everything until the program has ended, and returns its exit code."""
        deadline = time.monotonic() + seconds
        while self._read(deadline):
            pass
        while self.code is None and time.monotonic() < deadline:
            done, status = os.waitpid(self.pid, os.WNOHANG)
            if done:
                self.code = os.waitstatus_to_exitcode(status)
        assert self.code is not None, f"it did not end; the terminal shows:\n{self.text}"
        return self.code

    @property
    def _unread(self):
        """The number of bytes that the program has written and nobody has read."""
        return struct.unpack("i", fcntl.ioctl(self._handle, termios.FIONREAD, bytes(4)))[0]

    def _read(self, deadline):
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([self._handle], [], [], left)[0]:
            return False
        try:
            data = os.read(self._handle, 65536)
        except OSError:  # on Linux, reading fails once the other end is closed
            return False
        self.raw += data
        # pyte mistakes the keyboard protocol's CSI > … u and CSI = … u for other sequences.
        if self._emulate:
            self._stream.feed(_plain(data))
        return bool(data)

    def echoes(self):
        """Returns whether the terminal is back in its ordinary mode, in which it shows typed
        characters.
        """
        return bool(termios.tcgetattr(self._handle)[3] & termios.ECHO)


def _plain(data):
    return re.sub(rb"\x1b\[[<>=][0-9;]*u|\x1b\[\?[0-9;]*\$p", b"", data)
