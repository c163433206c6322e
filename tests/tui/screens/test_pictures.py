"""Each screen still looks like its saved picture. `python -m tests.support.pictures` saves the
pictures again.
"""

import pytest

from tests.support.pictures import DRAWINGS, DRAWN, SCENES, TEXTS, take

# The same screens in other widths and without colours, which cost a second of the processor each.
VARIANTS = [name for name in SCENES if name.endswith(("-60", "-120", "-no-color"))]


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=pytest.mark.long) if name in VARIANTS else name for name in SCENES],
)
def test_a_screen_looks_as_it_did(name):
    text, _ = take(name)
    assert text == (TEXTS / f"{name}.txt").read_text(encoding="utf-8")


def test_the_drawings_in_the_readme_fetch_nothing():
    for name in DRAWN:
        assert "url(http" not in (DRAWINGS / f"{name}.svg").read_text(encoding="utf-8")
