"""The commands about relays. Technicians run relays, and members enrol them."""

import getpass
from dataclasses import replace
from typing import Annotated, Any

from cyclopts import App, Parameter

from meshcoop.cli import plain_text
from meshcoop.cli.context import (
    ALREADY_SO,
    Context,
    ContextArgument,
    ListenOption,
    keep_listen_addresses,
    read_clock,
)
from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.relay_text import describe_relay, name_neighbourhood
from meshcoop.errors import Mistake
from meshcoop.home import key_file
from meshcoop.home.relay_limits import MEGABYTE
from meshcoop.home.settings import Settings
from meshcoop.node import systemd
from protocol.display_text import safe_line
from protocol.wire import calls
from protocol.wire.calls import Call

_USAGE = 2
_MOST_CHARACTERS = 80  # in a relay's name
_MOST_PORT = 65535


def found_relay(name: str, /, *, listen: ListenOption = None, context: ContextArgument) -> None:
    """Makes this home a relay. A relay carries the records of neighbourhoods and reads none of
    them.
    """
    relay = name.strip()
    if not 1 <= len(relay) <= _MOST_CHARACTERS:
        raise Mistake(
            "A relay's name has 1 to {most_characters} characters.",
            _USAGE,
            most_characters=_MOST_CHARACTERS,
        )
    if context.home.key_file.exists():
        raise Mistake(
            "{path} is somebody's home already; use another --home.", path=context.home.path
        )
    context.home.create()
    keep_listen_addresses(context, listen)
    # A relay starts by itself, so a passphrase would lie beside the keys.
    key_file.create_key_file(context.home.key_file, None, key_file.new_keys())
    context.home.write_settings(replace(context.home.read_settings(), relay=relay))
    context.answer(
        {"relay": relay},
        lambda: (
            f"{safe_line(name)} is a relay. `meshcoop up` starts it, `meshcoop relay ticket` makes a"
            " ticket for a neighbourhood."
        ),
        is_done=True,
    )


def make_ticket(
    *,
    addresses: Annotated[
        list[str] | None,
        Parameter(
            name="--at",
            negative=(),
            help="an address where homes reach it, if it listens elsewhere; repeat for more",
        ),
    ] = None,
    context: ContextArgument,
) -> None:
    """Makes a ticket. With the ticket, one neighbourhood can enrol this relay within seven days."""
    with context.connect_node() as node:
        answer = node.call(calls.RelayTicket(addresses=addresses))
        expires = plain_text.format_time(answer["expires"], read_clock(node))
    context.answer(
        answer,
        lambda: f"{answer['ticket']}\nGood for one neighbourhood until {expires}.",
        is_done=True,
    )


def enrol_relay(ticket: str, /, *, context: ContextArgument) -> None:
    """Enrols the relay that made a ticket. From then on, the relay carries your neighbourhood's
    records.
    """
    answer = _call_node(context, calls.RelayEnrol(ticket=ticket))
    context.answer(
        answer,
        lambda: "The relay is enrolled; your neighbours' homes learn of it now.",
        is_done=True,
    )


def end_relay(relay: str, /, *, context: ContextArgument) -> None:
    """Ends the service of a relay that you enrolled."""
    answer = _call_node(context, calls.RelayEnd(relay=relay))
    sentence = "You have ended the relay. Others may have enrolled it too."
    context.answer(answer, lambda: ALREADY_SO if "already" in answer else sentence, is_done=True)


def list_relays(*, context: ContextArgument) -> None:
    """Lists the relays that serve you. If this home is a relay, lists the neighbourhoods that it
    serves.
    """
    with context.connect_node() as node:
        views = node.list_all(calls.Relays())
    context.answer(views, lambda: "\n".join(map(describe_relay, views)) or "None.")


