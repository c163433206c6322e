"""Commands by which people come together: found, invite, join, approve."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any

from cyclopts import Parameter

import protocol.kinds  # noqa: F401  # registers what can be posted
from meshcoop.author.founding import Identity, found
from meshcoop.cli.context import Context, Given, Listen, keep_listen
from meshcoop.cli.kind_options import of_kind
from meshcoop.cli.recovery_sheet import Words, tell
from meshcoop.client import Client
from meshcoop.clock import now
from meshcoop.errors import Mistake
from meshcoop.home import key_file as keystore
from meshcoop.home import passphrase
from meshcoop.home import recovery_words as recovery
from meshcoop.home.key_file import HeldDevice, Keys, Unlocked
from meshcoop.node import process
from meshcoop.store.store import Store
from protocol.display_text import line
from protocol.fold.kind import KINDS
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.wire import invitation

Name = Annotated[str, Parameter(name="--as", help="the person's name")]


def _found(
    name: str, /, *, as_: Name, listen: Listen = None, context: Given, **fields: Any
) -> None:
    """Begins a new neighbourhood, with you as its founder."""
    check_name(as_)
    kind = KINDS["charter"]
    charter = kind.read({"name": name, **fields}, _nobody_yet)
    kind.check({**charter, "founders": []})
    if context.home.keys.exists():
        raise Mistake(f"{context.home.path} is somebody's home already; use another --home.")
    identity = Identity.new(os.urandom)
    secret = passphrase.obtain(new=True)
    context.home.create()
    keep_listen(context, listen)
    unlocked = new_keys(context, identity, secret)  # last: from now on the home is taken
    with context.home.lock(), contextlib.closing(Store(context.home.store)) as store:
        author = found(store, identity, charter, as_, now, os.urandom)
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
    tell(context, unlocked, result, words)


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
    as_: Annotated[str | None, Parameter(name="--as", help="the person's name")] = None,
    words: Words = None,
    wait: Annotated[float, Parameter(help="seconds to look for the inviter")] = 60,
    listen: Listen = None,
    context: Given,
) -> None:
    """Asks to join the neighbourhood that an invitation is for; with your recovery words, as the
    member that you are.
    """
    place = invitation.decode(code).neighbourhood
    root = recovery.read(words) if words else None
    if as_ is None and root is None:
        raise Mistake("Say who joins with --as NAME, or come back with --words FILE.", 2)
    as_ = as_ or recovery.person_of(root or b"").hex()[:8]
    check_name(as_)
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
        unlocked = _certified_for(context, place, root, keystore.unlock(context.home.keys, secret))
    elif root is not None:
        identity = Identity.of(root, os.urandom, place)
        unlocked = new_keys(context, identity, secret, on_paper=True)
    else:
        unlocked = new_keys(context, Identity.new(os.urandom, place), secret)
    with _node_for_joining(context, secret) as node:
        member = node.call("join", invitation=code, name=as_, seconds=wait)
        status = node.call("status")
    result = {"state": "member" if member else "waiting", **_who(status)}
    if not member:
        held = unlocked.keys.devices[0]
        result["person"] = {"id": held.person.hex(), "name": as_}
        said = "You have knocked. Somebody has to open: leave the node up, `meshcoop status` tells."
    else:
        said = f"Welcome to {line(status['neighbourhood']['name'])}, {line(as_)}."
    tell(context, unlocked, result, said)


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


def new_keys(
    context: Context, identity: Identity, secret: str, *, on_paper: bool = False
) -> Unlocked:
    """The key file of a new home. `on_paper`: the person has their recovery words already."""
    context.home.create()
    machine = keystore.machine_id()
    held = HeldDevice(identity.person, identity.device_seed, identity.statement, machine)
    root = None if on_paper else identity.root_seed
    return keystore.create(context.home.keys, secret, Keys(os.urandom(32), (held,), root))


def _certified_for(
    context: Context, place: bytes, root: bytes | None, unlocked: Unlocked
) -> Unlocked:
    """The same keys after a join that came to nothing, certified for where they now knock."""
    keys = unlocked.keys
    held = keys.devices[0]
    if root is not None and recovery.person_of(root) != held.person:
        raise Mistake("These words are another person's than this home; use another --home.")
    if statement.read(held.statement).place == place:
        return unlocked
    root = root or keys.recovery
    if root is None:
        raise Mistake(
            "This home waits at another neighbourhood's door; use another --home, or add --words."
        )
    process.stop(context.home)  # a node that runs knows the old certificate
    again = statement.certify(root, held.seed, seal.box_key(held.seed).public, place)
    return unlocked.save(replace(keys, devices=(replace(held, statement=again),)))


def _who(status: dict[str, Any]) -> dict[str, Any]:
    return {name: status[name] for name in ("person", "device", "neighbourhood")}


def check_name(name: str) -> None:
    """Raises Refused unless a person can be called so."""
    kind = KINDS["profile"]
    kind.check({"name": name.strip()})


def _nobody_yet(what: str, typed: str) -> bytes:
    raise Mistake(f"{typed!r}: there is no {what} in a neighbourhood that begins.", 2)


_founding = of_kind(KINDS["charter"], _found, leave_out=("name", "founders", "moderators"))
