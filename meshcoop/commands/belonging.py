"""Commands by which people come together: found, invite, join, approve."""

import contextlib
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from cyclopts import App, Parameter

from meshcoop import keystore, passphrase, process
from meshcoop.client import Client
from meshcoop.commands.context import Context, Given, Listen, keep_listen
from meshcoop.commands.options import of_kind
from meshcoop.errors import Mistake
from meshcoop.founding import Identity, found
from meshcoop.keystore import HeldDevice, Keys, Unlocked
from meshcoop.store import Store
from protocol import invitation, seal, statement
from protocol.schema import KINDS
from protocol.text import line

Name = Annotated[str, Parameter(name="--as", help="the person's name")]


def register(app: App) -> None:
    """Adds the commands to `app`."""
    of_kind(app, "found", KINDS["charter"], _found, leave_out=("name", "founders", "moderators"))
    app.command(_invite, name="invite")
    app.command(_join, name="join")
    app.command(_approve, name="approve")


def _found(
    name: str, /, *, as_: Name, listen: Listen = None, context: Given, **fields: Any
) -> None:
    """Begins a new neighbourhood, with you as its founder."""
    _check_name(as_)
    kind = KINDS["charter"]
    charter = kind.read({"name": name, **fields}, _nobody_yet)
    kind.check({**charter, "founders": []})
    if context.home.keys.exists():
        raise Mistake(f"{context.home.path} is somebody's home already; use another --home.")
    identity = Identity.new(os.urandom)
    secret = passphrase.obtain(new=True)
    context.home.create()
    keep_listen(context, listen)
    unlocked = _new_keys(context, identity, secret)  # last: from now on the home is taken
    with context.home.lock(), contextlib.closing(Store(context.home.store)) as store:
        author = found(store, identity, charter, as_, _now, os.urandom)
        neighbourhood = author.state.neighbourhood.hex()
    settings = replace(context.home.read_settings(), neighbourhood=neighbourhood)
    context.home.write_settings(settings)
    result = {
        "state": "member",
        "person": {"id": identity.person.hex(), "name": as_},
        "device": identity.device.hex(),
        "neighbourhood": {"id": neighbourhood, "name": name},
    }
    words = f"{line(name)} is founded, with {line(as_)} as its first member."
    _tell(context, unlocked, result, words)


def _invite(
    *,
    approve: Annotated[
        bool, Parameter(negative=(), help="vouch at once for who brings it")
    ] = False,
    context: Given,
) -> None:
    """An invitation for one newcomer, good for seven days while your node is up."""
    with context.node() as node:
        given = node.call("invite", approve=approve)
    context.answer(
        given, lambda: f"{given['invitation']}\nGood for one person until {given['expires']}."
    )


def _join(
    code: str,
    /,
    *,
    as_: Name,
    wait: Annotated[float, Parameter(help="seconds to look for the inviter")] = 60,
    listen: Listen = None,
    context: Given,
) -> None:
    """Asks to join the neighbourhood that an invitation is for."""
    _check_name(as_)
    place = invitation.decode(code).neighbourhood
    if context.home.read_settings().neighbourhood:
        with context.node() as node:
            node.call("join", invitation=code, name=as_, seconds=wait)
            status = node.call("status")
        context.answer(
            {"state": "member", **_who(status), "recovery": None}, lambda: "Joined already."
        )
        return
    secret = passphrase.obtain(new=not context.home.keys.exists())
    context.home.create()
    if not process.running(context.home):  # else the address is taken, by this very home
        keep_listen(context, listen)
    if context.home.keys.exists():
        unlocked = _certified_for(context, place, keystore.unlock(context.home.keys, secret))
    else:
        unlocked = _new_keys(context, Identity.new(os.urandom, place), secret)
    with _node_for_joining(context, secret) as node:
        member = node.call("join", invitation=code, name=as_, seconds=wait)
        status = node.call("status")
    result = {"state": "member" if member else "waiting", **_who(status)}
    if not member:
        held = unlocked.keys.devices[0]
        result["person"] = {"id": held.person.hex(), "name": as_}
        words = (
            "You have knocked. Somebody has to open: leave the node up, `meshcoop status` tells."
        )
    else:
        words = f"Welcome to {line(status['neighbourhood']['name'])}, {line(as_)}."
    _tell(context, unlocked, result, words)


def _approve(person: str, /, *, context: Given) -> None:
    """Vouches for somebody who has knocked."""
    with context.node() as node:
        result = node.call("approve", person=person)
    words = {"member": "They belong now.", "waiting": "Vouched; another member has to vouch too."}
    context.answer(result, lambda: words[result["state"]])


@contextlib.contextmanager
def _node_for_joining(context: Context, secret: str) -> Iterator[Client]:
    """The home's node; one started for a join that fails is stopped again."""
    started = not process.running(context.home)
    if started:
        process.start(context.home, secret)
    try:
        with Client(context.home.socket) as client:
            yield client
    except BaseException:
        if started and not context.home.read_settings().neighbourhood:
            process.stop(context.home)
        raise


def _new_keys(context: Context, identity: Identity, secret: str) -> Unlocked:
    context.home.create()
    held = HeldDevice(identity.person, identity.device_seed, identity.statement)
    keys = Keys(os.urandom(32), (held,), identity.root_seed, keystore.machine_id())
    return keystore.create(context.home.keys, secret, keys)


def _certified_for(context: Context, place: bytes, unlocked: Unlocked) -> Unlocked:
    """The same keys after a join that came to nothing, certified for where they now knock."""
    keys = unlocked.keys
    held = keys.devices[0]
    known = statement.read(held.statement)
    if known.place == place:
        return unlocked
    if keys.recovery is None:
        raise Mistake("This home waits at another neighbourhood's door; use another --home.")
    process.stop(context.home)  # a node that runs knows the old certificate
    box = seal.box_key(held.seed).public
    again = statement.certify(keys.recovery, held.seed, box, place)
    return unlocked.save(replace(keys, devices=(replace(held, statement=again),)))


def _tell(context: Context, unlocked: Unlocked, result: dict[str, Any], words: str) -> None:
    """Answers with the recovery words, and forgets them once they have been shown."""
    from mnemonic import Mnemonic

    seed = unlocked.keys.recovery
    recovery = Mnemonic("english").to_mnemonic(seed) if seed else None
    advice = (
        f"\n\nWrite these words on paper. They are the only way back to being you if this home is "
        f"lost, and they are not shown again:\n\n{recovery}"
    )
    context.answer({**result, "recovery": recovery}, lambda: words + (advice if recovery else ""))
    if seed:
        unlocked.save(replace(unlocked.keys, recovery=None))


def _who(status: dict[str, Any]) -> dict[str, Any]:
    return {name: status[name] for name in ("person", "device", "neighbourhood")}


def _check_name(name: str) -> None:
    kind = KINDS["profile"]
    kind.check({"name": name.strip()})


def _nobody_yet(what: str, typed: str) -> bytes:
    raise Mistake(f"{typed!r}: there is no {what} in a neighbourhood that begins.", 2)


def _now() -> int:
    return time.time_ns() // 1_000_000