def leave_neighbourhood(neighbourhood: str, /, *, context: ContextArgument) -> None:
    """Stops serving a neighbourhood, erases everything that is kept for it, and tells its homes."""
    answer = _call_node(context, calls.RelayLeave(neighbourhood=neighbourhood))
    name = name_neighbourhood(answer)
    context.answer(answer, lambda: f"{name} is served no more, and erased here.", is_done=True)


def show_limits(
    *,
    megabytes: Annotated[
        int | None, Parameter(help="what each neighbourhood may use of the disk")
    ] = None,
    days: Annotated[int | None, Parameter(help="how long sealed content is kept")] = None,
    context: ContextArgument,
) -> None:
    """Shows or sets the limits of each neighbourhood at this relay."""
    limits = _call_node(context, calls.RelayLimits(megabytes=megabytes, days=days))
    context.answer(
        limits,
        lambda: (
            f"Each neighbourhood may use {limits['megabytes']} MB; what is sealed is kept for"
            f" {limits['days']} days."
        ),
        is_done=not (megabytes is None and days is None),
    )


def show_storage(*, context: ContextArgument) -> None:
    """Shows how much this relay keeps for each neighbourhood."""
    with context.connect_node() as node:
        views = node.list_all(calls.RelayStorage())
    context.answer(
        views,
        lambda: "\n".join(map(_describe_storage, views)) or "Nothing is kept for anybody.",
    )


def show_metrics_port(
    port: Annotated[
        int | None, Parameter(help="a port of this machine only; 0 turns the figures off")
    ] = None,
    /,
    *,
    context: ContextArgument,
) -> None:
    """Shows or sets the port for Prometheus. At this port, the relay serves its metrics."""
    settings = _require_relay(context)
    if port is not None:
        if not 0 <= port <= _MOST_PORT:
            raise Mistake(
                "A port is a number from 1 to {most_port}, or 0 for none.",
                _USAGE,
                most_port=_MOST_PORT,
            )
        settings = replace(settings, metrics=port or None)
        context.home.write_settings(settings)
    if settings.metrics is None:
        sentence = "No figures are served."
    else:
        sentence = f"Figures at http://127.0.0.1:{settings.metrics}/metrics."
    if port is not None:
        sentence += " A node that runs has to be started again."
    context.answer({"metrics": settings.metrics}, lambda: sentence, is_done=port is not None)


def print_unit(
    *,
    user: Annotated[str, Parameter(help="the user who runs the relay")] = getpass.getuser(),
    context: ContextArgument,
) -> None:
    """Prints a unit file. With this file, systemd runs the relay."""
    settings = _require_relay(context)
    text = systemd.unit(context.home, safe_line(settings.relay or ""), user)
    context.answer({"unit": text}, text.rstrip)


def _require_relay(context: Context) -> Settings:
    context.require_home()
    settings = context.home.read_settings()
    if settings.relay is None:
        raise Mistake("This home is no relay; `meshcoop --home DIR relay found NAME` makes one.")
    return settings


def _call_node(context: Context, call: Call) -> Any:
    with context.connect_node() as node:
        return node.call(call)


def _describe_storage(view: dict[str, Any]) -> str:
    used = view["used"] / MEGABYTE
    room = view["room"] / MEGABYTE
    disk = view["disk"] / MEGABYTE
    records = format_count(view["records"], "record")
    return (
        f"{name_neighbourhood(view)}: {records}, {used:.1f} of"
        f" {room:.0f} MB used, {disk:.1f} MB on the disk"
    )


relay_app = App(name="relay", help="Relays: homes that carry records which they cannot read.")
relay_app.command(found_relay, name="found")
relay_app.command(make_ticket, name="ticket")
relay_app.command(enrol_relay, name="enrol")
relay_app.command(end_relay, name="end")
relay_app.command(list_relays, name="list")
relay_app.command(leave_neighbourhood, name="leave")
relay_app.command(show_limits, name="limits")
relay_app.command(show_storage, name="storage")
relay_app.command(show_metrics_port, name="metrics")
relay_app.command(print_unit, name="unit")
