"""What software signs in an exchange, what the software advises, and how people's hours add up."""

from types import SimpleNamespace

import pytest

from meshcoop.api.balances import Balances
from meshcoop.api.credit_advice import CreditAdvisor
from meshcoop.api.presenter import Presenter
from meshcoop.author.automatic import Countersigner
from meshcoop.cli.plain_text import format_remark
from meshcoop.fold.views import FoldedThread, FoldedView
from protocol.errors import Refused
from protocol.fold.facets import COMMON_POT, Credit
from protocol.fold.registry import view_of
from protocol.fold.thread import ViewResult
from protocol.record import codec
from tests.support.street_in_memory import HOUR, by_id, exchange, settle, street


@pytest.fixture
def lane():
    """Makes a street of three homes: Ada's, Ben's and Cho's."""
    with street(homes=3) as homes:
        yield homes


def refusal(home, kind, about, **fields):
    with pytest.raises(Refused) as caught:
        home.post(kind, about, **fields)
    return caught.value.rule


def says(lane, home, kind, about=None, **fields):
    one = home.post(kind, about, **fields)
    settle(*lane)
    return one


def balances(home):
    return Balances(home.state, Presenter(home.state, home.now))


def advice(home, one):
    advisor = CreditAdvisor(home.state, Presenter(home.state, home.now))
    remark = advisor.advise(one, home.me.person)
    return remark and format_remark(remark.as_dict())


# Other terms --------------------------------------------------------------------------------------


def test_who_is_to_answer_reads_the_words_of_other_terms_and_nobody_else(lane):
    ada, ben, cho = lane
    request = says(lane, ada, "request", title="A lift", minutes="90", starts="2026-12-01")
    response = says(lane, ben, "response", request)
    other = says(lane, ada, "response", response, minutes="60", text="not so long")
    views = [Presenter(home.state, home.now).show_view(home.view(other)) for home in lane]
    assert [one["text"] for one in views] == ["not so long", "not so long", None]
    assert (views[0]["minutes"], views[0]["when"]) == (60, "2026-12-01")
    agreement = says(lane, ben, "agreement", other)
    view = cho.view(agreement)
    assert (view.giver, view.receiver) == (ben.me.person, ada.me.person)
    assert view.minutes == 60


def test_software_answers_what_waits_and_agrees_to_what_is_on_the_table(lane):
    ada, ben, cho = lane
    request = says(lane, ada, "request", title="A lift", minutes="90")
    response = says(lane, ben, "response", request)
    assert refusal(cho, "response", response) == "R-13.16"
    assert refusal(ben, "response", response, minutes="30") == "R-13.16"
    other = says(lane, ada, "response", response, minutes="60")
    assert refusal(ada, "agreement", response) == "R-13.7"
    assert refusal(ada, "response", response, minutes="70") == "R-13.4"
    says(lane, ada, "close", other, as_state="withdrawn")
    says(lane, ada, "agreement", response)


def test_nobody_responds_to_what_has_expired(lane):
    ada, ben, _ = lane
    offer = says(lane, ada, "offer", title="Bread", minutes="30", until="2026-11-18")
    response = says(lane, ben, "response", offer)
    ben.street.clock += 24 * HOUR
    assert refusal(ada, "response", response, minutes="20") == "R-13.4"
    late = Presenter(ben.state, ben.now).show_view(ben.view(offer))
    assert late["state"] == "expired"
    assert refusal(ada, "agreement", response) == "R-13.4"


# Cancelling, disputing, correcting ----------------------------------------------------------------


def test_either_cancels_until_something_is_confirmed(lane):
    ada, ben, _ = lane
    offer = says(lane, ada, "offer", title="Bread", minutes="30")
    agreement = says(lane, ada, "agreement", says(lane, ben, "response", offer))
    says(lane, ben, "close", agreement, as_state="cancelled", why="I am ill")
    view = ada.view(agreement)
    assert (view.state, view.why) == ("cancelled", "I am ill")
    done = exchange(ada, ben)
    settle(*lane)
    assert refusal(ben, "close", done[2], as_state="cancelled") == "R-14.7"
    assert refusal(ada, "close", done[3], as_state="disputed") == "R-14.7"


def test_a_dispute_says_why_until_it_is_taken_back(lane):
    ada, ben, _ = lane
    offer = says(lane, ada, "offer", title="Bread", minutes="30")
    agreement = says(lane, ada, "agreement", says(lane, ben, "response", offer))
    receipt = says(lane, ben, "receipt", agreement)
    says(lane, ada, "close", receipt, as_state="disputed", why="It was less")
    assert (ben.view(receipt).state, ben.view(receipt).why) == ("disputed", "It was less")
    says(lane, ada, "confirm", receipt)
    assert (ben.view(receipt).state, ben.view(receipt).why) == ("confirmed", None)


