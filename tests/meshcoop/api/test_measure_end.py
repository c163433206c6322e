"""The end of a measure at homes in memory: who can still answer, and how people go on (R-22.10)."""

import pytest
import trio

from meshcoop.api.methods.method_table import Methods
from meshcoop.author.next_steps import find_steps
from protocol.errors import Refused
from protocol.loops.windows import DAY_MS
from protocol.wire.local_rpc import Response, encode
from tests.meshcoop.api.test_steps import node_of
from tests.support.council import by_software, propose, vote
from tests.support.street_in_memory import Street, settle


def test_a_measure_that_ended_takes_no_answer_and_goes_on_with_another_target():
    with Street(1) as here:
        ada = here.found(smallest_group=1)
        ben = here.neighbour(ada)
        by_software(ada, ben)
        service = ada.post("service", title="The bins")
        until = ada.state.clock_at(ada.now()).day_in(92)
        asked = {"question": "Missed?", "scale": "count"}
        measure = ada.post("measure", service, target="2", until=until, **asked)
        settle(ada, ben)
        proposal = propose(ada, f"adopt {measure.id.hex()}")
        settle(ada, ben)
        vote(proposal, [ada, ben], [ada, ben])

        def ways():
            steps = find_steps(ada.author, ada.author.signer_of(), service.id)
            return [step.given.get("question") for step in steps if step.kind == "measure"]

        assert ways() == [None]
        here.clock += 70 * DAY_MS
        assert ways() == ["Missed?", None]
        ben.post("feedback", measure, value="0")
        here.clock += 40 * DAY_MS
        for home, kind, fields in (
            (ben, "feedback", {"value": "1"}),
            (ada, "action", {"what": "A lorry"}),
        ):
            with pytest.raises(Refused) as refused:
                home.post(kind, measure, **fields)
            assert refused.value.rule == "R-22.10"
        methods = Methods(node_of(ada)).table()
        (row,) = trio.run(methods["list"], {"what": "measures"})["rows"]
        encode(Response(0, result=row))  # it can go to a screen
        assert row["state"] == "ended"
        assert row["account"]["given"] == 0  # no witness has named the answer
