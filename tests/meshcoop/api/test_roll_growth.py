"""Who votes grows by consent: what Today asks, what a person has to type, and what newcomers lack."""

import pytest
import trio

from meshcoop.api.methods import posts
from meshcoop.api.methods.method_table import Methods
from meshcoop.api.presenter import Presenter
from meshcoop.api.roll_growth import describe_own_vouchers
from meshcoop.author import renewal as deciding
from meshcoop.author.folding import fold_at_once
from meshcoop.author.next_steps import find_steps
from meshcoop.cli import plain_text
from protocol.errors import Refused
from protocol.record.envelope import DAY_MS
from tests.meshcoop.api.test_steps import node_of
from tests.support.clocks import clock_at
from tests.support.council import renew
from tests.support.street_in_memory import settle, street


class Api:
    """The local API of a home in memory."""

    def __init__(self, home):
        self._table = Methods(node_of(home)).table()

    def __call__(self, method, **params):
        return trio.run(self._table[method], params)

    def waiting(self):
        return self("list", what="waiting")["rows"]

    def newcomers(self):
        rows = self("list", what="newcomers")["rows"]
        return {row["id"]: (row["state"], plain_text.format_remarks(row["says"])) for row in rows}

    def yes(self, renewal, **typed):
        return self("post", kind="vote", about=renewal.id.hex(), fields={"choice": "yes"}, **typed)


def writes(*homes, days=2):
    for _ in range(days):
        homes[0].street.clock += DAY_MS
        for home in homes:
            home.post("offer", title="something")
    settle(*homes)


def words_of(row):
    return [plain_text.format_remark(remark) for remark in row["says"]]


def admit(home, count):
    """Lets people in who have no home yet. Returns them."""
    newcomers = [home.street.person() for _ in range(count)]
    for newcomer in newcomers:
        home.admit(newcomer)
    return [newcomer.person for newcomer in newcomers]


def put_on_roll(ada, *homes):
    renew(ada.author, joining=[home.me.person for home in homes])
    settle(ada, *homes)


def test_few_newcomers_need_one_key_and_more_need_a_number():
    with street(homes=4, vouchers=1) as homes:
        ada, ben, cho, dan = homes
        people = admit(ada, 4)
        put_on_roll(ada, ben, cho, dan)
        few = renew(ben.author, joining=people[:2])
        settle(*homes)
        many = renew(cho.author, joining=people[:3])
        settle(*homes)
        asked = Api(dan)
        assert asked.yes(few)["id"]
        for typed in ({}, {"will_vote": 3}, {"will_vote": 8}):
            with pytest.raises(Refused, match="then 7 people vote") as refused:
                asked.yes(many, **typed)
            assert refused.value.rule == "R-16.5m"
        assert asked.yes(many, will_vote=7)["id"]


@pytest.mark.parametrize("change", [{"share": 60}, {"vouchers": 3}, {"moderators": []}, {}])
def test_any_other_change_of_a_term_needs_a_number(change):
    with street(homes=3, vouchers=1) as homes:
        ada, ben, cho = homes
        people = admit(ada, 1)
        put_on_roll(ada, ben, cho)
        joining = people if change else []  # without a change, nothing is added
        plan = renew(ben.author, joining=joining, **change)
        settle(*homes)
        with pytest.raises(Refused, match="to agree, type how many"):
            Api(cho).yes(plan)
        assert Api(cho)("post", kind="vote", about=plan.id.hex(), fields={"choice": "no"})["id"]
        assert Api(cho).yes(plan, will_vote=3 + len(joining))["id"]


def test_a_proposal_of_a_term_is_typed_like_a_yes():
    with street(homes=3) as homes:
        ada, ben, cho = homes
        asked = Api(ada)
        with pytest.raises(Refused, match="then 3 people vote"):
            asked("renew")
        with pytest.raises(Refused, match="only members who do not vote yet"):
            asked("renew", joining=[ada.me.person.hex()], will_vote=1)
        assert len(ada.state.authority.term.roll) == 1
        joining = [ben.me.person.hex(), cho.me.person.hex()]
        assert asked("renew", joining=joining, will_vote=3)["id"]
        assert len(ada.state.authority.term.roll) == 3


