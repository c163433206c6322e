import pytest
from libp2p.crypto.ed25519 import create_new_key_pair
from libp2p.crypto.rsa import create_new_key_pair as create_rsa
from libp2p.peer.id import ID
from nacl.signing import SigningKey

from meshcoop.network.interface import NetworkError
from meshcoop.network.libp2p.identity import peer_id_from_key, peer_id_from_seed, public_key_of


def test_seed_key_and_peer_id_belong_together():
    seed = bytes(range(32))
    key = SigningKey(seed).verify_key.encode()
    peer = peer_id_from_seed(seed)
    assert peer.startswith("12D3KooW")
    assert public_key_of(peer) == key
    assert peer_id_from_key(key) == peer


def test_the_peer_id_is_libp2ps():
    pair = create_new_key_pair(bytes(range(32)))
    assert peer_id_from_seed(bytes(range(32))) == ID.from_pubkey(pair.public_key).to_base58()


@pytest.mark.parametrize("key", [b"", b"short", bytes(33), b"\xff" * 32])
def test_no_key_is_refused(key):
    with pytest.raises(NetworkError):
        peer_id_from_key(key)


@pytest.mark.parametrize("seed", [b"", bytes(31), bytes(64)])
def test_no_seed_is_refused(seed):
    with pytest.raises(NetworkError):
        peer_id_from_seed(seed)


@pytest.mark.parametrize(
    "peer",
    ["", "x", "0OIl", "12D3KooW", "1", "Qm" + "a" * 44, "é" * 40, "12D3KooW" + "z" * 4000],
)
def test_no_peer_id_is_refused(peer):
    with pytest.raises(NetworkError):
        public_key_of(peer)


def test_an_rsa_peer_id_is_refused():
    with pytest.raises(NetworkError):
        public_key_of(ID.from_pubkey(create_rsa(2048).public_key).to_base58())
