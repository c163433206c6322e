"""Service chains (specs/21): who holds a service now, as computed from what both parties of each
link signed.
"""

import random
from itertools import pairwise

import pytest

from protocol.errors import Refused
from protocol.fold.registry import KINDS
from protocol.kinds.services.services import Link
from tests.support.clocks import clock_at
from tests.support.service_chain import (
    CONTRACTOR,
    COUNCIL,
    OTHER,
    PEOPLE,
    RESIDENTS,
    SUB,
    Story,
    bins,
)


def holder(story, service):
    view = story.view(service)
    return view.holder, len(view.chain)


def test_what_is_not_accepted_is_plainly_not():
    story, service, first, second, _ = bins()
    assert story.view(first).state == "accepted"
    assert story.view(second).state == "offered"
    assert holder(story, service) == (CONTRACTOR, 1)
    accepted = story.says(SUB, "accept", second, day=1)
    assert holder(story, service) == (SUB, 2)
    assert story.view(service).held_since == accepted.time
    assert story.view(service).answers_for == COUNCIL
    assert story.view(service).provider == "The council"


@pytest.mark.parametrize(
    "who", [COUNCIL, CONTRACTOR, RESIDENTS[0]], ids=["who answers", "who offers", "a resident"]
)
def test_only_whom_it_is_offered_to_accepts(who):
    story, service, _, second, _ = bins()
    assert story.told(story.says(who, "accept", second)) == "R-21.3"
    assert holder(story, service) == (CONTRACTOR, 1)


def test_only_who_holds_something_hands_it_on():
    story, service, first, second, _ = bins()
    for who, about in ((RESIDENTS[0], service), (CONTRACTOR, service), (COUNCIL, first)):
        link = story.says(who, "link", about, to=OTHER, title="Mine?")
        assert story.told(link) == "R-21.2"
    assert story.told(story.says(SUB, "link", second, to=SUB, title="To me")) == "R-21.2"


def test_declined_and_then_accepted_all_the_same():
    story, _, _, second, _ = bins()
    story.says(SUB, "close", second, as_state="declined")
    assert story.view(second).state == "declined"
    story.says(SUB, "accept", second)
    assert story.view(second).state == "accepted"
    assert story.told(story.says(COUNCIL, "close", second, as_state="declined")) == "R-14.2"


@pytest.mark.parametrize("who", [CONTRACTOR, SUB], ids=["who offered", "who accepted"])
def test_either_end_ends_it(who):
    story, service, _, second, _ = bins()
    story.says(SUB, "accept", second)
    story.says(who, "close", second, as_state="ended", day=2)
    assert story.view(second).state == "ended"
    assert holder(story, service) == (CONTRACTOR, 1)
    assert SUB in story.view(service).parties  # SUB has been a party


def test_what_hangs_from_an_ended_link_holds_nothing():
    story, service, first, second, _ = bins()
    story.says(SUB, "accept", second)
    story.says(COUNCIL, "close", first, as_state="ended")
    assert holder(story, service) == (COUNCIL, 0)


def test_eight_links_and_no_more():
    story = Story()
    above = story.says(PEOPLE[0], "service", title="Deep")
    for one, other in pairwise(PEOPLE[:10]):
        above = story.says(one, "link", above, to=other, title="on")
        story.says(other, "accept", above)
    assert story.told(above) == "R-21.2"
    assert max(link.depth for link in story.fold().views.values() if isinstance(link, Link)) == 8


def test_a_link_in_the_middle_of_eight_is_handed_over_on_both_sides_of_a_cut():
    story = Story()
    service = above = story.says(PEOPLE[0], "service", title="Deep")
    chain = []
    for one, other in pairwise(PEOPLE[:9]):
        above = story.says(one, "link", above, to=other, title="on")
        story.says(other, "accept", above)
        chain.append(above)
    assert holder(story, service) == (PEOPLE[8], 8)
    place, old = chain[2], chain[3]
    takeovers = [
        story.says(who, "link", place, day=day, to=to, title="on", instead=old.id)
        for who, to, day in ((PEOPLE[3], PEOPLE[9], 2), (PEOPLE[4], PEOPLE[10], 2.5))
    ]
    for to, one in zip(PEOPLE[9:11], takeovers, strict=True):
        story.says(to, "accept", one, day=3)
    assert holder(story, service) == (PEOPLE[9], 4)
    views = story.fold().views
    assert [views[one.id].state for one in (old, *takeovers)] == ["ended", "accepted", "ended"]
    chance = random.Random(8)
    values = story.values()
    for _ in range(10):
        assert story.values(chance.sample(story.entries, len(story.entries))) == values


