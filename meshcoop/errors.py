"""A person's mistake: one sentence with the remedy, and the exit code."""

# Refusals of what somebody typed, rather than of what they want: exit code 2, not 1.
USAGE = frozenset({"R-07.1", "R-08.5", "R-10.2", "R-10.3", "R-10.4", "R-10.8", "R-17.1", "R-17.2"})

NOWHERE = "This home belongs to no neighbourhood yet; `meshcoop found` or `meshcoop join`."


class Mistake(Exception):
    """What a person did that cannot be done. Exit code 1: refused, 2: asked in a wrong way."""

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
