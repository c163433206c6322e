"""Commands that take a person and their node's records away, and bring them back: backup, restore."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshcoop.api.presenter import Presenter
from meshcoop.author import founding
from meshcoop.author.founding import Identity
from meshcoop.cli.context import Context, Given, Listen, keep_listen
from meshcoop.cli.recovery_sheet import Words
from meshcoop.clock import now
from meshcoop.errors import Mistake
from meshcoop.export import backup
from meshcoop.export.backup import Contents, Reader
from meshcoop.fold.state import State
from meshcoop.home import key_file as keystore
from meshcoop.home import passphrase
from meshcoop.home import recovery_words as recovery
from meshcoop.home.key_file import HeldDevice, Keys
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.records import Store
from protocol.display_text import line
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.envelope import device_key

_PAGE = 500
_USAGE = 2


def _backup(file: Path, /, *, context: Given) -> None:
    """Writes who you are and what your node holds to a file, under your passphrase."""
    context.must_exist()
    named = context.home.read_settings().neighbourhood
    if named is None:
        raise Mistake("This home belongs to no neighbourhood yet, so there is nothing to back up.")
    secret = passphrase.obtain()
    keys = keystore.unlock(context.home.keys, secret).keys
    boxes = [[device_key(one.seed), seal.box_key(one.seed).secret] for one in keys.devices]
    boxes += [list(one) for one in keys.boxes]
    from meshcoop.sync import address_book as peers

    with contextlib.closing(Store(context.home.store)) as store:
        person = keys.devices[0].person
        contents = Contents(
            bytes.fromhex(named), person, keys.recovery, boxes, peers.remembered(store)
        )
        count = backup.write(file, secret, contents, _wires(store))
    result = {"file": str(file.absolute()), "records": count, "needs_words": keys.recovery is None}
    needed = " To restore it you also need your recovery words." if result["needs_words"] else ""
    context.answer(result, lambda: f"{count} records are in {file}.{needed}")


def _restore(file: Path, /, *, words: Words = None, listen: Listen = None, context: Given) -> None:
    """Makes this home yours again, as a new device, with what a backup holds."""
    if context.home.keys.exists():
        raise Mistake(f"{context.home.path} is somebody's home already; use another --home.")
    root = recovery.read(words) if words else None
    secret = passphrase.obtain()
    with contextlib.closing(Reader(file, secret)) as reader:
        contents = reader.contents
        root = root or contents.root
        if root is None:
            raise Mistake(
                "When this backup was made the recovery words were on paper already; name the "
                "file that holds them with --words.",
                _USAGE,
            )
        if recovery.person_of(root) != contents.person:
            raise Mistake("These are the words of somebody else than the backup's owner.")
        place = contents.neighbourhood[: statement.PLACE]
        identity = Identity.of(root, os.urandom, place)
        context.home.create()
        keep_listen(context, listen)
        with context.home.lock():
            told = _fill(context, reader, identity)
    settings = context.home.read_settings()
    named = contents.neighbourhood.hex()
    context.home.write_settings(replace(settings, neighbourhood=named))
    held = HeldDevice(
        identity.person, identity.device_seed, identity.statement, keystore.machine_id()
    )
    boxes = tuple((device, box) for device, box in contents.boxes)
    keys = Keys(os.urandom(32), (held,), contents.root, boxes=boxes)
    keystore.create(context.home.keys, secret, keys)  # last: from now on it is a home
    result = {"state": "member", **told, "device": identity.device.hex()}
    context.answer(
        result,
        lambda: (
            f"You are back as {line(told['person']['name'])}, with a new device; `meshcoop up` "
            "brings what has happened since, and `meshcoop devices` shows the devices you had."
        ),
    )


def _fill(context: Context, reader: Reader, identity: Identity) -> dict[str, Any]:
    """The store of the home, from the backup: beside the place until it is whole."""
    from meshcoop.sync import address_book as peers

    growing = context.home.path / "restoring.db"
    for end in ("", "-wal", "-shm"):
        Path(f"{growing}{end}").unlink(missing_ok=True)
    contents = reader.contents
    boxes = [(device, secret) for device, secret in contents.boxes]
    devices = {identity.device: identity.device_seed}
    with contextlib.closing(Store(growing)) as store:
        state = founding.open_state(store, contents.neighbourhood, devices, now, boxes)
        inbox = Inbox(state)
        for wires in reader.records():
            inbox.take_wires(wires)
        told = _introduce(inbox, state, identity)
        peers.remember(store, contents.addresses)
    growing.replace(context.home.store)
    return told


def _introduce(inbox: Inbox, state: State, identity: Identity) -> dict[str, Any]:
    known = state.authority
    if known is None or identity.person not in known.members:
        raise Mistake("This backup does not show its owner to be a member; take another one.")
    time = max(now(), known.members[identity.person].since)
    first = founding.introduction(
        identity.device_seed, identity.statement, state.neighbourhood, time
    )
    inbox.take([first], durable=True)
    return {
        "person": Presenter(state, now).person(identity.person),
        "neighbourhood": {"id": state.neighbourhood.hex(), "name": known.charter["name"]},
        "records": state.store.count(),
    }


def _wires(store: Store) -> Iterator[bytes]:
    after = 0
    while rows := store.page(after, _PAGE):
        yield from (row.record.wire for row in rows)
        after = rows[-1].n
