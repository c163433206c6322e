"""Commands about a person's keys: recovery, devices, certify, revoke."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.author import founding
from meshcoop.author.founding import Identity
from meshcoop.cli import recovery_sheet as sheet
from meshcoop.cli.context import Context, Given
from meshcoop.cli.recovery_sheet import Words
from meshcoop.clock import now
from meshcoop.errors import Mistake
from meshcoop.fold.state import State
from meshcoop.home import key_file as keystore
from meshcoop.home import passphrase
from meshcoop.home import recovery_words as recovery
from meshcoop.home.key_file import HeldDevice, Keys
from meshcoop.ingest.inbox import Inbox
from meshcoop.node import process
from meshcoop.store.store import Store
from protocol.authority.admission import MAX_DEVICES
from protocol.display_text import line
from protocol.record import root_statement as statement
from protocol.record.envelope import device_key

_USAGE = 2


def _recovery(*, context: Given) -> None:
    """Shows your recovery words, asks for two of them, and then keeps them no longer."""
    context.must_exist()
    unlocked = keystore.unlock(context.home.keys, passphrase.obtain())
    if unlocked.keys.recovery is None:
        raise Mistake("The recovery words are on paper alone; this home keeps them no longer.")
    sheet.check_on_paper(unlocked.keys.recovery)
    sheet.forget(unlocked)
    context.answer({"checked": True}, lambda: "The words are on paper, and no longer in this home.")


def _devices(person: str | None = None, /, *, context: Given) -> None:
    """Your devices and their state, or those of another person."""
    with context.node() as node:
        found = node.call("devices", person=person)
    context.answer(found, lambda: "\n".join(map(_told, found)) or "No devices.")


def _certify(*, words: Words = None, context: Given) -> None:
    """Makes a new device for this home, in place of one that may not sign any more."""
    context.must_exist()
    named = context.home.read_settings().neighbourhood
    if named is None:
        raise Mistake("This home belongs to no neighbourhood yet; `meshcoop join` it.")
    secret = passphrase.obtain()
    unlocked = keystore.unlock(context.home.keys, secret)
    neighbourhood = bytes.fromhex(named)
    identity = Identity.of(
        _root_seed(unlocked.keys, words), os.urandom, neighbourhood[: statement.PLACE]
    )
    if identity.person not in {one.person for one in unlocked.keys.devices}:
        raise Mistake("These are the words of somebody who has no device at this home.")
    ran = process.running(context.home)
    process.stop(context.home)
    with context.home.lock(), _state(context, unlocked.keys, neighbourhood) as state:
        since = _since(state, identity.person)
        first = founding.introduction(
            identity.device_seed, identity.statement, neighbourhood, max(now(), since)
        )
        keys = unlocked.again().keys
        held = HeldDevice(
            identity.person, identity.device_seed, identity.statement, keystore.machine_id()
        )
        unlocked.save(replace(keys, devices=(held, *keys.devices)))
        Inbox(state).take([first], durable=True)
    if ran:
        process.start(context.home, secret)
    result = {"device": identity.device.hex(), "person": identity.person.hex()}
    context.answer(
        result,
        lambda: (
            f"This home signs with device {result['device'][:8]} now. `meshcoop devices` shows the "
            "others; end those that are lost with `meshcoop revoke`."
        ),
    )


def _revoke(
    device: str,
    /,
    *,
    words: Words = None,
    after: Annotated[
        int | None,
        Parameter(help="the last of its records that counts; all known ones if left out"),
    ] = None,
    context: Given,
) -> None:
    """Ends a device that is lost or stolen: what it signs from now on does not count."""
    root = _root_at_hand(context, words)
    with context.node() as node:
        found = node.call("device", device=device)
        if recovery.person_of(root).hex() != found["person"]["id"]:
            raise Mistake(f"These are not the words of {found['person']['name']}.")
        last = found["records"] if after is None else after
        place = bytes.fromhex(found["place"])
        said = statement.revoke(root, bytes.fromhex(found["device"]), last, place)
        posted = node.call("carry", statement=said.hex())
    result = {**posted, "device": found["device"], "after": last}
    context.answer(result, lambda: f"Device {found['device'][:8]} ends after its record {last}.")


def _root_at_hand(context: Context, words: Path | None) -> bytes:
    context.must_exist()
    if words is not None:
        return recovery.read(words)
    return _root_seed(keystore.unlock(context.home.keys, passphrase.obtain()).keys, None)


def _root_seed(keys: Keys, words: Path | None) -> bytes:
    """The root key, of the words or of a home that still keeps it. Raises Mistake (2)."""
    if words is not None:
        return recovery.read(words)
    if keys.recovery is None:
        raise Mistake("This needs your recovery words; name their file with --words.", _USAGE)
    return keys.recovery


def _since(state: State, person: bytes) -> int:
    """When the person is a member. Raises Mistake unless one more device of theirs would count."""
    known = state.authority
    if known is None or person not in known.members:
        raise Mistake("These are not the words of a member, as far as this home knows.")
    if sum(known.live(one.key) for one in known.devices_of(person)) >= MAX_DEVICES:
        raise Mistake(
            f"There are {MAX_DEVICES} live devices already; end one with `meshcoop revoke` at any "
            "neighbour's home."
        )
    return known.members[person].since


@contextlib.contextmanager
def _state(context: Context, keys: Keys, neighbourhood: bytes) -> Iterator[State]:
    with contextlib.closing(Store(context.home.store)) as store:
        devices = {device_key(one.seed): one.seed for one in keys.devices}
        yield founding.open_state(store, neighbourhood, devices, now, keys.boxes)


def _told(one: dict[str, Any]) -> str:
    here = "  at this home" if one["here"] else ""
    who = line(one["person"]["name"], 20)
    return f"{one['device'][:8]}  {who}  {one['state']}  {one['records']} records{here}"
