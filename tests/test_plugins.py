"""Kinds from other packages: which of these kinds are registered, and which are left out."""

import json
import re

import pytest

from protocol import kinds
from protocol.fold.registry import KINDS
from tests.support.guest_packages import TOOLLIB, install_package, install_toollib, run_beside
from tests.support.paths import SPECS

GUIDE = (SPECS / "guides" / "developer.md").read_text(encoding="utf-8")
TOOLLIB_KINDS = ["toollib.loan", "toollib.returned", "toollib.tool"]

REPORT = """
import json
from protocol import kinds
from protocol.fold.registry import KINDS, describe_kinds
rows = describe_kinds()
print(json.dumps({
    "names": list(KINDS), "rows": rows, "origins": kinds.ORIGINS, "faults": kinds.FAULTS,
}))
"""


def loaded_beside(folder):
    """Starts a new interpreter that finds the packages in this folder. Returns what the interpreter
    registers.
    """
    done = run_beside(folder, "-c", REPORT)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# -- the guide ------------------------------------------------------------------------------------


def blocks(language):
    chapter = GUIDE.split("## A kind from your own package", 1)[1].split("\n## ", 1)[0]
    return re.findall(rf"^```{language}\n(.*?)^```", chapter, re.MULTILINE | re.DOTALL)


def code_lines(text):
    return [line for line in text.splitlines() if line]


def test_the_blocks_of_the_guide_are_the_package():
    module = (TOOLLIB / "toollib.py").read_text(encoding="utf-8")

    assert code_lines("\n".join(blocks("python"))) == code_lines(module)
    assert blocks("toml") == [(TOOLLIB / "pyproject.toml").read_text(encoding="utf-8")]


def test_the_commands_of_the_guide_are_understood_beside_the_package(tmp_path):
    install_toollib(tmp_path)
    commands = [line for line in "".join(blocks("sh")).splitlines() if line]
    parse = (
        "import shlex, sys\n"
        "from meshcoop.cli.main import build_app\n"
        "for line in sys.argv[1:]:\n"
        "    words = shlex.split(line)[1:]\n"
        "    build_app().parse_args(words, exit_on_error=False, print_error=False)\n"
    )

    done = run_beside(tmp_path, "-c", parse, *commands)

    assert len(commands) > 5
    assert all(line.startswith("meshcoop ") for line in commands)
    assert done.returncode == 0, done.stderr


# -- what is registered ---------------------------------------------------------------------------


def test_the_kinds_of_a_package_come_after_our_own(tmp_path):
    install_toollib(tmp_path)

    loaded = loaded_beside(tmp_path)

    core = [name for name, origin in kinds.ORIGINS.items() if origin.startswith("meshcoop ")]
    assert loaded["faults"] == {}
    assert loaded["names"] == [*sorted(core), *TOOLLIB_KINDS]
    assert {loaded["origins"][name] for name in TOOLLIB_KINDS} == {"toollib 1.0"}
    assert {loaded["origins"][name] for name in core} == {kinds.ORIGINS["request"]}
    rows = {row["name"]: row for row in loaded["rows"]}
    assert list(rows) == loaded["names"]
    assert rows["toollib.loan"]["about"] == ["toollib.tool"]
    assert rows["toollib.loan"]["states"][:3] == ["asked", "lent", "overdue"]
    assert [field["name"] for field in rows["toollib.tool"]["fields"]] == [
        "title", "text", "minutes",
    ]  # fmt: skip


def test_accept_and_close_answer_the_kinds_of_a_package(tmp_path):
    install_toollib(tmp_path)

    rows = {row["name"]: row for row in loaded_beside(tmp_path)["rows"]}

    assert "toollib.loan" in rows["accept"]["about"]
    assert {"toollib.tool", "toollib.loan"} <= set(rows["close"]["about"])


def declares(decorator, body="", *, lacks=""):
    """Returns the source of a package with one kind. The arguments are parts of the kind's
    declaration.
    """
    parts = {
        "state": '    class State(States):\n        OPEN = "open", "Always."',
        "wording": '    wording = Words("Thing", happened="{who} has it")',
        "example": '    example = {"title": "A thing"}',
    }
    return "\n".join([
        "from protocol.fold.kind import By, Kind, Words",
        "from protocol.fold.registry import KINDS, kind",
        "from protocol.fold.view import States",
        "from protocol.record.envelope import OPEN, PRIVATE",
        "from protocol.schema.declare import Text",
        f"@kind({decorator})",
        "class Thing(Kind):",
        '    """A thing."""',
        *(text for name, text in parts.items() if name != lacks),
        "    title: str | None = Text(required=True, max=9)",
        body,
        "",
    ])  # fmt: skip


