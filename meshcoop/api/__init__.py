"""The local API. A server on a Unix socket answers calls with values that it makes from views."""
