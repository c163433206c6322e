"""Invitations are given out and used up only after everything has been checked."""

from types import SimpleNamespace

import pytest
import trio

from meshcoop.author import renewal
from meshcoop.sync.invitation_desk import InvitationDesk
from protocol.errors import Refused
from protocol.wire import frames, invitation
from protocol.wire.invitation import ADMITTED, ANSWER, REFUSAL, WAITING, Knock
from tests.support.street_in_memory import street

INVITER, NEWCOMER = "the inviter's peer id", "the newcomer's peer id"


class Call:
    """A stream with one knock. It keeps the answer."""

    peer = NEWCOMER

    def __init__(self, knock):
        self._wires = [frames.encode(knock.frame()), b""]
        self.answer = None

    async def read(self):
        return self._wires.pop(0)

    async def write(self, wire):
        [self.answer] = frames.Decoder().feed(wire)


class Door:
    """The invitation desk of a home. Newcomers knock there."""

    def __init__(self, home):
        self.home = home
        may_sign = trio.Event()
        may_sign.set()
        mesh = SimpleNamespace(
            inbox=home.inbox,
            author=home.author,
            network=SimpleNamespace(peer_id=INVITER, addresses=["/ip4/192.0.2.7/tcp/4001"]),
            reach=SimpleNamespace(relays=[]),
            peers=SimpleNamespace(welcome=lambda peer: None),
            credentials=SimpleNamespace(chain=lambda device: []),
            expect=lambda person: None,
            may_sign=may_sign,
        )
        self.desk = InvitationDesk(mesh, bytes(32), home.now, home.street.dice.randbytes)

    def invite(self, *, approve):
        code, _ = self.desk.invite(approve=approve)
        return invitation.decode(code)

    def knock(self, invite, newcomer, statement=None):
        proof = invitation.knock_proof(invite.secret, NEWCOMER, INVITER, newcomer.person)
        signature = invitation.sign_proof(proof, newcomer.device_seed)
        call = Call(Knock(invite.id, proof, signature, statement or newcomer.statement, "Ben"))
        trio.run(self.desk.answer, call)
        return call.answer


@pytest.fixture
def door():
    """Makes the desk of a founder, who has room for one newcomer until a term lists them."""
    with street(homes=1, room=1) as (home,):
        yield Door(home)


@pytest.mark.parametrize("approve", [True, False])
def test_who_has_no_room_invites_nobody_until_a_renewal_lists_the_newcomers(door, approve):
    home = door.home
    door.invite(approve=approve)
    home.welcome(home.street.person())

    with pytest.raises(Refused, match="room for 1 newcomers until a renewal") as refused:
        door.invite(approve=approve)
    assert refused.value.rule == "R-03.7b"

    renewal.renew(home.author)
    door.invite(approve=approve)


def test_an_invitation_whose_vouch_is_refused_stays_usable_by_anybody(door):
    home = door.home
    invite = door.invite(approve=True)
    home.welcome(home.street.person())
    first, second = home.street.person(), home.street.person()

    refusal = door.knock(invite, first)
    assert refusal[:2] == [REFUSAL, "R-03.7b"]
    assert door.desk.knocks() == []

    renewal.renew(home.author, vouchers=1)
    assert door.knock(invite, second)[:2] == [ANSWER, ADMITTED]
    assert door.knock(invite, first)[:2] == [REFUSAL, "R-07.4"]


def test_an_invitation_without_approval_is_held_by_who_waits(door):
    invite = door.invite(approve=False)
    first, second = door.home.street.person(), door.home.street.person()

    assert door.knock(invite, first)[:2] == [ANSWER, WAITING]
    assert [waiting.person for waiting in door.desk.knocks()] == [first.person]
    assert door.knock(invite, second)[:2] == [REFUSAL, "R-07.4"]


def test_a_knock_that_is_refused_uses_nothing_up(door):
    invite = door.invite(approve=False)
    stranger, newcomer = door.home.street.person(), door.home.street.person()
    for wrong, statement in (
        (invite._replace(secret=bytes(16)), stranger.statement),
        (invite, newcomer.statement),
        (invite, b"no statement"),
    ):
        assert door.knock(wrong, stranger, statement)[0] == REFUSAL
        assert door.desk.knocks() == []

    assert door.knock(invite, newcomer)[:2] == [ANSWER, WAITING]
