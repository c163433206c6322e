"""The specs and the code agree. If they differ, the check finds the difference."""

import shutil
from functools import cache

import pytest

from meshcoop.dev.specs import check as specs
from meshcoop.dev.specs import citations, rules
from protocol.fold.registry import KINDS
from protocol.record.envelope import OPEN
from tests.support.paths import ROOT


@pytest.fixture(scope="module", autouse=True)
def _vectors_made_once():
    """Makes the vectors once for all tests of this module: they depend on the code alone."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(specs, "_vector_texts", cache(specs._vector_texts))
        yield


def test_specs_and_code_agree():
    assert specs.find_differences(ROOT) == []


def test_the_checkout_is_found():
    assert specs.find_checkout() == ROOT


@pytest.fixture
def copy(tmp_path):
    for folder in (".github", "specs", "protocol", "meshcoop", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def finished_document(root, text):
    """Writes a document with rules, and a test that cites them. Returns the name of the
    document.
    """
    (root / "specs").mkdir()
    (root / "specs" / "99-new.md").write_text(f"# 99 New\n\n{text}\n")
    (root / "tests").mkdir()
    (root / "tests" / "test_new.py").write_text('"""R-99.1"""\n')
    return "99-new.md"


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_tables_and_vectors_that_were_changed_by_hand_are_found_and_written_again(copy):
    table = copy / "specs" / "13-exchange.md"
    vector = copy / "specs" / "vectors" / "gossip.json"
    missing = copy / "specs" / "vectors" / "codec.json"
    change(table, "| `title` | text |", "| `title` | number |")
    change(vector, '"topic": "/meshcoop/1/', '"topic": "/meshcoop/2/')
    missing.unlink()

    of_table, *of_vectors = specs.find_differences(copy)
    assert of_table == "The tables in specs/13-exchange.md are out of date; run `meshcoop specs`."
    assert {sentence.split(";")[0] for sentence in of_vectors} == {
        "specs/vectors/gossip.json is not what the code makes",
        "specs/vectors/codec.json is not what the code makes",
    }
    assert set(specs.write_generated_parts(copy)) == {table, vector, missing}
    assert specs.find_differences(copy) == []


def test_every_fault_that_is_put_in_by_hand_is_found(copy):
    """Puts all faults into one copy, since each check reads the whole tree."""
    unknown, lettered, idle, cited = (
        f"R-{number}" for number in ("01.999", "01.1q", "02.888", "01.777")
    )
    absent = "absent" + ".md"
    (copy / "protocol" / "extra.py").write_text(f'"""{unknown}, {lettered}"""\n')
    (copy / "specs" / "guide.md").write_text(f"See {cited}.\n")
    (copy / "specs" / "decisions" / "0099-new.md").write_text(
        f"See {absent} and 0001-envelope-inline-array-detached-content.md.\n"
    )
    codec = copy / "specs" / "02-codec.md"
    lines = (
        "**R-02.1** MUST be again",
        "**R-01.1** MUST be astray",
        f"**{idle}** MUST be idle",
        "**R-02.889** (advice) MAY be fine",
        "**R-02.2z** A reader MUST check this part as well.",  # the citation of covers it
    )
    codec.write_text(codec.read_text() + "\n".join(["", *lines, ""]))
    change(
        copy / "specs" / "14-conversation.md",
        "<!-- generated: kind close -->",
        "<!-- was: kind close -->",
    )

    assert sorted(specs.find_differences(copy)) == sorted(
        [
            f"{unknown} is cited in protocol/extra.py, and no document in specs defines it.",
            f"{lettered} is cited in protocol/extra.py, and no document in specs defines it.",
            f"{cited} is cited in specs/guide.md, and no document in specs defines it.",
            "R-01.1 is defined in 02-codec.md; its number belongs to another document.",
            "R-01.1 is defined twice, in 01-records.md and in 02-codec.md.",
            "R-02.1 is defined twice, in 02-codec.md and in 02-codec.md.",
            f"{idle} in 02-codec.md is cited by no code and no test: show where it holds.",
            f"specs/decisions/0099-new.md cites {absent}, which is not in the repository.",
            "No document in specs has the generated part `kind close`; add its two markers to one.",
        ]
    )


def test_a_rule_of_more_than_sixty_words_is_found(tmp_path):
    long = " ".join(["word"] * 59)
    document = finished_document(tmp_path, f"**R-99.1** A node MUST {long}.")
    assert list(rules.find_faults(tmp_path)) == [
        f"R-99.1 in {document} has 62 words, at most 60: split it, or move a part into an example."
    ]


@pytest.mark.parametrize(
    "aside",
    ["Example: {}", "For example, {}", "\n| {} |", "\n- {}", "\n\n{}", "`{}`", "\n```\n{}\n```"],
)
def test_examples_tables_lists_figures_and_formulas_of_a_rule_are_not_counted(tmp_path, aside):
    words = " ".join(["word"] * 55)
    more = aside.format(" ".join(["more"] * 60))
    finished_document(tmp_path, f"**R-99.1** A node MUST {words}. {more}")
    assert list(rules.find_faults(tmp_path)) == []


def test_a_rule_without_a_duty_is_found(tmp_path):
    document = finished_document(tmp_path, "**R-99.1** A node checks this. Example: it MUST not.")
    assert list(rules.find_faults(tmp_path)) == [
        f"R-99.1 in {document} says neither MUST nor SHOULD nor MAY."
    ]


@pytest.mark.parametrize(
    ("prose", "name"),
    [
        ("See specs/absent.md for this.", "specs/absent.md"),
        ("The frames of absent.md are these.", "absent.md"),
        ("What the machine does (NOWHERE 8).", "NOWHERE.md"),
        ("Safe text (NOWHERE: text).", "NOWHERE.md"),
        ("Judged by NOWHERE" + " R-6.", "NOWHERE.md"),
        ('See NOWHERE, "What late records can still revise".', "NOWHERE.md"),
    ],
)
def test_a_cited_document_that_is_absent_is_found(tmp_path, prose, name):
    folder = tmp_path / "protocol"
    folder.mkdir()
    (folder / "a.py").write_text(f'def work():\n    """{prose}"""\n')
    (folder / "b.py").write_text(f"LIMIT = 3  # {prose}\n")
    assert list(citations.find_faults(tmp_path)) == [
        f"protocol/a.py cites {name}, which is not in the repository.",
        f"protocol/b.py cites {name}, which is not in the repository.",
    ]


def test_kinds_of_authority_are_open_roots_by_software():
    """R-11.1: the records of these kinds are open and lasting, and software writes them. The only
    kind that people also post is `accept`.
    """
    for name in ("charter", "admit", "accept", "device", "epoch"):
        kind = KINDS[name]
        by_people = name == "accept"  # of a pact, a signup or a link
        assert (kind.lasting, kind.posted, kind.audience) == (True, by_people, OPEN)
        about = ("charter", "link", "pact", "renewal", "signup")
        assert kind.about == (about if by_people else ())
        assert bool(kind.states) == (name == "charter")
