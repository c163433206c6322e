"""The benches run, report the figures that they promise, count bytes correctly and leave nothing
behind.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.long  # a minute of several homes; the default suite has five in all

PROGRAM = (sys.executable, "-m", "meshcoop", "bench")


def environment(folder):
    return {**os.environ, "TMPDIR": str(folder)}


def bench(folder, name, *options):
    done = subprocess.run(
        [*PROGRAM, name, "--json", *options], capture_output=True, text=True, timeout=240,
        env=environment(folder), check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, "")
    assert list(folder.iterdir()) == []
    return json.loads(done.stdout)


def well_formed(one, unit, records, runs):
    assert (one["unit"], one["records"]) == (unit, records)
    assert len(one["runs"]) == runs
    assert all(value > 0 for value in (one["figure"], one["limit"], one["ratio"], *one["runs"]))


def test_ingest_tells_of_both_kinds_of_homes(tmp_path):
    found = bench(tmp_path, "ingest", "--records", "150", "--runs", "2")

    assert [one["name"] for one in found] == ["ingest opaque", "ingest opened"]
    for one in found:
        well_formed(one, "records/s", 150, 2)


def test_sync_sends_little_beside_the_records(tmp_path):
    cold, few = bench(tmp_path, "sync", "--records", "1500", "--runs", "1")

    well_formed(cold, "records/s", 1500, 1)
    well_formed(few, "records/s", 20, 1)  # each of ten logs has 150 records
    assert cold["record_bytes"] < cold["wire_bytes"] <= 1.05 * cold["record_bytes"]
    assert few["wire_bytes"] - few["record_bytes"] <= 6000
    for one in (cold, few):
        assert 0 < one["equal_bytes"] <= 200
        assert one["round_trips"] == 1


@pytest.mark.parametrize(("name", "figures"), [("ingest", 2), ("sync", 2)])
def test_a_bench_compares_with_stores_that_are_not_encrypted(tmp_path, name, figures):
    listed = bench(tmp_path, name, "--records", "40", "--runs", "2", "--plain", "--profile")

    assert len(listed) == figures
    for one in listed:
        assert one["of_plain"] > 0
        assert 0 < len(one["profile"]) <= 12
        assert any("sqlcipher3" in line for line in one["profile"])


def test_live_tells_how_long_two_hops_take(tmp_path):
    (found,) = bench(tmp_path, "live", "--records", "2", "--runs", "2")

    well_formed(found, "ms", 2, 2)


def test_a_person_gets_sentences():
    done = subprocess.run(
        [*PROGRAM, "ingest", "--records", "20", "--runs", "1"], capture_output=True, text=True,
        timeout=120, check=True,
    )  # fmt: skip

    assert len(done.stdout.splitlines()) == 2
    assert "of the limit" in done.stdout


@pytest.mark.parametrize("options", [("walk",), ("ingest", "--records", "0")])
def test_what_makes_no_sense_is_wrong_use(options):
    done = subprocess.run(
        [*PROGRAM, *options], capture_output=True, text=True, timeout=120, check=False
    )

    assert (done.returncode, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("end", [signal.SIGTERM, signal.SIGINT, signal.SIGKILL])
def test_one_that_is_ended_leaves_nothing_behind(tmp_path, end):
    running = subprocess.Popen(
        [*PROGRAM, "live", "--records", "1000"], env=environment(tmp_path),
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    with running:
        deadline = time.monotonic() + 120
        while not (children := homes_of(running.pid)):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        running.send_signal(end)
        running.communicate(timeout=120)

    assert running.returncode != 0
    assert list(tmp_path.iterdir()) == []
    while any(Path(f"/proc/{one}").exists() for one in children):  # a process that had just begun
        assert time.monotonic() < deadline
        time.sleep(0.05)


def homes_of(parent):
    """Returns the ids of the processes that a bench has started."""
    found = Path(f"/proc/{parent}/task/{parent}/children").read_text()
    return [int(one) for one in found.split()]
