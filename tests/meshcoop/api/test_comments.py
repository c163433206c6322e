"""Comments over the local API: where they are shown, and who can write one."""

import pytest
import trio

from meshcoop.api.list_pages import take_page
from meshcoop.api.methods.method_table import Methods
from meshcoop.api.queries import Queries
from meshcoop.author.next_steps import find_steps
from meshcoop.cli.plain_text import format_view
from protocol.errors import Refused
from protocol.wire import calls
from tests.meshcoop.api.test_steps import node_of
from tests.support.api_in_memory import Asking
from tests.support.clocks import clock_at
from tests.support.council import by_software, council, propose, vote
from tests.support.street_in_memory import Street, settle, street


def queries(home):
    return Queries(Asking(home).membership, home.now, home.me.person, home.author.private)


def shown(home, record):
    return trio.run(queries(home).show_record, calls.Show(id=record.id.hex()))


def test_a_comment_is_shown_with_what_it_is_about_until_its_words_are_hidden():
    with street(homes=4) as homes:
        council(*homes)
        ada, ben, cho, dan = homes
        offer = ada.post("offer", title="Bread")
        settle(*homes)
        comment = dan.post("comment", offer, text="Is it rye?")
        answer = ada.post("comment", offer, text="It is.")
        settle(*homes)

        view = shown(ben, offer)
        assert [row["text"] for row in view["comments"]] == ["Is it rye?", "It is."]
        assert "Is it rye?" in format_view(view, clock_at("2026-11-23T18:00"))
        rows = queries(ben).list_views(calls.List(what="comments", about=offer.id.hex()))
        ids = [row["id"] for row in take_page(calls.List(what="comments"), rows)["rows"]]
        assert ids == [answer.id.hex(), comment.id.hex()]
        for judge in (ben, cho):
            judge.post("hide", comment)
            settle(*homes)
        (row, _) = shown(ben, offer)["comments"]
        assert row["text"] is None
        assert row["hidden"]


def test_a_person_can_comment_on_what_is_shown_and_not_on_a_comment():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        settle(ada, ben)
        comment = ben.post("comment", offer, text="Is it rye?")
        settle(ada, ben)

        steps = find_steps(ada.author, ada.author.signer_of(), offer.id)
        targets = [step.about for step in steps if step.kind == "comment"]
        assert targets == [offer.id]
        with pytest.raises(Refused, match="the record that the other comment is about"):
            ada.post("comment", comment, text="It is.")
        ada.post("retract", offer)
        with pytest.raises(Refused, match="nothing of it is shown"):
            ada.post("comment", offer, text="It is.")


def test_only_some_comments_of_a_talkative_person_are_shown_with_the_record():
    with street() as (ada, ben):
        offer = ada.post("offer", title="Bread")
        settle(ada, ben)
        ben.post("comment", offer, text="Is it rye?")
        for number in range(25):
            ada.post("comment", offer, text=f"{number} loaves are left.")
        settle(ada, ben)

        view = shown(ben, offer)
        assert len(view["comments"]) == 20
        assert view["comments_total"] == 26
        assert view["comments"][0]["text"] == "Is it rye?"


def test_a_comment_about_a_matter_is_about_its_measure():
    with Street(1) as here:
        ada = here.found(smallest_group=1)
        ben = here.neighbour(ada)
        by_software(ada, ben)
        service = ada.post("service", title="The bins")
        measure = ada.post("measure", service, question="Missed?", scale="count", target="0")
        settle(ada, ben)
        proposal = propose(ada, f"adopt {measure.id.hex()}")
        settle(ada, ben)
        vote(proposal, [ada, ben], [ada, ben])
        ben.post("feedback", measure, value="1")
        methods = Methods(node_of(ben)).table()

        (matter,) = trio.run(methods["list"], {"what": "matters"})["rows"]
        fields = {"text": "Who comes now?"}
        posted = {"kind": "comment", "about": matter["id"], "fields": fields}
        trio.run(methods["post"], posted)

        for shown_id in (matter["id"], measure.id.hex()):
            (comment,) = trio.run(methods["show"], {"id": shown_id})["comments"]
            assert comment["text"] == "Who comes now?"
            assert comment["about"] == measure.id.hex()
