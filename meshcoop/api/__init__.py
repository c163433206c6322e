"""The local API. A server on a Unix socket answers calls. The answers are made from views."""
