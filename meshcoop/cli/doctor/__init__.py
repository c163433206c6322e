"""The command `doctor`: its checks, what these checks look at, and their sentences."""
