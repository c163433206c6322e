"""Who belongs, who decides and which rules hold: a pure function of the set of open records."""
