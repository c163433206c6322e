"""The commands by which people come together: `found`, `invite`, `join` and `approve`."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import replace
from typing import Annotated, Any, NoReturn

from cyclopts import Parameter

from meshcoop.author.founding import Identity, found_neighbourhood
from meshcoop.cli import plain_text
from meshcoop.cli.context import (
    Context,
    ContextArgument,
    ListenOption,
    WithoutPassphraseOption,
    keep_listen_addresses,
    read_clock,
)
from meshcoop.cli.kind_options import add_field_options
from meshcoop.cli.recovery_sheet import WordsOption, answer_with_words
from meshcoop.client import Client
from meshcoop.clock import now
from meshcoop.errors import Mistake
from meshcoop.home import key_file, passphrase, recovery_words
from meshcoop.home.key_file import HeldDevice, UnlockedKeys
from meshcoop.node import process
from meshcoop.store.store import Store
from protocol.display_text import safe_line
from protocol.fold.registry import declared_of
from protocol.kinds.neighbourhood import Charter
from protocol.kinds.people import read_person_name
from protocol.record import root_statement, sealing
from protocol.record.root_statement import FOUNDING_PLACE
from protocol.time_zones import local_clock
from protocol.wire import calls, invitation

_USAGE = 2

NameOption = Annotated[str, Parameter(name="--as", help="the person's name")]


def begin_neighbourhood(
    name: str,
    /,
    *,
    as_: NameOption,
    listen: ListenOption = None,
    without_passphrase: WithoutPassphraseOption = False,
    context: ContextArgument,
    **fields: Any,
) -> None:
    """Begins a new neighbourhood. You are its founder."""
    founder = read_person_name(as_, "as")
    kind = declared_of(Charter)
    charter = kind.read_input({"name": name, **fields}, _refuse_reference)
    kind.check_fields({**charter, "founders": []})
    kind.check_moments(charter, local_clock(now(), charter.get("timezone")))
    if context.home.key_file.exists():
        raise Mistake(
            "{path} is somebody's home already; use another --home.", path=context.home.path
        )
    identity = Identity.new(os.urandom)
    secret = None if without_passphrase else passphrase.obtain_passphrase(new=True)
    context.home.create()
    keep_listen_addresses(context, listen)
    # The keys make the folder a home. So they are written after everything that may be refused.
    unlocked = create_keys(context, identity, secret)
    path = context.home.store_file
    with context.home.lock(), contextlib.closing(Store(path, unlocked.keys.store_key)) as store:
        author = found_neighbourhood(store, identity, charter, founder, now, os.urandom)
        neighbourhood = author.state.neighbourhood
    unlocked = unlocked.save(replace(unlocked.keys, neighbourhood=neighbourhood))
    result = {
        "state": "member",
        "person": {"id": identity.person.hex(), "name": founder},
        "device": identity.device.hex(),
        "neighbourhood": {"id": neighbourhood.hex(), "name": charter["name"]},
    }
    place = safe_line(charter["name"])
    sentence = f"{place} is founded, with {safe_line(founder)} as its first member."
    answer_with_words(context, unlocked, result, sentence)


def invite_newcomer(
    *,
    approve: Annotated[
        bool, Parameter(negative=(), help="vouch at once for the person who uses it")
    ] = False,
    context: ContextArgument,
) -> None:
    """Makes an invitation for one newcomer. The invitation is valid for seven days. Your node must
    be up when the newcomer uses it.
    """
    with context.connect_node() as node:
        answer = node.call(calls.Invite(approve=approve))
        expires = plain_text.format_time(answer["expires"], read_clock(node))
    context.answer(
        answer,
        lambda: f"{answer['invitation']}\nGood for one person until {expires}.",
        is_done=True,
    )


def join_neighbourhood(
    code: str,
    /,
    *,
    as_: Annotated[str | None, Parameter(name="--as", help="the person's name")] = None,
    words: WordsOption = None,
    wait: Annotated[float, Parameter(help="seconds to look for the inviter")] = 60,
    listen: ListenOption = None,
    without_passphrase: WithoutPassphraseOption = False,
    context: ContextArgument,
) -> None:
    """Asks to join the neighbourhood of an invitation. If you are a member already, your recovery
    words bring you back as this member.
    """
    if context.home.key_file.exists():
        context.require_person()
    invitation.decode(code)  # a mistyped invitation leaves no trace
    root = recovery_words.read_root_seed(words) if words else None
    if as_ is None and root is None:
        raise Mistake("Say who joins with --as NAME, or come back with --words FILE.", _USAGE)
    name = None if as_ is None else read_person_name(as_, "as")
    if process.running(context.home) and _has_joined(context):
        _join_again(context, code, name, wait)
        return
    is_new = not context.home.key_file.exists()
    secret = None
    if not is_new:
        secret = context.obtain_secret()
    elif not without_passphrase:
        secret = passphrase.obtain_passphrase(new=True)
    if not is_new and key_file.unlock_key_file(context.home.key_file, secret).keys.neighbourhood:
        context.start_node(secret)
        _join_again(context, code, name, wait)
        return
    context.home.create()
    if not process.running(context.home):
        # While this home's node runs, the node uses the address. The check would call it taken.
        keep_listen_addresses(context, listen)
    unlocked = _prepare_keys(context, root, secret)
    with _node_for_joining(context, unlocked, secret) as node:
        answer = node.call(calls.AskPlace(invitation=code, seconds=wait))
        unlocked = _certify_for(bytes.fromhex(answer["place"]), root, unlocked)
        is_member = node.call(calls.Join(invitation=code, name=name, seconds=wait))
        status = node.call(calls.Status())
    person = unlocked.keys.devices[0].person.hex()
    shown_name = name or person[:8]
    result = {"state": "member" if is_member else "waiting", **_pick_identity(status)}
    if is_member:
        sentence = (
            f"Welcome to {safe_line(status['neighbourhood']['name'])}, {safe_line(shown_name)}."
        )
    else:
        result["person"] = {"id": person, "name": shown_name}
        sentence = (
            "You have asked to join. A neighbour has to let you in. Keep this machine on; "
            "`meshcoop status` shows when you are in."
        )
    answer_with_words(context, unlocked, result, sentence)


def approve_knock(person: str, /, *, context: ContextArgument) -> None:
    """Vouches for somebody who has asked to join."""
    with context.connect_node() as node:
        result = node.call(calls.Approve(person=person))
    sentences = {
        "member": "They are a member now.",
        "waiting": "You have vouched. Another member has to vouch too.",
    }
    context.answer(result, lambda: sentences[result["state"]], is_done=True)


def create_keys(
    context: Context, identity: Identity, secret: str | None, *, on_paper: bool = False
) -> UnlockedKeys:
    """Creates the key file of a new home.

    If the person already has the recovery words on paper (`on_paper`), the file does not keep the
    root key.
    """
    context.home.create()
    machine = key_file.machine_id()
    held = HeldDevice(identity.person, identity.device_seed, identity.statement, machine)
    root = None if on_paper else identity.root_seed
    return key_file.create_key_file(context.home.key_file, secret, key_file.new_keys((held,), root))


def _has_joined(context: Context) -> bool:
    """Returns whether this home belongs to a neighbourhood. The home's node must be running."""
    with context.connect_node() as node:
        return node.call(calls.Status())["neighbourhood"] is not None


