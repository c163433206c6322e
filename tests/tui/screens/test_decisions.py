"""Deciding and moderating: what the screen shows, and what it asks the node for."""

import pytest
from textual.widgets import TabbedContent

from protocol.fold.registry import load_kinds
from protocol.schema import register_names
from tests.support.fake_governance import EVE, WIM, governed, proposal, vote_rows
from tests.support.fake_node import (
    ADA,
    CLOCK,
    MARIA,
    SAM,
    FakeNode,
    enter_list,
    ident,
    on_screen,
    picture,
    shows,
    step_row,
    term,
    until,
    view,
)
from tui.kinds.decisions import change_line, standing_line
from tui.kinds.face import load_faces, thread_steps, thread_story
from tui.kinds.thread_data import Reader, ThreadData
from tui.node.shown import Shown
from tui.screens.home import HomeScreen
from tui.widgets.card_list import CardList
from tui.widgets.feed import Feed
from tui.widgets.inputs import LineInput

load_kinds()
load_faces()


async def to_neighbourhood(pilot):
    await shows(pilot, "Needs your answer (6)")
    await pilot.press("6")
    await shows(pilot, "Decisions (5)", "Members (5)", "What you can do (4)", "Rules in force")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def opens(pilot, feed, card, *texts):
    cards = await enter_list(pilot, feed)
    cards.highlighted = cards.get_option_index(card)
    await pilot.press("enter")
    await shows(pilot, *texts)


async def acts(pilot, label, *texts):
    """Opens the form for the act with this label. Waits until the screen shows `texts`."""
    await until(pilot, lambda: pilot.app.screen.query("#steps"))
    cards = pilot.app.screen.query_one("#steps", Feed).cards
    await until(pilot, lambda: any(label in str(one.prompt) for one in cards.options))
    cards.focus()
    cards.highlighted = next(n for n, one in enumerate(cards.options) if label in str(one.prompt))
    await pilot.press("enter")
    await shows(pilot, *texts)
    await until(pilot, lambda: pilot.app.screen.query("#post"))


async def posted(pilot, node):
    await pilot.press("f2")
    await until(pilot, lambda: node.posted)
    return node.posted.pop()


async def back(pilot):
    await until(pilot, lambda: not pilot.app.screen.query("#post"))
    while not isinstance(pilot.app.screen, HomeScreen):
        await pilot.press("escape")
        await pilot.pause(0.01)


@on_screen(node=governed)
async def test_the_tab_shows_what_is_decided_who_belongs_and_which_rules_hold(pilot, node):
    await to_neighbourhood(pilot)
    assert pilot.app.screen.query_one(TabbedContent).active == "neighbourhood"
    await shows(pilot, "More time to answer", "1 yes, 0 no · 2 of 3 needed · vote!")
    await shows(pilot, "Removal of Eve", "asked by Sam; waits for more", "passed · 2 yes, 1 no")
    await shows(pilot, "waits to be let in · Sam vouched", "can vote, moderator")
    await shows(pilot, "can vote on new proposals", "Time to answer: 3 days")
    node.term["settled"] = False
    node.tell()
    await shows(pilot, "passed, not settled yet")


@on_screen(node=FakeNode)
async def test_empty_lists_say_what_to_press(pilot, node):
    await shows(pilot, "Rushey Lane · Ada")
    await pilot.press("6")
    await shows(pilot, "No decisions right now.", "Ask everybody to decide")
    await opens(
        pilot,
        "#neighbourhood-steps",
        "hidden",
        "Nothing is flagged. Open a thread",
        "No words are hid",
    )


@on_screen(node=governed)
async def test_a_decision_is_read_and_voted_on_once(pilot, node):
    await to_neighbourhood(pilot)
    await opens(pilot, "#decisions", ident(60), "Three days are too few")
    await shows(pilot, "Time to answer: 5 days (now 3 days)", "Yes: Sam", "You have not voted")
    await shows(pilot, "voting until Tue 1 Dec", "Vote yes", "Vote no")
    await acts(pilot, "Vote yes", "You cannot change a yes afterwards.")
    vote = {"kind": "vote", "about": ident(60), "fields": {"choice": "yes"}}
    assert await posted(pilot, node) == vote
    node.lists["decisions"][0]["voted"]["yes"].append(ADA)
    node.steps = [row for row in node.steps if row["about"] != ident(60)]
    node.tell()
    await shows(pilot, "You voted yes. You cannot change a yes.")
    assert "Vote yes" not in picture(pilot.app)
    await back(pilot)
    await opens(pilot, "#decisions", ident(62), "You voted no. You can still vote yes.")
    await acts(pilot, "Vote yes after all", "You cannot change a yes")


