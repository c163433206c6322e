"""A resident invites a neighbour, waits to be let in, and is reminded of the recovery words."""

import pytest
import segno

from tests.support.fake_node import INVITATION, FakeNode, on_screen, shows, until
from tui.screens.home import HomeScreen
from tui.screens.invite_screen import InviteScreen
from tui.screens.waiting_screen import WaitingScreen
from tui.widgets.qr_code import draw_code


class Reminding(FakeNode):
    def __init__(self):
        super().__init__()
        self.keeps_words = False

    def status(self, params):
        return {**super().status(params), "keeps_recovery_words": self.keeps_words}


def find_saved(folder):
    return list(folder.rglob("invitation.txt"))


@pytest.mark.parametrize(("keys", "asked"), [((), {"approve": True}), (("down",), {})])
def test_an_invitation_is_a_picture_and_letters(keys, asked, tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_DOCUMENTS_DIR", raising=False)
    node = FakeNode()

    async def scenario(pilot, node):
        await shows(pilot, "i Invite", "Needs your answer")
        await pilot.press("i")
        await shows(pilot, "let them in at once", "They knock")
        await pilot.press(*keys, "enter")
        await shows(
            pilot, "▀", "They start meshcoop", f"{INVITATION[:5]} {INVITATION[5:10]}", "Mon 30 Nov"
        )
        assert node.invited == [asked]
        await pilot.press("f")
        (saved,) = find_saved(tmp_path)
        assert saved.read_text().strip() == INVITATION
        await pilot.press("escape")
        await until(pilot, lambda: not isinstance(pilot.app.screen, InviteScreen))

    on_screen(node=lambda: node)(scenario)()


@pytest.mark.parametrize("length", [1, 100, 150])
def test_the_picture_fits_a_small_screen_and_has_every_square(length):
    text = ("ABCDEFGH234567" * 11)[:length]
    lines = draw_code(text).split("\n")
    code = segno.make(text, error="l", boost_error=False, micro=False)
    assert len(lines) <= 21
    drawn = [[sign in above for sign in line] for line in lines for above in ("█▀", "█▄")]
    wanted = [[bool(square) for square in row] for row in code.matrix_iter(border=2)]
    assert drawn[: len(wanted)] == wanted


def test_who_waits_sees_it_until_they_are_let_in():
    node = FakeNode()
    node.belongs = False

    async def scenario(pilot, node):
        await shows(pilot, "Waiting to be let in", "Keep this machine on")
        assert isinstance(pilot.app.screen, WaitingScreen)
        node.belongs = True
        node.tell()
        await until(pilot, lambda: isinstance(pilot.app.screen, HomeScreen))
        await shows(pilot, "Needs your answer")
        await until(pilot, lambda: "You are in." in str([*pilot.app._notifications]))

    on_screen(node=lambda: node)(scenario)()


def test_today_reminds_of_words_that_are_not_on_paper():
    node = Reminding()
    node.keeps_words = True

    async def scenario(pilot, node):
        await shows(pilot, "Your recovery words are not on paper yet")
        node.keeps_words = False
        node.tell()
        await shows(pilot, "You are all caught up")

    on_screen(node=lambda: node)(scenario)()
