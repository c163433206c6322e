"""Makes one street that several tests share. These tests may add records, but must leave the people
as they were.
"""

import pytest

from tests.support.real_homes import ROOMY, agree, folder, together


@pytest.fixture(scope="session")
def street():
    """Makes three homes, A, B and C, that have exchanged their records. All nodes are up."""
    with folder() as one:
        ada = one.founder("Ada", *ROOMY)
        ben, cleo = together(lambda: one.newcomer(ada, "Ben"), lambda: one.newcomer(ada, "Cleo"))
        agree(ada, ben, cleo)
        yield ada, ben, cleo
