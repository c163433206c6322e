"""The commands about relays: from `relay found` to `relay leave`."""

import getpass
import os
from dataclasses import replace
from typing import Annotated, Any

from cyclopts import App, Parameter

from meshcoop.cli.context import Context, Given, Listen, keep_listen
from meshcoop.errors import Mistake
from meshcoop.home import key_file as keystore
from meshcoop.home import passphrase
from meshcoop.home.key_file import Keys
from meshcoop.home.relay_limits import MEGABYTE
from meshcoop.home.settings import Settings
from meshcoop.node import systemd
from protocol.display_text import line

_MOST = 80  # characters of a name


def _found(name: str, /, *, listen: Listen = None, context: Given) -> None:
    """Makes this home a relay: it carries records for neighbourhoods, and reads none of them."""
    if not 1 <= len(name.strip()) <= _MOST:
        raise Mistake(f"A relay's name has 1 to {_MOST} characters.", 2)
    if context.home.keys.exists():
        raise Mistake(f"{context.home.path} is somebody's home already; use another --home.")
    secret = passphrase.obtain(new=True)
    context.home.create()
    keep_listen(context, listen)
    keystore.create(context.home.keys, secret, Keys(os.urandom(32)))
    context.home.write_settings(replace(context.home.read_settings(), relay=name.strip()))
    context.answer(
        {"relay": name.strip()},
        lambda: (
            f"{line(name)} is a relay. `meshcoop up` starts it, `meshcoop relay ticket` gives a"
            " ticket to a neighbourhood."
        ),
    )


def _ticket(
    *,
    at: Annotated[
        list[str] | None,
        Parameter(
            negative=(), help="where it is dialled, if not where it listens; repeat for more"
        ),
    ] = None,
    context: Given,
) -> None:
    """A ticket with which a member enrols this relay; for one neighbourhood, within seven days."""
    given = _ask(context, "relay_ticket", addresses=at or [])
    context.answer(
        given, lambda: f"{given['ticket']}\nGood for one neighbourhood until {given['expires']}."
    )


def _enrol(ticket: str, /, *, context: Given) -> None:
    """Enrols the relay of a ticket, which then carries your neighbourhood's records."""
    done = _ask(context, "relay_enrol", ticket=ticket)
    context.answer(done, lambda: "The relay is enrolled; your neighbours' homes learn of it now.")


def _end(relay: str, /, *, context: Given) -> None:
    """Ends a relay's service that you enrolled."""
    done = _ask(context, "relay_end", relay=relay)
    context.answer(done, lambda: "The relay is ended, as far as you enrolled it.")


def _list(*, context: Given) -> None:
    """At a member: the relays that serve you. At a relay: the neighbourhoods that it serves."""
    found = _ask(context, "relays")
    context.answer(found, lambda: "\n".join(map(_told, found)) or "None.")


def _leave(neighbourhood: str, /, *, context: Given) -> None:
    """Stops serving a neighbourhood and erases what is kept for it; its homes are told."""
    done = _ask(context, "relay_leave", neighbourhood=neighbourhood)
    context.answer(done, lambda: f"{_called(done)} is served no more, and erased here.")


def _limits(
    *,
    megabytes: Annotated[
        int | None, Parameter(help="what each neighbourhood may use of the disk")
    ] = None,
    days: Annotated[int | None, Parameter(help="how long sealed content is kept")] = None,
    context: Given,
) -> None:
    """Shows or sets what each neighbourhood may use of this relay."""
    now = _ask(context, "relay_limits", megabytes=megabytes, days=days)
    context.answer(
        now,
        lambda: (
            f"Each neighbourhood may use {now['megabytes']} MB; what is sealed is kept for"
            f" {now['days']} days."
        ),
    )


def _storage(*, context: Given) -> None:
    """How much this relay keeps for each neighbourhood."""
    found = _ask(context, "relay_storage")
    context.answer(found, lambda: "\n".join(map(_kept, found)) or "Nothing is kept for anybody.")


def _metrics(
    port: Annotated[int | None, Parameter(help="of loopback; 0 turns them off")] = None,
    /,
    *,
    context: Given,
) -> None:
    """Shows or sets the port at which this relay serves its figures for Prometheus."""
    settings = _settings(context)
    if port is not None:
        if not 0 <= port < 1 << 16:
            raise Mistake("A port is a number from 1 to 65535, or 0 for none.", 2)
        settings = replace(settings, metrics=port or None)
        context.home.write_settings(settings)
    now = settings.metrics
    said = (
        "No figures are served." if now is None else f"Figures at http://127.0.0.1:{now}/metrics."
    )
    more = " A node that runs has to be started again." if port is not None else ""
    context.answer({"metrics": now}, lambda: said + more)


def _unit(
    *,
    user: Annotated[str, Parameter(help="who runs the relay")] = getpass.getuser(),
    context: Given,
) -> None:
    """Prints a unit file with which systemd runs this relay."""
    settings = _settings(context)
    text = systemd.unit(context.home, line(settings.relay or ""), user)
    context.answer({"unit": text}, text.rstrip)


def _settings(context: Context) -> Settings:
    context.must_exist()
    settings = context.home.read_settings()
    if settings.relay is None:
        raise Mistake("This home is no relay; `meshcoop --home DIR relay found NAME` makes one.")
    return settings


def _ask(context: Context, method: str, **given: Any) -> Any:
    with context.node() as node:
        return node.call(method, **given)


def _told(one: dict[str, Any]) -> str:
    if "neighbourhood" in one:
        return (
            f"{_called(one)}: {one['records']} records, {one['connected']} connected,"
            f" since {one['since'][:10]}, id {one['neighbourhood']['id'][:16]}"
        )
    people = ", ".join(line(person["name"]) for person in one["people"])
    where = ", ".join(one["addresses"])
    return f"{one['key'][:16]} ({one['state']}), enrolled by {people}, at {where}"


def _kept(one: dict[str, Any]) -> str:
    return (
        f"{_called(one)}: {one['records']} records, {one['used'] / MEGABYTE:.1f} of"
        f" {one['room'] / MEGABYTE:.0f} MB used, {one['disk'] / MEGABYTE:.1f} MB on the disk"
    )


def _called(one: dict[str, Any]) -> str:
    named = one["neighbourhood"]
    return line(named["name"] or "") or f"the neighbourhood {named['id'][:16]}"


relay = App(name="relay", help="Relays: homes that carry records which they cannot read.")
relay.command(_found, name="found")
relay.command(_ticket, name="ticket")
relay.command(_enrol, name="enrol")
relay.command(_end, name="end")
relay.command(_list, name="list")
relay.command(_leave, name="leave")
relay.command(_limits, name="limits")
relay.command(_storage, name="storage")
relay.command(_metrics, name="metrics")
relay.command(_unit, name="unit")
