"""Invitations are given out and used up only after everything has been checked."""

from types import SimpleNamespace

import pytest
import trio

from meshcoop.sync.invitation_desk import InvitationDesk
from protocol.errors import Refused
from protocol.wire import door, frames, invitation
from protocol.wire.door import Ends
from protocol.wire.invitation import ADMITTED, ANSWER, REFUSAL, WAITING, Knock
from tests.support.council import renew
from tests.support.street_in_memory import street

INVITER, NEWCOMER = "the inviter's peer id", "the newcomer's peer id"
ENDS = Ends(opener=NEWCOMER, answerer=INVITER)


class Call:
    """A stream of a newcomer who opens the door with `secret` and then knocks. It keeps the answer."""

    peer = NEWCOMER

    def __init__(self, secret, knock):
        self._key = door.door_key(secret)
        self._wires = [frames.encode(knock.frame()), b""]
        self.written = []

    async def read(self):
        await trio.lowlevel.checkpoint()
        return self._wires.pop(0)

    async def write(self, wire):
        self.written.append(wire)
        if len(self.written) == 1:  # the nonce of the inviter's home
            proof = door.prove_opener(self._key, ENDS, wire, bytes(door.NONCE_SIZE))
            self._wires.insert(0, proof)

    @property
    def answer(self):
        """The answer to the knock. It comes after a nonce, a MAC and the place."""
        return frames.Decoder().feed(self.written[3])[0] if len(self.written) > 3 else None


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
        shown = statement or newcomer.statement
        knock = Knock.sign(ENDS, newcomer.device_seed, shown, "Ben")
        call = Call(invite.secret, knock)
        trio.run(self.desk.answer, call)
        return call.answer


@pytest.fixture
def desk_door():
    """Makes the desk of a founder, who has room for one newcomer until a term lists them."""
    with street(homes=1, room=1) as (home,):
        yield Door(home)


@pytest.mark.parametrize("approve", [True, False])
def test_who_has_no_room_invites_nobody_until_a_renewal_lists_the_newcomers(desk_door, approve):
    home = desk_door.home
    desk_door.invite(approve=approve)
    home.welcome(home.street.person())

    with pytest.raises(Refused, match="room for 1 newcomers until a renewal") as refused:
        desk_door.invite(approve=approve)
    assert refused.value.rule == "R-03.7b"

    renew(home.author)
    desk_door.invite(approve=approve)


def test_an_invitation_whose_vouch_is_refused_stays_usable_by_anybody(desk_door):
    home = desk_door.home
    invite = desk_door.invite(approve=True)
    home.welcome(home.street.person())
    first, second = home.street.person(), home.street.person()

    refusal = desk_door.knock(invite, first)
    assert refusal[:2] == [REFUSAL, "R-03.7b"]
    assert desk_door.desk.knocks() == []

    renew(home.author, vouchers=1)
    assert desk_door.knock(invite, second)[:2] == [ANSWER, ADMITTED]
    assert desk_door.knock(invite, first)[:2] == [REFUSAL, "R-07.4"]


def test_an_invitation_without_approval_is_held_by_who_waits(desk_door):
    invite = desk_door.invite(approve=False)
    first, second = desk_door.home.street.person(), desk_door.home.street.person()

    assert desk_door.knock(invite, first)[:2] == [ANSWER, WAITING]
    assert [waiting.person for waiting in desk_door.desk.knocks()] == [first.person]
    assert desk_door.knock(invite, second)[:2] == [REFUSAL, "R-07.4"]


def test_a_knock_that_is_refused_uses_nothing_up(desk_door):
    invite = desk_door.invite(approve=False)
    stranger, newcomer = desk_door.home.street.person(), desk_door.home.street.person()
    for statement in (newcomer.statement, b"no statement"):
        assert desk_door.knock(invite, stranger, statement)[0] == REFUSAL
        assert desk_door.desk.knocks() == []
    assert desk_door.knock(invite._replace(secret=bytes(16)), stranger) is None

    assert desk_door.knock(invite, newcomer)[:2] == [ANSWER, WAITING]
