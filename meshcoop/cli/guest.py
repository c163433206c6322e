"""The command `guest`: gives somebody without a computer a device at this home."""

import os
import shlex

from meshcoop.author.founding import Identity
from meshcoop.cli import recovery_sheet
from meshcoop.cli.context import ContextArgument
from meshcoop.cli.membership import NameOption
from meshcoop.cli.recovery_sheet import WordsOption
from meshcoop.errors import Mistake
from meshcoop.home import passphrase, recovery_words
from meshcoop.home.passphrase_box import Lock
from protocol.display_text import safe_line
from protocol.kinds.people import read_person_name
from protocol.record import root_statement
from protocol.wire import calls


def add_guest(*, as_: NameOption, words: WordsOption = None, context: ContextArgument) -> None:
    """Gives somebody without a machine a device at this home. The guest has a PIN of their own."""
    context.require_person()
    name = read_person_name(as_, "as")
    root = recovery_words.read_root_seed(words) if words else os.urandom(32)
    with context.connect_node() as node:
        neighbourhood = node.call(calls.Status())["neighbourhood"]
        if neighbourhood is None:
            raise Mistake("This home belongs to no neighbourhood yet, so nobody can be a guest.")
        pin = passphrase.obtain_pin(name, new=True)
        if words is None and not context.json and recovery_sheet.has_terminal():
            # Only the paper sheet keeps a guest's root key. So the sheet is checked before the guest
            # is added.
            recovery_sheet.check_sheet(root)
        place = bytes.fromhex(neighbourhood["id"])[: root_statement.PLACE_SIZE]
        identity = Identity.of(root, os.urandom, place)
        locked = Lock.new(pin).seal(identity.device_seed)
        certificate = identity.statement.hex()
        guest = node.call(calls.Guest(name=name, statement=certificate, locked=locked, pin=pin))
    new_words = None if words else " ".join(recovery_words.to_words(root))
    result = {**guest, "device": identity.device.hex(), "neighbourhood": neighbourhood}
    context.answer(
        {**result, "recovery": new_words},
        lambda: _describe_guest(name, guest["state"], new_words),
        is_done=True,
    )


def _describe_guest(name: str, state: str, words: str | None) -> str:
    who = safe_line(name)
    sentence = {
        "member": (
            f"{who} is a member now: `meshcoop post KIND --as {shlex.quote(who)}` asks for their PIN."
        ),
        "waiting": f"{who} waits: another member has to vouch, with `meshcoop approve`.",
    }[state]
    if words is None or recovery_sheet.has_terminal():
        return sentence
    return f"{sentence}\n\nThese are {who}'s recovery words. Nothing else keeps them:\n\n{words}"
