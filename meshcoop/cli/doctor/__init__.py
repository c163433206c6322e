"""The command `doctor`: its checks, the things that they look at, and their sentences."""
