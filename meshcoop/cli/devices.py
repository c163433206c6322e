"""The commands about a person's keys: `recovery`, `devices`, `certify`, `revoke` and `leave`."""

import contextlib
import os
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

from cyclopts import Parameter

from meshcoop.author import founding
from meshcoop.author.founding import Identity
from meshcoop.cli import recovery_sheet
from meshcoop.cli.context import Context, ContextArgument, show_progress
from meshcoop.cli.counted_noun import format_count
from meshcoop.cli.home_store import open_home_store
from meshcoop.cli.person_name import format_person
from meshcoop.cli.recovery_sheet import WordsOption
from meshcoop.client import Client
from meshcoop.clock import now
from meshcoop.errors import NO_MEMBER, NO_NEIGHBOURHOOD, Mistake
from meshcoop.fold.state import State
from meshcoop.home import key_file, recovery_words
from meshcoop.home.key_file import HeldDevice, Keys
from meshcoop.ingest.inbox import Inbox
from meshcoop.node import process
from protocol.authority.admission import MAX_LIVE_DEVICES
from protocol.display_text import safe_line
from protocol.fold.registry import KINDS, declared_of
from protocol.kinds.moderation import Retract
from protocol.record import envelope, root_statement
from protocol.record.envelope import device_key
from protocol.wire import calls

_USAGE = 2
_QUOTA_RULE = "R-03.15"


def check_recovery_words(
    *,
    typed: Annotated[
        Path | None,
        Parameter(
            help="a file with two of the words and their numbers, one a line, from your sheet"
        ),
    ] = None,
    context: ContextArgument,
) -> None:
    """Shows your recovery words, asks for two of them, and then erases them from this home."""
    context.require_person()
    unlocked = context.unlock_keys()
    if unlocked.keys.recovery_seed is None:
        raise Mistake("The recovery words are on paper only; this home keeps them no longer.")
    if typed is None and context.json:
        _answer_words(context, unlocked.keys.recovery_seed)
        return
    if typed is None:
        recovery_sheet.check_sheet(unlocked.keys.recovery_seed)
    else:
        recovery_sheet.check_typed(unlocked.keys.recovery_seed, typed)
    recovery_sheet.forget_root_key(unlocked)
    context.answer(
        {"checked": True},
        lambda: "The words are on paper, and no longer in this home.",
        is_done=True,
    )


def _answer_words(context: Context, root_seed: bytes) -> None:
    words = " ".join(recovery_words.to_words(root_seed))
    context.answer({"recovery": words}, lambda: words)


def list_devices(person: str | None = None, /, *, context: ContextArgument) -> None:
    """Lists your devices, or the devices of another person. Shows the state of each device."""
    with context.connect_node() as node:
        devices = node.list_all(calls.Devices(person=person))
    context.answer(devices, lambda: "\n".join(map(_describe_device, devices)) or "No devices.")


def certify_device(*, words: WordsOption = None, context: ContextArgument) -> None:
    """Makes a new device for this home. Use this if the home's device may not sign any more."""
    context.require_person()
    secret = context.obtain_secret()
    unlocked = key_file.unlock_key_file(context.home.key_file, secret)
    neighbourhood = unlocked.keys.neighbourhood
    if neighbourhood is None:
        raise Mistake("This home belongs to no neighbourhood yet; `meshcoop join` it.")
    root = _read_root_seed(unlocked.keys, words)
    identity = Identity.of(root, os.urandom, neighbourhood[: root_statement.PLACE_SIZE])
    if identity.person not in {held.person for held in unlocked.keys.devices}:
        raise Mistake("These words belong to somebody who has no device at this home.")
    was_running = process.running(context.home)
    process.stop(context.home)
    with context.home.lock(), _open_state(context, unlocked.keys, neighbourhood) as state:
        time = max(now(), _member_since(state, identity.person))
        introduction = founding.sign_introduction(
            identity.device_seed, identity.statement, neighbourhood, time
        )
        keys = unlocked.reread().keys
        held = HeldDevice(
            identity.person, identity.device_seed, identity.statement, key_file.machine_id()
        )
        # The key is saved before the device's first record is stored. Otherwise a crash in between
        # could leave a device that nobody can sign with.
        unlocked.save(replace(keys, devices=(held, *keys.devices)))
        Inbox(state).ingest([introduction], durable=True)
    if was_running:
        context.start_node(secret)
    result = {"device": identity.device.hex(), "person": identity.person.hex()}
    context.answer(
        result,
        lambda: (
            f"This home signs with device {result['device'][:8]} now. `meshcoop devices` shows the "
            "others; end those that are lost with `meshcoop revoke`."
        ),
        is_done=True,
    )


def revoke_device(
    device: str,
    /,
    *,
    words: WordsOption = None,
    after: Annotated[
        int | None,
        Parameter(help="the last of its records that counts; the last known one if left out"),
    ] = None,
    context: ContextArgument,
) -> None:
    """Ends a device that is lost or stolen. What the device signs from now on does not count."""
    root = _obtain_root_seed(context, words)
    with context.connect_node() as node:
        view = node.call(calls.Device(device=device))
        if recovery_words.person_of(root).hex() != view["person"]["id"]:
            raise Mistake("These are not the words of {name}.", name=format_person(view["person"]))
        last = view["records"] if after is None else after
        place = bytes.fromhex(view["place"])
        statement = root_statement.revoke_device(root, bytes.fromhex(view["device"]), last, place)
        posted = node.call(calls.Carry(statement=statement.hex()))
    if "already" in posted:
        last = view["after"]
    result = {**posted, "device": view["device"], "after": last}
    context.answer(
        result, lambda: f"Device {view['device'][:8]} ends after its record {last}.", is_done=True
    )


