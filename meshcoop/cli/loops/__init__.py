"""The commands about the rules of feedback loops: `loops` and `rehearse`."""