def test_who_votes_alone_is_asked_once_there_are_two_to_add():
    with street(homes=4, vouchers=2) as homes:
        ada, ben, cho, dan = homes
        ben.post("profile", name="Ben")
        cho.post("profile", name="Cho")
        writes(ben)
        settle(*homes)
        assert Api(ada).waiting() == []
        assert Api(ada).newcomers()[ben.me.person.hex()][0] == "one_votes_alone"
        writes(cho)
        settle(*homes)
        (row,) = Api(ada).waiting()
        people = [ben.me.person.hex(), cho.me.person.hex()]
        assert sorted(row["step"]["given"]["joining"]) == sorted(people)
        other = dan.me.person.hex()[:8]
        assert words_of(row) == [
            "May Ben, Cho vote from now on?",
            "Ben: Founder vouched",
            "Cho: Founder vouched",
            f"{other} must wait until one of you vouches for them too",
            "type 3 to agree: so many people vote then",
        ]
        assert Api(dan).waiting() == []
        (step,) = Api(ada)("next_steps")["rows"]
        text = plain_text.format_steps([step])
        assert text.startswith("! meshcoop renew --joining ")
        assert "--will-vote NUMBER\n      May Ben, Cho vote from now on?\n" in text
        assert "Type 3 to agree" in text
        assert Api(ada)("renew", **step["given"], will_vote=3)["id"]
        assert Api(ada).waiting() == []


def test_today_says_who_vouched_whose_names_look_alike_and_next_says_the_same():
    with street(homes=5, vouchers=1) as homes:
        ada, ben, cho, dan, eve = homes
        names = ("Ada", "Ben", "Cho", "Dan", "dan")
        for home, name in zip(homes, names, strict=True):
            home.post("profile", name=name)
        settle(*homes)
        put_on_roll(ada, ben, cho)
        settle(*homes)
        renew(ada.author, joining=[eve.me.person])
        settle(*homes)
        (row,) = Api(ben).waiting()
        marks = dan.me.person.hex()[:8], eve.me.person.hex()[:8]
        assert words_of(row) == [
            f"May dan ({marks[1]}) vote from now on?",
            f"dan ({marks[1]}): Ada vouched",
            f"dan ({marks[1]}) and Dan ({marks[0]}) are named alike",
        ]
        assert not row["is_typed"]
        (step,) = Api(ben)("next_steps")["rows"]
        assert (step["says"], step["will_vote"]) == (row["says"], None)
        text = plain_text.format_steps([step])
        assert f"\n      May dan ({marks[1]}) vote from now on?" in text
        assert "--will-vote" not in text


def test_of_rivals_that_add_the_same_people_one_is_asked_about():
    with street(homes=5, vouchers=1) as homes:
        ada, ben, cho, dan, eve = homes
        people = admit(ada, 1)
        put_on_roll(ada, ben, cho, dan, eve)
        rivals = []
        for home in (ben, cho, dan):
            rivals.append(renew(home.author, joining=people))
            settle(*homes)
        Api(dan).yes(rivals[1])
        settle(*homes)
        assert [row["id"] for row in Api(eve).waiting()] == [rivals[1].id.hex()]
        assert [row["id"] for row in Api(ben).waiting()] == [rivals[1].id.hex()]
        assert Api(dan).waiting() == []


def test_each_newcomer_is_shown_with_what_is_lacking():
    with street(homes=5, vouchers=1) as homes:
        ada, ben, cho, dan, eve = homes
        ada.post("profile", name="Ada")
        put_on_roll(ada, ben, cho)
        settle(*homes)
        writes(dan, days=1)
        settle(*homes)
        lacks = Api(cho).newcomers()
        assert lacks[dan.me.person.hex()] == ("wrote_too_little", "Wrote on 1 of 2 days.")
        assert lacks[eve.me.person.hex()] == ("wrote_too_little", "Wrote on 0 of 2 days.")
        writes(dan, days=1)
        settle(*homes)
        lacks = Api(cho).newcomers()
        proposes = "The home of Ada proposes it, within a day."
        assert lacks[dan.me.person.hex()] == ("homes_propose", proposes)
        fold_at_once(ada.state, deciding.decide(ada.author))
        settle(*homes)
        lacks = Api(cho).newcomers()
        assert lacks[dan.me.person.hex()] == ("votes_are_missing", "1 of the 2 yes needed.")
        assert lacks.keys() == {dan.me.person.hex(), eve.me.person.hex()}
        page = Api(cho)("list", what="newcomers", state="votes_are_missing")
        assert [row["id"] for row in page["rows"]] == [dan.me.person.hex()]
        rows = Api(cho)("list", what="newcomers")["rows"]
        clock = clock_at("2026-11-23T18:00Z")
        lines = plain_text.format_growth([{"name": "Ada"}], rows, clock)
        assert lines[1] == "Voters: Ada."
        assert lines[2].startswith("No voter yet: ")
        assert any("since 2026-" in line and "1 of the 2 yes needed." in line for line in lines)
        assert plain_text.format_growth([{"name": "Ada"}], [], clock) == []


