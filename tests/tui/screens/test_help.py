"""The help screen shows the keys. If the resident's guide is installed, it shows the guide too."""

import asyncio

import pytest

from tests.support.fake_node import FakeNode, opened, shows, until
from tui.screens.help import HelpScreen


def help_with(guides, scenario):
    """Runs `scenario(pilot)` on the help screen of a home with these guides."""

    async def run():
        async with opened(FakeNode(), size=(80, 60), guides=guides) as pilot:
            await shows(pilot, "F1 Help")
            await pilot.press("f1")
            await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
            await scenario(pilot)

    asyncio.run(run())


def test_the_residents_guide_stands_below_the_keys(tmp_path):
    text = "# Living here\n\nPress **n** to [ask](technician.md).\n\n- a lift\n- a drill\n"
    (tmp_path / "resident.md").write_text(text, encoding="utf-8")

    async def scenario(pilot):
        await shows(pilot, "Arrows and Tab move", "Living here", "Press n to ask.", "a drill")

    help_with(tmp_path, scenario)


def test_a_guide_cannot_steer_the_terminal(tmp_path):
    (tmp_path / "resident.md").write_text("Press \x1b[31m n.\n", encoding="utf-8")

    async def scenario(pilot):
        await shows(pilot, "Arrows and Tab move", "Press \ufffd[31m n.")

    help_with(tmp_path, scenario)


@pytest.mark.parametrize("content", [None, b"\xff\xfe"])
def test_help_shows_the_keys_where_no_guide_can_be_read(tmp_path, content):
    if content is not None:
        (tmp_path / "resident.md").write_bytes(content)

    async def scenario(pilot):
        await shows(pilot, "Arrows and Tab move", "meshcoop --help")
        assert not pilot.app.screen.query("#guide")

    help_with(tmp_path, scenario)
