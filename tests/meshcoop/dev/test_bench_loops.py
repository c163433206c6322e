"""Compared with a naive rule, the rules of loops raise few false alarms, and find a change soon."""

import math

from meshcoop.dev.bench.loop_alarms import measure_alarms


def test_a_few_runs_of_every_cell_tell_what_the_method_is_for():
    told = {one["name"]: one for one in measure_alarms(2)}
    assert len(told) == 20
    for name, one in told.items():
        assert (len(one["runs"]), one["records"]) == (2, 2)
        if name.endswith("false alarms"):
            assert one["figure"] <= one["limit"]  # the limit is the naive rule's figure
        else:
            assert 1 <= one["figure"] <= 52
    large = told["share, 30 answers a week, 10 % bad, then 50 %: delay"]
    assert large["figure"] <= 2
    spread = math.dist(large["runs"], [large["figure"]] * 2) / 2
    assert large["tolerance"] == round(2 * spread, 2)
