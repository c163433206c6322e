import nacl.bindings
import pytest

from protocol.errors import Refused
from protocol.record import codec
from protocol.record import root_statement as statement
from protocol.record import sealing as seal
from protocol.record.root_statement import Certificate, Revocation

ROOT, OTHER, DEVICE_SEED = b"r" * 32, b"o" * 32, b"d" * 32
DEVICE = nacl.bindings.crypto_sign_seed_keypair(DEVICE_SEED)[0]
PERSON = nacl.bindings.crypto_sign_seed_keypair(ROOT)[0]
HERE = b"h" * statement.PLACE_SIZE
BOX = seal.device_box_key(DEVICE_SEED).public
OTHER_BOX = seal.device_box_key(OTHER).public


def test_a_certificate_says_what_its_keys_signed():
    assert statement.read_statement(
        statement.certify_device(ROOT, DEVICE_SEED, BOX, HERE)
    ) == Certificate(HERE, PERSON, DEVICE, BOX)


def test_a_revocation_says_after_which_number():
    assert statement.read_statement(statement.revoke_device(ROOT, DEVICE, 7, HERE)) == Revocation(
        HERE, PERSON, DEVICE, 7
    )
    assert statement.read_statement(statement.revoke_device(ROOT, DEVICE, 0, HERE)).after == 0


def parts(packed):
    return codec.unpack(packed)


def test_a_certificate_needs_the_devices_own_signature():
    body, by_root, _ = parts(statement.certify_device(ROOT, DEVICE_SEED, BOX, HERE))
    for signatures in ([by_root], [by_root, by_root], [by_root, bytes(64)], []):
        with pytest.raises(Refused, match=r"R-03\."):
            statement.read_statement(codec.pack([body, *signatures]))


def test_a_root_cannot_claim_another_roots_certificate():
    body, by_root, by_device = parts(statement.certify_device(ROOT, DEVICE_SEED, BOX, HERE))
    thief = nacl.bindings.crypto_sign_seed_keypair(OTHER)[0]
    with pytest.raises(Refused, match=r"R-03\.2"):
        statement.read_statement(codec.pack([[*body[:2], thief, *body[3:]], by_root, by_device]))


def test_a_certificate_cannot_get_another_box():
    body, *signatures = parts(statement.certify_device(ROOT, DEVICE_SEED, BOX, HERE))
    with pytest.raises(Refused, match=r"R-03\.2"):
        statement.read_statement(codec.pack([[*body[:4], OTHER_BOX], *signatures]))


def test_a_statement_cannot_be_carried_to_another_neighbourhood():
    for said in (
        statement.certify_device(ROOT, DEVICE_SEED, BOX, HERE),
        statement.revoke_device(ROOT, DEVICE, 7, HERE),
    ):
        body, *signatures = parts(said)
        with pytest.raises(Refused, match=r"R-03\.2"):
            statement.read_statement(codec.pack([[body[0], b"t" * 16, *body[2:]], *signatures]))


def test_a_box_to_which_nothing_can_be_sealed_is_refused():
    for box in (bytes(32), b"\x01" + bytes(31)):
        with pytest.raises(Refused, match=r"R-01\.23"):
            statement.read_statement(statement.certify_device(ROOT, DEVICE_SEED, box, HERE))


def test_a_certificate_is_no_revocation():
    body, by_root, by_device = parts(statement.certify_device(ROOT, DEVICE_SEED, BOX, HERE))
    for signatures in ([by_root], [by_root, by_device]):
        with pytest.raises(Refused, match=r"R-03\."):
            statement.read_statement(codec.pack([["revoke", *body[1:]], *signatures]))


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        [[]],
        [["certify"]],
        [["certify", b"", b"", b"", b""], b"", b""],
        [["revoke", HERE, PERSON, DEVICE, -1], bytes(64)],
        [["revoke", HERE, PERSON, DEVICE, True], bytes(64)],
        [["revoke", HERE, PERSON, DEVICE, 3], bytes(63)],
        [["revoke", HERE, PERSON, DEVICE, 3], None],
        [[[], {}, [], {}, []], {}],
        [["praise", HERE, PERSON, DEVICE, BOX], bytes(64)],
        {"certify": PERSON},
    ],
)
def test_anything_else_is_no_statement(value):
    with pytest.raises(Refused, match=r"R-03\."):
        statement.read_statement(codec.pack(value))