@on_screen(node=governed)
async def test_a_rule_is_opened_to_propose_its_change(pilot, node):
    await to_neighbourhood(pilot)
    await opens(pilot, "#rules", "answer_days", "New value *", "is now: 3 days", "more than 50 %")
    await until(pilot, lambda: isinstance(pilot.app.focused, LineInput))
    pilot.app.focused.value = "many"
    await pilot.press("f2")
    await shows(pilot, "This must be a whole number from 1 to 7.")
    pilot.app.focused.value = "6"
    fields = {"title": "Time to answer", "change": "charter answer_days=6"}
    assert await posted(pilot, node) == {"kind": "proposal", "fields": fields}
    await back(pilot)
    await opens(pilot, "#rules", "share", "Renew who votes", "more than half")
    await shows(pilot, "[x] Ada", "[x] Maria", "[x] Sam", "[ ] Eve", "Then 4 people vote")
    await pilot.press("f2")
    await shows(pilot, "Please fill this in.")
    await pilot.press("4", "f2")
    await until(pilot, lambda: node.renewed)
    moderators = [ADA["id"], MARIA["id"], SAM["id"]]
    rest = {"vouchers": "1", "share": "50", "will_vote": 4}
    assert node.renewed == [{"moderators": moderators, **rest}]


@on_screen(node=governed)
async def test_who_is_not_on_the_roll_is_told_how_to_come_onto_it(pilot, node):
    node.term = term([SAM, MARIA], [SAM, MARIA])
    node.steps = [row for row in node.steps if row["kind"] != "vote"]
    node.lists["waiting"] = []
    node.tell()
    await shows(pilot, "Needs your answer (2)")
    await pilot.press("6")
    await shows(pilot, "What you can do (3)")
    await opens(pilot, "#decisions", ident(60), "it was proposed before you came")
    assert "Vote yes" not in picture(pilot.app)
    await back(pilot)
    await opens(pilot, "#rules", "share")
    told = "Only a new term changes this"
    await until(pilot, lambda: any(told in one.message for one in pilot.app._notifications))


@on_screen(node=governed)
async def test_a_person_is_removed_by_all_or_by_the_moderators(pilot, node):
    await to_neighbourhood(pilot)
    await opens(pilot, "#members", EVE["id"], "can vote on what is proposed", "Let Eve act for you")
    await acts(pilot, "Ask everybody to remove Eve", "change a yes.")
    fields = {"title": "Eve leaves the neighbourhood", "change": f"remove {EVE['id']}"}
    assert await posted(pilot, node) == {"kind": "proposal", "fields": fields}
    await acts(pilot, "As a moderator", "When 2 moderators have said so, Eve is out")
    assert await posted(pilot, node) == {"kind": "remove", "fields": {"person": EVE["id"]}}
    await back(pilot)
    node.lists["people"][-1]["state"] = "removed"
    node.term = term([ADA, SAM, MARIA], [ADA])
    node.tell()
    await opens(pilot, "#members", EVE["id"], "Only a vote can bring them back.")
    await acts(pilot, "Ask everybody to let Eve back in")
    assert (await posted(pilot, node))["fields"]["change"] == f"restore {EVE['id']}"
    await back(pilot)
    await opens(pilot, "#members", SAM["id"], "Ask everybody to remove Sam")
    assert "As a moderator" not in picture(pilot.app)
    await back(pilot)
    await opens(pilot, "#members", WIM["id"], "You confirm that you know Wim")


