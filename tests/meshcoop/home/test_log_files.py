"""Logs are kept for 14 days, in one file a day, and can be turned off (R-01.28d)."""

import ast
import logging
import os
import re
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from meshcoop.home import log_files
from meshcoop.home.folder import Home
from meshcoop.home.log_files import KEPT_DAYS, LogFile, erase_log, put_away
from meshcoop.home.settings import Settings, read_settings, write_settings
from meshcoop.node import process
from tests.support.house import product_files

DAY = 86_400
NOON = datetime(2026, 11, 28, 12, tzinfo=UTC).timestamp()


class Clock:
    """A clock that the test sets. The log's file gets its time too, as on a real machine."""

    def __init__(self, path):
        self.now = NOON
        self._path = path

    def __call__(self):
        return self.now

    def write(self, log, words):
        record = logging.LogRecord("meshcoop", logging.INFO, __file__, 1, words, (), None)
        record.created = self.now
        log.handle(record)
        os.utime(self._path, (self.now, self.now))


@pytest.fixture
def path(tmp_path):
    return tmp_path / "node.log"


@pytest.fixture
def clock(path):
    return Clock(path)


@pytest.fixture
def log(path, clock):
    opened = LogFile(path, clock=clock)
    yield opened
    opened.close()


def words_in(path):
    return "".join(file.read_text() for file in path.parent.glob("node.log*"))


def test_no_entry_stays_for_more_than_14_days_whether_the_node_writes_or_not(path, clock, log):
    """Attacker: a thief of a disk. Asset: who belongs."""
    for day in range(3 * KEPT_DAYS):
        if day % 5 < 3:  # on some days nothing is logged
            clock.write(log, f"day {day} is over")
        clock.now += DAY
        log.turn_day()
        kept = words_in(path)
        for other in range(day + 1):
            is_kept = other % 5 < 3 and day + 1 - other < KEPT_DAYS
            assert (f"day {other} is over" in kept) == is_kept


def test_a_log_of_days_past_is_put_away_or_deleted_when_a_node_starts(path, clock, log):
    clock.write(log, "an old entry")
    log.close()

    put_away(path, clock.now + DAY)
    assert not path.exists()
    assert "an old entry" in words_in(path)
    put_away(path, clock.now + KEPT_DAYS * DAY)
    assert words_in(path) == ""


def test_entries_of_one_day_stay_together_over_a_restart(path, clock, log):
    clock.write(log, "before")
    log.close()
    again = LogFile(path, clock=clock)
    clock.write(again, "after")
    again.close()

    assert [line.split()[-1] for line in path.read_text().splitlines()] == ["before", "after"]


def test_a_clock_that_is_put_back_deletes_nothing(path, clock, log):
    clock.write(log, "an entry")
    clock.now -= 1000 * DAY
    log.turn_day()
    put_away(path, clock.now)

    assert "an entry" in words_in(path)


def test_a_flood_fills_no_disk(path, clock, log, monkeypatch):
    monkeypatch.setattr(log_files, "MAX_BYTES", 10_000)
    for number in range(40):
        clock.write(log, f"{number} " + "x" * 1000)
        clock.now += 60  # a place in the program writes few entries a minute

    sizes = [file.stat().st_size for file in path.parent.iterdir()]
    assert len(sizes) == 2
    assert max(sizes) < 12_000
    assert " 39 x" in path.read_text().splitlines()[-1]


def test_files_of_an_older_program_go(path, clock):
    for ending in (".1", ".old", ".2026-11-01", ".2026-11-27", ".2026-13-41"):
        path.with_name(f"node.log{ending}").write_text("words")
    LogFile(path, clock=clock).close()

    assert [file.name for file in path.parent.iterdir()] == ["node.log.2026-11-27"]


def test_standard_error_follows_the_log_into_the_file_of_a_new_day(path):
    """A node in the background has its log as standard error. What it says when it crashes must not
    be in the file of an earlier day.
    """
    program = (
        "import sys\nfrom pathlib import Path\nfrom meshcoop.home.log_files import LogFile\n"
        f"days = [0]\nlog = LogFile(Path({str(path)!r}), None, lambda: {NOON} + days[0] * {DAY})\n"
        "print('before', file=sys.stderr, flush=True)\ndays[0] = 1\nlog.turn_day()\n"
        "print('after', file=sys.stderr, flush=True)\n"
    )
    with path.open("ab") as output:
        subprocess.run([sys.executable, "-c", program], stderr=output, check=True)

    assert path.read_text() == "after\n"
    assert path.with_name("node.log.2026-11-28").read_text() == "before\n"


def test_a_log_that_is_erased_is_erased_with_all_days(path, clock, log):
    clock.write(log, "today")
    path.with_name("node.log.2026-11-27").touch()
    other = path.with_name("network.log")
    other.touch()
    log.close()
    erase_log(path)

    assert list(path.parent.iterdir()) == [other]


LOGS = [name for name in vars(Home) if name.endswith("log_file")]


@pytest.mark.parametrize("name", LOGS)
def test_each_log_of_a_home_goes_when_logs_are_turned_off(tmp_path, name):
    assert len(LOGS) == 4
    home = Home(tmp_path / "home")
    home.create()
    path = getattr(home, name)
    path.touch()
    path.with_name(f"{path.name}.2026-11-27").touch()
    home.erase_logs()

    assert not list(path.parent.glob(f"{path.name}*"))


@pytest.mark.parametrize("no_log", [True, False])
def test_the_choice_is_a_setting_of_the_home(tmp_path, no_log):
    write_settings(tmp_path / "home.toml", Settings(no_log=no_log))

    assert read_settings(tmp_path / "home.toml").no_log is no_log


def test_a_home_without_logs_still_says_why_its_node_does_not_start(tmp_path):
    home = Home(tmp_path / "home")
    home.create()
    home.write_settings(Settings(no_log=True))
    program = (sys.executable, "-c", "import sys; print('x'); sys.exit('Port 4001 is taken.')")
    with pytest.raises(process.Mistake, match="Port 4001"):
        process.start(home, None, program=program)

    assert not list(home.path.glob("*.log*"))


def texts_for_people(path):
    """Yields the texts in a file of code, without docstrings."""
    tree = ast.parse(path.read_text())
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    docstrings = {
        ast.get_docstring(node, clean=False)
        for node in ast.walk(tree)
        if isinstance(node, documented)
    }
    for node in ast.walk(tree):
        is_text = isinstance(node, ast.Constant) and isinstance(node.value, str)
        if is_text and node.value not in docstrings:
            yield node.value


def test_no_sentence_sends_people_to_a_log_that_the_home_may_not_keep():
    """`meshcoop log` says where the logs are, or that none is kept."""
    to_a_log = re.compile(
        r"(node|network|screen)\.log\b.* |\blogs? (says|say|may)\b|\{log\}|[Ll]ook into "
    )
    found = [
        f"{path.name}: {text}"
        for path in product_files()
        if re.search(r"\blogs?\b|[Ll]ook", path.read_text())
        for text in texts_for_people(path)
        if to_a_log.search(text)
    ]

    assert not found


def test_no_line_of_a_log_has_the_whole_id_of_a_node(path, clock, log):
    peer = "12D3KooWEyoppNCUx8Yx66oV9fJnriXwCcXwDDUA2kj6vnc6iDEp"
    clock.write(log, f"/ip4/192.0.2.7/tcp/4001/p2p/{peer} is {peer}.")

    assert peer[:16] in path.read_text()
    assert peer[:17] not in path.read_text()
