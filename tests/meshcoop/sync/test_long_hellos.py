"""Pages before a hello: who gets them, and how often (R-05.3k, R-05.3m)."""

import pytest

from meshcoop.sync.credentials import Credentials
from protocol.wire import sync_session
from protocol.wire.sync_session import SyncSession
from tests.support.street_in_memory import HOUR, street


@pytest.fixture
def ben(monkeypatch):
    monkeypatch.setattr(sync_session, "MAX_CHAIN", 1)
    with street() as (_, ben):
        yield ben


def test_a_peer_that_was_not_convinced_gets_all_records_once_an_hour(ben):
    """Attacker: a member who refuses each hello. Asset: the node's line."""
    credentials = Credentials(ben.inbox, "ben", ben.me.device, ben.me.device_seed)
    session = SyncSession()
    hello = credentials.greet(session, "ada")
    size = len(hello)

    def pages_to(peer, *, is_answer=True):
        return len(credentials.greet(session, peer, is_answer=is_answer)) > size

    assert not pages_to("ada")
    credentials.note_unconvinced("ada")
    assert not pages_to("cho")
    assert not pages_to("ada", is_answer=False)
    assert pages_to("ada")
    credentials.note_unconvinced("ada")
    assert not pages_to("ada")
    ben.street.clock += HOUR
    credentials.note_unconvinced("ada")
    assert pages_to("ada")
