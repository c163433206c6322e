"""Reports a node's state to systemd, and writes the unit file with which systemd runs the node.

A report is one datagram to the socket that the variable NOTIFY_SOCKET names (the protocol
sd_notify).
"""

import os
import socket
import sys
from contextlib import suppress

from meshcoop.home.folder import Home

_UNIT = """\
[Unit]
Description=meshcoop relay {name}
Wants=network-online.target
After=network-online.target

[Service]
Type=notify
User={user}
ExecStart={program} --home {home} run
Environment=MESHCOOP_MDNS=0
Restart=on-failure
RestartSec=5
# After an upgrade, a start may take long. If it were killed, the next one would take long too.
TimeoutStartSec=infinity
WatchdogSec=60
MemoryMax=512M
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={home}
PrivateTmp=yes
PrivateDevices=yes
ProtectKernelTunables=yes
ProtectKernelModules=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX AF_NETLINK
RestrictNamespaces=yes
LockPersonality=yes

[Install]
WantedBy=multi-user.target
"""


def unit(home: Home, name: str, user: str) -> str:
    """Returns a unit file that runs the relay in this home as the operating system's user
    `user`.
    """
    program = f"{_word(sys.executable)} -m meshcoop"
    return _UNIT.format(
        name=name.replace("%", "%%"), user=user, program=program, home=_word(str(home.path))
    )


def _word(text: str) -> str:
    """Quotes a text so that it becomes one word of a unit file."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$")
    return f'"{escaped}"' if set(escaped) & set(" \t'\"\\;") else escaped


def notify(state: str) -> None:
    """Reports a state to systemd, if systemd runs this process. Never raises, because the node can
    run without systemd.
    """
    where = os.environ.get("NOTIFY_SOCKET", "")
    if not where.startswith(("/", "@")):
        return
    address = "\0" + where[1:] if where.startswith("@") else where
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sending:
        sending.sendto(state.encode(), address)


def watchdog_seconds() -> float | None:
    """Returns within how many seconds systemd expects the next sign of life. Returns None if
    systemd does not watch this process.
    """
    microseconds = os.environ.get("WATCHDOG_USEC", "")
    pid = os.environ.get("WATCHDOG_PID", "")
    if not microseconds.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(microseconds) / 1_000_000
