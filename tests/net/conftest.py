"""The fixtures of the lab: network namespaces in which tests use real networks."""

from contextlib import ExitStack

import pytest

from tests.support.network_lab import lab
from tests.support.real_homes import folder


@pytest.fixture
def hosts(request):
    """Yields a function that makes a lab and homes in it. `keeps_ports` says how the lab's NATs
    behave.
    """
    with ExitStack() as stack:

        def make(*, keeps_ports=True, relays=("R",)):
            made = stack.enter_context(lab(keeps_ports=keeps_ports))
            if isinstance(made, str):
                pytest.skip(made)
            folders = {
                host: stack.enter_context(folder(made.place(host))) for host in ("A", "B", *relays)
            }
            return made, folders

        yield make