def _join_again(context: Context, code: str, name: str | None, wait: float) -> None:
    """Runs the command `join` at a home that already belongs to a neighbourhood. Raises Mistake if
    the node refuses.
    """
    with context.connect_node() as node:
        node.call(calls.Join(invitation=code, name=name, seconds=wait))
        status = node.call(calls.Status())
    result = {"state": "member", **_pick_identity(status), "recovery": None}
    context.answer(result, lambda: "You have joined already.", is_done=True)


def _prepare_keys(context: Context, root: bytes | None, secret: str | None) -> UnlockedKeys:
    """Creates the keys of a home that wants to join a neighbourhood. If the home has keys already,
    unlocks these.

    The keys are not certified for the neighbourhood yet. Raises Mistake if the keys cannot be
    unlocked, or if `root` is given and the keys belong to another person.
    """
    if not context.home.key_file.exists():
        if root is not None:
            return create_keys(
                context, Identity.of(root, os.urandom, FOUNDING_PLACE), secret, on_paper=True
            )
        return create_keys(context, Identity.new(os.urandom), secret)
    unlocked = key_file.unlock_key_file(context.home.key_file, secret)
    if root is not None and recovery_words.person_of(root) != unlocked.keys.devices[0].person:
        raise Mistake("These words belong to another person than this home; use another --home.")
    return unlocked


def _certify_for(place: bytes, root: bytes | None, unlocked: UnlockedKeys) -> UnlockedKeys:
    """Certifies a home's keys for a neighbourhood.

    `place` is the beginning of the neighbourhood's id. Only the inviter's home can tell the place.
    So the home makes its keys first and certifies them later. Raises Mistake if the root key is
    missing.
    """
    keys = unlocked.keys
    held = keys.devices[0]
    if root_statement.read_statement(held.statement).place == place:
        return unlocked
    root = root or keys.recovery_seed
    if root is None:
        raise Mistake(
            "This home has asked to join another neighbourhood; use another --home, or add --words."
        )
    box_key = sealing.device_box_key(held.seed).public
    certificate = root_statement.certify_device(root, held.seed, box_key, place)
    return unlocked.save(replace(keys, devices=(replace(held, statement=certificate),)))


@contextlib.contextmanager
def _node_for_joining(
    context: Context, unlocked: UnlockedKeys, secret: str | None
) -> Iterator[Client]:
    """Connects to the home's node. If no node runs, starts the node first.

    If the join then fails, stops a node that this function has started.
    """
    was_started = not process.running(context.home)
    if was_started:
        context.start_node(secret)
    try:
        with Client(context.home.api_socket) as client:
            yield client
    except BaseException:
        if was_started and unlocked.reread().keys.neighbourhood is None:
            process.stop(context.home)
        raise


def _pick_identity(status: dict[str, Any]) -> dict[str, Any]:
    return {name: status[name] for name in ("person", "device", "neighbourhood")}


def _refuse_reference(what: str, typed: str) -> NoReturn:
    """Raises Mistake if a field of the charter names a person or a record. A new neighbourhood has
    no person and no record yet.
    """
    raise Mistake(
        "{typed!r}: a new neighbourhood has no {what} yet.", _USAGE, typed=typed, what=what
    )


found_command = add_field_options(
    declared_of(Charter), begin_neighbourhood, leave_out=("name", "founders", "moderators")
)