@on_screen(node=governed)
async def test_flags_wait_for_moderators_and_hidden_words_have_a_page(pilot, node):
    await shows(pilot, "Needs your answer (6)")
    feed = pilot.app.screen.query_one("#waits", Feed).cards
    told = " ".join(str(one.prompt) for one in feed.options)
    assert "Sam asks the moderators to remove Eve" in told
    assert "Sam flagged: Request by Eve: “Unkind words about Sam”" in told
    await opens(
        pilot, "#waits", ident(65), "Sam flagged this for the moderators: “That is not true.”"
    )
    await acts(
        pilot, "As a moderator, hide", "When 2 moderators have said so, these words disappear"
    )
    hide = {"kind": "hide", "about": ident(25), "fields": {"hidden": "yes"}}
    assert await posted(pilot, node) == hide
    await acts(pilot, "Flag what Eve wrote", "nothing by itself.", "Why *")
    await pilot.press(*"rude")
    flag = {"kind": "flag", "about": ident(25), "fields": {"reason": "rude"}}
    assert await posted(pilot, node) == flag
    await back(pilot)
    await pilot.press("6")
    await shows(pilot, "Flags (1) and hidden words (1)")
    await opens(pilot, "#neighbourhood-steps", "hidden", "Request by Eve", "Offer by Eve")
    await shows(pilot, "flagged by Sam", "by Sam, Maria: “An advert.”", "A vote can show")
    await opens(pilot, "#hidden", ident(26), "Some words here are hidden", "Hidden by Sam, Maria")
    await acts(pilot, "Ask everybody to show again")
    assert (await posted(pilot, node))["fields"]["change"] == f"show {ident(26)}"


@on_screen(node=governed)
async def test_ones_own_page_has_devices_and_proxies(pilot, node):
    await to_neighbourhood(pilot)
    await opens(
        pilot,
        "#neighbourhood-steps",
        "myself",
        "in use · 12 records · this home's",
        "revoked · 3 records",
    )
    await shows(pilot, "meshcoop revoke DEVICE", "Sam for you: Request · until Thu 24 Dec")
    await shows(pilot, "You for Maria: Offer · over since Sun 1 Nov")
    await acts(pilot, "Stop Sam acting for you", "from now on does not count")
    close = {"kind": "close", "about": ident(68), "fields": {"as_state": "ended"}}
    assert await posted(pilot, node) == close
    await acts(pilot, "Let somebody act for you", "everybody sees both names", "For what *")
    form = pilot.app.screen.query_one("Form")
    assert [row.field_name for row in form.rows] == ["person", "matters", "until"]
    values = (SAM["id"], "request, offer", "2026-12-31")
    for row, value in zip(form.rows, values, strict=True):
        row._input.value = value
    fields = {"person": SAM["id"], "matters": ["request", "offer"], "until": "2026-12-31"}
    assert await posted(pilot, node) == {"kind": "proxy", "fields": fields}


def reader(person, moderators=(ADA, SAM, MARIA)):
    is_council = {"moderators_needed": 2} if len(moderators) > 2 else {}
    shown_term = term([ADA, SAM, MARIA], list(moderators), **is_council)
    return Reader(person["id"], CLOCK, Shown(shown_term))


def page_with(*heads, rows=()):
    """Makes the thread of a page by Sam with these current texts. `rows` are the steps that the
    node offers.
    """
    root = Shown(view(70, "page", SAM, heads=list(heads), first={}, title="The shed", text=""))
    return ThreadData(root, [root], [], [Shown(row) for row in rows])


def text(number, author, **more):
    return {"id": ident(number), "author": author, "title": "The shed", "text": "…", **more}


def flag_row(number):
    return step_row("flag", ident(number), ask=["reason"])


def hide_row(number, hidden):
    return step_row("hide", ident(number), ask=["reason"], given={"hidden": hidden})


def steps_of(kind, thread, person=ADA):
    return [step for step in thread_steps(thread, reader(person)) if step.kind == kind]


def test_each_text_of_a_page_is_flagged_by_itself():
    rows = [flag_row(70), flag_row(71), flag_row(72)]
    flags = steps_of("flag", page_with(text(71, SAM), text(72, MARIA), rows=rows))
    assert [(step.words.label, step.about) for step in flags] == [
        ("Flag what Sam wrote", ident(71)),
        ("Flag what Maria wrote", ident(72)),
    ]


