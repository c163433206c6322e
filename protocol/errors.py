"""What goes wrong in the protocol: a refusal, which names the rule that it rests on."""


class Refused(Exception):
    """Bytes or a record that a rule of the specs does not allow.

    `rule` is the number in specs/ ("R-02.3"), `reason` a sentence for the person or peer concerned.
    Any other exception that leaves `protocol` is a bug of ours.
    """

    def __init__(self, rule: str, reason: str) -> None:
        super().__init__(f"{reason} ({rule})")
        self.rule = rule
        self.reason = reason
