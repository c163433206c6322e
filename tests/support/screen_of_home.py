"""A home in memory that answers the real screen. A test opens it as it opens a fake node."""

import trio

from meshcoop.api.methods.method_table import Methods
from meshcoop.api.presenter import Presenter
from meshcoop.api.roll_growth import describe_own_vouchers
from meshcoop.errors import Mistake
from protocol.errors import Refused
from protocol.wire.local_rpc import HELLO, SUBSCRIBE, Error, Response
from tests.meshcoop.api.test_steps import node_of
from tests.support.fake_node import NOW, FakeNode


class ScreenedHome(FakeNode):
    """Answers a screen with the methods of the local API, at a home in memory. Only the status is
    made here, because it tells of the network too.
    """

    def __init__(self, home):
        super().__init__()
        self.home = home
        self._table = Methods(node_of(home)).table()

    def status(self, params):
        presenter = Presenter(self.home.state, self.home.now)
        is_member = self.home.me.person in self.home.state.authority.members
        named = {"id": self.home.state.neighbourhood.hex(), "name": "Rushey Lane"}
        return {
            "pid": 1,
            "ready": True,
            "peer_id": "12D3",
            "addresses": [],
            "time": NOW,
            "neighbourhood": named,
            "device": self.home.me.device.hex(),
            "timezone": None,
            "person": presenter.show_person(self.home.me.person) if is_member else None,
            "term": presenter.show_term(),
            "peers": [],
            "records": 0,
            "muted": [],
            "waiting": {"knocks": [], "vouched": [], "unplaced": 0},
            "own_vouchers": describe_own_vouchers(self.home.state, presenter, self.home.me.person),
        }

    def waiting(self):
        """Returns the questions that wait on Today."""
        return trio.run(self._table["list"], {"what": "waiting"})["rows"]

    def _answer(self, request):
        if request.method in {HELLO, SUBSCRIBE, "status"}:
            return super()._answer(request)
        try:
            result = trio.run(self._table[request.method], request.params)
        except Refused as refusal:
            return Response(request.id, Error("refused", refusal.text, arguments=refusal.arguments))
        except Mistake as mistake:
            return Response(request.id, Error("refused", mistake.sentence))
        if request.method in {"post", "renew", "approve"}:
            self.tell()
        return Response(request.id, result=result)
