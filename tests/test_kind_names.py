"""The name of a kind is written as a literal only in the files of its family (style rule 9)."""

from pathlib import Path

import pytest

from tests.support.house import ROOT
from tests.support.kind_names import (
    BELOW_THE_KINDS,
    OtherMeaning,
    families_by_name,
    literal_names,
    names_in,
)

_KEY = "a key or a parameter of the local API"
_COMMAND = "the name of a command"
_ERROR = "a key of an error, as it travels"

# Words that are the name of a kind too, and mean something else in this file.
OTHER_MEANINGS = (
    OtherMeaning("meshcoop/api/loop_rows.py", "measure", _KEY),
    OtherMeaning("meshcoop/api/loop_rows.py", "service", _KEY),
    OtherMeaning("meshcoop/api/methods/addresses.py", "agreement", _KEY),
    OtherMeaning("meshcoop/api/methods/devices.py", "device", _KEY),
    OtherMeaning("meshcoop/api/methods/loops.py", "measure", _KEY),
    OtherMeaning("meshcoop/api/methods/loops.py", "service", _KEY),
    OtherMeaning("meshcoop/api/methods/rehearsals.py", "measure", _KEY),
    OtherMeaning("meshcoop/api/methods/status.py", "device", _KEY),
    OtherMeaning("meshcoop/api/methods/status.py", "relay", _KEY),
    OtherMeaning("meshcoop/api/standings.py", "measure", _KEY),
    OtherMeaning("meshcoop/api/standings.py", "service", _KEY),
    OtherMeaning("meshcoop/api/server.py", "message", _ERROR),
    OtherMeaning("meshcoop/cli/backup.py", "device", _KEY),
    OtherMeaning("meshcoop/cli/devices.py", "device", _KEY),
    OtherMeaning("meshcoop/cli/doctor/checks/machine.py", "device", "a word in a sentence"),
    OtherMeaning("meshcoop/cli/doctor/checks/running_node.py", "home", "a word in a sentence"),
    OtherMeaning("meshcoop/cli/export.py", "page", "what is exported"),
    OtherMeaning("meshcoop/cli/node.py", "device", _KEY),
    OtherMeaning("meshcoop/cli/guest.py", "device", _KEY),
    OtherMeaning("meshcoop/cli/kind_options.py", "words", "an attribute of a field"),
    OtherMeaning("meshcoop/cli/loops/rehearsal.py", "answer", "a noun that is counted"),
    OtherMeaning("meshcoop/cli/loops/rehearsal.py", "measure", _KEY),
    OtherMeaning("meshcoop/cli/main.py", "home", "a global option"),
    OtherMeaning("meshcoop/cli/main.py", "relay", _COMMAND),
    OtherMeaning("meshcoop/cli/plain_text.py", "measure", _KEY),
    OtherMeaning("meshcoop/cli/plain_text.py", "service", _KEY),
    OtherMeaning("meshcoop/cli/membership.py", "device", _KEY),
    OtherMeaning("meshcoop/cli/node.py", "relay", _KEY),
    OtherMeaning("meshcoop/cli/relay.py", "relay", _COMMAND),
    OtherMeaning("meshcoop/client.py", "message", _ERROR),
    OtherMeaning("meshcoop/cli/month_page.py", "measure", _KEY),
    OtherMeaning("meshcoop/home/settings.py", "relay", "a setting of the home"),
    OtherMeaning("meshcoop/matching/explanations.py", "words", "the code of a reason"),
    OtherMeaning("meshcoop/matching/fit.py", "words", "the code of a reason"),
    OtherMeaning("meshcoop/node/json_log.py", "message", "a key of a line of the log"),
    OtherMeaning("meshcoop/cli/doctor/checks/running_node.py", "relay", _KEY),
    OtherMeaning("protocol/fold/registry.py", "words", "an attribute of a class or a field"),
    OtherMeaning("protocol/kinds/exchange/exchange.py", "done", "a state"),
    OtherMeaning("protocol/kinds/matching.py", "words", "a field of a synonym"),
    OtherMeaning("protocol/kinds/people.py", "request", "a matter in the example of a proxy"),
    OtherMeaning("protocol/record/envelope.py", "epoch", "the name of an audience"),
    OtherMeaning("protocol/schema/register_names.py", "measure", "the name of a register"),
    OtherMeaning("protocol/schema/register_names.py", "trial", "the name of a register"),
    OtherMeaning("protocol/wire/local_rpc.py", "message", _ERROR),
    OtherMeaning("protocol/wire/calls.py", "device", _KEY),
    OtherMeaning("tui/first_run/first_run.py", "relay", _COMMAND),
    OtherMeaning("tui/format/labels.py", "done", "a state"),
    OtherMeaning("tui/format/labels.py", "members", "a field of a circle"),
    OtherMeaning("tui/format/labels.py", "idea", "a field of a trial"),
    OtherMeaning("tui/kinds/services/trials.py", "idea", "a field of a trial"),
    OtherMeaning("meshcoop/api/written_records.py", "device", _KEY),
    OtherMeaning("meshcoop/export/own_files.py", "device", _KEY),
    OtherMeaning("tui/format/labels.py", "words", "a field of a synonym"),
    OtherMeaning("tui/kinds/exchange.py", "done", "a state"),
    OtherMeaning("tui/kinds/people.py", "device", _KEY),
    OtherMeaning("tui/node/api_client.py", "message", _ERROR),
    OtherMeaning("tui/screens/feedback_page.py", "feedback", "the name of a list"),
    OtherMeaning("tui/screens/measure_page.py", "feedback", "the name of a list"),
    OtherMeaning("tui/screens/home.py", "relay", _KEY),
    OtherMeaning("tui/screens/neighbourhood_tab.py", "members", "the id of a widget"),
    OtherMeaning("tui/screens/service_page.py", "feedback", "the name of a list"),
    OtherMeaning("tui/screens/services_tab.py", "feedback", "the name of a list"),
)


