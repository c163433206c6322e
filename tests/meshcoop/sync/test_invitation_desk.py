"""Invitations are given out and used up only after everything has been checked."""

from types import SimpleNamespace

import pytest
import trio

from meshcoop.sync.invitation_desk import InvitationDesk
from protocol.errors import Refused
from protocol.wire import frames, invitation
from protocol.wire.invitation import ADMITTED, ANSWER, REFUSAL, WAITING, Knock
from tests.support.street_in_memory import HOUR, street

INVITER, NEWCOMER = "the inviter's peer id", "the newcomer's peer id"
MONTH = 30 * 24 * HOUR


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
    """Makes the desk of a founder, who may vouch for one newcomer a month."""
    with street(homes=1, admissions_a_month=1) as (home,):
        yield Door(home)


@pytest.mark.parametrize("approve", [True, False])
def test_who_may_vouch_for_nobody_now_invites_nobody_and_learns_until_when(door, approve):
    home = door.home
    door.invite(approve=approve)
    home.welcome(home.street.person())

    with pytest.raises(Refused, match=r"admits 1 people a month.*wait until 20\d\d-") as refused:
        door.invite(approve=approve)
    assert refused.value.rule == "R-03.7b"

    home.street.clock += MONTH
    day = refused.value.arguments["day"]
    assert home.state.clock_at(home.now()).today >= day
    door.invite(approve=approve)


def test_an_invitation_whose_vouch_is_refused_stays_usable_by_anybody(door):
    home = door.home
    home.street.clock += MONTH - home.street.clock % MONTH - HOUR  # an hour before the next month
    invite = door.invite(approve=True)
    home.welcome(home.street.person())
    first, second = home.street.person(), home.street.person()

    refusal = door.knock(invite, first)
    assert refusal[:2] == [REFUSAL, "R-03.7b"]
    assert door.desk.knocks() == []

    home.street.clock += HOUR
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
