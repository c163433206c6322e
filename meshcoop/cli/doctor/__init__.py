"""The command `doctor`: its checks, what they look at, and what they say."""
