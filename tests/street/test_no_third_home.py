"""Two homes hold an address while their agreement lasts. No third home ever holds it."""

import os
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import pytest

from meshcoop.client import Client
from meshcoop.errors import Mistake
from meshcoop.export import backup
from meshcoop.home.folder import Home as Folder
from tests.support.any_call import any_call
from tests.support.disk_traces import disguises, in_files, sealed_in
from tests.support.real_homes import (
    PASSPHRASE,
    PATIENCE,
    agree,
    eventually,
    folder,
    put_on_roll,
    together,
)

TITLE = "A lift to the clinic"
ADDRESS = "12 Quincunx Terrace, second floor, ring twice"
OTHER = "7 Xylophage Mews, by the blue gate"


@pytest.fixture(scope="module")
def street():
    """Makes four homes. B, with the guest Grace, and C agree on something. A and D look on."""
    with folder() as one:
        ada = one.founder("Ada")
        ben, cleo, dan = together(*(lambda who=who: one.newcomer(ada, who) for who in (
            "Ben", "Cleo", "Dan",
        )))  # fmt: skip
        put_on_roll(ada, ben)  # before that, he lets nobody in
        pin = one.path / "pin of Grace"
        pin.write_text("4711\n")
        ben.env["MESHCOOP_PIN_FILE"] = str(pin)
        assert ben("guest", "--as", "Grace")["state"] == "member"
        yield ada, ben, cleo, dan


def ask(home, method, **params):
    """Calls a method of the node directly.

    These tests are not about the command line, so they start no process for it.
    """
    with Client(Folder(home.path).api_socket) as node:
        return node.call(any_call(method, **params))


def agreement_of(asks, answers, **who):
    """Makes an agreement between two homes. If a guest asks, `who` names the guest."""
    about = {}
    for home, kind in ((asks, "request"), (answers, "response"), (asks, "agreement")):
        fields = {"title": TITLE, "minutes": "30"} if kind == "request" else {}
        signer = who if home is asks else {}
        about = {"about": ask(home, "post", kind=kind, fields=fields, **about, **signer)["id"]}
        for other in (asks, answers):
            assert ask(other, "wait", id=about["about"], timeout=PATIENCE)
    return about["about"]


def readable(pid):
    """Returns whether this user may read the memory of the process. On Linux, root may."""
    try:
        Path(f"/proc/{pid}/mem").open("rb").close()
    except OSError:
        return False
    return True


def in_memory(pid, wanted):
    """Returns whether the memory of a process holds one of the wanted texts."""
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
            where, rights, *_ = line.split()
            if rights.startswith("rw"):
                begin, end = (int(one, 16) for one in where.split("-"))
                with suppress(OSError, OverflowError):  # pages that the kernel keeps to itself
                    held = os.pread(memory.fileno(), end - begin, begin)
                    if any(one in held for one in wanted):
                        return True
    return False


def in_backup(home, wanted):
    """Returns whether a backup of this home holds one of the wanted texts, in the file or in its
    opened contents.
    """
    path = home.path.parent / f"backup of {home.path.name}"
    home("backup", str(path))
    reader = backup.BackupReader(path, PASSPHRASE)
    try:
        opened = [
            repr(reader.contents).encode(),
            *(b"".join(key) for key in reader.keys),
            *(b"".join(some) for some in reader.read_records()),
        ]
    finally:
        reader.close()
    data = [path.read_bytes(), *opened]
    path.unlink()
    return any(one in held for one in wanted for held in data)


