"""Sentences for people are made in the screen and in the command line only. Below them, a node says
something as a code with arguments.
"""

from string import Formatter

import pytest

from meshcoop.api.credit_advice import Advice
from meshcoop.api.loop_codes import Reading
from meshcoop.cli.plain_text import format_remark
from meshcoop.matching.explanations import Explanation
from meshcoop.matching.suggestions import Purpose
from meshcoop.repair.integrity import Fault
from meshcoop.repair.rebuild import Repair
from protocol.loops.outcome import Result
from protocol.sentences import SENTENCES
from tui.format.phrases import remark_in_words
from tui.node.shown import Shown

CODES = [*Reading, *Result, *Purpose, *Explanation, *Advice, *Fault, *Repair]
ADA = {"id": "a" * 64, "name": "Ada"}
ARGUMENTS = {
    "actor": ADA, "other": ADA, "words": "hemming", "what": "Soup", "area": "north", "days": [0, 3],
    "language": "Yoruba", "minutes": 90, "limit": -600, "balance": 0, "on": "2026-11-23",
    "name": "store.db", "fault": "row 3", "error": "too old", "count": 2, "saved": 5, "lost": 1,
    "folder": "store.damaged", "faults": [{"code": "log_is_damaged", "arguments": {}}],
}  # fmt: skip


def test_every_code_of_the_node_has_one_sentence_and_every_sentence_a_code():
    assert sorted(SENTENCES) == sorted(CODES)


@pytest.mark.parametrize("code", SENTENCES)
def test_the_screen_and_the_command_line_fill_every_gap(code):
    names = [
        name for _text, name, _format, _conversion in Formatter().parse(SENTENCES[code]) if name
    ]
    remark = {"code": code, "arguments": {name: ARGUMENTS[name] for name in names}}

    for sentence in (format_remark(remark), remark_in_words(Shown(remark))):
        assert not set("{}[]") & set(sentence)
        assert all(ARGUMENTS[name] in sentence for name in names if name in {"words", "what"})
