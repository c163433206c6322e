"""One street for the tests that leave it as they found it: more records, the same people."""

import pytest

from tests.support.real_homes import ROOMY, folder, together


@pytest.fixture(scope="session")
def street():
    """Three homes, A, B and C, that have met; all nodes are up."""
    with folder() as one:
        ada = one.founder("Ada", *ROOMY)
        ben, cleo = together(lambda: one.newcomer(ada, "Ben"), lambda: one.newcomer(ada, "Cleo"))
        yield ada, ben, cleo
