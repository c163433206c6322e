"""The table of missed targets in the spec equals the table in the code."""

import re

from protocol.loops.target_check import MEANS, MISSED
from tests.support.paths import SPECS

SPEC = SPECS / "20-loops.md"


def test_the_spec_has_the_table():
    rows = re.findall(r"^\| (\d+) \| (\d+) \| (.*) \|$", SPEC.read_text(), re.MULTILINE)
    found = {int(t): (int(mean), tuple(map(int, row.split(" | ")))) for t, mean, row in rows}
    assert found == {t: (MEANS[t], row) for t, row in enumerate(MISSED, 1)}
