"""Files are written and read, and logs are formatted, in few places, each of them careful."""

import ast
import re

from tests.support.paths import ROOT

# These places write files. Each replaces a file, or refuses to follow a link that somebody has put
# there. Everything else calls `open_replacement`.
WRITERS = {
    "meshcoop/home/private_files.py": "opens the replacement",
    "meshcoop/node/process.py": "the log of a node, not through a link",
    "meshcoop/node/step_meter.py": "a report for developers, at a path of the environment",
    "meshcoop/cli/main.py": "os.devnull, instead of a stream that is closed",
    "tui/node/program.py": "a pipe to a program",
    "tui/screens/invite_screen.py": "an invitation, not through a link",
}
# These places open files that a person names, or files of this machine. Everything else calls
# `open_file`, which refuses links, devices and pipes.
READERS = {
    "meshcoop/cli/loops/point_file.py": "points; people pipe them in",
    "meshcoop/cli/guides.py": "files of this package",
    "meshcoop/cli/recovery_sheet.py": "words of a sheet; programs pipe them in",
    "meshcoop/cli/installation.py": "the record of this package",
    "meshcoop/cli/main.py": "os.devnull, instead of a stream that is closed",
    "meshcoop/export/bundle.py": "open_file itself",
    "meshcoop/fold/fold_version.py": "files of this package",
    "meshcoop/home/key_file.py": "the id of this machine",
    "meshcoop/home/passphrase.py": "a secret; people pipe it in",
    "meshcoop/home/recovery_words.py": "words; people pipe them in",
    "meshcoop/home/settings.py": "a file of the home",
    "meshcoop/home/folder.py": "a file of the home",
    "meshcoop/matching/vocabulary.py": "a file of this package",
    "meshcoop/node/process.py": "the log of a node",
    "meshcoop/node/step_meter.py": "a report for developers",
    "meshcoop/repair/integrity.py": "a file of the home",
    "meshcoop/home/sealed_file.py": "a file of the home",
}
_WRITING = re.compile(r"\.write_(?:bytes|text)\(|open\([^()]*\"[wax]b?\"")
_READING = re.compile(r"\.read_(?:bytes|text)\(|open\([^()]*\"rb?\"|\.open\(encoding")
_FORMATTERS = {
    "protocol/log_lines.py",
    "meshcoop/node/json_log.py",
    "meshcoop/home/log_files.py",  # is given one of the others
}


def program_files():
    for package in ("meshcoop", "protocol", "tui"):
        for path in sorted((ROOT / package).rglob("*.py")):
            if not {"dev", "testing"} & set(path.relative_to(ROOT).parts):
                yield path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8")


def files_with(pattern):
    return {name for name, text in program_files() if pattern.search(text)}


def test_every_place_that_writes_a_file_is_known():
    assert files_with(_WRITING) <= WRITERS.keys()


def test_every_place_that_reads_a_file_is_known():
    assert {name for name in files_with(_READING) if name.startswith("meshcoop")} <= READERS.keys()


def test_every_log_has_a_formatter_that_is_safe():
    formatters = {
        name
        for name, text in program_files()
        if "Formatter" in text  # to parse is slow
        for node in ast.walk(ast.parse(text))
        if isinstance(node, ast.Attribute) and node.attr == "Formatter"
    }

    assert formatters == _FORMATTERS


def test_every_log_is_guarded():
    """Each place that opens the file of a log makes its entries safe and few (R-05.13a)."""
    openers = files_with(re.compile(r"(?:File|Stream|Socket|Queue|SysLog|Rotating)Handler[()]"))

    assert openers
    assert openers == files_with(re.compile(r"^ +guard_log\(", re.MULTILINE))
    assert not files_with(re.compile(r"\.setFormatter\(")) - {"protocol/log_lines.py"}
