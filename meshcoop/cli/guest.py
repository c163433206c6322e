"""The command that takes in somebody without a machine: guest."""

import os

from meshcoop.author.founding import Identity
from meshcoop.cli import recovery_sheet as sheet
from meshcoop.cli.context import Given
from meshcoop.cli.membership import Name, check_name
from meshcoop.cli.recovery_sheet import Words
from meshcoop.errors import Mistake
from meshcoop.home import passphrase
from meshcoop.home import recovery_words as recovery
from meshcoop.home.passphrase_box import Lock
from protocol.display_text import line
from protocol.record import root_statement as statement


def _guest(*, as_: Name, words: Words = None, context: Given) -> None:
    """A device at this home for somebody without a machine, with a PIN of their own."""
    check_name(as_)
    root = recovery.read(words) if words else os.urandom(32)
    with context.node() as node:
        neighbourhood = node.call("status")["neighbourhood"]
        if neighbourhood is None:
            raise Mistake("This home belongs to no neighbourhood yet, so nobody can be a guest.")
        pin = passphrase.obtain_pin(as_, new=True)
        if words is None and not context.json and sheet.terminal():
            sheet.check_on_paper(root)  # first: nothing keeps a guest's root key but the paper
        place = bytes.fromhex(neighbourhood["id"])[: statement.PLACE]
        identity = Identity.of(root, os.urandom, place)
        locked = Lock.new(pin).seal(identity.device_seed)
        certificate = identity.statement.hex()
        made = node.call("guest", name=as_, statement=certificate, locked=locked, pin=pin)
    given = None if words else " ".join(recovery.to_words(root))
    result = {**made, "device": identity.device.hex(), "neighbourhood": neighbourhood}
    context.answer({**result, "recovery": given}, lambda: _said(as_, made["state"], given))


def _said(name: str, state: str, words: str | None) -> str:
    who = line(name)
    belongs = {
        "member": f"{who} belongs now: `meshcoop post KIND --as {who}` asks for their PIN.",
        "waiting": f"{who} waits: another member has to vouch, with `meshcoop approve`.",
    }[state]
    if words is None or sheet.terminal():
        return belongs
    return f"{belongs}\n\nThese are {who}'s recovery words, which nothing else keeps:\n\n{words}"
