"""Sentences about a measure agree with what its tests say."""

from itertools import product

import pytest

from meshcoop.api.loop_codes import read_result
from protocol.sentences import SENTENCES

RESULTS = list(product(("worse", "better", None), (True, False), (True, False)))


@pytest.mark.parametrize(("change", "is_short", "is_early"), RESULTS)
def test_sentence_says_what_the_tests_say(change, is_short, is_early):
    sentence = SENTENCES[read_result(change, is_short=is_short, is_early=is_early)].lower()

    is_usual = change is None and not (is_short and is_early)
    assert ("worse than usual" in sentence) == (change == "worse")
    assert ("better than usual" in sentence) == (change == "better")
    assert ("as usual" in sentence) == is_usual
    assert ("short of the target" in sentence or "not good enough" in sentence) == is_short