def test_software_corrects_what_counts_to_something_else_and_no_clock_ahead(lane):
    ada, ben, cho = lane
    receipt = exchange(ada, ben)[3]
    settle(*lane)
    assert refusal(ben, "correction", receipt, minutes="90") == "R-13.19"
    assert refusal(cho, "correction", receipt, minutes="60") == "R-13.17"
    ben.skew = 9 * 60_000
    ahead = says(lane, ben, "correction", receipt, minutes="60")
    says(lane, ada, "confirm", ahead)
    assert refusal(ada, "confirm", ahead) == "R-13.12"
    assert refusal(ada, "correction", receipt, minutes="45") == "R-13.19"
    ada.street.clock += HOUR
    says(lane, ada, "correction", receipt, minutes="45")
    assert cho.view(receipt).corrected == 60
    assert cho.balances() == {ada.me.person: 60, ben.me.person: -60}


def test_what_is_not_confirmed_is_written_anew_rather_than_corrected(lane):
    ada, ben, _ = lane
    offer = says(lane, ada, "offer", title="Bread", minutes="30")
    agreement = says(lane, ada, "agreement", says(lane, ben, "response", offer))
    receipt = says(lane, ben, "receipt", agreement)
    assert refusal(ada, "correction", receipt, minutes="20") == "R-13.19"


def test_why_stands_beside_a_correction_and_can_be_taken_back(lane):
    ada, ben, cho = lane
    receipt = exchange(ada, ben)[3]
    settle(*lane)
    one = says(lane, ben, "correction", receipt, minutes="60", why="I came late")
    assert cho.view(one).why == "I came late"
    words = next(record for record in ben.records() if one.id in record.header.parents)
    says(lane, ben, "retract", words)
    assert (cho.view(one).why, cho.view(one).minutes) == (None, 60)


def test_the_confirm_of_a_correction_is_kept_by_its_author(lane):
    ada, ben, cho = lane
    receipt = exchange(ada, ben)[3]
    settle(*lane)
    one = says(lane, ben, "correction", receipt, minutes="60")
    twin = ada.street.twin(ada)
    twin.feed(ada.wires())
    says(lane, ada, "confirm", one)
    Countersigner(ben.author).run()
    settle(*lane)
    twin.post("request", title="an old copy of the home")
    cho.feed(twin.wires())
    assert cho.store.logs.find(ada.me.device).fork is not None
    assert cho.view(one).state == "confirmed"
    assert cho.balances()[ben.me.person] == -60


# What repeats -------------------------------------------------------------------------------------


def weekly(lane, **more):
    ada, ben, _ = lane
    fields = {"minutes": "60", "starts": "2026-11-03", "repeats": "FREQ=WEEKLY", **more}
    request = says(lane, ada, "request", title="Reading aloud", **fields)
    return says(lane, ada, "agreement", says(lane, ben, "response", request))


def test_a_rule_that_nobody_understands_is_not_posted(lane):
    ada, ben, _ = lane
    for repeats, starts in (("every other Tuesday", None), ("FREQ=WEEKLY;BYDAY=MO", "2026-11-03")):
        fields = {"starts": starts} if starts else {}
        with pytest.raises(Refused) as caught:
            ada.post("offer", title="Bread", repeats=repeats, **fields)
        assert caught.value.rule in {"R-17.2", "R-17.3"}
    ada.post("offer", title="Bread", repeats="FREQ=WEEKLY;BYDAY=MO")
    tuesdays = {"starts": "2026-11-03", "repeats": "FREQ=WEEKLY;BYDAY=TU"}
    offer = says(lane, ada, "offer", title="Bread", **tuesdays)
    assert refusal(ben, "response", offer, when="2026-11-05") == "R-17.3"


def test_each_day_that_it_takes_place_has_one_receipt(lane):
    ada, ben, _ = lane
    agreement = weekly(lane)
    assert refusal(ben, "receipt", agreement, on="2026-11-11") == "R-13.18"
    first = says(lane, ben, "receipt", agreement, on="2026-11-10T18:00")
    says(lane, ada, "confirm", first)
    assert refusal(ada, "receipt", agreement, on="2026-11-10") == "R-13.10"
    second = says(lane, ben, "receipt", agreement)  # today is the 18th: it is for the day before
    assert ada.view(second).on == "2026-11-17"
    says(lane, ada, "confirm", second)
    third = says(lane, ben, "receipt", agreement)
    assert ada.view(third).on == "2026-11-03"
    assert ada.balances() == {ben.me.person: 120, ada.me.person: -120}


# Hours --------------------------------------------------------------------------------------------


