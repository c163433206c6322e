"""Forms that are made from the declaration of a kind: of every known kind, and of a kind that
nobody knows yet.
"""

import asyncio

import pytest
from textual import events
from textual.app import App
from textual.widgets import Select

from protocol.fold.registry import KINDS
from protocol.schema.fields import Bytes, Choice, Integer, Many, Map, Minutes, Moment, Person, Text
from tests.support.fake_node import on_screen, picture, shows, until
from tui.kinds.next_steps import form_fields_of
from tui.node.shown import Shown
from tui.screens.home import HomeScreen
from tui.screens.post_form import PostFormScreen
from tui.widgets.card_list import CardList
from tui.widgets.form import Form
from tui.widgets.inputs import LineInput, TextBox

ADA = "ab" * 32


# The fields of a kind that a later version might have.
MENDING = {
    "name": Text(required=True, min=1, max=80),
    "story": Text(max=2000, private=True),
    "count": Integer(min=1, max=3, default=2),
    "minutes": Minutes(min=1),
    "day": Moment(day_only=True),
    "starts": Moment(),
    "choice": Choice(words=("yes", "no")),
    "helper": Person(),
    "parts": Many(of=Text(min=1, max=10), max=3),
    "proof": Bytes(),
    "giver": Person(required=True, filled=True),
}


class Paper(App):
    def __init__(self, fields, given):
        super().__init__()
        self.made_from = fields, given

    def compose(self):
        self.form = Form(*self.made_from, people=[Shown({"id": ADA, "name": "Ada"})])
        yield self.form


def filled(fields, given, check):
    """Runs `check(pilot, rows)` on a form."""

    async def run():
        async with Paper(fields, given).run_test(size=(80, 50)) as pilot:
            await check(pilot, {row.field_name: row for row in pilot.app.form.rows})

    asyncio.run(run())


def test_each_rule_has_its_widget_and_software_fills_in_its_own():
    async def check(pilot, rows):
        widgets = {name: type(row._input) for name, row in rows.items()}
        lines = ("name", "count", "minutes", "day", "starts", "parts")
        assert widgets == {
            **dict.fromkeys(lines, LineInput),
            "story": TextBox,
            "choice": Select,
            "helper": Select,
        }

    filled(MENDING, {}, check)


def test_what_is_filled_in_reads_as_the_node_reads_it():
    given = {"name": " Ada ", "starts": "2026-11-26 09:30", "parts": "a, b,", "helper": ADA}

    async def check(pilot, rows):
        form = pilot.app.form
        assert form.check_fields()
        parts = {"parts": ["a", "b"], "helper": ADA}
        assert form.values == {"name": "Ada", "starts": "2026-11-26T09:30", **parts}

    filled(MENDING, given, check)


def typed_lists():
    """Yields every field of every kind in which a person types several values, with such values.

    The names of a closed set have neither commas nor quotes.
    """
    texts = ["Bread, cakes and jam", '6" pipes', '"Best" hats', "a"]
    for kind in KINDS.values():
        for name, rule in kind.fields.items():
            if isinstance(rule, Map) and isinstance(rule.of, Integer) and not rule.filled:
                yield kind.name, name, {"cook, main": 2, "name": 1, "2+2=4": 3}
            elif isinstance(rule, Many) and type(rule.of) is Text and not rule.filled:
                yield kind.name, name, texts


@pytest.mark.parametrize(("kind", "name", "values"), list(typed_lists()))
def test_list_that_is_opened_and_posted_stays_as_it_was(kind, name, values):
    rule = KINDS[kind].fields[name]
    given = form_fields_of(Shown({name: values}), kind)

    async def check(pilot, rows):
        assert rule.read(name, pilot.app.form.values[name], None) == values

    filled({name: rule}, given, check)


def test_paste_keeps_its_words_apart():
    pasted = "Bread\rJam\r\nTea\nCake"  # terminals send CR for each line break

    async def check(pilot, rows):
        for name in ("name", "story"):
            rows[name].focus_input()
            await pilot.pause()
            pilot.app.post_message(events.Paste(pasted))
            await until(pilot, lambda row=rows[name]: row.typed)
        assert rows["name"].typed == "Bread Jam Tea Cake"
        assert rows["story"].typed == "Bread\nJam\nTea\nCake"

    filled(MENDING, {}, check)