def leave_neighbourhood(
    *,
    words: WordsOption = None,
    take_back: Annotated[
        bool, Parameter(negative=(), help="take your own words back first, at every home")
    ] = False,
    context: ContextArgument,
) -> None:
    """Ends your membership for good. The records that others have signed with you stay. Only a vote
    can bring you back.
    """
    root = _obtain_root_seed(context, words)
    person = recovery_words.person_of(root).hex()
    with context.connect_node() as node:
        status = node.call(calls.Status())
        if status["neighbourhood"] is None:
            raise Mistake(NO_NEIGHBOURHOOD)
        if status["neighbourhood"]["name"] is None:  # the store is lost, and nobody was met since
            raise Mistake(NO_MEMBER)
        if take_back and person != (status["person"] or {}).get("id"):
            raise Mistake("You can take words back at your own home only; leave out --take-back.")
        place = safe_line(status["neighbourhood"]["name"])
        _make_sure(place)
        taken = _take_words_back(node) if take_back else 0
        plan = node.call(calls.PlanLeave(person=person))
        cuts = {bytes.fromhex(device): last for device, last in plan["cuts"].items()}
        statement = root_statement.state_leave(root, plan["n"], cuts, bytes.fromhex(plan["place"]))
        posted = node.call(calls.Carry(statement=statement.hex()))
    back = f" {format_count(taken, 'record')} of yours was taken back." if taken else ""
    context.answer(
        {**posted, "person": person, "taken_back": taken},
        lambda: (
            f"You have left {place}.{back} Your home keeps its files; delete the folder "
            f"{context.home.path} if you want to."
        ),
        is_done=True,
    )


def _make_sure(place: str) -> None:
    """Asks a person at a terminal to type the word "leave". Raises Mistake if the person types
    something else.
    """
    if not recovery_sheet.has_terminal():
        return
    print(f"Only a vote brings you back to {place}. Type leave to go on: ", end="", file=sys.stderr)
    sys.stderr.flush()
    if sys.stdin.readline().strip().lower() != "leave":
        raise Mistake("Nothing is done; you belong to {place} as before.", place=place)


def _take_words_back(node: Client) -> int:
    """Retracts the person's records that have words, if nobody else relies on them. Returns the
    number of the retracted records.

    Raises Mistake if the quota of the day is too small for all of them.
    """
    kinds = {
        declared.name
        for declared in KINDS.values()
        if declared.audience != envelope.OPEN and not declared.lasting
    }
    written = [row for row in node.list_all(calls.Written()) if not row["erased"]]
    ids = [row["id"] for row in written if row["kind"] in kinds]
    for count, record_id in enumerate(ids):
        show_progress(f"{count} of {len(ids)} taken back")
        try:
            node.call(calls.Post(kind=declared_of(Retract).name, about=record_id))
        except Mistake as mistake:
            if mistake.arguments.get("rule") != _QUOTA_RULE:
                raise
            raise Mistake(
                "{count} of {all} are taken back, and today's quota is used up; you still belong. "
                "Run the command again tomorrow.",
                count=count,
                all=len(ids),
            ) from None
    return len(ids)


def _obtain_root_seed(context: Context, words: Path | None) -> bytes:
    """Reads the root key from the recovery words in the file `words`. If `words` is None, reads the
    root key from the home, and asks for the passphrase if the key file is locked.

    Raises Mistake if the home has no root key.
    """
    context.require_person()
    if words is not None:
        return recovery_words.read_root_seed(words)
    return _read_root_seed(context.unlock_keys().keys, None)


def _read_root_seed(keys: Keys, words: Path | None) -> bytes:
    """Reads the root key from the recovery words in the file `words`. If `words` is None, reads the
    root key from the home's keys.

    If the home has erased its root key, the words are needed. Without words, raises Mistake (exit
    code 2).
    """
    if words is not None:
        return recovery_words.read_root_seed(words)
    if keys.recovery_seed is None:
        raise Mistake("This needs your recovery words; name their file with --words.", _USAGE)
    return keys.recovery_seed


def _member_since(state: State, person: bytes) -> int:
    """Returns the time when the person became a member.

    Raises Mistake if the person is no member, or if the person already has the largest allowed
    number of live devices.
    """
    authority = state.authority
    if authority is None or person not in authority.members:
        raise Mistake("These words do not belong to a member that this home knows.")
    live = sum(authority.is_live(device.key) for device in authority.devices_of(person))
    if live >= MAX_LIVE_DEVICES:
        raise Mistake(
            (
                "There are {max_live_devices} live devices already; end one with `meshcoop "
                "revoke` at any neighbour's home."
            ),
            max_live_devices=MAX_LIVE_DEVICES,
        )
    return authority.members[person].since


@contextlib.contextmanager
def _open_state(context: Context, keys: Keys, neighbourhood: bytes) -> Iterator[State]:
    with contextlib.closing(open_home_store(context.home, keys)) as store:
        devices = {device_key(held.seed): held.seed for held in keys.devices}
        yield founding.open_state(store, neighbourhood, devices, now, keys.boxes)


def _describe_device(view: dict[str, Any]) -> str:
    here = "  at this home" if view["here"] else ""
    who = format_person(view["person"], 20)
    records = format_count(view["records"], "record")
    return f"{view['device'][:8]}  {who}  {view['state']}  {records}{here}"
