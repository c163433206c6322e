"""The type of the plain values that the local API takes and returns. Also has the exit code for a
call with wrong params.
"""

from typing import Any

Params = dict[str, Any]

USAGE_ERROR = 2  # the exit code for a request whose form is wrong
