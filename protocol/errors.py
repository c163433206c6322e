"""The error of the protocol: a refusal, which names the rule that it follows from."""


class Refused(Exception):
    """The error for bytes or a record that a rule of the specs does not allow.

    `rule` is the number in specs/ ("R-02.3"). `reason` is a sentence for the person or peer
    concerned. If any other exception leaves `protocol`, it is a bug of ours.
    """

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"{reason} ({rule})")
        self.rule = rule
        self.reason = reason
