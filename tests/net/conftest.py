"""The lab of network namespaces for tests of real networks."""

from contextlib import ExitStack

import pytest

from tests.support.network_lab import lab
from tests.support.real_homes import folder


@pytest.fixture
def hosts(request):
    """What makes a lab with a NAT of some sort, and homes in it."""
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
