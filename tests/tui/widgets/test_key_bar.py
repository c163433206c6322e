"""The line of keys: it shows the keys that work, and is made again only if they change."""

import asyncio

from textual.app import App
from textual.widgets import Input
from textual.widgets._footer import FooterKey

from tui.widgets.key_bar import KeyBar


class Switch(Input):
    BINDINGS = [("f9", "toggle", "Toggle")]  # noqa: RUF012  # Textual declares it so


class TwoLines(App):
    BINDINGS = [("f2", "post", "Post")]  # noqa: RUF012

    def compose(self):
        yield Input(id="name")
        yield Input(id="place")
        yield Switch(id="switch")
        yield KeyBar()


def test_keys_are_made_again_only_where_others_work():
    async def run():
        app = TwoLines()
        async with app.run_test() as pilot:

            async def keys_at(line):
                app.query_one(line).focus()
                await pilot.pause()
                await pilot.pause()
                return list(app.query(FooterKey))

            at_name = await keys_at("#name")
            assert [key.description for key in at_name] == ["Post"]
            assert await keys_at("#place") == at_name  # the same widgets
            at_switch = await keys_at("#switch")
            assert {key.description for key in at_switch} == {"Post", "Toggle"}
            at_name_again = await keys_at("#name")
            assert [key.description for key in at_name_again] == ["Post"]

    asyncio.run(run())


def test_line_of_a_screen_that_was_left_is_not_made_again():
    async def run():
        app = TwoLines()
        async with app.run_test() as pilot:
            bar = app.query_one(KeyBar)
            await bar.remove()
            await bar.recompose()
            await pilot.pause()

    asyncio.run(run())
