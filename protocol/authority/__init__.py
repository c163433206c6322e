"""Who belongs, who decides and which rules are in force: a pure function of the open records."""
