"""Sentences for people are made in the screen and in the command line only. Below them, a node says
something as a code with arguments.
"""

from string import Formatter

import pytest

from meshcoop.api.credit_advice import Advice
from meshcoop.api.loop_codes import Reading, Running, Standing
from meshcoop.api.roll_growth import Lack, Says
from meshcoop.api.trial_views import Power
from meshcoop.cli.plain_text import format_remark
from meshcoop.matching.explanations import Explanation
from meshcoop.matching.suggestions import Purpose
from meshcoop.repair.integrity import Fault
from meshcoop.repair.rebuild import Repair
from protocol.loops.outcome import Result
from protocol.loops.trial_comparison import Finding
from protocol.sentences import SENTENCES
from tests.support.sentences import below_the_edges, find_sentences
from tui.format.phrases import remark_in_words
from tui.node.shown import Shown

# Files below the screen and the command line that may hold sentences, and why.
EXCEPTIONS = {
    "meshcoop/api/name_order.py": "the letters of alphabets",
    "meshcoop/api/presenter.py": "the common pot stands where a person stands, so it has a name",
    "meshcoop/api/server.py": "a farewell is an error: its text is translated as a whole",
    "meshcoop/errors.py": "the text of a refusal that several modules raise",
    "meshcoop/export/bundle.py": "why a file cannot be read on; told as it is, as other faults of files",
    "meshcoop/home/passphrase.py": "asks at the terminal, before there is a node or a screen",
    "meshcoop/home/recovery_words.py": "asks at the terminal, before there is a node or a screen",
    "meshcoop/node/start_report.py": "lines of the log",
    "meshcoop/node/step_meter.py": "lines of the log",
    "meshcoop/node/systemd.py": "a file for systemd",
    "meshcoop/relay/metrics.py": "for those who watch a relay",
    "meshcoop/relay/relay.py": "a refusal's reason, which goes to another program",
    "meshcoop/store/disk_errors.py": "the texts of refusals, by the error of the disk",
    "meshcoop/store/given_addresses.py": "SQL",
    "meshcoop/store/records.py": "SQL",
    "protocol/fold/kind.py": "the text of a refusal, which each kind may declare",
    "protocol/log_lines.py": "lines of the log",
    "protocol/record/envelope.py": "names of fields of a header, for those who write programs",
    "protocol/wire/param_fields.py": "names of types, as the specs show them",
    "protocol/wire/calls.py": "what the specs say about a method and its params",
    "protocol/schema": "forms of input, as `--help` and the specs show them",
}

CODES = [
    *Reading,
    *Standing,
    *Running,
    *Result,
    *Purpose,
    *Explanation,
    *Advice,
    *Fault,
    *Repair,
    *Says,
    *Lack,
    *Power,
    *Finding,
]
ADA = {"id": "a" * 64, "name": "Ada"}
ARGUMENTS = {
    "actor": ADA, "other": ADA, "words": "hemming", "what": "Soup", "area": "north", "days": [0, 3],
    "language": "Yoruba", "minutes": 90, "limit": -600, "balance": 0, "on": "2026-11-23",
    "name": "store.db", "fault": "row 3", "error": "too old", "count": 2, "saved": 5, "lost": 1,
    "people": [ADA, ADA], "total": 3, "share": 50, "folder": "store.damaged", "percent": 28, "before": 4, "during": 4, "faults": [{"code": "log_is_damaged", "arguments": {}}],
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


def test_no_sentence_is_made_below_the_edges():
    sentences = [
        sentence
        for path in below_the_edges()
        for sentence in find_sentences(path)
        if not _exception(sentence.path)
    ]

    assert not sentences, "\n".join(map(str, sentences))


def test_every_exception_is_needed():
    found = {
        _exception(sentence.path) for path in below_the_edges() for sentence in find_sentences(path)
    }

    assert set(EXCEPTIONS) <= found


def _exception(path):
    """Returns the entry of EXCEPTIONS that covers a file, or None."""
    names = [str(path), *map(str, path.parents)]
    return next((name for name in names if name in EXCEPTIONS), None)


def sentences_in(folder, source):
    path = folder / "module.py"
    path.write_text(source, encoding="utf-8")
    return [sentence.text for sentence in find_sentences(path, folder)]


@pytest.mark.parametrize(
    "source",
    [
        'WORDS = "It is better than before."',
        'def tell(who): return f"{who} is at home now"',
        'raise Refused("R-01.1", "{why}", why="it came too late")',
        'raise Mistake(f"the file {path} is damaged")',
    ],
)
def test_a_sentence_is_found(source, tmp_path):
    assert sentences_in(tmp_path, source)


@pytest.mark.parametrize(
    "source",
    [
        '"""Says what is here."""',
        'raise Refused("R-01.1", "{path} came too late", path=path)',
        'raise ValueError("only a programmer reads this")',
        'log.warning("the node has begun %s", name)',
        'assert is_known, "the kind is known by now"',
        'raise Mistake("{who} is late" if is_late else "{who} is away now", who=who)',
        'WHY = "it came too late; "\nraise Mistake("{who}: " + WHY, who=who)',
        'class Page(Kind):\n    help = "the words of the page"',
        'QUERY = "SELECT name FROM people WHERE id"',
    ],
)
def test_other_texts_are_no_sentences(source, tmp_path):
    assert sentences_in(tmp_path, source) == []
