"""A deadline that is past and not yet missed is shown in words, at the command line and on the
screen (R-23.6k, R-23.6l).
"""

from datetime import UTC

import pytest

from meshcoop.cli.plain_text import format_list, format_view
from protocol.local_clock import LocalClock
from protocol.loops.windows import DAY_MS
from tests.meshcoop.api.test_successions import Lane
from tests.support.street_in_memory import Street, settle
from tui.kinds.services.matters import matter_card, matter_story
from tui.kinds.thread_data import Reader
from tui.node.shown import Shown


@pytest.mark.parametrize(
    ("days", "in_words"),
    [(2, ["has time until"]), (4, ["was due", "counts as missed from"])],
)
async def test_deadline_is_past_before_it_counts_as_missed(days, in_words):
    with Street(1) as here:
        lane = Lane(here)
        lane.cho.post("feedback", lane.measure, value="1")
        settle(*lane.homes)
        opened = here.clock
        here.clock += days * DAY_MS
        clock = LocalClock(here.clock, UTC)

        (matter,) = (await lane.call(lane.ben, "list", what="matters"))["rows"]
        waiting = (await lane.call(lane.ben, "list", what="waiting"))["rows"]
        (row,) = [row for row in waiting if isinstance(row.get("matter"), dict)]

        assert matter["holder"]["id"] == lane.ben.me.person.hex()
        missed = LocalClock(opened + 6 * DAY_MS, UTC).now
        assert matter["missed_at"].startswith(missed)
        card = matter_card(Shown(row), clock)
        story = matter_story(Shown(matter), Shown({}), [], [], Reader(None, clock))
        on_screen = "".join(part if isinstance(part, str) else part[0] for part in story)
        texts = [
            format_list([matter], clock),
            format_list([row], clock),
            format_view({**matter, "history": []}, clock),
            on_screen,
        ]
        for text in texts:
            assert all(words in text for words in in_words), text
        assert ("was due" in card.title.lower()) == (days == 4)
        assert ("counts as missed" in card.detail.lower()) == (days == 4)