@pytest.fixture(scope="module")
def families():
    return families_by_name()


@pytest.fixture(scope="module")
def named(families):
    return literal_names(families)


def test_a_kinds_name_is_written_in_its_own_family_only(named):
    allowed = {(meaning.path, meaning.name) for meaning in OTHER_MEANINGS}
    foreign = [str(place) for place in named if (str(place.path), place.name) not in allowed]

    assert not foreign, "\n".join([f"{len(foreign)} names of kinds:", *foreign])


def test_each_other_meaning_is_still_needed(named):
    written = {(str(place.path), place.name) for place in named}
    meanings = [
        str(meaning) for meaning in OTHER_MEANINGS if (meaning.path, meaning.name) not in written
    ]

    assert not meanings, "\n".join(meanings)


def test_the_names_below_the_kinds_have_their_places():
    assert [path for path in BELOW_THE_KINDS if not (ROOT / path).is_file()] == []


LOAN = {"loan": "lending"}


@pytest.mark.parametrize(
    ("path", "count"),
    [
        ("protocol/kinds/lending.py", 0),
        ("protocol/kinds/lending/loans.py", 0),
        ("tui/kinds/lending.py", 0),
        ("tui/kinds/lending/cards.py", 0),
        ("protocol/kinds/exchange.py", 1),
        ("tui/screens/lending.py", 1),
    ],
)
def test_a_family_is_a_file_or_a_folder(path, count):
    assert len(names_in(Path(path), "KIND = 'loan'", LOAN)) == count


def test_words_of_docstrings_and_sentences_are_no_names():
    source = '"""loan"""\ndef lend():\n    "loan"\n    return f"loan{KINDS[\'loan\']}"\n'

    assert [str(place) for place in names_in(Path("a.py"), source, LOAN)] == ["a.py:4: loan"]
