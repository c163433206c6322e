"""A table that is read in parts is in the order that is asked for: SQLite sorts nothing.

If it sorted, each part would cost as much as the whole table.
"""

from itertools import islice

import pytest

from meshcoop.store.view_tables.view_rows import ViewRows
from tests.support.street_in_memory import street

READS = {
    "newest": lambda rows: islice(rows.newest_bodies("offer"), 5),
    "newest in a state": lambda rows: islice(rows.newest_bodies("offer", state="open"), 5),
    "oldest": lambda rows: islice(rows.oldest_bodies("offer"), 5),
    "places": lambda rows: rows.places_after(0, ["offer", "request"], 5),
    "matches": lambda rows: islice(rows.matches([["soup"]]), 5),
    "hashes": lambda rows: islice(rows.core_hashes(), 5),
}


@pytest.mark.parametrize("read", READS)
def test_no_part_of_a_table_is_sorted(read):
    with street() as (ada, _):
        ada.post("offer", title="Soup", minutes="30")
        statements = []
        ada.store.db.set_trace_callback(statements.append)
        assert list(READS[read](ViewRows(ada.store)))
        ada.store.db.set_trace_callback(None)

        plans = [
            step[3]
            for statement in statements
            if not statement.startswith("--")  # what the search table asks itself
            for step in ada.store.db.execute(f"EXPLAIN QUERY PLAN {statement}")
        ]

    assert plans
    # Rows of the same time may be sorted by id.
    assert not any("TEMP B-TREE FOR ORDER BY" in step for step in plans), plans
