"""The exception that the protocol raises. It names the rule of the specs that was broken."""

from collections.abc import Mapping
from typing import Self


class Refused(Exception):
    """The error that is raised if a rule of the specs does not allow some bytes or a record.

    `rule` is the number of the rule, such as "R-02.3". `text` says what is wrong. A name in braces
    in `text` stands for a value in `arguments`. The screen and the command line first translate
    `text`, and then put the values into the translated text. If any other exception leaves the
    package `protocol`, that is a bug.

    If a field of a record or a param of a call is wrong, `field` is its name. `text` then has
    `{field}` where it names the field, so that a caller can name it as a person typed it.
    """

    def __init__(
        self, rule: str, text: str, /, field: str | None = None, **arguments: object
    ) -> None:
        super().__init__(rule, text, field, arguments)
        self.rule = rule
        self.text = text
        self.field = field
        self.arguments = arguments if field is None else {**arguments, "field": field}

    @property
    def reason(self) -> str:
        """What is wrong, as a sentence in English for logs and for peers."""
        return fill_in(self.text, self.arguments)

    def __str__(self) -> str:
        return f"{self.reason} ({self.rule})"

    def naming(self, field: str) -> "Refused":
        """Returns this refusal with another name for the field that is wrong."""
        arguments = {name: value for name, value in self.arguments.items() if name != "field"}
        return Refused(self.rule, self.text, field, **arguments)

    def without_frames(self) -> Self:
        """Forgets the frames in which this error was raised, and returns this error. Code that
        keeps an error calls this.

        Otherwise the error keeps a frame, and the frame keeps the error. Such a circle keeps all
        values of the frame, for example a whole thread, until Python collects garbage.
        """
        self.__context__ = None
        return self.with_traceback(None)


class AlreadySo(Refused):
    """The error for a record that would only say what already holds. Software raises the error
    instead of signing the record.

    If software knows which earlier record says so, `record` is that record. A caller that posts for
    a person tells the person, and treats the post as done.
    """

    def __init__(
        self,
        rule: str,
        text: str,
        /,
        record: bytes | None = None,
        field: str | None = None,
        **arguments: object,
    ) -> None:
        super().__init__(rule, text, field, **arguments)
        self.record = record


def fill_in(text: str, arguments: Mapping[str, object]) -> str:
    """Returns `text` with each name in braces replaced by the argument of that name.

    If the names do not fit the arguments, `text` is returned as it is. This can happen with data
    from a stranger.
    """
    if not arguments:
        return text
    try:
        return text.format(**arguments)
    except (LookupError, ValueError, AttributeError, TypeError):
        return text
