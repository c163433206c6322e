"""Deciding and moderating: what the screen shows, and what it asks the node for."""

from dataclasses import replace

from textual.widgets import TabbedContent

import protocol.kinds as _kinds  # noqa: F401  # registers them
from tests.support.fake_governance import EVE, WIM, governed
from tests.support.fake_node import (
    ADA,
    MARIA,
    NOW,
    SAM,
    FakeNode,
    ident,
    on_screen,
    picture,
    shows,
    term,
    until,
    view,
)
from tui.kinds import decisions as deciding
from tui.kinds import faces as together
from tui.kinds import moderation as moderating
from tui.kinds.thread_data import ThreadData
from tui.screens.home import HomeScreen
from tui.widgets.card_list import CardList
from tui.widgets.feed import Feed
from tui.widgets.inputs import LineInput


async def to_neighbourhood(pilot):
    await shows(pilot, "Needs your answer (6)")
    await pilot.press("6")
    await shows(pilot, "Decisions (5)", "Members (5)", "What you can do (4)", "Rules in force")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))


async def opens(pilot, feed, card, *texts):
    cards = pilot.app.screen.query_one(feed, Feed).cards
    cards.focus()
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
    await shows(pilot, "can vote from the next term", "Time to answer: 3 days")
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
    await shows(pilot, "This must be a whole number from 0 to 1000.")
    pilot.app.focused.value = "9"
    fields = {"title": "Time to answer", "change": "charter answer_days=9"}
    assert await posted(pilot, node) == {"kind": "proposal", "fields": fields}
    await back(pilot)
    await opens(pilot, "#rules", "share", "Renew who votes", "more than half")
    await shows(pilot, "[x] Ada", "[x] Maria", "[x] Sam", "[ ] Eve")
    await pilot.press("f2")
    await until(pilot, lambda: node.renewed)
    moderators = [ADA["id"], MARIA["id"], SAM["id"]]
    assert node.renewed == [{"moderators": moderators, "vouchers": "1", "share": "50"}]


@on_screen(node=governed)
async def test_who_is_not_on_the_roll_is_told_how_to_come_onto_it(pilot, node):
    node.term = term([SAM, MARIA], [SAM, MARIA])
    node.tell()
    await shows(pilot, "Needs your answer (2)")
    await pilot.press("6")
    await shows(pilot, "What you can do (3)")
    await opens(pilot, "#decisions", ident(60), "You cannot vote yet.")
    assert "Vote yes" not in picture(pilot.app)
    await back(pilot)
    await opens(pilot, "#rules", "share")
    told = "Only a new term changes this"
    await until(pilot, lambda: any(told in one.message for one in pilot.app._notifications))


@on_screen(node=governed)
async def test_a_person_is_removed_by_all_or_by_the_moderators(pilot, node):
    await to_neighbourhood(pilot)
    await opens(pilot, "#members", EVE["id"], "can vote from the next term", "Let Eve act for you")
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
    await shows(pilot, "flagged by Sam", "by Sam, Maria: “An advert.”", "Current voters can show")
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


def page_with(*heads):
    """Makes a page by Sam, which Ada, Sam and Maria moderate."""
    root = view(70, "page", SAM, heads=list(heads), first={}, title="The shed", text="")
    return ThreadData(root, [], [], term=term([ADA, SAM, MARIA], [ADA, SAM, MARIA]))


def text(number, author, **more):
    return {"id": ident(number), "author": author, "title": "The shed", "text": "…", **more}


def test_each_text_of_a_page_is_flagged_by_itself():
    case = page_with(text(71, SAM), text(72, MARIA))
    flags = [act for act in moderating.moderation_steps(case, ADA["id"]) if act.kind == "flag"]
    assert [(act.label, act.about) for act in flags] == [
        ("Flag what Sam wrote", ident(71)),
        ("Flag what Maria wrote", ident(72)),
    ]


def test_nobody_hides_what_answers_them_or_is_their_own():
    def hiders(case):
        return [
            one["name"]
            for one in (ADA, SAM, MARIA)
            if any(act.kind == "hide" for act in moderating.moderation_steps(case, one["id"]))
        ]

    assert hiders(page_with(text(72, MARIA))) == ["Ada"]
    assert hiders(page_with(text(72, EVE))) == ["Ada", "Maria"]
    case = page_with(text(72, EVE))
    case.term["moderators"].pop()
    assert hiders(case) == []


def test_hidden_words_can_be_shown_again_and_are_told_as_hidden():
    case = page_with(text(72, EVE, title=None, text=None, hidden=True, created="2026-11-23"))
    kinds = [(act.kind, act.fixed) for act in moderating.moderation_steps(case, ADA["id"])]
    assert kinds == [("hide", {"hidden": "no"}), ("proposal", {"change": f"show {ident(72)}"})]
    assert "Hidden words" in together.face_story(case, NOW.date(), None).plain
    (write,) = together.face_steps(case, ADA["id"])
    assert write.given == {"title": "", "text": ""}


def test_what_is_private_has_no_moderators():
    case = ThreadData(view(70, "circle", SAM, name="Knitters", members=[SAM, ADA]), [], [])
    assert moderating.moderation_steps(case, ADA["id"]) == []


def test_a_renewal_of_a_term_that_is_over_is_not_voted_on():
    renewal = governed().lists["renewals"][0]
    now = term([ADA, SAM, MARIA], [])
    case = ThreadData(renewal, [], [], term=now)
    assert [act.fixed for act in deciding.decision_steps(case, ADA["id"])] == [
        {"choice": "yes"},
        {"choice": "no"},
    ]
    assert deciding.decision_steps(replace(case, term={**now, "id": ident(91)}), ADA["id"]) == []
    assert deciding.standing_line(renewal, {**now, "id": ident(91)}) == "over · 1 yes, 0 no"


def test_with_newcomers_the_roll_alone_has_to_agree_too():
    act = governed().lists["decisions"][0] | {"newcomers": [EVE, WIM]}
    case = ThreadData(act, [], [], term=term([ADA, SAM, MARIA], []))
    told = deciding.decision_story(case, NOW.date(), ADA["id"]).plain
    assert "1 yes, 0 no · 3 of 5 needed" in told
    assert "2 of them from the 3 current voters" in told
