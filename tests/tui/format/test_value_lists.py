"""Several values in one line of a form."""

from hypothesis import example, given
from hypothesis import strategies as st

from tui.format.value_lists import join_values, split_values

VALUES = st.lists(st.text(alphabet='ab ,"=\n', min_size=1, max_size=8), max_size=5)


@given(VALUES)
@example(["Bread, cakes and jam", '6" pipes', '"Best" hats', " with spaces ", ","])
def test_line_of_values_reads_as_the_same_values(values):
    assert split_values(join_values(values)) == values


def test_line_reads_as_people_type_it():
    assert split_values(' bread, "soup, hot" ,, 6" pipes, "half') == [
        *("bread", "soup, hot", '6" pipes', '"half')
    ]
