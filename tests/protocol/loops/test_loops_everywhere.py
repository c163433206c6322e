"""Every version of Python on this machine computes the same fractions. The test of a version that
is missing is skipped, and the skip names the version.
"""

import json
import shutil
import subprocess
import sys

import pytest

from tests.support.paths import ROOT

PROGRAM = """
import json, random
from protocol.loops.change_detection import run_change_test
from protocol.loops.points import COUNT, SHARE, Point
from protocol.loops.target_check import misses_target
chance, told = random.Random(7), []
for n in range(40):
    share = [Point(m := 5 + int(chance.random() * 9), int(chance.random() * m)) for _ in range(n)]
    count = [Point(1, int(chance.random() * 7)) for _ in range(n)]
    for scale, points, aim in ((SHARE, share, 80), (COUNT, count, 2)):
        held = run_change_test(scale, points)
        tails = [str(one) for w in (held.w1, held.w4) if w for one in w]
        told.append([tails, held.r8, held.change, misses_target(scale, aim, points)])
print(json.dumps(told))
"""


def told(python):
    done = subprocess.run(
        [python, "-c", PROGRAM], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return (done.returncode, done.stdout, done.stderr)


@pytest.mark.parametrize("version", ["3.11", "3.12", "3.13"])
def test_the_same_everywhere(version):
    python = shutil.which(f"python{version}")
    if python is None or subprocess.run([python, "-c", ""], check=False).returncode:
        pytest.skip(f"no Python {version} here")
    code, found, errors = told(python)
    assert code == 0, errors
    assert len(json.loads(found)) == 80
    assert found == told(sys.executable)[1]
