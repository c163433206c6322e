"""What the local API says of records that witnesses saw late, or not at all (R-24.14)."""

import asyncio

from meshcoop.api.loop_views import LoopViews
from meshcoop.api.methods.method_table import Methods
from meshcoop.api.presenter import Presenter
from meshcoop.cli.plain_text import format_list, format_view
from protocol.wire.local_rpc import Response, encode
from tests.meshcoop.api.test_steps import node_of
from tests.support.clocks import clock_at
from tests.support.street_in_memory import HOUR, settle, street
from tests.support.witnesses_in_memory import listed_street, look_twice, measured
from tui.kinds.services.feedback import moved_parts
from tui.node.shown import Shown


def shown(home, record):
    presenter = Presenter(home.state, home.now)
    views = LoopViews(home.state, home.author.loops, presenter, home.me.person, home.now)
    row = views.with_loop_status(presenter.show_view(home.view(record)))
    encode(Response(0, result=row))  # it can go to a screen
    return row


async def list_moved(home, **params):
    answer = await Methods(node_of(home)).table()["list"]({"what": "moved", **params})
    encode(Response(0, result=answer))  # it can go to a screen
    return answer["rows"]


def on_screen(rows):
    clock = clock_at("2026-11-30T09:00")
    parts = moved_parts([Shown(row) for row in rows], len(rows), clock, None)
    return "".join(part if isinstance(part, str) else part[0] for part in parts)


def standing(home, record):
    return shown(home, record)["standing"]


def test_a_report_says_that_it_was_seen_late_or_came_too_late():
    with street(homes=4) as homes:
        ada, ben, cho, eve = homes
        listed_street(*homes)
        measure = measured(*homes)

        def report_seen_after(hours):
            report = eve.post("feedback", measure, value="no")
            settle(*homes)
            assert standing(ada, report) is None
            ada.street.clock += hours * HOUR
            before = standing(ada, report)
            for home in (ben, cho):
                look_twice(home)
            settle(*homes)
            return report, before, standing(ada, report)

        late, *states = report_seen_after(73)
        assert states == ["unseen", "stands_late"]
        _, *states = report_seen_after(12 * 24)
        assert states == ["unseen", "came_too_late"]
        view = {**shown(ada, late), "history": []}
        clock = clock_at("2026-11-30T09:00")
        assert "standing: It was seen late" in format_view(view, clock)
        rows = asyncio.run(list_moved(ada, about=measure.id.hex()))
        assert [row["state"] for row in rows] == ["came_too_late", "stands_late"]
        assert rows[1]["id"] == late.id.hex()
        assert asyncio.run(list_moved(ada, state="unseen")) == []
        texts = format_list(rows, clock), on_screen(rows)
        for text in texts:
            assert "It was seen late, and counts from then on." in text
            assert "It came after the result was final, and changes nothing." in text


def test_a_reply_that_no_witness_could_see_is_unwitnessed():
    with street() as (ada, ben):
        service = ada.post("service", title="The bins")
        settle(ada, ben)
        words = ben.post("feedback", service, text="They are late.")
        settle(ada, ben)
        reply = ada.post("answer", words, text="The lorry broke down.")

        assert standing(ada, words) == "unwitnessed"
        assert standing(ada, reply) == "unwitnessed"


def test_a_page_of_reports_looks_at_no_further_report(monkeypatch):
    looked_at = []
    with_status = LoopViews.with_loop_status

    def look(self, row):
        looked_at.append(row["id"])
        return with_status(self, row)

    with street() as (ada, ben):
        service = ada.post("service", title="The bins")
        settle(ada, ben)
        for words in ("Late.", "Late again.", "In time."):
            ben.post("feedback", service, text=words)
        settle(ada, ben)
        monkeypatch.setattr(LoopViews, "with_loop_status", look)
        call = {"what": "feedback", "about": service.id.hex(), "limit": 1}
        page = asyncio.run(Methods(node_of(ada)).table()["list"](call))

    assert (len(page["rows"]), page["total"], len(looked_at)) == (1, 3, 1)
