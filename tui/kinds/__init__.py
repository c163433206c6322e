"""One module a family of kinds: its card, its story, the next steps in it, what waits for me."""
