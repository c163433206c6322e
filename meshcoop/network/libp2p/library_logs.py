"""Sends the log lines of the network libraries to a file, so that they do not spoil the screen."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager

LOGGERS = ("libp2p", "multiaddr", "zeroconf", "meshcoop.network.libp2p")


@contextmanager
def redirect_logs(log: logging.Handler | None) -> Iterator[None]:
    """While the block runs, sends warnings of the network's libraries to `log`. Closes `log` at the
    end. If `log` is None, drops the warnings.

    libp2p's logger passes nothing on and has no handler. So Python writes its warnings to standard
    error, which spoils a screen. Some modules of libp2p use the functions of `logging` directly. If
    the root logger has no handler at that moment, Python quietly adds a handler for standard error.
    """
    handler = log or logging.NullHandler()
    _silence_last_resort()
    loggers = [logging.getLogger(name) for name in LOGGERS]
    for logger in loggers:
        logger.addHandler(handler)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeHandler(handler)
        handler.close()


def _silence_last_resort() -> None:
    # These handlers are never removed. So even a line that is logged after the last host has closed
    # does not reach the screen.
    for name in ("", *LOGGERS):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
