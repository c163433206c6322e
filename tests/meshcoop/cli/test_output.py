"""What commands print where letters or room are missing, and what they read there."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from tests.support.real_homes import folder

FULL = Path("/dev/full")  # a file on a disk that is always full
needs_full_disk = pytest.mark.skipif(not FULL.exists(), reason="this system has no /dev/full")
BOM = b"\xef\xbb\xbf"

# These functions print an answer and change nothing. Whoever adds a function that answers decides
# whether it belongs here or sets `is_done`.
QUESTIONS = {
    *(
        "_announce_ready",
        "_answer_words",
        "_print_list",
        "_print_version",
        "apply_loop_rules",
        "list_devices",
    ),
    *(
        "list_kinds",
        "list_relays",
        "print_unit",
        "rehearse_measure",
        "show_address",
        "show_balance",
        "show_findings",
    ),
    *("show_guide", "show_introductions", "show_next_steps", "show_record", "show_status"),
    *("show_storage", "wait_for_node"),
}


@pytest.fixture(scope="module")
def ada():
    with folder() as street:
        yield street.founder("Ada")


def run(home, *words, said=b"", out=subprocess.PIPE, **env):
    """Runs a command in a process of its own, and reads its output as bytes."""
    return subprocess.run(
        home.command(*words),
        input=said,
        stdout=out,
        stderr=subprocess.PIPE,
        env={**home.env, **env},
        check=False,
        timeout=60,
    )


def run_on_full_disk(home, *words, said=b""):
    with FULL.open("wb") as full:
        return run(home, *words, said=said, out=full)


def requests(home):
    return {view["title"]: view["id"] for view in home("list", "requests")}


@needs_full_disk
@pytest.mark.parametrize("form", [(), ("--json",)])
def test_post_that_cannot_answer_says_that_it_is_signed(ada, form):
    title = f"Only once {form}"
    done = run_on_full_disk(ada, *form, "post", "request", "--title", title)

    sentence = done.stderr.decode()
    assert done.returncode == 0
    assert sentence.startswith("This is done and must not be repeated")
    assert requests(ada)[title] in sentence
    assert sentence.count("\n") == 1


@needs_full_disk
def test_question_that_cannot_be_answered_fails_in_one_sentence(ada):
    for words in (("list", "requests"), ("--help",), ("post", "request", "--help"), ("--version",)):
        done = run_on_full_disk(ada, *words)

        assert done.returncode == 1, words
        assert done.stderr.count(b"\n") == 1, done.stderr
        assert b"written" in done.stderr or b"The disk is full" in done.stderr


@needs_full_disk
def test_lines_stop_at_the_first_answer_that_cannot_be_written(ada):
    titles = ("First line", "Second line")
    lines = [{"kind": "request", "fields": {"title": title}} for title in titles]
    said = "".join(json.dumps(line) + "\n" for line in lines).encode()

    done = run_on_full_disk(ada, "post", "--lines", said=said)

    assert done.returncode == 1
    assert b"Line 1 is signed and the later ones are not read" in done.stderr
    assert requests(ada)["First line"].encode() in done.stderr
    assert "Second line" not in requests(ada)


def test_terminal_that_lacks_letters_shows_the_others(ada):
    ada.post("request", "--title", "Łódź für 3 🎉")

    words = run(ada, "list", "requests", PYTHONIOENCODING="iso-8859-1")
    assert words.returncode == 0
    assert "?ód? für 3 ?".encode("iso-8859-1") in words.stdout
    assert words.stderr.count(b"\n") == 1
    assert b"set the terminal to UTF-8" in words.stderr

    answer = run(ada, "list", "requests", "--json", PYTHONIOENCODING="iso-8859-1")
    assert "Łódź für 3 🎉" in [view["title"] for view in json.loads(answer.stdout)]
    assert answer.stderr == b""


def test_closed_streams_are_no_obstacle(ada):
    line = '"$@" <&- >&- 2>&-'
    command = ["sh", "-c", line, "sh", *ada.command("post", "request", "--title", "In the dark")]

    done = subprocess.run(command, env=ada.env, check=False, timeout=60)

    assert done.returncode == 0
    assert "In the dark" in requests(ada)


def test_lines_are_utf8_with_or_without_a_mark(ada):
    line = json.dumps({"kind": "request", "fields": {"title": "Süd"}}, ensure_ascii=False).encode()

    done = run(ada, "post", "--lines", said=BOM + line + b"\n", PYTHONIOENCODING="iso-8859-1")
    broken = run(ada, "post", "--lines", said=b'{"kind": "\xff"}\n')

    assert done.returncode == 0
    assert "Süd" in requests(ada)
    assert broken.returncode == 1
    assert "not JSON" in json.loads(broken.stdout)["error"]


def test_words_that_are_not_utf8_are_refused_in_one_sentence(ada):
    for words in (["search", b"caf\xe9"], ["post", "request", "--title", b"caf\xe9"]):
        done = run(ada, *words)

        assert done.returncode == 2
        assert done.stderr.count(b"\n") == 1
        assert b"not UTF-8" in done.stderr


@pytest.mark.parametrize("place", [0, 1, 2, 4])
def test_json_stands_anywhere(ada, place):
    words = ["post", "proposal", "--change", "charter", "answer-days=5", "--title", "More time"]
    words.insert(place, "--json") if place < 4 else words.append("--json")

    done = run(ada, *words)

    assert done.returncode == 0, done.stderr
    assert list(json.loads(done.stdout)) == ["id"]


def test_change_ends_at_the_next_option(ada):
    words = [
        "post",
        "proposal",
        "--title",
        "Even more time",
        "--change",
        "charter",
        "answer-days=6",
    ]

    done = run(ada, *words, "--json")

    assert list(json.loads(done.stdout)) == ["id"]


def test_refused_rule_is_named_as_it_was_typed(ada):
    done = run(ada, "post", "proposal", "--title", "Years", "--change", "charter", "answer-days=8")

    assert done.returncode == 2
    assert done.stderr.startswith(b"`answer-days` must be a whole number from 1 to 7 (R-10.3)")


def test_option_without_its_value_takes_no_other_option(ada):
    done = run(ada, "post", "request", "--title", "--json")

    assert done.returncode == 2
    assert b"requires an argument" in done.stderr


def test_every_answer_is_to_a_question_or_says_that_something_is_done():
    questions = set()
    for path in sorted((ROOT / "meshcoop" / "cli").rglob("*.py")):
        for function in ast.walk(ast.parse(path.read_text())):
            if isinstance(function, ast.FunctionDef):
                questions |= {function.name for call in ast.walk(function) if is_question(call)}

    assert questions == QUESTIONS


def is_question(call):
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "answer"
        and "is_done" not in {keyword.arg for keyword in call.keywords}
    )


def test_list_that_is_cut_says_how_many_there_are_and_how_to_go_on(ada):
    lines = [{"kind": "offer", "fields": {"title": f"Planks {number}"}} for number in range(60)]
    said = "".join(json.dumps(line) + "\n" for line in lines).encode()
    assert run(ada, "post", "--lines", said=said).returncode == 0

    cut = run(ada, "search", "planks", "--json")
    page = json.loads(run(ada, "search", "planks", "--page", "--json").stdout)
    rest = run(ada, "search", "planks", "--after", page["next"][:8], "--json")
    whole = run(ada, "search", "planks", "--limit", "99999", "--json")

    rows = json.loads(cut.stdout)
    assert (len(rows), page["rows"], page["total"]) == (50, rows, 60)
    assert cut.stderr.startswith(b"50 of 60 are shown; add --limit 60 for all, or --after ")
    assert json.loads(whole.stdout) == rows + json.loads(rest.stdout)
    assert len(json.loads(whole.stdout)) == 60
    assert (rest.stderr, whole.stderr) == (b"", b"")


def test_crash_is_one_line_where_no_terminal_shows_it():
    """The standard error of a node is its log. A peer's words with a line break in a fault of ours
    must not make up an entry there.
    """
    fault = "raise ValueError('heard\\n2026-11-28 12:00:00 INFO meshcoop: all is well')"
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            f"import sys; from meshcoop.cli import main; sys.excepthook = main._print_crash; {fault}",
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "\\n2026-11-28 12:00:00 INFO meshcoop: all is well" in done.stderr