def test_ones_own_words_have_no_button_that_flags_or_hides_them():
    page = page_with(text(72, ADA), rows=[flag_row(72), hide_row(72, "yes")])
    assert steps_of("flag", page) == []
    assert steps_of("hide", page) == []
    assert len(steps_of("hide", page, SAM)) == 1


def test_hidden_words_can_be_shown_again_and_are_told_as_hidden():
    hidden = text(72, EVE, title=None, text=None, hidden=True, created="2026-11-23")
    page = page_with(hidden, rows=[hide_row(72, "no"), flag_row(72)])
    (hide,) = steps_of("hide", page)
    assert hide.fixed == {"hidden": "no"}
    assert hide.words.label == "As a moderator, show again what Eve wrote"
    assert "When 2 moderators have said so" in hide.words.meaning
    (proposal_step,) = steps_of("proposal", page)
    assert proposal_step.fixed == {"change": f"show {ident(72)}"}
    assert steps_of("flag", page) == []
    assert "Hidden words" in thread_story(page, reader(ADA)).plain


def test_what_is_private_has_no_moderators():
    root = Shown(view(70, "circle", SAM, name="Knitters", members=[SAM, ADA]))
    thread = ThreadData(root, [root], [], [Shown(flag_row(70))])
    assert steps_of("flag", thread) == []


def test_a_removal_is_joined_by_moderators_who_have_not_asked_for_it():
    root = Shown(view(64, "remove", SAM, state="said", person=EVE, n=1, asked_by=[SAM]))
    thread = ThreadData(root, [root])

    def labels(person, **more):
        return [step.words.label for step in thread_steps(thread, reader(person, **more))]

    assert labels(ADA) == ["As a moderator, ask to remove Eve"]
    assert labels(SAM) == []
    assert labels(ADA, moderators=(ADA, SAM)) == []


def test_a_removal_in_force_is_undone_by_everybody():
    root = Shown(view(64, "remove", SAM, state="in force", person=EVE, n=1))
    (step,) = thread_steps(ThreadData(root, [root]), reader(ADA))
    assert step.words.label == "Ask everybody to let Eve back in"


def test_a_renewal_of_a_term_that_is_over_is_not_voted_on():
    renewal = governed().lists["renewals"][0]
    thread = ThreadData(Shown(renewal), [], [], [Shown(row) for row in vote_rows(renewal["id"])])
    votes = [step.fixed for step in thread_steps(thread, reader(ADA))]
    assert votes == [{"choice": "yes"}, {"choice": "no"}]
    later = Shown({**term([ADA, SAM, MARIA], []), "id": ident(91)})
    assert standing_line(Shown(renewal), later) == "over · 1 yes, 0 no"


def test_every_change_has_words():
    subjects = {"standing": EVE, "rule": None}
    about = view(80, "measure", ADA, title="Was a bin missed?")
    lines = []
    for sort in register_names.SORTS:
        for number in (1, 2):
            change = [sort, ident(80) if sort != "rule" else "answer_days", number, None]
            concerns = subjects.get(sort, about)
            root = Shown(proposal(60, SAM, "So be it", change=change, concerns=concerns))
            lines.append(change_line(root, reader(ADA)))

    assert not [line for line in lines if "newer" in line]
    assert all("Eve" in line or "Was a bin missed?" in line or "Time" in line for line in lines)


@pytest.mark.parametrize(
    ("kind", "because"),
    [("proposal", "it was proposed before you came"), ("renewal", "you become a voter when")],
)
def test_who_cannot_vote_is_told_why(kind, because):
    fields = {"newcomers": [], "parent": ident(90), "moderators": []}
    root = Shown(proposal(60, SAM, "More time?", **fields) | {"kind": kind})

    story = thread_story(ThreadData(root, [root]), reader(EVE)).plain

    assert f"You cannot vote on this: {because}" in story


def test_with_newcomers_the_roll_alone_has_to_agree_too():
    numbers = {"needed": 3, "voters": 5, "needed_of_roll": 2, "roll": 3}
    root = Shown(proposal(60, SAM, "More time?", yes=[SAM], newcomers=[EVE, WIM], **numbers))
    story = thread_story(ThreadData(root, [root]), reader(ADA)).plain
    assert "1 yes, 0 no · 3 of 5 needed" in story
    assert "2 of them from the 3 voters of this term" in story