@pytest.mark.parametrize(
    ("field", "typed", "words"),
    [
        ("name", "", "Please fill this in."),
        ("name", "x" * 81, "a text of 1 to 80 characters"),
        ("count", "4", "a whole number from 1 to 3"),
        ("minutes", "soon", "This must be a whole number"),
        ("minutes", "1:30", "This must be a number of minutes: 90 for 1:30."),
        ("day", "tomorrow", "a date like 2026-11-23"),
        ("starts", "2026-02-30", "or 2026-11-23T09:30"),
        ("parts", "a, b, c, d", "a list of at most 3"),
        ("parts", "a, much too long a part", "a text of 1 to 10 characters"),
    ],
)
def test_leaving_a_field_says_in_words_what_is_wrong(field, typed, words):
    async def check(pilot, rows):
        rows[field].focus_input()
        await pilot.pause()
        rows[field]._input.value = typed
        await pilot.press("tab")
        await until(pilot, lambda: words in picture(pilot.app))
        assert not rows[field].check_value()

    filled(MENDING, {"name": "Ada"}, check)


def test_who_provides_a_service_may_be_somebody_outside():
    async def check(pilot, rows):
        assert pilot.app.form.check_fields()
        assert pilot.app.form.values["provider"] == "The council"
        rows["provider"]._input.value = "x" * 81
        assert not pilot.app.form.check_fields()

    filled(KINDS["service"].fields, {"title": "Bins", "provider": "The council"}, check)


def test_words_that_are_private_say_so():
    async def check(pilot, rows):
        rows["story"].focus_input()
        await until(pilot, lambda: "Only the two of you can read this." in picture(pilot.app))

    filled(MENDING, {}, check)


def test_every_kind_has_a_form():
    async def check(pilot, rows):
        for kind in KINDS.values():
            form = Form(kind.fields, {})
            await pilot.app.mount(form)
            needed = {row.field_name for row in form.rows if not row.check_value()}
            rules = kind.fields
            assert needed == {
                name for name, rule in rules.items() if rule.required and name in form.typed
            }
            assert not any(rules[name].filled for name in form.typed)
            await form.remove()

    filled(MENDING, {}, check)


async def to_form(pilot):
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    await pilot.press("n")
    await shows(pilot, "Ask for something", "Offer something")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("enter")
    await shows(pilot, "Title *", "separate with commas")
    await until(pilot, lambda: isinstance(pilot.app.focused, LineInput))


def write(pilot, text):
    """Inserts the whole text at once, because typing one key at a time is slow in the pilot,
    Textual's test driver.
    """
    pilot.app.focused.insert_text_at_cursor(text)


@on_screen
async def test_a_request_is_posted(pilot, node):
    await to_form(pilot)
    write(pilot, "Bread")
    await pilot.press("tab", *"Rye", "tab", "tab", *"30", "enter", "f2")
    await until(pilot, lambda: node.posted)
    fields = {"title": "Bread", "text": "Rye", "minutes": "30"}
    assert node.posted == [{"kind": "request", "fields": fields}]
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    assert pilot.app.node.drafts == {}


@on_screen
async def test_what_is_missing_keeps_the_form_open(pilot, node):
    await to_form(pilot)
    await pilot.press("f2")
    await shows(pilot, "Please fill this in.", "Please fix the highlighted fields.")
    assert node.posted == []


@on_screen
async def test_nothing_typed_is_lost_when_a_form_closes(pilot, node):
    await to_form(pilot)
    write(pilot, "Bread")
    await pilot.press("escape")
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    await to_form(pilot)
    await shows(pilot, "Here is what you typed last time.", "Bread")


@on_screen
async def test_leaving_with_something_half_typed_asks(pilot, node):
    await to_form(pilot)
    write(pilot, "Bread")
    await pilot.press("ctrl+c")
    await shows(pilot, "What you typed is not posted.")
    await pilot.press("escape")
    await shows(pilot, "Bread")


@on_screen
async def test_a_refusal_stays_in_the_form_with_what_was_typed(pilot, node):
    node.refusal = "It is [/] already (R-13.4)."
    await to_form(pilot)
    write(pilot, "Bread")
    await pilot.press("f2")
    await shows(pilot, "It is [/] already (R-13.4).", "Bread")
    assert isinstance(pilot.app.screen, PostFormScreen)


@on_screen
async def test_a_node_that_leaves_takes_nothing_typed_along(pilot, node):
    await to_form(pilot)
    write(pilot, "Bread")
    await node.stop()
    await shows(pilot, "meshcoop up")
    await pilot.press("f2")
    await shows(pilot, "What you typed is still here.", "Bread")


@on_screen
async def test_the_profile_begins_with_what_was_said_before(pilot, node):
    await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
    await pilot.press("n")
    await shows(pilot, "Tell neighbours about")
    await until(pilot, lambda: isinstance(pilot.app.focused, CardList))
    await pilot.press("home", "down", "down", "enter")
    await shows(pilot, "hemming, Yoruba, listening", "a lift now and then")
