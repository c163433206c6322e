"""The error that people see: one sentence that also says what to do, and an exit code."""

# These rules refuse a request because of its form. The exit code is then 2, not 1.
USAGE_RULES = frozenset(
    {"R-07.1", "R-08.5", "R-10.2", "R-10.3", "R-10.4", "R-10.8", "R-17.1", "R-17.2"}
)

NO_NEIGHBOURHOOD = (
    "This home belongs to no neighbourhood yet; use `meshcoop found` or `meshcoop join`."
)


class Mistake(Exception):
    """Raised if a request cannot be carried out.

    The exit code is 2 if the form of the request is wrong, and 1 otherwise.
    """

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
