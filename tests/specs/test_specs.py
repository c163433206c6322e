"""The specs and the code agree, and what makes them differ is found."""

import shutil

import pytest

from meshcoop.dev.specs import check as specs
from protocol.fold.kind import KINDS
from protocol.record.envelope import OPEN
from tests.support.paths import ROOT


def test_specs_and_code_agree():
    assert specs.check(ROOT) == []


def test_the_checkout_is_found():
    assert specs.checkout() == ROOT


@pytest.fixture
def copy(tmp_path):
    for folder in ("specs", "protocol", "meshcoop", "tests"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=ignored)
    return tmp_path


def change(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def test_a_table_that_was_changed_by_hand_is_found_and_written_again(copy):
    path = copy / "specs" / "13-exchange.md"
    change(path, "| `title` | text |", "| `title` | number |")
    assert specs.check(copy) == [
        "The tables in specs/13-exchange.md are out of date; run `meshcoop specs`."
    ]
    assert specs.write(copy) == [path]
    assert specs.check(copy) == []


def test_a_vector_that_was_changed_by_hand_is_found_and_written_again(copy):
    path = copy / "specs" / "vectors" / "gossip.json"
    change(path, '"topic": "/meshcoop/1/', '"topic": "/meshcoop/2/')
    (found,) = specs.check(copy)
    assert found.startswith("specs/vectors/gossip.json is not what the code makes;")
    assert specs.write(copy) == [path]
    assert specs.check(copy) == []


def test_a_missing_vector_is_found(copy):
    (copy / "specs" / "vectors" / "codec.json").unlink()
    (found,) = specs.check(copy)
    assert found.startswith("specs/vectors/codec.json ")


def test_a_rule_that_code_cites_and_no_document_defines_is_found(copy):
    rule = "R-01" + ".999"
    path = copy / "protocol" / "extra.py"
    path.write_text(f'"""{rule}"""\n')
    assert specs.check(copy) == [
        f"{rule} is cited in protocol/extra.py, and no document in specs defines it."
    ]


def test_rules_defined_twice_or_elsewhere_or_for_nothing_are_found(copy):
    path = copy / "specs" / "02-codec.md"
    rule = "R-02" + ".888"
    lines = f"**R-02.1** again\n**R-01.1** astray\n**{rule}** idle\n**R-02.889** (advice) fine\n"
    path.write_text(path.read_text() + lines)
    assert specs.check(copy) == [
        "R-01.1 is defined in 02-codec.md; its number belongs to another document.",
        "R-01.1 is defined twice, in 01-records.md and in 02-codec.md.",
        "R-02.1 is defined twice, in 02-codec.md and in 02-codec.md.",
        f"{rule} in 02-codec.md is cited by no code and no test: show where it holds.",
    ]


def test_a_kind_without_a_table_is_found(copy):
    path = copy / "specs" / "14-conversation.md"
    change(path, "<!-- generated: kind close -->", "<!-- was: kind close -->")
    assert specs.check(copy) == [
        "No document in specs has the generated part `kind close`; add its two markers to one."
    ]


def test_kinds_of_authority_are_open_roots_by_software():
    """R-11.1."""
    for name in ("charter", "admit", "accept", "device", "epoch"):
        kind = KINDS[name]
        by_people = name == "accept"  # of a pact, a signup or a link
        assert (kind.relied_on, kind.posted, kind.audience) == (True, by_people, OPEN)
        about = ("charter", "renewal", "pact", "signup", "link")
        assert kind.about == (about if by_people else ())
        assert bool(kind.states) == (name == "charter")
