"""What a person can get wrong, said in one sentence with the remedy."""


class Mistake(Exception):
    """A command cannot be done as asked. `sentence` says what to do about it.

    `code` is the exit code of the command: 1 refused, 2 usage.
    """

    def __init__(self, sentence: str, code: int = 1) -> None:
        super().__init__(sentence)
        self.sentence = sentence
        self.code = code
