"""People on the roll are asked for a next term if half of the witnesses are silent (R-24.1d)."""

from meshcoop.api.list_pages import take_page
from meshcoop.api.queries import Queries
from protocol.record.envelope import DAY_MS
from protocol.wire import calls
from tests.support.api_in_memory import Asking
from tests.support.council import renew
from tests.support.street_in_memory import settle, street
from tests.support.witnesses_in_memory import listed_street, look_twice, measured


def asked(home):
    call = calls.List(what="waiting")
    queries = Queries(Asking(home).membership, home.now, home.me.person, home.author.private)
    rows = take_page(call, queries.list_views(call))["rows"]
    return [says for row in rows for says in row["says"] if says["code"] == "witnesses_silent"]


def test_the_roll_is_asked_for_a_term_once_half_of_the_witnesses_are_silent():
    with street(homes=4) as homes:
        ada, ben, cho, dan = homes
        listed_street(*homes)
        measure = measured(*homes)
        ada.street.clock += 8 * DAY_MS
        dan.post("feedback", measure, value="no")
        settle(*homes)
        for home in (ada, ben, cho):
            look_twice(home)
        settle(*homes)
        ada.street.clock += 8 * DAY_MS
        assert asked(ada) == []  # one of four is silent
        ada.street.clock += 8 * DAY_MS

        (remark,) = asked(ada)
        assert remark["arguments"] == {"count": 4, "total": 4}
        renew(ben.author)
        settle(*homes)
        assert asked(ada) == []