def test_no_third_home_ever_holds_an_address(street):
    ada, ben, cleo, dan = street
    agreement = agreement_of(ben, cleo)
    assert "No address has come yet" in cleo.refused("address", "show", agreement)
    assert "500 characters" in ben.refused("address", "give", agreement, code=2, said="x" * 501)
    given = ben.run("--json", "address", "give", agreement, said=ADDRESS + "\n")
    assert (given.returncode, given.stderr) == (0, "")
    cleo("address", "give", agreement, "--text", OTHER)
    came = lambda: cleo("address", "show", agreement)["text"] == ADDRESS  # noqa: E731
    eventually(came, "the address does not come")
    mine = cleo("address", "show", agreement)
    assert (mine["text"], mine["from"]["name"], mine["kept"]) == (ADDRESS, "Ben", False)
    assert ben.text("address", "show", agreement).endswith(
        f"until the agreement is over:\n{OTHER}\n"
    )
    agree(*street)
    sealed = sealed_in(ben)
    assert sealed == sealed_in(cleo)
    assert len(sealed) == 2
    wanted = [*disguises(ADDRESS), *disguises(OTHER)]
    anything = [*wanted, *sealed]
    memories = readable(ada.holder)
    for home in (ada, dan):
        assert in_files(home, [TITLE.encode()]) != []  # the home has everything except the address
        assert in_files(home, anything) == []
        assert sealed_in(home) == []
        if memories:
            assert in_memory(home.holder, [bytes.fromhex(agreement)])
            assert not in_memory(home.holder, anything)
        assert not in_backup(home, anything)
        assert "between other people" in home.refused("address", "show", agreement)
    for home in (ben, cleo):
        assert in_files(home, wanted) == []  # even the homes of the parties hold it only sealed
        for word in ("Quincunx", "Xylophage"):
            assert ask(home, "search", words=word)["rows"] == []
    assert not in_backup(ben, anything)
    rows = ask(ben, "list", what="agreements")["rows"]
    assert agreement in {row["id"] for row in rows}
    assert "Quincunx" not in str([ask(ben, "show", id=agreement), *rows])
    fields = {"on": datetime.now(UTC).date().isoformat()}
    receipt = ask(cleo, "post", kind="receipt", about=agreement, fields=fields)["id"]
    assert ask(ben, "wait", id=receipt, timeout=PATIENCE)
    ask(ben, "post", kind="confirm", about=receipt)
    for home in (ben, cleo):
        eventually(lambda home=home: sealed_in(home) == [], "it is not forgotten")
        eventually(lambda home=home: in_files(home, anything) == [], "it is still on the disk")
    assert "no address of it was kept" in cleo.refused("address", "show", agreement)
    assert "over" in ben.refused("address", "give", agreement, "--text", ADDRESS)
    if not memories:
        pytest.skip(
            "the memory of other processes cannot be read here; all else is as it should be"
        )


def test_a_guest_gives_hers_and_takes_what_she_is_given_with_her_pin(street):
    ada, ben, cleo, _ = street
    grace = ("--as", "Grace")
    agreement = agreement_of(ben, cleo, **{"as": "Grace", "pin": "4711"})
    given = ben("address", "give", agreement, "--text", ADDRESS, *grace)
    assert given["state"] in {"waiting", "delivered"}
    assert given["to"]["name"] == "Cleo"
    grace_says = lambda: cleo("address", "show", agreement)["text"] == ADDRESS  # noqa: E731
    eventually(grace_says, "the address does not come")
    shown = ask(cleo, "show_address", agreement=agreement)
    assert (shown["text"], shown["from"]["name"]) == (ADDRESS, "Grace")
    assert "say who with --as" in ben.refused("address", "show", agreement)
    with pytest.raises(Mistake, match="PIN of their own"):
        ask(ben, "show_address", agreement=agreement, **{"as": "Grace"})
    assert cleo("address", "give", agreement, "--text", OTHER)["state"] == "waiting"
    assert len(sealed_in(ben)) == 1  # her device is locked
    assert ben("address", "forget", agreement, *grace)["state"] == "forgotten"
    assert ask(cleo, "show_address", agreement=agreement)["text"] == OTHER  # only Grace's is gone
    assert ben("address", "show", agreement, "--keep", *grace)["text"] == OTHER
    assert sealed_in(ada) == []
    close = {"as_state": "cancelled"}
    ask(cleo, "post", kind="close", about=agreement, fields=close)
    eventually(lambda: sealed_in(cleo) == [], "it is not forgotten")
    eventually(lambda: len(sealed_in(ben)) == 1, "only what is kept stays")
    assert ben("address", "show", agreement, *grace)["kept"] is True
