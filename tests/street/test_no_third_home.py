"""The address test: two homes hold it while their agreement lives, and no third one ever does."""

import base64
import os
from contextlib import suppress
from pathlib import Path

import pytest
from homes import PASSPHRASE, agree, eventually, folder, together

from meshcoop import backup

TITLE = "A lift to the clinic"
ADDRESS = "12 Quincunx Terrace, second floor, ring twice"
OTHER = "7 Xylophage Mews, by the blue gate"


@pytest.fixture(scope="module")
def street():
    """A and D, who look on, and B, with Grace as a guest, and C, who agree on something."""
    with folder() as one:
        ada = one.founder("Ada")
        ben, cleo, dan = together(*(lambda who=who: one.newcomer(ada, who) for who in (
            "Ben", "Cleo", "Dan",
        )))  # fmt: skip
        pin = one.path / "pin of Grace"
        pin.write_text("4711\n")
        ben.env["MESHCOOP_PIN_FILE"] = str(pin)
        ben("guest", "--as", "Grace")
        yield ada, ben, cleo, dan


def agreement_of(asks, answers, *who):
    """An agreement of two homes; `who` asks, where that is a guest."""
    request = asks.post("request", "--title", TITLE, "--minutes", "30", *who)
    answers.has(request)
    response = answers.post("response", "--about", request)
    asks.has(response)
    agreement = asks.post("agreement", "--about", response, *who)
    answers.has(agreement)
    return agreement


