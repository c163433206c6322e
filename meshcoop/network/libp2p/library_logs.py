"""The log lines of the network libraries. They go to a file, never to the screen."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from logging.handlers import RotatingFileHandler
from pathlib import Path

# One megabyte and one old file, because a stranger who provokes warnings must not fill the disk.
LOG_BYTES = 1024 * 1024
LOGGERS = ("libp2p", "multiaddr", "zeroconf", "meshcoop.network.libp2p")


@contextmanager
def redirect_logs(log_file: Path | None) -> Iterator[None]:
    """While inside, sends warnings of the network's libraries to `log_file`; drops them if it is
    None.

    libp2p's logger has propagation off and no handler. Python's last resort then writes its
    warnings to standard error, which spoils a screen. Some modules of libp2p log to the root logger
    itself. That logger then quietly installs a handler for standard error, unless it has a handler
    already.
    """
    handler: logging.Handler = logging.NullHandler()
    if log_file is not None:
        handler = RotatingFileHandler(
            log_file, maxBytes=LOG_BYTES, backupCount=1, encoding="utf-8", delay=True
        )
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(name)s %(message)s"))
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
    # These handlers stay for good. A line that is logged after the last host has closed must not
    # reach the screen either.
    for name in ("", *LOGGERS):
        logger = logging.getLogger(name)
        if not logger.handlers:
            logger.addHandler(logging.NullHandler())