SOUND = declares('"guest.thing"')
FAULTY = {
    "it raises": (f"{SOUND}\nraise RuntimeError('out of\\norder')", "RuntimeError: out of"),
    "it cannot be read": ("def", "SyntaxError"),
    "it imports what is not there": (f"{SOUND}\nimport nothing_here", "ModuleNotFoundError"),
    "a name without the prefix": (declares('"thing"'), "must begin with 'guest.'"),
    "another package's prefix": (declares('"toollib.thing"'), "must begin with 'guest.'"),
    "a name that only begins alike": (declares('"guests.thing"'), "must begin with 'guest.'"),
    "a list without the prefix": (
        declares('"guest.thing", plural="requests"'), "must begin with 'guest.'",
    ),
    "a name that is taken": (declares('"request"'), "declared twice"),
    "an open kind": (declares('"guest.thing", audience=OPEN'), "is open"),
    "judged by authority": (
        declares('"guest.thing"', "    judged_by_authority = True"), "is open",
    ),
    "about a core kind": (
        declares('"guest.thing", about=("request",)'), "about kinds of another package",
    ),
    "about another package's kind": (
        declares('"guest.thing", about=("toollib.tool",)'), "about kinds of another package",
    ),
    "about anything": (declares('"guest.thing", about=("*",)'), "about kinds of another package"),
    "about whatever fits": (
        declares('"guest.thing", about=lambda view_type: True'), "about kinds of another package",
    ),
    "no words": (declares('"guest.thing"', lacks="wording"), "declares no wording"),
    "no states": (declares('"guest.thing"', lacks="state"), "declares no State"),
    "no example": (declares('"guest.thing"', lacks="example"), "declares no example"),
    "a wrong example": (
        declares('"guest.thing"', '    example = {"title": "far too long"}'), "the example of",
    ),
    "a state that it has not": (
        declares('"guest.thing"', '    accept = By("author", makes="shut")'), "none of its states",
    ),
    "a field without an annotation": (
        declares('"guest.thing"', "    more = Text(max=9)"), "has no annotation",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTY)
def test_a_package_that_fails_is_left_out_whole(fault, tmp_path):
    source, reason = FAULTY[fault]
    install_package(tmp_path, "guest", module=source, version="0.3")
    install_toollib(tmp_path)

    loaded = loaded_beside(tmp_path)

    assert list(loaded["faults"]) == ["guest 0.3"]
    assert reason in loaded["faults"]["guest 0.3"]
    assert "\n" not in loaded["faults"]["guest 0.3"]
    assert loaded["names"] == [*(name for name in KINDS if "." not in name), *TOOLLIB_KINDS]
    assert loaded["origins"].keys() == set(loaded["names"])


def test_one_bad_kind_takes_the_good_ones_of_its_package_along(tmp_path):
    install_package(tmp_path, "guest", module=SOUND, points={"a": "guest", "b": "guest_more"})
    (tmp_path / "guest_more.py").write_text(declares('"more.thing"'), encoding="utf-8")

    loaded = loaded_beside(tmp_path)

    assert list(loaded["faults"]) == ["guest 1.0"]
    assert not [name for name in loaded["names"] if "." in name]


def test_a_hyphen_in_the_name_of_a_package_becomes_an_underscore(tmp_path):
    install_package(tmp_path, "Tea-Time", module=declares('"tea_time.thing"'))

    loaded = loaded_beside(tmp_path)

    assert loaded["faults"] == {}
    assert loaded["origins"]["tea_time.thing"] == "Tea-Time 1.0"


def test_a_private_kind_of_a_package_is_registered(tmp_path):
    install_package(tmp_path, "guest", module=declares('"guest.thing", audience=PRIVATE'))

    assert loaded_beside(tmp_path)["faults"] == {}


def test_a_family_of_our_own_that_fails_is_loud(tmp_path):
    install_package(
        tmp_path, "meshcoop", module="raise RuntimeError('ours')", points={"ours": "meshcoop"}
    )
    (tmp_path / "meshcoop.py").rename(tmp_path / "broken_family.py")
    info = tmp_path / "meshcoop-1.0.dist-info" / "entry_points.txt"
    info.write_text("[meshcoop.kinds]\nours = broken_family\n", encoding="utf-8")

    done = run_beside(tmp_path, "-c", "import protocol.kinds")

    assert done.returncode == 1
    assert "RuntimeError: ours" in done.stderr


def test_the_command_line_names_packages_and_their_faults(tmp_path):
    install_toollib(tmp_path)
    install_package(tmp_path, "guest", module=FAULTY["it raises"][0])

    done = run_beside(tmp_path, "-m", "meshcoop", "--json", "kinds")
    text = run_beside(tmp_path, "-m", "meshcoop", "kinds").stdout

    origins = {row["name"]: row["from"] for row in json.loads(done.stdout)}
    assert done.returncode == 0
    assert done.stderr.count("\n") == 1
    assert done.stderr.startswith("The kinds of guest 1.0 are left out: RuntimeError")
    assert origins["toollib.tool"] == "toollib 1.0"
    assert origins["request"] == kinds.ORIGINS["request"]
    assert "From toollib 1.0:\n  toollib.loan: until!\n" in text
