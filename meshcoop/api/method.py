"""A method of the local API: its name, its params, and the function that answers it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from protocol.wire.calls import Call

C = TypeVar("C", bound=Call)


@dataclass(frozen=True)
class Method(Generic[C]):
    """A method of the local API. It has the type of its calls, and the function that
    answers them.
    """

    call_type: type[C]
    answer: Callable[[C], Awaitable[Any]]

    async def __call__(self, params: dict[str, Any]) -> Any:
        """Answers the call of a client. Raises Refused if the method does not take these params
        (R-06.15).
        """
        return await self.answer(self.call_type.read(params))


def by_name(*methods: Method[Any]) -> dict[str, Method[Any]]:
    """Returns a map from the name of each method to the method."""
    return {method.call_type.METHOD: method for method in methods}
