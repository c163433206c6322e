"""Makes the tables whose first use takes long.

Each table is made once in a process and is then kept. A node makes the tables before its event loop
begins, because no step of the loop may take long.
"""

from meshcoop.matching.vocabulary import load_lexicons
from protocol.look_alikes import load_skeletons
from protocol.spelling import load_patterns


def load_tables() -> None:
    """Makes the tables that this process has not made yet."""
    load_skeletons()
    load_patterns()
    load_lexicons()
