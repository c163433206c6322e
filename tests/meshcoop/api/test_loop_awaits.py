"""Which answers an open matter and its actions wait for, and who must give each answer."""

from types import SimpleNamespace

import pytest

from meshcoop.api.loop_awaits import loop_awaits
from meshcoop.fold.loop_cache import FollowedService
from protocol.loops.windows import DAY_MS
from tests.support.service_chain import CONTRACTOR, COUNCIL, RESIDENTS, START, SUB, bins


class Street:
    """A story in which six residents report missed bins on the second day."""

    def __init__(self):
        self.story, self.service, _, _, self.measure = bins()
        for who in RESIDENTS[:6]:
            self.story.says(who, "feedback", self.measure, day=2, value=1)

    def act(self, day=2.5):
        fields = {"what": "A second lorry", "due": "2025-08-20"}
        return self.story.says(CONTRACTOR, "action", self.measure, day=day, **fields)

    def awaited(self, person, day, left=()):
        """Returns (kind, about, view) of each answer that a matter or an action awaits from this
        person.
        """
        loop = self.story.loop(self.measure, day)
        views = self.story.fold().views
        service = views[self.service.id]
        followed = FollowedService(service, views, {self.measure.id: loop}, 3, 2**63, left)
        state = SimpleNamespace(views=SimpleNamespace(of_kind=lambda _: [service]), authority=None)
        following = SimpleNamespace(loops_for=lambda *_: followed)
        answers = loop_awaits(state, following, person, START + int(day * DAY_MS))
        matters = {None, *(matter.id for matter in loop.matters)}
        assert all(answer.matter in matters for answer in answers)
        return [answer[:3] for answer in answers]


@pytest.fixture
def street():
    return Street()


def test_matter_awaits_an_action_of_its_holder(street):
    measure = street.measure.id

    assert street.awaited(CONTRACTOR, 3) == [("action", measure, measure)]
    assert street.awaited(COUNCIL, 3) == []
    assert street.awaited(RESIDENTS[0], 3) == []


def test_matter_passes_over_a_holder_who_has_left(street):
    measure = street.measure.id
    proposal = ("proposal", None, measure)

    assert street.awaited(CONTRACTOR, 3, left={CONTRACTOR}) == []
    assert street.awaited(COUNCIL, 3, left={CONTRACTOR}) == [("action", measure, measure)]
    assert street.awaited(SUB, 3, left={CONTRACTOR, COUNCIL}) == [proposal]


def test_matter_awaits_nothing_more_of_a_holder_who_has_acted(street):
    street.act()

    assert street.awaited(CONTRACTOR, 3) == []


def test_matter_that_nobody_holds_awaits_a_proposal_of_everybody(street):
    proposal = ("proposal", None, street.measure.id)

    assert street.awaited(SUB, 13.9) == []
    assert street.awaited(SUB, 14.1) == [proposal]
    assert street.awaited(CONTRACTOR, 14.1) == [proposal]


def test_action_awaits_a_verdict_of_each_raiser_until_they_give_it(street):
    action = street.act()
    street.story.says(CONTRACTOR, "done", action, day=2.6)
    verdict = ("verdict", action.id, action.id)

    assert street.awaited(RESIDENTS[0], 3) == [verdict]
    assert street.awaited(RESIDENTS[7], 3) == []  # this resident has reported nothing

    street.story.says(RESIDENTS[0], "verdict", action, day=2.7, fixed="no")

    assert street.awaited(RESIDENTS[0], 3) == []
    assert street.awaited(RESIDENTS[1], 3) == [verdict]


def test_reopened_action_awaits_its_owner_again(street):
    action = street.act()
    street.story.says(CONTRACTOR, "done", action, day=2.6)
    street.story.says(RESIDENTS[0], "verdict", action, day=2.7, fixed="partly")
    assert street.awaited(CONTRACTOR, 3) == [("done", action.id, action.id)]

    street.story.says(CONTRACTOR, "done", action, day=2.8)

    assert street.awaited(CONTRACTOR, 3) == []
    assert street.awaited(RESIDENTS[0], 3) == [("verdict", action.id, action.id)]


def test_measure_that_ends_soon_awaits_from_its_author_that_people_go_on(street):
    go_on = ("measure", street.service.id, street.measure.id)

    assert go_on not in street.awaited(RESIDENTS[0], 336)
    assert go_on in street.awaited(RESIDENTS[0], 338)
    assert go_on not in street.awaited(RESIDENTS[1], 338)
    assert go_on in street.awaited(RESIDENTS[1], 338, left={RESIDENTS[0]})
    assert go_on not in street.awaited(RESIDENTS[0], 394)

    street.story.says(
        RESIDENTS[0], "measure", street.service, day=350, question="?", scale="count", target=3
    )
    assert go_on not in street.awaited(RESIDENTS[0], 351)
