"""The file that `meshcoop export` writes."""

from contextlib import nullcontext
from types import SimpleNamespace

from meshcoop.cli.export import export_file


def export_calendar(folder):
    node = SimpleNamespace(list_all=lambda call: [], call=lambda call: {"timezone": None})
    answers = []
    context = SimpleNamespace(
        connect_node=lambda: nullcontext(node),
        answer=lambda value, text, is_done: answers.append(value),
    )
    export_file("ics", to=folder, context=context)
    return answers


def test_export_replaces_a_planted_link_and_spares_what_it_points_to(tmp_path):
    precious = tmp_path / "precious"
    precious.write_text("mine")
    calendar = tmp_path / "out" / "diary.ics"
    calendar.parent.mkdir()
    calendar.symlink_to(precious)

    export_calendar(calendar.parent)

    assert precious.read_text() == "mine"
    assert not calendar.is_symlink()
    assert calendar.read_text().startswith("BEGIN:VCALENDAR")
    assert [path.name for path in calendar.parent.iterdir()] == ["diary.ics"]