def handed_over_twice():
    """Makes a link that is replaced twice while the network is cut.

    The contractor hands the service to one person, the council to another.
    """
    story, service, first, *_ = bins()
    takeovers = [
        story.says(who, "link", service, day=day, to=to, title="All of it", instead=first.id)
        for who, to, day in ((CONTRACTOR, OTHER, 2), (COUNCIL, RESIDENTS[1], 2.5))
    ]
    return story, service, first, takeovers


def test_handing_over_needs_the_others_acceptance():
    story, service, first, (one, _) = handed_over_twice()
    assert holder(story, service) == (CONTRACTOR, 1)
    assert story.view(one).state == "offered"
    story.says(OTHER, "accept", one, day=3)
    assert holder(story, service) == (OTHER, 1)
    assert story.view(first).state == "ended"


def test_handed_over_on_both_sides_of_a_cut_one_holds_it_everywhere():
    story, service, first, (one, other) = handed_over_twice()
    story.says(RESIDENTS[1], "accept", other, day=3)
    assert holder(story, service) == (RESIDENTS[1], 1)
    assert story.view(one).state == "ended"  # somebody else has taken the service over
    story.says(OTHER, "accept", one, day=4)
    assert holder(story, service) == (OTHER, 1)
    states = {story.view(each).state for each in (first, other)}
    assert states == {"ended"}
    whole = story.values()
    chance = random.Random(3)
    for _ in range(10):
        assert story.values(chance.sample(story.entries, len(story.entries))) == whole


def test_a_takeover_is_at_the_same_place_by_either_end():
    story, service, first, *_ = bins()
    for who, about in ((RESIDENTS[0], service), (CONTRACTOR, first)):
        link = story.says(who, "link", about, to=OTHER, title="x", instead=first.id)
        assert story.told(link) in {"R-21.2", "R-21.4"}
    assert holder(story, service) == (CONTRACTOR, 1)


def test_a_service_ends_by_who_answers_for_it():
    story, service, *_ = bins()
    story.adopted.clear()  # a service with a measure in use does not end
    assert story.told(story.says(SUB, "close", service, as_state="ended")) == "R-14.2"
    story.says(COUNCIL, "close", service, as_state="ended")
    assert story.view(service).state == "ended"


# -- before it is signed, and after ---------------------------------------------------------------


def awaited(story, entry):
    """Returns (who, kind, about) of each answer for which the view of an entry waits."""
    thread = story.fold()
    return [(wait.who, wait.kind, wait.about) for wait in thread.views[entry.id].awaits(thread)]


def test_link_awaits_its_recipient_until_they_answer():
    story, _, first, second, _ = bins()
    assert awaited(story, first) == []
    assert awaited(story, second) == [(SUB, "accept", second.id)]
    story.says(SUB, "close", second, as_state="declined")
    assert awaited(story, second) == []


def refused_before_signing(story, entry):
    """Returns why the author's software would refuse to sign this entry, or None if the software
    would sign the entry.
    """
    thread = story.fold(story.entries[:-1])
    thread.clock = clock_at("2025-08-04")
    thread.entries[entry.id] = entry
    try:
        KINDS[entry.kind].draft(entry).check_before_signing(thread)
    except Refused as refusal:
        return str(refusal)
    return None


@pytest.mark.parametrize(
    ("who", "place", "word", "refusal"),
    [
        (COUNCIL, 0, "ended", None),
        (CONTRACTOR, 2, "withdrawn", None),
        (SUB, 2, "declined", None),
        (COUNCIL, 1, "ended", None),
        (COUNCIL, 1, "withdrawn", "the link is accepted; end it instead (as ended) (R-14.7)"),
        (CONTRACTOR, 1, "declined", "the link is accepted; end it instead (as ended) (R-14.7)"),
        (SUB, 2, "ended", "the link is offered; withdraw or decline it instead (R-14.7)"),
    ],
)
def test_links_and_services_end_with_the_word_that_fits_their_state(who, place, word, refusal):
    story, *parts, _ = bins()
    story.adopted.clear()  # a service with a measure in use does not end
    close = story.says(who, "close", parts[place], as_state=word)
    assert refused_before_signing(story, close) == refusal


def test_a_link_that_has_ended_is_neither_ended_nor_accepted_again():
    story, service, first, *_ = bins()
    story.says(COUNCIL, "close", first, as_state="ended")
    again = story.says(COUNCIL, "close", first, as_state="ended")
    assert refused_before_signing(story, again) == "the link is ended already (R-14.7)"
    accept = story.says(CONTRACTOR, "accept", first)
    assert refused_before_signing(story, accept) == "the link is ended already (R-21.3)"
    story.adopted.clear()
    story.says(COUNCIL, "close", service, as_state="ended")
    close = story.says(COUNCIL, "close", service, as_state="ended")
    assert refused_before_signing(story, close) == "the service is ended already (R-14.7)"
