"""The local API: a server on a Unix socket, and the answers that it makes from views."""
