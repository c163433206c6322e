"""The commands `backup` and `restore`. A backup holds a person's keys and the records of their
node.
"""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from meshcoop.api.presenter import Presenter
from meshcoop.author import founding
from meshcoop.author.founding import Identity
from meshcoop.cli.context import (
    Context,
    ContextArgument,
    ListenOption,
    WithoutPassphraseOption,
    keep_listen_addresses,
)
from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.home_store import open_home_store
from meshcoop.cli.person_name import format_person
from meshcoop.cli.recovery_sheet import WordsOption
from meshcoop.clock import now
from meshcoop.errors import Mistake
from meshcoop.export import backup
from meshcoop.export.backup import BackupContents, BackupReader
from meshcoop.fold.state import State
from meshcoop.home import key_file, passphrase, recovery_words
from meshcoop.home.key_file import HeldDevice, Keys
from meshcoop.ingest.inbox import Inbox
from meshcoop.store.held_keys import EpochKeys
from meshcoop.store.store import Store
from protocol.record import root_statement, sealing
from protocol.record.envelope import device_key

_PAGE = 500
_USAGE = 2


def write_backup(file: Path, /, *, context: ContextArgument) -> None:
    """Writes your identity and the records of your home to a file, locked with your passphrase."""
    from meshcoop.sync import address_book

    context.require_person()
    home_secret = context.obtain_secret()
    keys = key_file.unlock_key_file(context.home.key_file, home_secret).keys
    if keys.neighbourhood is None:
        raise Mistake("This home belongs to no neighbourhood yet, so there is nothing to back up.")
    # A file that leaves the machine is locked in any case.
    secret = home_secret or passphrase.obtain_passphrase(new=True)
    with contextlib.closing(open_home_store(context.home, keys)) as store:
        contents = BackupContents(
            keys.neighbourhood,
            keys.devices[0].person,
            keys.recovery_seed,
            _box_secrets(keys),
            address_book.remembered_addresses(store),
        )
        group_keys = EpochKeys(store).all()
        count = backup.write_backup(file, secret, contents, group_keys, _read_wires(store))
    needs_words = keys.recovery_seed is None
    result = {"file": str(file.absolute()), "records": count, "needs_words": needs_words}
    advice = " To restore it you also need your recovery words." if needs_words else ""
    context.answer(
        result, lambda: f"{file} holds {format_count(count, 'record')}.{advice}", is_done=True
    )


def restore_backup(
    file: Path,
    /,
    *,
    words: WordsOption = None,
    listen: ListenOption = None,
    without_passphrase: WithoutPassphraseOption = False,
    context: ContextArgument,
) -> None:
    """Restores a backup into this home, and makes a new device for you here."""
    if context.home.key_file.exists():
        raise Mistake(
            "{path} is somebody's home already; use another --home.", path=context.home.path
        )
    root_of_words = recovery_words.read_root_seed(words) if words else None
    secret = passphrase.obtain_passphrase()
    with contextlib.closing(BackupReader(file, secret)) as reader:
        contents = reader.contents
        identity = _certify_device(contents, root_of_words)
        held = HeldDevice(
            identity.person, identity.device_seed, identity.statement, key_file.machine_id()
        )
        keys = replace(
            key_file.new_keys((held,), contents.root),
            boxes=tuple((device, box) for device, box in contents.boxes),
            neighbourhood=contents.neighbourhood,
        )
        context.home.create()
        keep_listen_addresses(context, listen)
        with context.home.lock():
            summary = _fill_store(context, reader, identity, keys.store_key)
    # The keys make the folder a home. Nothing of the home may be missing then, so they come last.
    key_file.create_key_file(context.home.key_file, None if without_passphrase else secret, keys)
    result = {"state": "member", **summary, "device": identity.device.hex()}
    context.answer(
        result,
        lambda: (
            f"You are back as {format_person(summary['person'])}, with a new device. `meshcoop up` "
            "fetches what has happened since; `meshcoop devices` shows the devices you had."
        ),
        is_done=True,
    )


def _box_secrets(keys: Keys) -> list[list[bytes]]:
    """Lists the secret keys of this home's devices. Earlier devices are included.

    An entry is a pair: the key of a device, and its secret key. The secret key opens what was
    sealed to this device.
    """
    own = [
        [device_key(held.seed), sealing.device_box_key(held.seed).secret] for held in keys.devices
    ]
    earlier = [list(box) for box in keys.boxes]
    return own + earlier


def _read_wires(store: Store) -> Iterator[bytes]:
    after = 0
    while rows := store.records.page(after, _PAGE):
        yield from (row.record.wire for row in rows)
        after = rows[-1].n


def _certify_device(contents: BackupContents, root_of_words: bytes | None) -> Identity:
    """Makes a new device for the owner of the backup. The owner's root key certifies the device.

    The root key comes from the recovery words. Without words, the root key comes from the backup.
    Raises Mistake if there is no root key, or if the words belong to another person.
    """
    root = root_of_words or contents.root
    if root is None:
        raise Mistake(
            "This backup holds no recovery words, because they were on paper already; name the "
            "file that holds them with --words.",
            _USAGE,
        )
    if recovery_words.person_of(root) != contents.person:
        raise Mistake("These words belong to somebody else than the backup's owner.")
    return Identity.of(root, os.urandom, contents.neighbourhood[: root_statement.PLACE_SIZE])


def _fill_store(
    context: Context, reader: BackupReader, identity: Identity, key: bytes
) -> dict[str, Any]:
    """Makes the store of the home from the backup. Returns a summary: the person, the neighbourhood
    and the number of records.
    """
    from meshcoop.sync import address_book

    # The store has another name until it is whole. So an interrupted restore leaves no half store.
    unfinished = context.home.path / "restoring.db"
    for suffix in ("", "-wal", "-shm"):
        Path(f"{unfinished}{suffix}").unlink(missing_ok=True)
    contents = reader.contents
    boxes = [(device, secret) for device, secret in contents.boxes]
    devices = {identity.device: identity.device_seed}
    with contextlib.closing(Store(unfinished, key)) as store:
        group_keys = EpochKeys(store)
        with store.transaction():
            for kept in reader.keys:
                group_keys.add(kept)
        state = founding.open_state(store, contents.neighbourhood, devices, now, boxes)
        inbox = Inbox(state)
        for wires in reader.read_records():
            inbox.ingest_wires(wires)
        summary = _introduce_device(inbox, state, identity)
        address_book.restore_addresses(store, contents.addresses)
    unfinished.replace(context.home.store_file)
    return summary


def _introduce_device(inbox: Inbox, state: State, identity: Identity) -> dict[str, Any]:
    """Adds the first record of the new device. Returns a summary: the person, the neighbourhood and
    the number of records.

    Raises Mistake if the owner of the device is no member.
    """
    authority = state.authority
    if authority is None or identity.person not in authority.members:
        raise Mistake("This backup does not show its owner to be a member; take another one.")
    time = max(now(), authority.members[identity.person].since)
    introduction = founding.sign_introduction(
        identity.device_seed, identity.statement, state.neighbourhood, time
    )
    inbox.ingest([introduction], durable=True)
    return {
        "person": Presenter(state, now).show_person(identity.person),
        "neighbourhood": {"id": state.neighbourhood.hex(), "name": authority.charter["name"]},
        "records": state.store.records.count(),
    }
