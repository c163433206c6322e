"""The exception of the protocol. It names the rule of the specs that was broken."""


class Refused(Exception):
    """The error that is raised if a rule of the specs does not allow some bytes or a record.

    `rule` is the number of the rule, such as "R-02.3". `reason` is a sentence for the person or
    peer concerned. If any other exception leaves the package `protocol`, that is a bug.
    """

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"{reason} ({rule})")
        self.rule = rule
        self.reason = reason