def test_a_page_of_awaited_steps_folds_only_the_threads_that_it_shows(monkeypatch):
    with street(homes=3, vouchers=1) as homes:
        ada, mal, ben = homes
        people = admit(ada, 6)
        put_on_roll(ada, mal, ben)
        term = ada.state.authority.term
        for number, newcomer in enumerate(people):
            fields = {"parent": term.id, "round": number + 1, "vouchers": 1, "share": 50}
            moderators = sorted(term.moderators)
            renewal = mal.forge("renewal", joining=[newcomer], moderators=moderators, **fields)
            ben.take(mal.put(renewal))
        folded = []

        def find_and_note(*args):
            folded.append(args[-1])
            return find_steps(*args)

        monkeypatch.setattr(posts, "find_steps", find_and_note)
        monkeypatch.setattr(posts, "MOST_AWAITED", 2)
        api = Api(ben)
        first = api("next_steps")
        second = api("next_steps", after=first["next"])

        assert (len(first["rows"]), first["total"]) == (2, len(people))
        assert len(folded) == 4
        shown = [*first["rows"], *second["rows"]]
        assert [row["about"] for row in shown] == [row["id"] for row in api.waiting()[:4]]


class Lane:
    """Four homes with the default charter: a newcomer needs two vouchers. Ada vouched for all. She
    votes alone, and Ben and Cho could vote. Dan has only just come.
    """

    def __init__(self, homes):
        self.homes = homes
        self.ada, self.ben, self.cho, self.dan = homes
        for home, name in zip(homes, ("Ada", "Ben", "Cho", "Dan"), strict=True):
            home.post("profile", name=name)
        settle(*homes)
        writes(self.ben, self.cho)
        settle(*homes)

    def questions(self, home):
        return [words_of(row)[0] for row in Api(home).waiting()]

    def let_vote(self):
        """Ada lets Ben and Cho vote. So three people vote, and newcomers need two vouchers."""
        renew(self.ada.author, joining=[self.ben.me.person, self.cho.me.person])
        settle(*self.homes)

    def vouch(self, home):
        answer = Api(home)("approve", person=self.dan.me.person.hex())
        settle(*self.homes)
        return answer["state"]

    def belongs(self):
        return self.dan.me.person in self.ada.state.authority.members

    def told_to_dan(self):
        state = self.dan.state
        presenter = Presenter(state, self.dan.now)
        remarks = describe_own_vouchers(state, presenter, self.dan.me.person)
        return [plain_text.format_remark(remark) for remark in remarks]


@pytest.fixture
def lane():
    with street(homes=4, vouchers=2) as homes:
        yield Lane(homes)


def test_a_second_voucher_is_asked_before_more_people_vote(lane):
    assert lane.questions(lane.ben) == lane.questions(lane.cho)
    (row,) = Api(lane.ben).waiting()
    assert words_of(row) == [
        "May Dan stay when more people vote?",
        "Dan: Ada vouched",
        "vouch only if you know Dan; vouchers missing: 1",
    ]
    assert lane.questions(lane.dan) == []
    assert lane.told_to_dan() == [
        "vouchers missing: 1; only Ada vouched for you, and you drop out when more people vote"
    ]
    assert "drops out when more people vote" in str(Api(lane.cho).newcomers())
    (step,) = Api(lane.ben)("next_steps")["rows"]
    text = plain_text.format_steps([step])
    assert text.startswith(f"! meshcoop approve {lane.dan.me.person.hex()[:8]}\n")

    assert lane.vouch(lane.ben) == "member"

    assert lane.told_to_dan() == lane.questions(lane.cho) == lane.questions(lane.ben) == []
    assert "Dan must wait" not in str(words_of(Api(lane.ada).waiting()[0]))
    lane.let_vote()
    assert lane.belongs()


def test_who_dropped_out_is_told_and_the_voters_are_asked(lane):
    lane.let_vote()
    assert not lane.belongs()
    assert lane.told_to_dan() == ["Ada vouched for you; you wait for further vouchers: 1"]
    assert lane.questions(lane.ada) == []
    assert lane.questions(lane.ben) == lane.questions(lane.cho) == ["May Dan join?"]

    assert lane.vouch(lane.cho) == "member"

    assert lane.belongs()
    assert lane.told_to_dan() == lane.questions(lane.ben) == []


def test_nobody_is_asked_for_ever_about_a_stranger(lane):
    """Attacker: a member who vouches for false people. Asset: everybody's Today (R-16.5p)."""
    lane.let_vote()
    admit(lane.ben, 15)  # Ben has room for 10
    settle(*lane.homes)
    assert len(lane.questions(lane.cho)) == 10 + 1
    lane.ada.street.clock += 29 * DAY_MS
    (question,) = lane.questions(lane.cho)
    assert "have been silent for 14 days" in str(question)  # nobody signs in these days


def test_nobody_vouches_twice(lane):
    before = len(lane.ben.records())

    lane.vouch(lane.ben)
    lane.vouch(lane.ben)

    assert len(lane.ben.records()) == before + 1
