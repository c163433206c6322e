"""A thief who has a home folder but no passphrase finds nothing that opens anything."""

import shutil

import pytest

from meshcoop.home import key_file as keystore
from meshcoop.home import recovery_words as recovery
from protocol import kinds
from protocol.fold.content import read_content
from protocol.record import sealing as seal
from tests.support.real_homes import PASSPHRASE, agree, folder
from tests.support.stores import files_and_rows, open_rows

assert kinds  # registers every kind

PRIVATE = ("the key is under the third pot", "12 Quincunx Terrace, second floor")


@pytest.fixture(scope="module")
def stolen():
    """Copies a home in use while its node runs, as a thief would. Yields the copies, and the
    recovery words, which no copy may contain.
    """
    with folder() as one:
        ada = one.founder("Ada")
        ben = one.home("ben")
        joined = ben("join", ada.invite(), "--as", "Ben", "--listen", one.listen())
        request = ada.post("request", "--title", "A lift", "--minutes", "30")
        ben.has(request)
        responses = [ben.post("response", "--about", request, "--text", text) for text in PRIVATE]
        taken_back = ben.post("response", "--about", request, "--text", PRIVATE[0])
        ben.post("retract", "--about", taken_back)
        ada.has(*responses)
        agreement = ada.post("agreement", "--about", responses[0])
        ben.has(agreement)
        receipt = ben.post("receipt", "--about", agreement, "--note", PRIVATE[1])
        ada.has(receipt)
        ada.post("confirm", "--about", receipt)
        agree(ada, ben)
        agree(ada, ben)
        live = one.path / "live"
        shutil.copytree(ben.path, live, ignore=shutil.ignore_patterns("*.sock"))
        assert (live / "store.db-wal").stat().st_size > 0
        (response,) = ben("list", "responses", "--about", request)[-1:]
        assert response["text"] == PRIVATE[0]  # the person can read the text
        ben.kill()
        crashed = one.path / "crashed"
        shutil.copytree(ben.path, crashed, ignore=shutil.ignore_patterns("*.sock"))
        ben("up")
        ben("down")
        yield (live, crashed, ben.path), joined["recovery"]


def secrets_of(path, words):
    """Returns every secret of the home, both as bytes in memory and as people write it."""
    keys = keystore.unlock_key_file(path / "keys", PASSPHRASE).keys
    device = keys.devices[0].seed
    found = {
        "the root seed": recovery.to_seed(words),
        "the device's seed": device,
        "the device's box secret": seal.device_box_key(device).secret,
        "the network seed": keys.network_seed,
        "the passphrase": PASSPHRASE.encode(),
        "the recovery words": " ".join(words.split()[:3]).encode(),
        **{f"private words {at}": text.encode() for at, text in enumerate(PRIVATE)},
    }
    found |= {f"{name} in hex": secret.hex().encode() for name, secret in found.items()}
    return found


def test_no_key_no_private_word_and_no_address_lies_in_the_folder(stolen):
    homes, words = stolen
    wanted = secrets_of(homes[-1], words)
    found = [
        (what, str(file.relative_to(home)))
        for home in homes
        for file in sorted(home.rglob("*"))
        if file.is_file()
        for what, secret in wanted.items()
        if secret in file.read_bytes()
    ]
    assert found == []


def test_the_keys_of_the_neighbourhood_are_not_in_the_folder_either(stolen):
    homes, _ = stolen
    keys = epoch_keys(homes[-1])
    assert keys
    for home in homes:
        for file in home.rglob("*"):
            if file.is_file():
                data = file.read_bytes()
                assert not any(key in data for key in keys)


def test_the_search_finds_what_is_there(stolen):
    homes, _ = stolen
    for home in homes:
        keys = keystore.unlock_key_file(home / "keys", PASSPHRASE).keys
        held = b"".join(files_and_rows(home, keys.store_key).values())
        assert b"A lift" in held  # who has the store's key reads what the neighbourhood reads
        assert keys.devices[0].person in held


def test_without_the_passphrase_nothing_starts(stolen):
    homes, _ = stolen
    with folder() as one:
        home = one.home("thief")
        shutil.copytree(homes[1], home.path, dirs_exist_ok=True)
        one.passphrase_file.write_text("brass kettle sang\n")
        assert "does not open" in home.refused("up")
        assert "does not open" in home.refused("list", "responses")
        assert "does not open" in home.refused("backup", str(one.path / "copy"))
        assert not (one.path / "copy").exists()


def epoch_keys(path):
    """Returns the epoch keys that the passphrase lets somebody open from the home's store."""
    keys = keystore.unlock_key_file(path / "keys", PASSPHRASE).keys
    box = seal.device_box_key(keys.devices[0].seed)
    with open_rows(path / "store.db", keys.store_key) as db:
        rows = db.execute("SELECT content FROM records WHERE open AND content NOT NULL").fetchall()
        kept = db.execute("SELECT id, origin, locked FROM epoch_keys").fetchall()
    acts = [read_content(row[0]) for row in rows]
    seals = [one for kind, fields in acts if kind == "epoch" for one in fields["seals"]]
    found = {seal.open_kept_key(*row, box).key for row in kept}
    for one in seals:
        try:
            found.add(seal.open_key(one[seal.KEY_SIZE :], box))
        except seal.Refused:
            continue
    return found