def test_a_history_tells_each_line_and_the_balance_after_it(lane):
    ada, ben, cho = lane
    receipt = exchange(ada, ben)[3]
    settle(*lane)
    right = says(lane, ben, "correction", receipt, minutes="60")
    says(lane, ada, "confirm", right)
    thanks = says(lane, ben, "thanks", person=ada.me.person.hex(), minutes="15", text="for the tea")
    row = balances(cho).show_balance(ada.me.person, None)
    told = [(one["id"], one["kind"], one["minutes"], one["balance"]) for one in row["history"]]
    assert told == [
        (receipt.id.hex(), "receipt", 90, 90),
        (right.id.hex(), "correction", -30, 60),
        (thanks.id.hex(), "thanks", 15, 60),
    ]
    assert {one["person"]["id"] for one in row["history"]} == {ben.me.person.hex()}
    assert (row["given"], row["balance"], row["gifts_given"]) == (60, 60, 15)
    other = balances(cho).show_balance(ben.me.person, None)
    assert [one["minutes"] for one in other["history"]] == [-90, 30, -15]
    assert (other["received"], other["balance"], other["gifts_received"]) == (60, -60, 15)
    rows = balances(cho).list_balances()
    assert len(rows) == 3
    assert sum(one["balance"] for one in rows) == 0
    says(lane, ben, "retract", thanks)
    assert balances(cho).show_balance(ada.me.person, None)["gifts_given"] == 0


def test_the_common_pot_is_a_row_once_it_paid(lane):
    ada, ben, _ = lane
    assert len(balances(ada).list_balances()) == 3
    view = {
        "id": b"r" * 32,
        "kind": "receipt",
        "author": ben.me.person,
        "created": 1,
        "about": None,
    }
    paid = {"giver": ben.me.person, "receiver": COMMON_POT, "minutes": 60, "on": "2026-11-17"}
    view |= {"state": "confirmed", "duplicate": False, **paid}
    with ada.store.transaction():
        credit = Credit(view["id"], "receipt", 1, paid["on"], ben.me.person, COMMON_POT, 60)
        folded = FoldedView(view_of(view), ViewResult(codec.pack(view), credits=(credit,)))
        ada.state.views.replace({10**6: FoldedThread({10**6: folded})})
    rows = {one["person"]["name"]: one["balance"] for one in balances(ada).list_balances()}
    assert len(rows) == 4
    assert rows["the common pot"] == -60
    assert sum(rows.values()) == 0


def test_the_charters_limits_are_advice_and_hinder_nobody():
    with street(homes=2, credit_low=-60, credit_high=100) as lane:
        ada, ben = lane
        steps = exchange(ada, ben)
        assert advice(ada, steps[2]) is None
        low = "The charter suggests no further than −1 h; you would be at −1 h 30 min"
        offer = ada.post("offer", title="More", minutes="90")
        settle(*lane)
        assert advice(ben, steps[3]).endswith("you are at −1 h 30 min")
        response = ben.post("response", offer)
        settle(*lane)
        agreement = ada.post("agreement", response)
        assert advice(ada, response) is None
        assert advice(ada, agreement).endswith("no further than 1 h 40 min; you would be at 3 h")
        settle(*lane)
        receipt = ben.post("receipt", agreement)
        assert advice(ben, receipt) == low.replace("−1 h 30 min", "−3 h")
        settle(*lane)
        confirm = ada.post("confirm", receipt)
        assert advice(ada, confirm).endswith("you are at 3 h")
        assert ada.balances()[ada.me.person] == 180


# For somebody else --------------------------------------------------------------------------------


def test_the_neighbour_signs_all_of_it_for_the_elder_and_never_against_her(lane):
    elder, neighbour, driver = lane
    matters = ["request", "response", "agreement", "receipt", "confirm", "correction", "thanks"]
    says(
        lane, elder, "proxy", person=neighbour.me.person.hex(), matters=matters, until="2027-01-31"
    )

    def signs(kind, about=None, **fields):
        neighbour.street.clock += 60_000
        who = SimpleNamespace(about=about and about.id, represented=elder.me.person)
        one = neighbour.author.post(kind, fields, **vars(who), resolve=by_id)
        settle(*lane)
        return one

    def refused(kind, about=None, **fields):
        with pytest.raises(Refused) as caught:
            signs(kind, about, **fields)
        return caught.value.rule

    request = signs("request", title="A lift", minutes="60")
    response = says(lane, driver, "response", request, minutes="90")
    other = signs("response", response, minutes="60")
    receipt = says(lane, driver, "receipt", says(lane, driver, "agreement", other))
    signs("confirm", receipt)
    right = signs("correction", receipt, minutes="45", why="she says so")
    assert driver.view(right).why == "she says so"
    says(lane, driver, "confirm", right)
    thanks = signs("thanks", person=driver.me.person.hex(), minutes="10")
    for one in (request, other, right, thanks):
        view = driver.view(one)
        assert (view.author, view.by) == (elder.me.person, neighbour.me.person)
    assert driver.balances() == {driver.me.person: 45, elder.me.person: -45}

    mine = says(lane, neighbour, "response", signs("request", title="Another", minutes="30"))
    assert refused("response", mine, minutes="20") == "R-12.6"
    assert refused("thanks", person=neighbour.me.person.hex(), minutes="600") == "R-12.6"