def disguises(text):
    """The text in the clear, in hex and in base64, wherever it begins there."""
    plain = text.encode()
    found = [plain, plain.hex().encode(), plain.hex().upper().encode(), text.encode("utf-16-le")]
    for shift in range(3):
        coded = base64.b64encode(bytes(shift) + plain)[shift + 1 if shift else 0 :]
        found.append(coded[: len(coded) // 4 * 4 - 4])  # without what its neighbours share
    return found


def in_memory(pid, wanted):
    """Whether the memory of a process holds one of these. Skips where it cannot be read."""
    try:
        memory = Path(f"/proc/{pid}/mem").open("rb", buffering=0)  # noqa: SIM115 -- closed below
        ranges = [line.split()[:2] for line in Path(f"/proc/{pid}/maps").read_text().splitlines()]
    except OSError as error:
        pytest.skip(f"the memory of other processes cannot be read here: {error.strerror}")
    with memory:
        for where, rights in ranges:
            if rights.startswith("rw"):
                begin, end = (int(one, 16) for one in where.split("-"))
                with suppress(OSError, OverflowError):  # pages that the kernel keeps to itself
                    held = os.pread(memory.fileno(), end - begin, begin)
                    if any(one in held for one in wanted):
                        return True
    return False


def in_files(home, wanted):
    return [
        str(one.relative_to(home.path))
        for one in sorted(home.path.rglob("*"))
        if one.is_file() and any(each in one.read_bytes() for each in wanted)
    ]


def in_backup(home, wanted):
    """Whether a backup of this home holds one of these, closed or opened."""
    path = home.path.parent / f"backup of {home.path.name}"
    home("backup", str(path))
    reader = backup.Reader(path, PASSPHRASE)
    try:
        opened = [repr(reader.contents).encode(), *(b"".join(some) for some in reader.records())]
    finally:
        reader.close()
    data = [path.read_bytes(), *opened]
    path.unlink()
    return any(one in held for one in wanted for held in data)


def sealed_in(home):
    """The addresses as they lie in a home's store."""
    with home.database() as db:
        return [row[0] for row in db.execute("SELECT sealed FROM gifts ORDER BY time")]


def test_no_third_home_ever_holds_an_address(street):
    ada, ben, cleo, dan = street
    agreement = agreement_of(ben, cleo)
    given = ben.run("--json", "address", "give", agreement, said=ADDRESS + "\n")
    assert (given.returncode, given.stderr) == (0, "")
    cleo("address", "give", agreement, "--text", OTHER)
    mine = cleo("address", "show", agreement)
    assert (mine["text"], mine["from"]["name"], mine["kept"]) == (ADDRESS, "Ben", False)
    assert ben("address", "show", agreement)["text"] == OTHER
    agree(*street)
    sealed = sealed_in(ben)
    assert sealed == sealed_in(cleo)
    assert len(sealed) == 2
    wanted = [*disguises(ADDRESS), *disguises(OTHER)]
    anything = [*wanted, *sealed]
    for home in (ada, dan):
        assert in_files(home, [TITLE.encode()]) != []  # it hears all the rest
        assert in_files(home, anything) == []
        assert sealed_in(home) == []
        assert in_memory(home("status")["pid"], [home("status")["device"].encode()])
        assert not in_memory(home("status")["pid"], anything)
        assert not in_backup(home, anything)
        assert "between other people" in home.refused("address", "show", agreement)
        assert "between other people" in home.refused("address", "give", agreement, "--text", "x")
    for home in (ben, cleo):
        assert in_files(home, wanted) == []  # not even these hold it in the clear
        assert not in_backup(home, anything)
        assert home("search", "Quincunx") == home("search", "Xylophage") == []
    shown = [ben("show", agreement), *ben("list", "agreements"), *cleo("list", "responses")]
    assert "Quincunx" not in str(shown)
    receipt = cleo.post("receipt", "--about", agreement, "--on", "2026-11-01")
    ben.has(receipt)
    ben.post("confirm", "--about", receipt)
    for home in (ben, cleo):
        eventually(lambda home=home: sealed_in(home) == [], "it is not forgotten")
        eventually(lambda home=home: in_files(home, anything) == [], "it is still on the disk")
        assert "no address of it was kept" in home.refused("address", "show", agreement)
        assert "over" in home.refused("address", "give", agreement, "--text", ADDRESS)


def test_a_guest_gives_hers_and_takes_what_she_is_given_with_her_pin(street):
    ada, ben, cleo, _ = street
    grace = ("--as", "Grace")
    agreement = agreement_of(ben, cleo, *grace)
    given = ben("address", "give", agreement, "--text", ADDRESS, *grace)
    assert (given["state"], given["to"]["name"]) == ("delivered", "Cleo")
    shown = cleo("address", "show", agreement)
    assert (shown["text"], shown["from"]["name"]) == (ADDRESS, "Grace")
    assert ben("address", "show", agreement, *grace)["text"] == ADDRESS
    assert "say who with --as" in ben.refused("address", "show", agreement)
    pin = ben.env.pop("MESHCOOP_PIN_FILE")
    assert "MESHCOOP_PIN_FILE" in ben.refused("address", "show", agreement, *grace, code=2)
    ben.env["MESHCOOP_PIN_FILE"] = pin
    assert cleo("address", "give", agreement, "--text", OTHER)["state"] == "waiting"
    assert len(sealed_in(ben)) == 1  # her device is locked
    assert cleo("address", "forget", agreement)["state"] == "waiting"
    assert cleo("address", "give", agreement, "--text", OTHER)["state"] == "waiting"
    assert ben("address", "forget", agreement, *grace)["state"] == "forgotten"
    assert ben("address", "show", agreement, "--keep", *grace)["text"] == OTHER
    assert sealed_in(ada) == []
    ben.post("close", "--about", agreement, "--as-state", "cancelled", *grace)
    eventually(lambda: sealed_in(cleo) == [], "it is not forgotten")
    assert ben("address", "show", agreement, *grace)["kept"] is True
    assert ben("address", "forget", agreement, *grace)["state"] == "forgotten"
    assert sealed_in(ben) == []


def test_what_cannot_be_given_is_told_in_a_sentence(street):
    ada, _, cleo, _ = street
    agreement = agreement_of(ada, cleo)
    assert "No address has come yet" in cleo.refused("address", "show", agreement)
    assert "No address was given" in ada.refused("address", "give", agreement, code=2)
    assert "500 characters" in ada.refused(
        "address", "give", agreement, "--text", "x" * 501, code=2
    )
    assert "no agreement" in ada.refused("address", "show", ada("list", "requests")[0]["id"])
    assert ada.text("address", "give", agreement, "--text", "over\nthere").startswith(
        "Cleo has it."
    )
    assert "From Ada, until the agreement is over:\nover\nthere" in cleo.text(
        "address", "show", agreement
    )
