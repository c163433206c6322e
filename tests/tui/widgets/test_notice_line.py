"""The screen says above all lists what the program leaves out."""

from tests.support.fake_node import FakeNode, on_screen, until
from tui.widgets.notice_line import NoticeLine

NEWER = [
    {"kind": "lending", "records": 1, "package": None},
    {"kind": "shed.loan\x1b[2J", "records": 2, "package": "shed"},
]
FAILED = [{"id": "00" * 32, "error": "KeyError: 'nobody' (seating.py:9)"}]
MISTAKE = "The program made a mistake and leaves something out: see `meshcoop doctor`."


class Lacking(FakeNode):
    """A node with records that its program does not know, or that its code failed at."""

    further = {"newer": NEWER, "failed": FAILED}  # noqa: RUF012  # a test changes it

    def status(self, params):
        return {**super().status(params), "specs": 3, **self.further}


def text_of(pilot):
    return str(pilot.app.screen.query_one(NoticeLine).content)


@on_screen(node=Lacking, size=(120, 30))
async def test_what_is_newer_and_what_failed_is_said_above_every_list(pilot, node):
    line = pilot.app.screen.query_one(NoticeLine)

    for key in "1234567":
        await pilot.press(key)
        assert line.region.height > 0
    assert text_of(pilot) == (
        "3 records are newer than this program: 1 lending (from a version of the specs after 3), "
        "2 shed.loan\ufffd[2J (from the package shed). " + MISTAKE
    )


@on_screen
async def test_nothing_is_said_if_nothing_is_left_out(pilot, node):
    assert not pilot.app.screen.query_one(NoticeLine).display


@on_screen(node=Lacking)
async def test_the_line_goes_away_when_the_program_knows_all(pilot, node):
    node.further = {"newer": [], "failed": []}

    node.tell()

    await until(pilot, lambda: not pilot.app.screen.query_one(NoticeLine).display)


class LackingMuch(Lacking):
    """A node with records of many kinds that its program does not know."""

    further = {  # noqa: RUF012
        "newer": [{"kind": f"k{n}" * 40, "records": 1, "package": None} for n in range(90)],
        "failed": [],
    }


@on_screen(node=LackingMuch)
async def test_many_kinds_leave_room_for_the_lists(pilot, node):
    assert pilot.app.screen.query_one(NoticeLine).region.height <= 4
    assert "87 further kinds" in text_of(pilot)


class WithoutPassphrase(FakeNode):
    """The node of a home whose keys no passphrase locks (R-01.29)."""

    def status(self, params):
        return {**super().status(params), "open_keys": True}


@on_screen(node=WithoutPassphrase)
async def test_a_home_without_a_passphrase_says_so_above_every_list(pilot, node):
    for key in "1234567":
        await pilot.press(key)
        assert pilot.app.screen.query_one(NoticeLine).region.height > 0
    assert text_of(pilot) == (
        "This home has no passphrase: whoever takes its disk reads everything."
    )


class WithGoneDevices(FakeNode):
    """The node of a home that has made all its keys of the day (R-03.33e)."""

    def status(self, params):
        return {**super().status(params), "gone_with_key": 3}


@on_screen(node=WithGoneDevices)
async def test_who_may_still_read_is_said(pilot, node):
    assert text_of(pilot) == "3 devices that are gone can still read what you write today."
